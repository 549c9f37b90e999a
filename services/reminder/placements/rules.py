"""Giving claims to a collection agency: who may ask and who approves, what is handed over, when it is taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.placement_files.rules import file_name
from services.reminder.receivables.rules import Account, Item
from services.reminder.tasks.rules import AssignTask
from shared.calendar import days_overdue
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import (
    PlacementClosed,
    PlacementEvent,
    PlacementMade,
    PlacementRecalled,
    PlacementState,
)
from shared.money import Money, round_half_even

Status = Literal["requested", "approved", "placed", "recalled", "closed", "rejected", "withdrawn"]
PAID = "paid"
"""Why a placement was recalled by itself."""


class AgencyNotFound(NotFound):
    slug = "agency-not-found"
    title = "There is no such agency"


class AgencyRefused(Refused):
    slug = "agency-commission"
    title = "These commissions do not fit"


class PlacementNotFound(NotFound):
    slug = "placement-not-found"
    title = "There is no such placement"


class NothingToPlace(Conflict):
    slug = "case-closed"
    title = "Nothing of this customer is being collected"


class Disputed(Conflict):
    slug = "placement-disputed"
    title = "A disputed account is not given to an agency"


class TooEarly(Refused):
    slug = "placement-too-early"
    title = "The account is not old enough for an agency"


class InvoiceNotCollectable(Refused):
    slug = "placement-invoice"
    title = "This invoice cannot be handed over"


class AlreadyPlaced(Conflict):
    slug = "already-placed"
    title = "The account is with an agency, or on its way there"


class WrongStatus(Conflict):
    slug = "placement-status"
    title = "The placement is past that"


class SecondPersonNeeded(Conflict):
    slug = "second-person-needed"
    title = "Nobody approves what they asked for themselves"


@dataclass(frozen=True, slots=True)
class Rate:
    """From this age on, in days overdue when it was handed over, the agency gets so many percent of what comes in."""

    days_from: int
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Agency:
    id: str
    version: int
    name: str
    email: str | None
    commission: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """An invoice as it was handed over. `amount_minor` is what was owed on it then, `owed_minor` what is owed now."""

    number: str
    issued_on: date
    due_on: date
    amount_minor: int
    owed_minor: int
    collected_minor: int = 0
    invoice_id: str | None = None

    @property
    def is_paid(self) -> bool:
        return self.owed_minor == 0


@dataclass(frozen=True, slots=True)
class Placement:
    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    case_id: UUID
    agency_id: str
    status: Status
    currency: str
    claims: tuple[Claim, ...]
    commission: tuple[Rate, ...]
    note: str | None
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    placed_on: date | None
    ended_on: date | None
    because: str | None
    hand_over_at: datetime | None

    @property
    def amount(self) -> Money:
        return Money(sum(claim.amount_minor for claim in self.claims), self.currency)

    @property
    def collected(self) -> Money:
        return Money(sum(claim.collected_minor for claim in self.claims), self.currency)

    @property
    def commission_due(self) -> Money:
        """What the agency is owed for what came in: each claim by its age on the day it was handed over, rounded half
        to even at the claim."""
        return Money(sum(fee_minor(claim, self.commission, self.placed_on) for claim in self.claims), self.currency)


def checked_rates(rates: Sequence[Rate]) -> tuple[Rate, ...]:
    """The rates themselves when they begin at 0 days and rise. Raises AgencyRefused."""
    days = [rate.days_from for rate in rates]
    if not days or days[0] != 0:
        raise AgencyRefused("the first commission is for claims from 0 days on", field="/commission/0/days_from")
    for n in range(1, len(days)):
        if days[n] <= days[n - 1]:
            raise AgencyRefused("commissions are given by rising age", field=f"/commission/{n}/days_from")
    return tuple(rates)


def fee_minor(claim: Claim, rates: Sequence[Rate], placed_on: date | None) -> int:
    if placed_on is None or not rates:
        return 0
    age = max(days_overdue(claim.due_on, placed_on), 0)
    percent = [rate.percent for rate in rates if rate.days_from <= age][-1]
    return round_half_even(claim.collected_minor * percent / 100)


def to_place(
    account: Account, numbers: Sequence[str], days_overdue_min: int, today: date, *, is_open: bool
) -> tuple[Item, ...]:
    """The overdue invoices that may be handed over, of one currency: those named, or all that may be collected.

    Raises NothingToPlace, Disputed, InvoiceNotCollectable, TooEarly.
    """
    if not is_open or not account.overdue:
        raise NothingToPlace("the customer's case is closed: there is nothing an agency could collect")
    disputed = [item.number for item in account.items if item.is_disputed]
    if disputed:
        raise Disputed(f"{', '.join(disputed)} is disputed: resolve that first")
    overdue = {item.number: item for item in account.overdue}
    for n, number in enumerate(numbers):
        if number not in overdue:
            raise InvoiceNotCollectable(f"{number} is not overdue and collectable", field=f"/items/{n}")
    chosen = [overdue[number] for number in numbers] if numbers else list(overdue.values())
    chosen.sort(key=lambda item: (item.due_on, item.number))
    currency = chosen[0].collectable.currency
    if numbers and any(item.collectable.currency != currency for item in chosen):
        raise InvoiceNotCollectable("a placement has one currency", field="/items")
    late = days_overdue(chosen[0].due_on, today)
    if late < days_overdue_min:
        raise TooEarly(f"the oldest invoice is {late} days overdue, {days_overdue_min} are needed")
    return tuple(item for item in chosen if item.collectable.currency == currency)


def request(
    placement_id: UUID,
    case_id: UUID,
    account: Account,
    items: Sequence[Item],
    agency: Agency,
    note: str | None,
    by: str,
    now: datetime,
) -> Placement:
    return Placement(
        id=placement_id,
        version=1,
        customer_id=account.id,
        entity_id=account.entity_id,
        case_id=case_id,
        agency_id=agency.id,
        status="requested",
        currency=items[0].collectable.currency,
        claims=tuple(
            Claim(item.number, item.issued_on, item.due_on, item.collectable.minor, item.collectable.minor)
            for item in items
        ),
        commission=agency.commission,
        note=note,
        requested_by=by,
        requested_at=now,
        decided_by=None,
        decided_at=None,
        decision_note=None,
        placed_on=None,
        ended_on=None,
        because=None,
        hand_over_at=None,
    )


def approve(placement: Placement, account: Account, by: str, now: datetime, note: str | None) -> Placement:
    """It is handed over as soon as its documents are there. Raises WrongStatus, SecondPersonNeeded, Disputed."""
    _expect(placement, "requested")
    if by == placement.requested_by:
        raise SecondPersonNeeded(f"{by} asked for it; somebody else has to approve")
    disputed = [item.number for item in account.items if item.is_disputed]
    if disputed:
        raise Disputed(f"{', '.join(disputed)} is disputed by now: resolve that first")
    return replace(
        placement,
        version=placement.version + 1,
        status="approved",
        decided_by=by,
        decided_at=now,
        decision_note=note,
        hand_over_at=now,
    )


def hold_of(placement: Placement, agency: Agency) -> Hold:
    """The customer is not contacted here meanwhile."""
    return Hold(HoldKind.PLACED, None, str(placement.id), agency.name)


def reject(placement: Placement, by: str, now: datetime, note: str | None) -> Placement:
    """Whoever asked may do so as well, which withdraws it. Raises WrongStatus."""
    _expect(placement, "requested")
    own = by == placement.requested_by
    ended = end(placement, "withdrawn" if own else "rejected", now.date(), note or "")
    return replace(ended, decided_by=by, decided_at=now, decision_note=note)


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice at the moment of handing over, as the invoice service says."""

    invoice_id: str
    collectable_minor: int
    is_disputed: bool


def hand_over(placement: Placement, owed: Mapping[str, Owed], today: date) -> Placement:
    """What is owed now is what the agency gets; it is withdrawn when that has become nothing, or disputed."""
    _expect(placement, "approved")
    now = [(claim, owed[claim.number]) for claim in placement.claims if claim.number in owed]
    if any(each.is_disputed for _, each in now):
        return end(placement, "withdrawn", today, "disputed in the meantime")
    claims = tuple(
        replace(
            claim,
            amount_minor=each.collectable_minor,
            owed_minor=each.collectable_minor,
            invoice_id=each.invoice_id,
        )
        for claim, each in now
        if each.collectable_minor
    )
    if not claims:
        return end(placement, "withdrawn", today, "nothing of it may be collected any more")
    return replace(
        placement,
        version=placement.version + 1,
        status="placed",
        claims=claims,
        placed_on=today,
        hand_over_at=None,
    )


def as_of_now(placement: Placement, account: Account, today: date) -> Placement:
    """What the hand-over would make of it now, as far as is known here: the invoice service has the last word then."""
    owed = {item.number: Owed("", item.collectable.minor, item.is_disputed) for item in account.items}
    return hand_over(replace(placement, status="approved"), owed, today)


def collect(placement: Placement, number: str, paid_minor: int, owed_minor: int) -> Placement:
    """What became of one of its invoices; money that was taken back is no longer collected."""
    claims = tuple(
        replace(claim, collected_minor=max(claim.collected_minor + paid_minor, 0), owed_minor=owed_minor)
        if claim.number == number
        else claim
        for claim in placement.claims
    )
    return replace(placement, claims=claims)


def all_paid(placement: Placement) -> bool:
    return all(claim.is_paid for claim in placement.claims)


def recall(placement: Placement, today: date, because: str) -> Placement:
    """Taken back from the agency. Raises WrongStatus."""
    _expect(placement, "placed")
    return end(placement, "recalled", today, because)


def close(placement: Placement, today: date, because: str) -> Placement:
    """The agency gave it back. Raises WrongStatus."""
    _expect(placement, "placed")
    return end(placement, "closed", today, because)


def end(placement: Placement, status: Status, today: date, because: str) -> Placement:
    return replace(
        placement,
        version=placement.version + 1,
        status=status,
        ended_on=today,
        because=because,
        hand_over_at=None,
    )


def _expect(placement: Placement, status: Status) -> None:
    if placement.status != status:
        raise WrongStatus(f"it is {placement.status}, not {status}")


def event(placement: Placement, today: date) -> PlacementEvent | None:
    """Placed, recalled and closed ones are told of; before that nothing has happened to the customer."""
    kinds: Mapping[str, type[PlacementEvent]] = {
        "placed": PlacementMade,
        "recalled": PlacementRecalled,
        "closed": PlacementClosed,
    }
    kind = kinds.get(placement.status)
    if kind is None:
        return None
    state = PlacementState(
        id=placement.id,
        version=placement.version,
        entity_id=placement.entity_id,
        case_id=placement.case_id,
        agency_id=placement.agency_id,
        status=placement.status,
        amount=placement.amount,
        collected=placement.collected,
        commission=placement.commission_due,
        invoices=tuple(claim.number for claim in placement.claims),
        placed_on=placement.placed_on,
        ended_on=placement.ended_on,
        because=placement.because,
    )
    return kind(
        customer_id=placement.customer_id,
        effective_on=today,
        booked_on=today,
        entity_id=placement.entity_id,
        placement=state,
    )


def ask_for_approval(placement: Placement, agency: Agency, today: date) -> AssignTask:
    return AssignTask(
        customer_id=placement.customer_id,
        case_id=placement.case_id,
        entity_id=placement.entity_id,
        kind="approval_wanted",
        occasion=str(placement.id),
        title=f"Approve that {placement.amount} goes to {agency.name}",
        detail=f"{placement.requested_by} asks for it: {len(placement.claims)} invoices, the oldest due on"
        f" {placement.claims[0].due_on.isoformat()}." + (f" {placement.note}" if placement.note else ""),
        due_on=today,
    )


def rows(placement: Placement, account: Account, documented: Collection[str]) -> list[dict[str, Any]]:
    """The claims as the agency's file has them; `documented` are the invoices whose PDF goes with them."""
    assert placement.placed_on is not None
    person = account.person
    return [
        {
            "reference": str(placement.id),
            "customer_number": account.external_id or str(account.id),
            "customer": account.name or "",
            "country": account.country or "",
            "contact": person.name if person else "",
            "email": (person.email or "") if person else "",
            "invoice": claim.number,
            "issued_on": claim.issued_on.isoformat(),
            "due_on": claim.due_on.isoformat(),
            "days_overdue": days_overdue(claim.due_on, placement.placed_on),
            "amount": Money(claim.amount_minor, placement.currency).amount,
            "currency": placement.currency,
            "document": file_name(claim.number) if claim.number in documented else "",
        }
        for claim in placement.claims
    ]


def claims_of(kept: Iterable[Mapping[str, Any]]) -> tuple[Claim, ...]:
    """Back from JSON."""
    return tuple(
        Claim(
            **{
                **claim,
                "issued_on": date.fromisoformat(claim["issued_on"]),
                "due_on": date.fromisoformat(claim["due_on"]),
            }
        )
        for claim in kept
    )


def rates_of(kept: Iterable[Mapping[str, Any]]) -> tuple[Rate, ...]:
    return tuple(Rate(rate["days_from"], Decimal(rate["percent"])) for rate in kept)


def kept_rates(rates: Iterable[Rate]) -> list[dict[str, Any]]:
    return [{"days_from": rate.days_from, "percent": str(rate.percent)} for rate in rates]


def kept_claims(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    return [asdict(claim) for claim in claims]
