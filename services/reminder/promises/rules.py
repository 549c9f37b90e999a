"""A promise to pay: when it may be made, when it is kept, and when it is broken.

What is paid of it is added up from the invoices' own events: each says by how much a payment changed what is owed
(`allocation`, `unallocation`) and the day that counts for. They are heard exactly once and are in order for a
customer, while balances fall for other reasons as well (credit notes, write-offs), and payments (`ar.payment`) do not
say what remains owed. Money that has arrived and is bound to no invoice yet is asked for before a promise is called
broken, so nobody's word is doubted for the seller's own delay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal
from uuid import UUID

from services.reminder.authority.rules import Promises as Limits
from services.reminder.authority.rules import business_days_after
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.receivables.rules import Account, Item
from services.reminder.tasks.rules import AssignTask
from shared.calendar import ONE_DAY, at_local_time
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import PromiseBroken, PromiseEnded, PromiseEvent, PromiseKept, PromiseMade, PromiseState
from shared.money import Money

Status = Literal["open", "kept", "broken", "withdrawn", "replaced", "lapsed"]
Origin = Literal["staff", "customer", "offer"]


class PromiseNotFound(NotFound):
    slug = "promise-not-found"
    title = "There is no such promise"


class PromiseOver(Conflict):
    slug = "promise-over"
    title = "The promise is over already"


class NothingToPromise(Conflict):
    slug = "case-closed"
    title = "Nothing of this customer is being collected"


class PromisedDayRefused(Refused):
    slug = "promise-day"
    title = "This day cannot be promised"


class AmountRefused(Refused):
    slug = "promise-above-balance"
    title = "More cannot be promised than is owed"


class InvoiceNotOwed(Refused):
    slug = "promise-invoice"
    title = "The customer owes no such invoice"


@dataclass(frozen=True, slots=True)
class Promise:
    """`items` are the invoices it is for, none for the account as a whole. It is broken after `grace_until`, a day of
    the customer's own calendar; `look_at` is the moment that day is over."""

    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    case_id: UUID
    status: Status
    origin: Origin
    currency: str
    amount_minor: int
    paid_minor: int
    items: tuple[str, ...]
    made_on: date
    promised_on: date
    grace_until: date
    made_by: str
    note: str | None
    reference: str | None
    ended_on: date | None
    because: str | None
    look_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor, self.currency)

    @property
    def left_minor(self) -> int:
        return max(self.amount_minor - self.paid_minor, 0)

    @property
    def is_part_kept(self) -> bool:
        return self.status == "broken" and self.paid_minor > 0

    @property
    def in_words(self) -> str:
        """`100.00 EUR by 2026-02-20`: what the case rests for."""
        return f"{self.amount} by {self.promised_on.isoformat()}"


def hold_of(promise: Promise, until: date | None = None) -> Hold:
    """What the case rests for, through the days of grace unless said otherwise."""
    last = until or promise.grace_until
    return Hold(HoldKind.PROMISED, last, str(promise.id), promise.in_words, promise.promised_on)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A promise as it is asked for."""

    amount: Money
    on: date
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """By how much a payment changed what is owed on an invoice: above zero it was paid, below zero taken back."""

    customer_id: UUID
    entity_id: str
    number: str
    minor: int
    currency: str
    counts_on: date


def check(
    wanted: Wanted, account: Account, running: Iterable[Promise], limits: Limits, today: date, *, is_open: bool
) -> Wanted:
    """The promise itself when it may be made. All that is promised at a time stays within what is owed.

    Raises NothingToPromise, PromisedDayRefused, InvoiceNotOwed, AmountRefused.
    """
    if not is_open:
        raise NothingToPromise("the customer's case is closed: there is nothing a promise could be about")
    if wanted.on < today:
        raise PromisedDayRefused(f"{wanted.on} has passed; today is {today}", field="/on")
    if (wanted.on - today).days > limits.days_max:
        last = today + timedelta(days=limits.days_max)
        raise PromisedDayRefused(f"a payment may be promised until {last}, {limits.days_max} days ahead", field="/on")
    known = {item.number for item in account.items}
    for n, number in enumerate(wanted.items):
        if number not in known:
            raise InvoiceNotOwed(f"nothing is owed on an invoice {number}", field=f"/items/{n}")
    currency = wanted.amount.currency
    owed = Money(owed_minor(account.items, wanted.items, currency), currency)
    if wanted.amount.minor <= 0:
        raise AmountRefused("an amount of more than zero is promised", field="/amount")
    if wanted.amount.minor > owed.minor:
        raise AmountRefused(f"{owed} is owed", field="/amount")
    promised = sum(promise.left_minor for promise in running if promise.currency == currency)
    whole = owed_minor(account.items, (), currency)
    if promised + wanted.amount.minor > whole:
        raise AmountRefused(
            f"of the {Money(whole, currency)} owed, {Money(promised, currency)} is promised already", field="/amount"
        )
    return wanted


def owed_minor(items: Iterable[Item], numbers: Collection[str], currency: str) -> int:
    """What is owed in a currency on the invoices named, or on all of them."""
    return sum(item.balance.minor for item in _of(items, numbers, currency))


def collectable_minor(items: Iterable[Item], numbers: Collection[str], currency: str) -> int:
    return sum(item.collectable.minor for item in _of(items, numbers, currency))


def _of(items: Iterable[Item], numbers: Collection[str], currency: str) -> list[Item]:
    return [item for item in items if item.balance.currency == currency and (not numbers or item.number in numbers)]


def make(
    promise_id: UUID,
    wanted: Wanted,
    account: Account,
    limits: Limits,
    today: date,
    *,
    entity_id: str,
    case_id: UUID,
    origin: Origin,
    made_by: str,
    note: str | None = None,
    reference: str | None = None,
) -> Promise:
    grace_until = business_days_after(wanted.on, limits.grace_business_days, account.country)
    return Promise(
        id=promise_id,
        version=1,
        customer_id=account.id,
        entity_id=entity_id,
        case_id=case_id,
        status="open",
        origin=origin,
        currency=wanted.amount.currency,
        amount_minor=wanted.amount.minor,
        paid_minor=0,
        items=wanted.items,
        made_on=today,
        promised_on=wanted.on,
        grace_until=grace_until,
        made_by=made_by,
        note=note,
        reference=reference,
        ended_on=None,
        because=None,
        look_at=at_local_time(grace_until + ONE_DAY, time(), account.time_zone),
    )


def widen(promise: Promise, number: str, amount: Money) -> Promise:
    """One more invoice of the same promise: the customer's page tells of each by itself."""
    return replace(
        promise,
        version=promise.version + 1,
        amount_minor=promise.amount_minor + amount.minor,
        items=(*promise.items, number),
    )


def pay(promise: Promise, payment: Payment) -> Promise:
    """Count a payment in, or one that was taken back, when it is of this account, for this promise and of its time.

    Money that came before the promise and is taken back after it leaves nothing below zero to be made good.
    """
    mine = (payment.customer_id, payment.entity_id, payment.currency) == (
        promise.customer_id,
        promise.entity_id,
        promise.currency,
    )
    named = not promise.items or payment.number in promise.items
    if not (promise.is_open and mine and named and payment.counts_on >= promise.made_on):
        return promise
    return replace(promise, paid_minor=max(promise.paid_minor + payment.minor, 0))


def judge(promise: Promise, items: Sequence[Item], today: date, unapplied_minor: int | None = None) -> Promise:
    """What has become of a promise, which stays as it is while that is open. `unapplied_minor` is money of the customer
    that no invoice has yet; while nobody has asked for it (None), no promise is called broken.

    Kept as soon as the amount is there, or nothing is owed any more of what it was about and money was part of that.
    Broken on the day after the last one of grace, unless nothing of it may be collected (disputed, on a plan), or
    money that covers the rest has arrived and only waits to be allocated: then it is looked at again the next day.
    """
    owed = owed_minor(items, promise.items, promise.currency)
    if promise.paid_minor >= promise.amount_minor or (owed == 0 and promise.paid_minor > 0):
        return end(promise, "kept", today)
    if owed == 0:
        return end(promise, "lapsed", today, "nothing is owed any more")
    if today <= promise.grace_until or unapplied_minor is None:
        return promise
    if collectable_minor(items, promise.items, promise.currency) == 0:
        return end(promise, "lapsed", today, "nothing of it may be collected now")
    if unapplied_minor >= promise.left_minor:
        return promise
    return end(promise, "broken", today)


def look_again(promise: Promise, account: Account, today: date) -> Promise:
    """Its money is there and waits to be allocated: tomorrow it is looked at anew."""
    return replace(promise, look_at=at_local_time(today + ONE_DAY, time(), account.time_zone))


def end(promise: Promise, status: Status, today: date, because: str | None = None) -> Promise:
    """Over, one way or the other. Raises PromiseOver."""
    if not promise.is_open:
        raise PromiseOver(f"it is {promise.status} since {promise.ended_on}")
    return replace(promise, version=promise.version + 1, status=status, ended_on=today, because=because, look_at=None)


def event(promise: Promise, today: date) -> PromiseEvent:
    kinds: Mapping[Status, type[PromiseEvent]] = {"open": PromiseMade, "kept": PromiseKept, "broken": PromiseBroken}
    state = PromiseState(
        id=promise.id,
        version=promise.version,
        entity_id=promise.entity_id,
        case_id=promise.case_id,
        status=promise.status,
        amount=promise.amount,
        paid=promise.paid,
        items=promise.items,
        made_on=promise.made_on,
        promised_on=promise.promised_on,
        grace_until=promise.grace_until,
        origin=promise.origin,
        because=promise.because,
    )
    return kinds.get(promise.status, PromiseEnded)(
        customer_id=promise.customer_id,
        effective_on=today,
        booked_on=today,
        entity_id=promise.entity_id,
        promise=state,
    )


def ask_what_happened(promise: Promise, today: date) -> AssignTask:
    """Somebody talks to a customer who did not keep its word."""
    came = f"{promise.paid} came in" if promise.paid_minor else "nothing came in"
    return AssignTask(
        customer_id=promise.customer_id,
        case_id=promise.case_id,
        entity_id=promise.entity_id,
        kind="promise_broken",
        occasion=str(promise.id),
        title=f"Ask why {promise.amount} was not paid as promised for {promise.promised_on.isoformat()}",
        detail=f"Promised on {promise.made_on.isoformat()} ({promise.made_by}); {came} until"
        f" {promise.grace_until.isoformat()}, the last day of grace.",
        due_on=today,
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a customer's word is. A part-kept promise is counted by itself and not among the broken ones."""

    open: int
    kept: int
    part_kept: int
    broken: int
    ended_otherwise: int

    @property
    def kept_rate(self) -> Decimal | None:
        """Percent of those that were kept or broken; None while there was none."""
        judged = self.kept + self.part_kept + self.broken
        return (Decimal(100 * self.kept) / judged).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if judged else None
