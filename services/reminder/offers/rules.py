"""Offers in a negotiation: more time, instalments, or to settle for a part. Who may make which, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from services.reminder.authority.rules import Offers as Limits
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.receivables.rules import Account, Item
from services.reminder.tasks.rules import AssignTask
from shared.calendar import ONE_DAY, at_local_time
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import OfferAccepted, OfferEvent, OfferLapsed, OfferMade, OfferState
from shared.money import Money

Kind = Literal["extension", "plan", "settlement"]
Status = Literal["awaiting_approval", "open", "accepted", "refused", "expired", "withdrawn", "rejected", "lapsed"]
How = Literal["phone", "email", "letter", "meeting", "page"]
Effect = Literal["none", "promised", "pending", "done", "failed"]


class OfferNotFound(NotFound):
    slug = "offer-not-found"
    title = "There is no such offer"


class NothingToOffer(Conflict):
    slug = "case-closed"
    title = "Nothing of this customer is being collected"


class OfferOpen(Conflict):
    slug = "offer-open"
    title = "Another offer is open"


class OfferOver(Conflict):
    slug = "offer-over"
    title = "The offer does not stand any more"


class OfferLimit(Refused):
    slug = "offer-limit"
    title = "Nobody may offer that much"


class TermsRefused(Refused):
    slug = "offer-terms"
    title = "These terms do not fit"


class InvoiceNotCollectable(Refused):
    slug = "offer-invoice"
    title = "The invoice cannot be part of an offer"


class SecondPersonNeeded(Conflict):
    slug = "second-person-needed"
    title = "Nobody approves what they made themselves"


@dataclass(frozen=True, slots=True)
class Claim:
    """An invoice that an offer is about, with what was owed on it. `invoice_id` is the invoice service's."""

    number: str
    invoice_id: str
    minor: int


@dataclass(frozen=True, slots=True)
class Instalment:
    due_date: date
    minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What is offered: for an extension the new day (`pay_by`), for a settlement what is to be paid by then, for a plan
    its instalments. Until `expires_on` it may be accepted."""

    kind: Kind
    expires_on: date
    items: tuple[str, ...] = ()
    pay: Money | None = None
    pay_by: date | None = None
    instalments: tuple[tuple[date, Money], ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """`answered_*` say who accepted or refused it, when and how; `recorded_by` is the collector who wrote that down,
    None where the customer did so on its page. `because` says why it ended otherwise."""

    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    case_id: UUID
    kind: Kind
    status: Status
    currency: str
    amount_minor: int
    claims: tuple[Claim, ...]
    pay_minor: int | None
    pay_by: date | None
    instalments: tuple[Instalment, ...]
    expires_on: date
    note: str | None
    made_by: str
    made_at: datetime
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    answered_by: str | None
    answered_at: datetime | None
    answered_how: How | None
    recorded_by: str | None
    because: str | None
    ended_on: date | None
    effect: Effect
    effect_detail: str | None
    effect_at: datetime | None
    look_at: datetime | None

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def amount(self) -> Money:
        return self.money(self.amount_minor)

    @property
    def to_pay(self) -> Money:
        """What acceptance obliges to pay in all."""
        return self.money(self.amount_minor if self.pay_minor is None else self.pay_minor)

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(claim.number for claim in self.claims)

    @property
    def in_words(self) -> str:
        match self.kind:
            case "extension":
                return f"{self.amount} by {_day(self.pay_by)}"
            case "plan":
                return f"{self.amount} in {len(self.instalments)} instalments from {_day(self.instalments[0].due_date)}"
            case "settlement":
                return f"{self.to_pay} by {_day(self.pay_by)} for {self.amount}"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def subject_of(account: Account, numbers: Sequence[str], *, is_open: bool) -> tuple[Item, ...]:
    """The invoices of one currency that an offer is about: those named, or all that is overdue and collectable.

    Raises NothingToOffer, InvoiceNotCollectable.
    """
    if not is_open or not account.overdue:
        raise NothingToOffer("the customer's case is closed: there is nothing to negotiate")
    collectable = {item.number: item for item in account.items if item.is_collectable}
    for n, number in enumerate(numbers):
        if number not in collectable:
            raise InvoiceNotCollectable(f"nothing of {number} may be collected", field=f"/items/{n}")
    chosen = tuple(collectable[number] for number in dict.fromkeys(numbers)) if numbers else account.overdue
    currency = chosen[0].collectable.currency
    if numbers and any(item.collectable.currency != currency for item in chosen):
        raise InvoiceNotCollectable("an offer has one currency", field="/items")
    return tuple(item for item in chosen if item.collectable.currency == currency)


def approval_needed(terms: Terms, owed: Money, limits: Limits, today: date) -> bool:
    """Whether a second person has to approve these terms. Raises TermsRefused, OfferLimit."""
    _check_days(terms, limits, today)
    alone = _within_alone(owed, limits)
    match terms.kind:
        case "extension":
            assert terms.pay_by is not None
            days = (terms.pay_by - today).days
            if days > limits.extension_days_max:
                raise OfferLimit(f"{limits.extension_days_max} days may be given at most", field="/pay_by")
            return not alone or days > limits.extension_days_alone
        case "plan":
            _check_instalments(terms, owed)
            if len(terms.instalments) > limits.instalments_max:
                raise OfferLimit(f"{limits.instalments_max} instalments at most", field="/instalments")
            return not alone or len(terms.instalments) > limits.instalments_alone
        case "settlement":
            assert terms.pay is not None
            if terms.pay.currency != owed.currency:
                raise TermsRefused(f"what is owed is in {owed.currency}", field="/pay/currency")
            if not 0 < terms.pay.minor < owed.minor:
                raise TermsRefused(f"a settlement is for more than nothing and less than {owed}", field="/pay/amount")
            given_up = Decimal(100) * (owed.minor - terms.pay.minor) / owed.minor
            if given_up > limits.given_up_percent_max:
                raise OfferLimit(f"{limits.given_up_percent_max} percent may be given up at most", field="/pay/amount")
            return True


def _within_alone(owed: Money, limits: Limits) -> bool:
    if not limits.amounts_alone:
        return True
    limit = next((each for each in limits.amounts_alone if each.currency == owed.currency), None)
    return limit is not None and owed.minor <= limit.minor


def _check_days(terms: Terms, limits: Limits, today: date) -> None:
    if terms.expires_on < today:
        raise TermsRefused(f"{terms.expires_on} has passed; today is {today}", field="/expires_on")
    if (terms.expires_on - today).days > limits.valid_days_max:
        last = today + timedelta(days=limits.valid_days_max)
        raise OfferLimit(f"an offer stays open until {last} at most", field="/expires_on")
    if terms.kind in ("extension", "settlement"):
        if terms.pay_by is None:
            raise TermsRefused("say by when is to be paid", field="/pay_by")
        if terms.pay_by < terms.expires_on:
            raise TermsRefused("it is to be paid no sooner than it may be accepted", field="/pay_by")
    if terms.kind == "settlement" and terms.pay is None:
        raise TermsRefused("say what is to be paid", field="/pay")
    if terms.kind == "plan" and not terms.instalments:
        raise TermsRefused("a plan has instalments", field="/instalments")
    if terms.kind != "settlement" and terms.pay is not None:
        raise TermsRefused("only a settlement says what is to be paid", field="/pay")


def _check_instalments(terms: Terms, owed: Money) -> None:
    for n, (day, amount) in enumerate(terms.instalments):
        if amount.currency != owed.currency or amount.minor <= 0:
            raise TermsRefused(f"an instalment is more than zero, in {owed.currency}", field=f"/instalments/{n}/amount")
        before = terms.instalments[n - 1][0] + ONE_DAY if n else terms.expires_on
        if day < before:
            raise TermsRefused(f"the day is {before} or later", field=f"/instalments/{n}/due_date")
    planned = Money(sum(amount.minor for _, amount in terms.instalments), owed.currency)
    if planned != owed:
        raise TermsRefused(f"the instalments add up to {planned}, and {owed} is owed", field="/instalments")


def make(
    offer_id: UUID,
    case_id: UUID,
    account: Account,
    claims: Sequence[Claim],
    currency: str,
    terms: Terms,
    by: str,
    now: datetime,
    *,
    needs_approval: bool,
) -> Offer:
    return Offer(
        id=offer_id,
        version=1,
        customer_id=account.id,
        entity_id=account.entity_id,
        case_id=case_id,
        kind=terms.kind,
        status="awaiting_approval" if needs_approval else "open",
        currency=currency,
        amount_minor=sum(claim.minor for claim in claims),
        claims=tuple(claims),
        pay_minor=terms.pay.minor if terms.pay else None,
        pay_by=terms.pay_by,
        instalments=tuple(Instalment(day, amount.minor) for day, amount in terms.instalments),
        expires_on=terms.expires_on,
        note=terms.note,
        made_by=by,
        made_at=now,
        needs_approval=needs_approval,
        approved_by=None,
        approved_at=None,
        answered_by=None,
        answered_at=None,
        answered_how=None,
        recorded_by=None,
        because=None,
        ended_on=None,
        effect="none",
        effect_detail=None,
        effect_at=None,
        look_at=at_local_time(terms.expires_on + ONE_DAY, time(), account.time_zone),
    )


def decide(offer: Offer, by: str, now: datetime, *, approved: bool, note: str | None) -> Offer:
    """Raises OfferOver, SecondPersonNeeded."""
    _expect(offer, "awaiting_approval", now)
    if not approved:
        return end(offer, "withdrawn" if by == offer.made_by else "rejected", now, note)
    if by == offer.made_by:
        raise SecondPersonNeeded(f"{by} made it; somebody else has to approve")
    return replace(offer, version=offer.version + 1, status="open", approved_by=by, approved_at=now)


@dataclass(frozen=True, slots=True)
class Answer:
    """`by` is the person at the customer; `recorded_by` who wrote it down, None on the customer's page."""

    accepted: bool
    by: str
    how: How
    recorded_by: str | None
    reason: str | None = None


def answer(offer: Offer, given: Answer, now: datetime) -> Offer:
    """What acceptance sets off: more time and a settlement are promises here, a plan is agreed at the invoice service.
    Raises OfferOver."""
    _expect(offer, "open", now)
    answered = replace(
        offer, answered_by=given.by, answered_at=now, answered_how=given.how, recorded_by=given.recorded_by
    )
    if not given.accepted:
        return end(answered, "refused", now, given.reason)
    ended = end(answered, "accepted", now, None)
    return carry_out(ended, now) if offer.kind == "plan" else replace(ended, effect="promised")


def carry_out(offer: Offer, now: datetime) -> Offer:
    """The intent to ask the invoice service, kept before anything is asked."""
    return replace(offer, version=offer.version + 1, effect="pending", effect_at=now)


def carried_out(offer: Offer, fault: str | None) -> Offer:
    return replace(
        offer,
        version=offer.version + 1,
        effect="failed" if fault else "done",
        effect_detail=fault,
        effect_at=None,
    )


def promise_ended(offer: Offer, kept: bool, now: datetime) -> Offer:
    """Of an accepted offer: a settlement whose part is paid gives up the rest; one that is not paid in time does not
    stand, and all is owed again."""
    if kept:
        return carry_out(offer, now) if offer.kind == "settlement" else carried_out(offer, None)
    lapsed = replace(offer, version=offer.version + 1, status="lapsed", effect="none", because="not paid as agreed")
    return replace(lapsed, ended_on=now.date())


def end(offer: Offer, status: Status, now: datetime, because: str | None) -> Offer:
    return replace(
        offer,
        version=offer.version + 1,
        status=status,
        because=because,
        ended_on=now.date(),
        look_at=None,
    )


def hold_of(offer: Offer) -> Hold:
    """While the customer thinks about it, nothing is asked."""
    return Hold(HoldKind.PAUSED, offer.expires_on, str(offer.id), f"offered: {offer.in_words}")


def _expect(offer: Offer, status: Status, now: datetime) -> None:
    """Raises OfferOver."""
    if offer.status != status:
        raise OfferOver(f"it is {offer.status.replace('_', ' ')}")
    if offer.look_at and now >= offer.look_at:
        raise OfferOver(f"it stood until {offer.expires_on}")


def ask_for_approval(offer: Offer, today: date) -> AssignTask:
    return AssignTask(
        customer_id=offer.customer_id,
        case_id=offer.case_id,
        entity_id=offer.entity_id,
        kind="approval_wanted",
        occasion=str(offer.id),
        title=f"Approve the offer: {offer.in_words}",
        detail=f"{offer.made_by} offers it until {offer.expires_on.isoformat()}."
        + (f" {offer.note}" if offer.note else ""),
        due_on=today,
    )


def look_into(offer: Offer, today: date) -> AssignTask:
    """The customer has accepted, and the invoice service refused to do its part."""
    return AssignTask(
        customer_id=offer.customer_id,
        case_id=offer.case_id,
        entity_id=offer.entity_id,
        kind="offer_failed",
        occasion=str(offer.id),
        title=f"An accepted offer could not be carried out: {offer.in_words}",
        detail=offer.effect_detail or "",
        due_on=today,
    )


def event(offer: Offer, today: date) -> OfferEvent | None:
    """That it is open to the customer, was accepted, or stands no more; before it is open nobody was told of it."""
    kinds: Mapping[str, type[OfferEvent]] = {"open": OfferMade, "accepted": OfferAccepted}
    if offer.status == "awaiting_approval":
        return None
    state = OfferState(
        id=offer.id,
        version=offer.version,
        entity_id=offer.entity_id,
        case_id=offer.case_id,
        kind=offer.kind,
        status=offer.status,
        amount=offer.amount,
        to_pay=offer.to_pay,
        invoices=offer.numbers,
        expires_on=offer.expires_on,
        pay_by=offer.pay_by,
        instalments=len(offer.instalments),
        ended_on=offer.ended_on,
        because=offer.because,
    )
    return kinds.get(offer.status, OfferLapsed)(
        customer_id=offer.customer_id,
        effective_on=today,
        booked_on=today,
        entity_id=offer.entity_id,
        offer=state,
    )


# --- asking the invoice service ---


@dataclass(frozen=True, slots=True)
class Call:
    """A request under a key of its own: made again after a crash, it takes effect once."""

    path: str
    key: str
    body: Mapping[str, Any]


def calls(offer: Offer) -> list[Call]:
    if offer.kind == "settlement":
        note = f"Settled for {offer.to_pay} (offer {offer.id})"
        return [
            Call(
                f"/v1/invoices/{claim.invoice_id}/write-off",
                f"offer-{offer.id}-{claim.invoice_id}",
                {"reason_code": "settlement", "note": note},
            )
            for claim in offer.claims
        ]
    parts = [
        {
            "due_date": each.due_date.isoformat(),
            "amount": {"amount": offer.money(each.minor).amount, "currency": offer.currency},
        }
        for each in offer.instalments
    ]
    if len(offer.claims) == 1:
        path, body = f"/v1/invoices/{offer.claims[0].invoice_id}/plans", {"instalments": parts}
    else:
        ids = [claim.invoice_id for claim in offer.claims]
        path = f"/v1/customers/{offer.customer_id}/plans"
        body = {"instalments": parts, "invoice_ids": ids, "entity_id": offer.entity_id}
    return [Call(path, f"offer-{offer.id}", body)]
