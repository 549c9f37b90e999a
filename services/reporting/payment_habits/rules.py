"""How customers pay: days beyond terms explained by who pays, and by what went differently with the invoice.

An invoice's days beyond terms are taken apart into what is usual for everybody, what is usual for its customer, and
what a dispute and the way of delivery add:

    days = everybody + customer + disputed + channel + rest

fitted by backfitting (Buja, Hastie, Tibshirani, "Linear Smoothers and Additive Models", Annals of Statistics 17, 1989):
each part in turn is the mean of what the others leave. A customer's part is drawn towards everybody's by as many
imaginary invoices as its own spread is larger than the spread between customers, `k` = within / between (best linear
unbiased prediction: Robinson, "That BLUP Is a Good Thing", Statistical Science 6, 1991), so that one odd payment of a
new customer does not decide. Both variances come from the data by analysis of variance (Searle, Casella, McCulloch,
"Variance Components", 1992, chapter 3). What the rest says of an invoice that is open is asked of `payment_odds`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import sqrt
from typing import NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceDisputed,
    InvoiceEvent,
    InvoiceIssued,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)

DISPUTED = "disputed"
ROUNDS_MAX = 50
SETTLED_DAYS = 0.01
"""Fitting ends when no part moves by more than this."""

TELLING = (InvoiceIssued, InvoiceDisputed, InvoiceSettled, InvoiceCharged, InvoiceVoided, InvoiceWrittenOff)
REOPENS = {"unallocation", "restored"}
BY_MONEY = {"allocation", "discount", "small_difference"}

Traits = tuple[bool, str]
"""Whether the invoice was disputed, and by which channel it was delivered."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Settled invoices of a customer with the same traits: how many, their days beyond terms added up, and squared."""

    customer_id: UUID
    traits: Traits
    count: int
    days: int
    days_squared: int


@dataclass(frozen=True, slots=True)
class Part:
    """A customer's, and of how many invoices it was learned."""

    days: float
    count: int


@dataclass(frozen=True, slots=True)
class Model:
    """What `fit` found, in days beyond terms. Everybody's habit counts as much as `k` invoices of a customer's own;
    `spread` is the standard deviation of the rest."""

    everybody: float
    customers: Mapping[UUID, Part]
    traits: Mapping[str, float]
    k: float
    spread: float
    learned_from: int

    def usual_days(self, customer_id: UUID, traits: Traits) -> float:
        """Days beyond terms that are to be expected of an invoice of the customer."""
        own = self.customers.get(customer_id)
        return self.everybody + (own.days if own else 0.0) + _of_traits(self.traits, traits)

    def width(self, customer_id: UUID) -> float:
        """How much wider than the rest's the range is, because the customer's own part is not known exactly."""
        own = self.customers.get(customer_id)
        return sqrt(1 + 1 / ((own.count if own else 0) + self.k))


class Course(NamedTuple):
    """What an event, or several of an invoice, say of how it went."""

    invoice_id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    currency: str
    issued_on: date
    due_on: date
    channel: str | None
    disputed_on: date | None
    paid_on: date | None
    known_on: date | None


def courses(events: Iterable[Event | None]) -> list[Course]:
    """One an invoice, sorted by invoice; whether it is paid, by the newest event that says so.

    Events that only take something off an invoice that stays open say nothing new and are left alone.
    """
    found: dict[UUID, Course] = {}
    for event in events:
        if isinstance(event, InvoiceEvent) and _tells(event):
            new, known = _course(event), found.get(event.invoice.id)
            found[event.invoice.id] = _merged(known, new) if known else new
    return [found[invoice_id] for invoice_id in sorted(found)]


def _tells(event: InvoiceEvent) -> bool:
    if isinstance(event, InvoiceBalanceChanged):
        return event.reason in REOPENS
    return isinstance(event, TELLING)


def _course(event: InvoiceEvent) -> Course:
    invoice = event.invoice
    paid = isinstance(event, InvoiceSettled) and event.reason in BY_MONEY
    return Course(
        invoice.id,
        invoice.version,
        event.customer_id,
        invoice.entity_id,
        invoice.total.currency,
        invoice.issue_date,
        invoice.due_date,
        event.delivery_channel if isinstance(event, InvoiceIssued) else None,
        event.effective_on if isinstance(event, InvoiceDisputed) else None,
        invoice.settled_on if paid else None,
        event.booked_on if paid and invoice.settled_on else None,
    )


def _merged(one: Course, other: Course) -> Course:
    older, newer = sorted((one, other), key=lambda course: course.version)
    disputed = [course.disputed_on for course in (one, other) if course.disputed_on]
    return newer._replace(channel=newer.channel or older.channel, disputed_on=min(disputed, default=None))


def fit(habits: Iterable[Habit]) -> Model:
    """Learn from what was settled; without anything, everybody pays on the day it is due and nobody knows better."""
    cells = list(habits)
    count = sum(cell.count for cell in cells)
    if not count:
        return Model(0.0, {}, {}, k=1.0, spread=0.0, learned_from=0)
    model = Model(sum(cell.days for cell in cells) / count, {}, {}, k=1.0, spread=0.0, learned_from=count)
    for _ in range(ROUNDS_MAX):
        better = _improved(model, cells)
        moved = _moved(model, better)
        model = better
        if moved < SETTLED_DAYS:
            break
    return model


def _improved(model: Model, cells: Sequence[Habit]) -> Model:
    """Each part in turn from what the others leave; what all customers have in common belongs to everybody."""
    own = _customers(cells, model)
    common = sum(part.days * part.count for part in own.values()) / model.learned_from
    model = replace(model, everybody=model.everybody + common, customers=own)
    model = replace(model, traits=_traits(cells, model))
    within, between = _variances(cells, model.traits)
    k = within / between if between > 0 else float(model.learned_from)
    return replace(model, k=max(k, 1 / model.learned_from), spread=sqrt(max(within, 0.0)))


def _moved(before: Model, after: Model) -> float:
    """The largest change of any part, in days."""
    customers = (
        abs(part.days - (before.customers[c].days if c in before.customers else 0.0))
        for c, part in after.customers.items()
    )
    traits = (abs(days - before.traits.get(name, 0.0)) for name, days in after.traits.items())
    return max(abs(after.everybody - before.everybody), *customers, *traits)


def _of_traits(known: Mapping[str, float], traits: Traits) -> float:
    disputed, channel = traits
    return (known.get(DISPUTED, 0.0) if disputed else 0.0) + known.get(channel, 0.0)


def _customers(cells: Sequence[Habit], model: Model) -> dict[UUID, Part]:
    left: dict[UUID, float] = defaultdict(float)
    counts: dict[UUID, int] = defaultdict(int)
    for cell in cells:
        left[cell.customer_id] += cell.days - cell.count * (model.everybody + _of_traits(model.traits, cell.traits))
        counts[cell.customer_id] += cell.count
    return {customer: Part(left[customer] / (count + model.k), count) for customer, count in counts.items()}


def _traits(cells: Sequence[Habit], model: Model) -> dict[str, float]:
    """One imaginary invoice without effect stands against what few invoices seem to say of a trait."""
    found = dict(model.traits)
    for name in [DISPUTED, *dict.fromkeys(cell.traits[1] for cell in cells)]:
        left, count = 0.0, 0
        for cell in cells:
            if cell.traits[0] if name == DISPUTED else cell.traits[1] == name:
                others = model.everybody + model.customers[cell.customer_id].days + _of_traits(found, cell.traits)
                left += cell.days - cell.count * (others - found.get(name, 0.0))
                count += cell.count
        found[name] = left / (count + 1)
    return found


def _variances(cells: Sequence[Habit], traits: Mapping[str, float]) -> tuple[float, float]:
    """Within and between customers, once what traits add is taken away: one-way analysis of variance."""
    count: dict[UUID, int] = defaultdict(int)
    days: dict[UUID, float] = defaultdict(float)
    squares = 0.0
    for cell in cells:
        added = _of_traits(traits, cell.traits)
        count[cell.customer_id] += cell.count
        days[cell.customer_id] += cell.days - cell.count * added
        squares += cell.days_squared - 2 * added * cell.days + cell.count * added * added
    n, groups = sum(count.values()), len(count)
    by_customer = sum(days[c] ** 2 / count[c] for c in count)
    within = (squares - by_customer) / (n - groups) if n > groups else squares / n
    if groups < 2:
        return within, 0.0
    size = (n - sum(each**2 for each in count.values()) / n) / (groups - 1)
    between = ((by_customer - sum(days.values()) ** 2 / n) / (groups - 1) - within) / size
    return within, between
