"""An invoice and what moves its balance: issued, paid, adjusted, and each of these taken back; disputed.

Every function takes the invoice as it stands and returns it as it stands afterwards with the events that say so; each
event bears a version of its own. `effective_on` never goes back behind the last rise of the balance, so that the sum
of changes up to any date is the balance at the end of that date, and never below zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.invoice.discounts.rules import Offer
from services.invoice.drafting.rules import DeliveryChannel, InvoiceParticulars
from services.invoice.pricing.rules import Priced, PricedLine, TaxGroup, scaled
from services.invoice.terms.rules import NET_DAYS_MAX, PERCENT_PLACES, AgreedTerms, PaymentTerms, agree
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused, Unavailable
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoiceIssued,
    InvoiceOverdueCleared,
    InvoiceSettled,
    InvoiceState,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.money import Money

DUE_SOON_DAYS = 7
Age = Literal[31, 61, 91]
AGED_DAYS: tuple[Age, ...] = (31, 61, 91)
"""The first days of the ageing buckets after 1-30."""

Status = Literal["open", "partly_paid", "settled", "voided", "written_off"]
Component = Literal["charge", "credit_note", "discount", "small_difference", "write_off"]
"""What moves a balance besides payments; each has its field on the invoice, and a row in `adjustment`."""
ChargeKind = Literal["interest", "fee", "recovery_cost"]
CreditOutcome = Literal["approved", "declined", "unavailable", "not_asked"]
DisputeOutcome = Literal["rejected", "withdrawn", "paid", "accepted"]


class InvoiceNotFound(NotFound):
    slug = "invoice-not-found"
    title = "There is no such invoice"


class NumberTaken(Conflict):
    slug = "invoice-number-taken"
    title = "An invoice with this number exists already"


class NumberReserved(Refused):
    slug = "invoice-number-reserved"
    title = "The number belongs to the entity's own series"


class DatesRefused(Refused):
    slug = "invoice-dates"
    title = "The invoice's dates do not fit each other"


class CreditDeclined(Refused):
    slug = "credit-declined"
    title = "Credit does not allow this invoice"


class CreditUnavailable(Unavailable):
    slug = "credit-unavailable"
    title = "Credit has to be asked first and is not answering"


@dataclass(frozen=True, slots=True)
class CreditAnswer:
    """What credit said when the invoice was issued, under the policy of that day."""

    policy: str
    outcome: CreditOutcome
    reasons: tuple[str, ...] = ()
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """A claim. `overdue_since` is the first day of the running overdue episode, `aged_days` the highest threshold it
    has reached; `raised_on`, `moved_on` and `reopened_on` are the last dates the balance rose, moved at all, and rose
    from zero."""

    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    number: str
    currency: str
    issue_date: date
    due_date: date
    net_minor: int
    tax_minor: int
    raised_on: date
    moved_on: date
    delivery_channel: DeliveryChannel
    reference: str | None = None
    allocated_minor: int = 0
    disputed_minor: int = 0
    overdue_episode: int = 0
    overdue_since: date | None = None
    aged_days: int = 0
    due_soon_on: date | None = None
    reopened_on: date | None = None
    settled_on: date | None = None
    charged_minor: int = 0
    credited_minor: int = 0
    discounted_minor: int = 0
    difference_minor: int = 0
    written_off_minor: int = 0
    planned_minor: int = 0
    voided_on: date | None = None
    instalment_due: Sequence[date] | None = None
    instalment_minor: Sequence[int] | None = None
    discount_until: Sequence[date] | None = None
    discount_bp: Sequence[int] | None = None

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor

    @property
    def balance_minor(self) -> int:
        """What is owed: total + charges - allocations - credit notes - discounts - small differences - write-offs."""
        return self.net_minor + self.tax_minor + self.charged_minor - self.reduced_minor

    @property
    def reduced_minor(self) -> int:
        """All that was paid of it or taken off it."""
        return (
            self.allocated_minor
            + self.credited_minor
            + self.discounted_minor
            + self.difference_minor
            + self.written_off_minor
        )

    @property
    def collectable_minor(self) -> int:
        """What may be chased now: the balance less what is disputed, and less what waits for the dates of a plan."""
        return self.balance_minor - self.disputed_minor - self.planned_minor

    @property
    def undisputed_minor(self) -> int:
        return self.balance_minor - self.disputed_minor

    @property
    def status(self) -> Status:
        if self.voided_on:
            return "voided"
        if self.balance_minor == 0:
            return "written_off" if self.written_off_minor else "settled"
        return "partly_paid" if self.reduced_minor else "open"

    @property
    def instalments(self) -> tuple[tuple[date, int], ...]:
        """Due dates and amounts, the earliest first; empty where the whole is due on one day."""
        return tuple(zip(self.instalment_due or (), self.instalment_minor or (), strict=True))

    def instalments_open(self) -> list[int]:
        """What of each instalment is not paid: money fills them in the order of their dates."""
        left, later = [], self.balance_minor
        for _, minor in reversed(self.instalments):
            left.append(min(minor, max(later, 0)))
            later -= minor
        return left[::-1]

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What paying early earns; empty where nothing does."""
        if self.discount_until is None:
            return ()
        return tuple(map(Offer, self.discount_until, self.discount_bp or ()))

    def overdue_minor(self, today: date) -> int:
        """What is owed past its due date: of instalments, those that are due and not paid yet."""
        if today <= self.due_date:
            return 0
        if self.instalment_due is None:
            return self.balance_minor
        later = sum(minor for due_on, minor in self.instalments if due_on >= today)
        return max(0, self.balance_minor - later)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def state(self) -> InvoiceState:
        balance, currency = self.balance_minor, self.currency

        def unless_nothing(minor: int) -> Money | None:
            return Money(minor, currency) if minor else None

        return InvoiceState(
            id=self.id,
            version=self.version,
            entity_id=self.entity_id,
            number=self.number,
            status=self.status,
            issue_date=self.issue_date,
            due_date=self.due_date,
            total=Money(self.total_minor, currency),
            balance=Money(balance, currency),
            disputed=Money(self.disputed_minor, currency),
            collectable=Money(self.collectable_minor, currency),
            overdue_episode=self.overdue_episode,
            overdue_since=self.overdue_since,
            settled_on=self.settled_on,
            charged=unless_nothing(self.charged_minor),
            credited=unless_nothing(self.credited_minor),
            discounted=unless_nothing(self.discounted_minor),
            differences=unless_nothing(self.difference_minor),
            written_off=unless_nothing(self.written_off_minor),
            on_plan=unless_nothing(self.planned_minor),
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A move of the balance that is no payment. `source_id` is what it comes from (a credit note, a charge, a
    write-off, the payment that earned a discount); the row stays when it is taken back, with `reversed_on`."""

    id: UUID
    invoice_id: UUID
    component: Component
    amount_minor: int
    effective_on: date
    booked_on: date
    reason: str
    source_id: UUID
    source_number: str | None = None
    reversed_on: date | None = None


_FIELD_OF: dict[Component, str] = {
    "charge": "charged_minor",
    "credit_note": "credited_minor",
    "discount": "discounted_minor",
    "small_difference": "difference_minor",
    "write_off": "written_off_minor",
}
SettledBy = Literal["allocation", "credit_note", "discount", "small_difference", "restored"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The invoice afterwards, and what to tell of it in this order."""

    invoice: Invoice
    events: tuple[InvoiceEvent, ...] = ()


def due_date(issue_date: date, *, stated: date | None, net_days: int) -> date:
    """The date stated on the invoice, else so many days after its issue. Raises DatesRefused."""
    due = stated or issue_date + timedelta(days=net_days)
    if due < issue_date:
        raise DatesRefused(f"due on {due}, before its issue on {issue_date}", field="/due_date")
    if due > issue_date + timedelta(days=NET_DAYS_MAX):
        raise DatesRefused(f"due on {due}, more than {NET_DAYS_MAX} days after its issue", field="/due_date")
    return due


def agreed_terms(
    terms: PaymentTerms | None,
    *,
    issued_on: date,
    stated: date | None,
    net_days: int,
    total: Money,
    country: str,
) -> tuple[date, AgreedTerms | None]:
    """The due date, and the terms to keep where they say more than that. Raises DatesRefused, TermsRefused."""
    if terms is None or terms.only_days:
        days = net_days if terms is None or terms.net_days is None else terms.net_days
        return due_date(issued_on, stated=stated, net_days=days), None
    due_on = due_date(issued_on, stated=stated, net_days=0) if stated else None
    agreed = agree(terms, issued_on=issued_on, total=total, net_days=net_days, country=country, due_on=due_on)
    return agreed.due_date, agreed


def issue_date(stated: date | None, today: date) -> date:
    """Today unless stated; a date in the past is a late booking, one in the future a mistake. Raises DatesRefused."""
    day = stated or today
    if day > today:
        raise DatesRefused(f"issued on {day}, which is after today, {today}", field="/issue_date")
    return day


def allowed_by_credit(answer: CreditAnswer) -> CreditAnswer:
    """The answer itself where the policy lets the invoice go out. Raises CreditDeclined, CreditUnavailable.

    `advise` only records; `enforce` refuses what was declined, and waits for an answer when there is none.
    """
    if answer.policy == "enforce":
        if answer.outcome == "declined":
            raise CreditDeclined(
                "credit declined it: " + ("; ".join(answer.reasons) or "no reason given"),
                reasons=list(answer.reasons),
                decision_id=str(answer.decision_id),
            )
        if answer.outcome == "unavailable":
            raise CreditUnavailable("the policy is to ask credit before issuing, and credit does not answer")
    return answer


def draft(
    priced: Priced,
    *,
    invoice_id: UUID,
    entity_id: str,
    customer_id: UUID,
    number: str,
    issued_on: date,
    due_on: date,
    delivery_channel: DeliveryChannel,
    reference: str | None,
    booked_from: date | None = None,
    terms: AgreedTerms | None = None,
) -> Invoice:
    """A new invoice of which nothing is paid; an empty `number` is still to come from the entity's series. It counts
    from its issue, or from `booked_from` where the books of that day are closed."""
    agreed: dict[str, Any] = {}
    if terms and terms.instalments:
        due_on = terms.instalments[0].due_date
        agreed["instalment_due"] = [each.due_date for each in terms.instalments]
        agreed["instalment_minor"] = [each.amount.minor for each in terms.instalments]
    if terms and terms.discounts:
        agreed["discount_until"] = [each.until for each in terms.discounts]
        agreed["discount_bp"] = [scaled(each.percent, PERCENT_PLACES) for each in terms.discounts]
    return Invoice(
        **agreed,
        id=invoice_id,
        version=1,
        entity_id=entity_id,
        customer_id=customer_id,
        number=number,
        currency=priced.currency,
        issue_date=issued_on,
        due_date=due_on,
        net_minor=priced.net_minor,
        tax_minor=priced.tax_minor,
        raised_on=booked_from or issued_on,
        moved_on=booked_from or issued_on,
        delivery_channel=delivery_channel,
        reference=reference,
    )


def issue(invoice: Invoice, *, booked_on: date) -> Outcome:
    """Announce a new claim on the customer, the first version of the invoice."""
    issued = InvoiceIssued(
        customer_id=invoice.customer_id,
        effective_on=invoice.raised_on,
        booked_on=booked_on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(invoice.total_minor),
        net=invoice.money(invoice.net_minor),
        tax=invoice.money(invoice.tax_minor),
        customer_reference=invoice.reference,
        delivery_channel=invoice.delivery_channel,
    )
    return Outcome(invoice, (issued,))


def allocate(
    invoice: Invoice, amount_minor: int, *, received_on: date, booked_on: date, effective_on: date | None = None
) -> Outcome:
    """Pay `amount_minor` of the balance with money received on a date; settling it ends its overdue episode at once.

    The disputed amount shrinks to at most what is still owed. The caller has checked the amount, and knows from
    `counts_from` where it counts from an earlier day than the last rise of the balance.
    """
    counts_on = effective_on or effective_date(invoice, received_on)
    paid = _lowered(invoice, "allocated_minor", amount_minor, counts_on)
    return _less_owed(paid, -amount_minor, "allocation", counts_on, booked_on)


def take_off(invoice: Invoice, adjustment: Adjustment) -> Outcome:
    """Lower the balance by a credit note, a discount, a small difference or a write-off. The caller has checked that
    so much is owed; what is disputed or on a plan shrinks to at most what is left."""
    amount, on, booked_on = adjustment.amount_minor, adjustment.effective_on, adjustment.booked_on
    lowered = _lowered(invoice, _FIELD_OF[adjustment.component], amount, on)
    if adjustment.component in ("discount", "small_difference"):
        return _less_owed(lowered, -amount, adjustment.component, on, booked_on)

    about: dict[str, Any] = {
        "customer_id": lowered.customer_id,
        "effective_on": on,
        "booked_on": booked_on,
        "entity_id": lowered.entity_id,
        "invoice": lowered.state(),
        "change": lowered.money(-amount),
        "reason": adjustment.reason,
    }
    if adjustment.component == "write_off":
        told: InvoiceEvent = InvoiceWrittenOff(**about, write_off_id=adjustment.source_id)
    else:
        told = InvoiceCredited(
            **about, credit_note_id=adjustment.source_id, credit_note_number=adjustment.source_number or ""
        )
    if lowered.balance_minor:
        return _up_to_date(Outcome(lowered, (told,)), booked_on)
    if adjustment.component == "write_off":
        ended = _clear_overdue(lowered, on, booked_on)
    else:
        ended = _less_owed(replace(lowered, version=lowered.version + 1), 0, "credit_note", on, booked_on)
    return Outcome(ended.invoice, (told, *ended.events))


def charge(invoice: Invoice, adjustment: Adjustment, kind: ChargeKind) -> Outcome:
    """Add interest, a fee or a recovery cost to what is owed, also on an invoice settled before: it is open again."""
    assert adjustment.component == "charge"
    raised = _raised(invoice, "charged_minor", adjustment.amount_minor, adjustment.effective_on)
    charged = InvoiceCharged(
        customer_id=raised.customer_id,
        effective_on=adjustment.effective_on,
        booked_on=adjustment.booked_on,
        entity_id=raised.entity_id,
        invoice=raised.state(),
        change=raised.money(adjustment.amount_minor),
        charge_id=adjustment.source_id,
        kind=kind,
        reason=adjustment.reason,
    )
    return Outcome(raised, (charged,))


def restore(invoice: Invoice, adjustment: Adjustment, *, on: date) -> Outcome:
    """Take an adjustment back: what a credit note or its like took off is owed again, a charge is waived.

    The caller has checked that a charge waived is still owed (what of it was paid is a credit note's matter).
    """
    field, amount = _FIELD_OF[adjustment.component], adjustment.amount_minor
    assert amount <= getattr(invoice, field)
    if adjustment.component == "charge":
        waived = _lowered(invoice, field, -amount, on)
        return _less_owed(waived, -amount, "restored", on, on)
    return _more_owed(_raised(invoice, field, -amount, on), amount, "restored", on)


def void(invoice: Invoice, adjustment: Adjustment) -> Outcome:
    """Take back an invoice that should not have been issued: a credit note over all that is owed, under a status of
    its own. The caller has checked that nothing was paid of it."""
    assert adjustment.component == "credit_note"
    assert adjustment.amount_minor == invoice.balance_minor
    lowered = _lowered(invoice, "credited_minor", adjustment.amount_minor, adjustment.effective_on)
    voided = replace(lowered, voided_on=adjustment.effective_on)
    event = InvoiceVoided(
        customer_id=voided.customer_id,
        effective_on=adjustment.effective_on,
        booked_on=adjustment.booked_on,
        entity_id=voided.entity_id,
        invoice=voided.state(),
        change=voided.money(-adjustment.amount_minor),
        reason=adjustment.reason,
    )
    cleared = _clear_overdue(voided, adjustment.effective_on, adjustment.booked_on)
    return Outcome(cleared.invoice, (event, *cleared.events))


def _dated(invoice: Invoice) -> Invoice:
    """With the due date of the earliest instalment that is not paid: money fills them in the order of their dates."""
    if invoice.instalment_due is None:
        return invoice
    owed_later = invoice.balance_minor
    due_on = invoice.instalment_due[-1]
    for instalment_due_on, minor in reversed(invoice.instalments):
        if owed_later <= 0:
            break
        due_on = instalment_due_on
        owed_later -= minor
    if due_on == invoice.due_date:
        return invoice
    # Each instalment is announced as due soon by itself, unless its day has been announced before.
    due_soon_on = None if due_on > invoice.due_date else invoice.due_soon_on
    return replace(invoice, due_date=due_on, due_soon_on=due_soon_on)


def _lowered(invoice: Invoice, field: str, by_minor: int, effective_on: date) -> Invoice:
    """With less owed: `field` grows by so much (a charge shrinks), and what is held back fits into the rest."""
    balance = invoice.balance_minor - abs(by_minor)
    assert 0 <= balance < invoice.balance_minor
    moved_on = max(invoice.moved_on, effective_on)
    disputed = min(invoice.disputed_minor, balance)
    lowered = replace(
        invoice,
        **{field: getattr(invoice, field) + by_minor},
        version=invoice.version + 1,
        disputed_minor=disputed,
        planned_minor=min(_still_planned(invoice, field, by_minor), balance - disputed),
        moved_on=moved_on,
        settled_on=None if balance else moved_on,
    )
    return _dated(lowered)


def _still_planned(invoice: Invoice, field: str, by_minor: int) -> int:
    """A payment fills the instalments of a plan before it goes to what was charged since."""
    return max(invoice.planned_minor - by_minor, 0) if field == "allocated_minor" else invoice.planned_minor


def _raised(invoice: Invoice, field: str, by_minor: int, on: date) -> Invoice:
    """With more owed: a charge grows, or what was paid or taken off shrinks."""
    raised = replace(
        invoice,
        **{field: getattr(invoice, field) + by_minor},
        version=invoice.version + 1,
        raised_on=max(invoice.raised_on, on),
        moved_on=max(invoice.moved_on, on),
        reopened_on=on if invoice.balance_minor == 0 else invoice.reopened_on,
        settled_on=None,
    )
    dated = _dated(raised)
    # An instalment that is owed again was paid until today: it is not overdue before.
    return replace(dated, reopened_on=on) if dated.due_date < invoice.due_date else dated


def _less_owed(invoice: Invoice, change_minor: int, reason: SettledBy, effective_on: date, booked_on: date) -> Outcome:
    """Tell of a balance that went down: settled where nothing is left, with the end of its overdue episode."""
    if invoice.balance_minor:
        changed = InvoiceBalanceChanged(
            customer_id=invoice.customer_id,
            effective_on=effective_on,
            booked_on=booked_on,
            entity_id=invoice.entity_id,
            invoice=invoice.state(),
            change=invoice.money(change_minor),
            # A credit note tells of itself (invoice.credited) and comes here only when it settles.
            reason="allocation" if reason == "credit_note" else reason,
        )
        return _up_to_date(Outcome(invoice, (changed,)), booked_on)

    settled = InvoiceSettled(
        customer_id=invoice.customer_id,
        effective_on=effective_on,
        booked_on=booked_on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(change_minor),
        reason=reason,
        days_late=(invoice.moved_on - invoice.due_date).days,
    )
    cleared = _clear_overdue(invoice, invoice.moved_on, booked_on)
    return Outcome(cleared.invoice, (settled, *cleared.events))


def _up_to_date(outcome: Outcome, booked_on: date) -> Outcome:
    """What was told already, and the end of an overdue episode when all instalments that are due are paid."""
    invoice = outcome.invoice
    if invoice.instalment_due is None or invoice.overdue_since is None or invoice.due_date < booked_on:
        return outcome
    cleared = _clear_overdue(invoice, invoice.moved_on, booked_on)
    return Outcome(cleared.invoice, (*outcome.events, *cleared.events))


def _more_owed(invoice: Invoice, change_minor: int, reason: Literal["unallocation", "restored"], on: date) -> Outcome:
    changed = InvoiceBalanceChanged(
        customer_id=invoice.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(change_minor),
        reason=reason,
    )
    return Outcome(invoice, (changed,))


def effective_date(invoice: Invoice, received_on: date) -> date:
    """When money received on a date counts for an invoice: not before it was issued, nor before it last rose."""
    return max(received_on, invoice.raised_on)


def counts_from(changes: Sequence[tuple[date, int]], received_on: date, amount_minor: int) -> list[tuple[date, int]]:
    """From which days the parts of a payment count, given all changes of the balance by their effective dates.

    Each part counts as early as it can from the day it was received, so that the balance as of no day goes below zero:
    of what was owed on that day, no more than what has stayed owed since. So money booked late pays the principal as of
    the day it came in, and a charge made since as of the day of the charge.
    """
    by_day: dict[date, int] = {}
    for day, minor in changes:
        by_day[day] = by_day.get(day, 0) + minor
    days = sorted({received_on, *(day for day in by_day if day > received_on)})
    balances = [sum(minor for day, minor in by_day.items() if day <= on) for on in days]
    parts: list[tuple[date, int]] = []
    taken = 0
    for position, day in enumerate(days):
        part = min(min(balances[position:]), amount_minor) - taken
        if part > 0:
            parts.append((day, part))
            taken += part
    assert taken == amount_minor, "more is paid than is owed"
    return parts


def _clear_overdue(invoice: Invoice, settled_on: date, booked_on: date) -> Outcome:
    """End the running overdue episode of an invoice of which nothing is due; none runs when it was paid in time."""
    since = invoice.overdue_since
    if since is None:
        return Outcome(invoice)
    # Money that came before the episode began and was booked late puts it right: it ends before it began, after 0 days.
    ended_on = settled_on
    cleared = replace(invoice, version=invoice.version + 1, overdue_since=None, aged_days=0)
    event = InvoiceOverdueCleared(
        customer_id=cleared.customer_id,
        effective_on=ended_on,
        booked_on=booked_on,
        entity_id=cleared.entity_id,
        invoice=cleared.state(),
        episode=cleared.overdue_episode,
        # The due date of instalments has moved on with the payment.
        days_overdue=max(
            0, (ended_on - cleared.due_date).days if not cleared.instalments else (ended_on - since).days + 1
        ),
    )
    return Outcome(cleared, (event,))


def unallocate(invoice: Invoice, amount_minor: int, *, on: date, planned_minor: int = 0) -> Outcome:
    """Take back what had been paid; a settled invoice is open again, and may become overdue in a new episode.
    `planned_minor` of it had filled instalments of a plan that runs, and returns to it."""
    assert 0 < amount_minor <= invoice.allocated_minor
    assert 0 <= planned_minor <= amount_minor
    raised = _raised(invoice, "allocated_minor", -amount_minor, on)
    returned = replace(raised, planned_minor=raised.planned_minor + planned_minor)
    return _more_owed(returned, amount_minor, "unallocation", on)


def hold_back(
    invoice: Invoice,
    amount_minor: int,
    *,
    dispute_id: UUID,
    reason: str,
    on: date,
    code: str | None = None,
    answer_by: date | None = None,
) -> Outcome:
    """Keep a disputed amount out of collection. The caller has checked that so much is collectable."""
    assert 0 < amount_minor <= invoice.collectable_minor
    disputed = replace(invoice, version=invoice.version + 1, disputed_minor=invoice.disputed_minor + amount_minor)
    event = InvoiceDisputed(
        customer_id=disputed.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=disputed.entity_id,
        invoice=disputed.state(),
        dispute_id=dispute_id,
        amount=disputed.money(amount_minor),
        reason=reason,
        code=code,
        answer_by=answer_by,
    )
    return Outcome(disputed, (event,))


def release(
    invoice: Invoice,
    held_minor: int,
    *,
    amount: Money,
    dispute_id: UUID,
    outcome: DisputeOutcome,
    on: date,
    accepted: Money | None = None,
    collect_again_on: date | None = None,
) -> Outcome:
    """End a dispute over `amount`: what it still held back (nothing, once it is paid) may be collected again, from
    `collect_again_on` on; what was accepted is for a credit note to take off next."""
    released = replace(invoice, version=invoice.version + 1, disputed_minor=invoice.disputed_minor - held_minor)
    event = InvoiceDisputeResolved(
        customer_id=released.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=released.entity_id,
        invoice=released.state(),
        dispute_id=dispute_id,
        amount=amount,
        outcome=outcome,
        accepted=accepted,
        collect_again_on=collect_again_on,
    )
    return Outcome(released, (event,))


def overdue_from(invoice: Invoice) -> date:
    """The first day the invoice is overdue: the day after due, or the day it was reopened when that is later."""
    after_due = invoice.due_date + ONE_DAY
    return max(after_due, invoice.reopened_on) if invoice.reopened_on else after_due


def next_look_on(invoice: Invoice) -> date | None:
    """The next day on which the overdue tick has something to say of the invoice; null when it never will again."""
    if invoice.balance_minor == 0:
        return None
    if invoice.overdue_since is None:
        if invoice.due_soon_on is None:
            return max(invoice.due_date - timedelta(days=DUE_SOON_DAYS), invoice.issue_date)
        return overdue_from(invoice)
    for days in AGED_DAYS:
        if days > invoice.aged_days:
            return max(invoice.due_date + timedelta(days=days), invoice.overdue_since)
    return None


@dataclass(frozen=True, slots=True)
class Filed:
    """An invoice with the particulars that do not change after its issue."""

    invoice: Invoice
    credit: CreditAnswer
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice as it was written: its lines and taxes, and what only some invoices have: terms that say more than a
    due date, and particulars such as references, allowances on the whole, and findings of the completeness check."""

    filed: Filed
    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxGroup, ...]
    terms: AgreedTerms | None = None
    supplied_on: date | None = None
    particulars: InvoiceParticulars | None = None

    @property
    def invoice(self) -> Invoice:
        return self.filed.invoice

    def numbered(self, number: str) -> Document:
        return replace(self, filed=replace(self.filed, invoice=replace(self.invoice, number=number)))
