"""When what is open will be paid: the habit of its customer, given that it was not paid yet.

Every invoice is watched from its issue to its payment, or to today where it is open. What its days are off its
customer's habit is divided by how widely that customer's payments lie, so that one curve does for all: the share still
open so long after, or before, the usual day. It is the product-limit estimate (Kaplan and Meier, Journal of the
American Statistical Association 53, 1958) of what a linear habit leaves (Buckley and James, "Linear Regression with
Censored Data", Biometrika 66, 1979), with late entries (Tsai, Jewell and Wang, Biometrika 74, 1987): each invoice
counts among those that could be paid while it is watched, and one that stays open says so. Learned from what was paid
alone, everything late would seem to come at once.

A customer that lately let go by what should have come is expected to go on so. By the curve `A` payments of it were to
come in the last ninety days and `D` came; its pace, by which the hazard of all that it owes is multiplied, is

    pace = (D + a) / (A + a)        a = sum of A squared / sum of ((D - A) squared - A)

the mean of a gamma frailty of mean one, once that was seen (Clayton, Biometrika 65, 1978; Klein and Moeschberger,
"Survival Analysis", 2003, chapter 13). Its variance 1/a is what customers differ by beyond chance, by the method of
moments, and at most one; where they do not, every pace is one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import exp, log, sqrt
from operator import mul
from typing import NamedTuple
from uuid import UUID

from services.reporting.payment_habits.rules import Model, Traits

TAIL_DAYS = 90.0
"""Beyond everything that was seen paid one more payment is imagined, after so many days of waiting."""
RECENT = timedelta(days=90)
SPREAD_PRIOR = 5


class Seen(NamedTuple):
    """Invoices of a customer that went alike: watched from the end of `first_on`, and paid on `last_on` or open at
    its end."""

    customer_id: UUID
    traits: Traits
    due_on: date
    first_on: date
    last_on: date
    paid: bool
    invoices: int


class Span(NamedTuple):
    """The same as the curve has it: in days off the habit, in units of the customer's width. `recent` is the later of
    `first` and the day from which a pace is learned."""

    first: float
    recent: float
    last: float
    paid: bool
    invoices: int


@dataclass(frozen=True, slots=True)
class Rest:
    """The share still open after each of `days`, ascending; from the last one on a tail without an end. `hazard` is how
    many payments were to come until then of one invoice that is open all along (Nelson and Aalen's estimate)."""

    days: Sequence[float]
    open: Sequence[float]
    hazard: Sequence[float]
    tail_days: float = TAIL_DAYS

    def open_after(self, days: float) -> float:
        """Never nothing: one invoice in all that were seen and one more is paid later than any."""
        place = bisect_right(self.days, days)
        if place < len(self.days):
            return self.open[place - 1] if place else 1.0
        last, share = (self.days[-1], self.open[-1]) if place else (0.0, 1.0)
        return share * exp(-max(days - last, 0.0) / self.tail_days)

    def to_come(self, after: float, until: float) -> float:
        """Payments to come of one invoice that is open all the while."""
        return self._hazard(until) - self._hazard(after)

    def until(self, share: float) -> float:
        """When no more than this share is open; the other way round."""
        place = bisect_left(self.open, -share, key=lambda each: -each)
        if place < len(self.days):
            return self.days[place]
        last, left = (self.days[-1], self.open[-1]) if self.days else (0.0, 1.0)
        return last + self.tail_days * log(left / share)

    def _hazard(self, days: float) -> float:
        place = bisect_right(self.days, days)
        so_far = self.hazard[place - 1] if place else 0.0
        return so_far + (max(days - self.days[-1], 0.0) / self.tail_days if self.days else 0.0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """When one invoice will be paid, in days beyond terms, knowing that it was not by `now`."""

    usual: float
    width: float
    pace: float
    rest: Rest
    now: int

    def paid_by(self, days: int) -> float:
        """The probability that it is paid by the end of that day: 1 - (open then / open now) to the power of pace."""
        if days <= self.now:
            return 0.0
        return 1 - (self._open_after(days) / self._open_after(self.now)) ** self.pace

    def days_at(self, probability: float) -> int:
        """The day by which it is paid with this probability, in days beyond terms; 0.5 for the expected one."""
        share = self._open_after(self.now) * (1 - probability) ** (1 / self.pace)
        return max(round(self.usual + self.width * self.rest.until(share)), self.now + 1)

    def _open_after(self, days: int) -> float:
        # Days are whole: until the end of a day counts.
        return self.rest.open_after((days + 0.5 - self.usual) / self.width)


@dataclass(frozen=True, slots=True)
class Odds:
    """What was learned: habits, what they leave, how widely each customer's payments lie against everybody's, and its
    pace."""

    model: Model
    rest: Rest
    spreads: Mapping[UUID, float]
    paces: Mapping[UUID, float]

    def outlook(self, customer_id: UUID, traits: Traits, now: int) -> Outlook:
        """Of an invoice that is open `now` days beyond terms."""
        return Outlook(
            usual=self.model.usual_days(customer_id, traits),
            width=self.model.width(customer_id) * self.spreads.get(customer_id, 1.0),
            pace=self.paces.get(customer_id, 1.0),
            rest=self.rest,
            now=now,
        )


def learn(model: Model, seen: Sequence[Seen], as_of: date) -> Odds:
    """From how invoices went until the end of that day; nobody's are all alike, and of a stranger the book speaks."""
    spreads = _spreads(model, seen)
    spans = [(each.customer_id, _span(model, spreads, each, as_of)) for each in seen]
    rest = curve(span for _, span in spans)
    return Odds(model, rest, spreads, _paces(rest, spans))


def curve(spans: Iterable[Span]) -> Rest:
    """After each payment the share falls by payments / (those watched then and one more)."""
    watched = list(spans)
    entered, entries = _running((span.first, span.invoices) for span in watched)
    left, leaving = _running((span.last, span.invoices) for span in watched)
    payments: dict[float, int] = defaultdict(int)
    for span in watched:
        if span.paid:
            payments[span.last] += span.invoices
    days = sorted(payments)
    hazards = [
        payments[day] / (entries[bisect_left(entered, day)] - leaving[bisect_left(left, day)] + 1) for day in days
    ]
    shares = list(accumulate((1 - hazard for hazard in hazards), mul))
    last = days[-1] if days else 0.0
    waited = sum(span.invoices * max(span.last - max(span.first, last), 0.0) for span in watched)
    return Rest(days, shares, list(accumulate(hazards)), TAIL_DAYS + waited)


def _running(counted: Iterable[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """Days in order, and how many there were before each."""
    ordered = sorted(counted)
    return [day for day, _ in ordered], list(accumulate((count for _, count in ordered), initial=0))


def _spreads(model: Model, seen: Iterable[Seen]) -> dict[UUID, float]:
    """The mean distance of a customer's payments from its habit / everybody's, drawn to one by five imaginary ones."""
    off: dict[UUID, float] = defaultdict(float)
    counts: dict[UUID, int] = defaultdict(int)
    for each in seen:
        if each.paid:
            usual, width = _before(model, each)
            off[each.customer_id] += each.invoices * abs((each.last_on - each.due_on).days - usual) / width
            counts[each.customer_id] += each.invoices
    everybody = sum(off.values()) / max(sum(counts.values()), 1)
    if not everybody:
        return {}
    return {who: (off[who] / everybody + SPREAD_PRIOR) / (counts[who] + SPREAD_PRIOR) for who in counts}


def _span(model: Model, spreads: Mapping[UUID, float], seen: Seen, as_of: date) -> Span:
    usual, width = _before(model, seen)
    width *= spreads.get(seen.customer_id, 1.0)

    def off(day: date, part: float) -> float:
        return ((day - seen.due_on).days + part - usual) / width

    # An open invoice was so all day; one that is paid was within the day.
    first, last = off(seen.first_on, 0.5), off(seen.last_on, 0.0 if seen.paid else 0.5)
    return Span(first, max(first, off(as_of - RECENT, 0.5)), last, seen.paid, seen.invoices)


def _before(model: Model, seen: Seen) -> tuple[float, float]:
    """The usual days and the width as if the invoice's own payment had not been learned from, or what is left of it
    would be smaller than it really is."""
    usual = model.usual_days(seen.customer_id, seen.traits)
    if not seen.paid:
        return usual, model.width(seen.customer_id)
    own = model.customers.get(seen.customer_id)
    known = (own.count if own else 0) + model.k
    without = max(known - 1, model.k)
    days = (seen.last_on - seen.due_on).days
    return days - (days - usual) * known / without, sqrt(1 + 1 / without)


def _paces(rest: Rest, spans: Iterable[tuple[UUID, Span]]) -> dict[UUID, float]:
    to_come: dict[UUID, float] = defaultdict(float)
    came: dict[UUID, int] = defaultdict(int)
    for who, span in spans:
        if span.last > span.recent:
            to_come[who] += span.invoices * rest.to_come(span.recent, span.last)
            came[who] += span.invoices if span.paid else 0
    beyond_chance = sum((came[who] - expected) ** 2 - expected for who, expected in to_come.items())
    if beyond_chance <= 0:
        return {}
    prior = max(sum(expected**2 for expected in to_come.values()) / beyond_chance, 1.0)
    return {who: (came[who] + prior) / (expected + prior) for who, expected in to_come.items()}
