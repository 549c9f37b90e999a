"""Expected receipts from what is open, with ranges, and how well earlier forecasts did.

Each open item has a probability of being paid by the end of each day: by its customer's habit, given that it has not
been paid yet (`payment_odds`); a promise by how this customer keeps promises; an instalment by its own date. Expected
receipts are sums of amount times probability. A customer often pays what is due in one go, so its items are taken to
come together and different customers to decide by themselves: the variance of a period is the sum over customers of
(sum of amount times the square root of p(1 - p)) squared. The range holds four times in five if that is
right; how often it did is measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import sqrt
from uuid import UUID

from services.reporting.payment_habits.rules import Traits
from services.reporting.payment_odds.rules import Odds, Outlook
from shared.calendar import ONE_DAY

RANGE_SHARE = 0.8
NORMAL_80 = 1.2816
"""So many standard deviations to either side hold four fifths of a normal distribution."""
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is owed on one invoice, or on several of a customer's that are due on the same day and went alike."""

    customer_id: UUID
    entity_id: str
    currency: str
    due_on: date
    traits: Traits
    balance_minor: int
    number: str | None = None
    """Of an invoice that stands by itself, because something was said of it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Of the account as a whole when no numbers are named."""

    customer_id: UUID
    entity_id: str
    currency: str
    promised_on: date
    amount_minor: int
    numbers: frozenset[str]
    kept_share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The instalments of one invoice."""

    dates: tuple[date, ...]
    amounts_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """An amount, and the probability that it is paid by the end of a day."""

    customer_id: UUID
    currency: str
    amount_minor: int
    paid_by: Callable[[date], float]


@dataclass(frozen=True, slots=True)
class Receipts:
    """What is expected in a period, first and last day included; minor units."""

    currency: str
    first_day: date
    last_day: date
    expected_minor: int
    low_minor: int
    high_minor: int


@dataclass(frozen=True, slots=True)
class Hit:
    """What was forecast for a week before it began, and what came in of it."""

    forecast: Receipts
    received_minor: int

    @property
    def within(self) -> bool:
        return self.forecast.low_minor <= self.received_minor <= self.forecast.high_minor


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of the weeks that are over. `error_percent` is the sum of what each week was missed by, in percent of all that
    came in (weighted absolute percentage error: Hyndman and Koehler, "Another look at measures of forecast accuracy",
    International Journal of Forecasting 22, 2006); null when nothing came in."""

    currency: str
    hits: tuple[Hit, ...]

    @property
    def within_range(self) -> int:
        return sum(hit.within for hit in self.hits)

    @property
    def error_percent(self) -> float | None:
        received = sum(hit.received_minor for hit in self.hits)
        missed = sum(abs(hit.received_minor - hit.forecast.expected_minor) for hit in self.hits)
        return 100 * missed / received if received else None


def periods(as_of: date, weeks: int, by: timedelta) -> list[date]:
    """The last days of the periods after `as_of`, with `as_of` itself first."""
    return [as_of + by * number for number in range(weeks * 7 // by.days + 1)]


def outlook(odds: Odds, item: OpenItem, as_of: date) -> Outlook:
    return odds.outlook(item.customer_id, item.traits, (as_of - item.due_on).days)


def by_habit(odds: Odds, item: OpenItem, as_of: date) -> Expectation:
    known = outlook(odds, item, as_of)
    return _expect(item, item.balance_minor, lambda day: known.paid_by((day - item.due_on).days))


def by_promise(odds: Odds, item: OpenItem, promise: Promise, amount_minor: int) -> Expectation:
    """Kept on the promised day with the customer's probability; broken, what its habit says from then on."""
    broken = outlook(odds, item, promise.promised_on)

    def paid_by(day: date) -> float:
        kept = promise.kept_share if day >= promise.promised_on else 0.0
        return kept + (1 - promise.kept_share) * broken.paid_by((day - item.due_on).days)

    return _expect(item, amount_minor, paid_by)


def by_plan(odds: Odds, item: OpenItem, plan: Plan, as_of: date) -> list[Expectation]:
    """Each instalment like an invoice due on its day. What was paid so far paid the first ones."""
    left, found = item.balance_minor, list[Expectation]()
    for due_on, amount_minor in sorted(zip(plan.dates, plan.amounts_minor, strict=True), reverse=True):
        part = min(left, amount_minor)
        if part > 0:
            instalment = replace(item, due_on=due_on, balance_minor=part)
            found.append(by_habit(odds, instalment, as_of))
        left -= part
    if left > 0:
        found.append(by_habit(odds, replace(item, balance_minor=left), as_of))
    return found


def expectations(
    odds: Odds,
    items: Iterable[OpenItem],
    promises: Sequence[Promise],
    plans: Mapping[tuple[UUID, str], Plan],
    as_of: date,
) -> list[Expectation]:
    """Of every open item, oldest first: a promise of the account counts for its oldest items, up to its amount.

    A promise whose day has passed is not counted on any more.
    """
    left = {id(promise): promise.amount_minor for promise in promises}
    of_account: dict[tuple[UUID, str, str], list[Promise]] = defaultdict(list)
    for promise in sorted(promises, key=lambda each: each.promised_on):
        if promise.promised_on > as_of:
            of_account[promise.customer_id, promise.entity_id, promise.currency].append(promise)
    found = list[Expectation]()
    for item in sorted(items, key=lambda each: (each.due_on, each.number or "", each.customer_id)):
        open_minor = item.balance_minor
        if item.number and (plan := plans.get((item.customer_id, item.number))):
            found += by_plan(odds, item, plan, as_of)
            continue
        for promise in of_account.get((item.customer_id, item.entity_id, item.currency), ()):
            named = not promise.numbers or item.number in promise.numbers
            part = min(open_minor, left[id(promise)]) if named else 0
            if part > 0:
                found.append(by_promise(odds, item, promise, part))
                left[id(promise)] -= part
                open_minor -= part
        if open_minor > 0:
            found.append(by_habit(odds, replace(item, balance_minor=open_minor), as_of))
    return found


def receipts(expected: Iterable[Expectation], ends: Sequence[date]) -> list[Receipts]:
    """Currency by currency, one for each two days that follow each other in `ends`."""
    sums: dict[tuple[str, date], float] = defaultdict(float)
    spreads: dict[tuple[str, date], dict[UUID, float]] = defaultdict(lambda: defaultdict(float))
    for each in expected:
        reached = [each.paid_by(day) for day in ends]
        for end, (before, after) in zip(ends[1:], pairwise(reached), strict=True):
            share = max(after - before, 0.0)
            sums[each.currency, end] += each.amount_minor * share
            spreads[each.currency, end][each.customer_id] += each.amount_minor * sqrt(share * (1 - share))
    found = list[Receipts]()
    for currency in sorted({currency for currency, _ in sums}):
        for before, end in pairwise(ends):
            amount = sums[currency, end]
            spread = NORMAL_80 * sqrt(sum(each**2 for each in spreads[currency, end].values()))
            found.append(
                Receipts(
                    currency,
                    before + ONE_DAY,
                    end,
                    expected_minor=round(amount),
                    low_minor=round(max(amount - spread, 0)),
                    high_minor=round(amount + spread),
                )
            )
    return found


def _expect(item: OpenItem, amount_minor: int, paid_by: Callable[[date], float]) -> Expectation:
    return Expectation(item.customer_id, item.currency, amount_minor, paid_by)
