"""`python -m tests.bench forecast [--ledger file.csv] [--since 2013-07-01]`: how well days to settle and receipts are
foretold.

Habits are learned from the invoices that were settled before a day; then each invoice issued from that day on is
foretold on the day it is issued, and held against when it was paid. Beside it stand the due date, the mean of what
the customer had paid up to then, and gradient boosting (scikit-learn's, as it comes) over what is known of an invoice
and its customer on that day. A dispute counts once it is known: a ledger's disputes are raised with the invoice, so
the figures are given with them, and as if they came only later.

Then receipts: from the middle of the ledger until thirteen weeks before its end each week is foretold from what was
known before it, one to four weeks ahead, and held against what came in of what had been open. Beside it stands what
comes of learning from paid invoices alone, when those that stay open say nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import nan
from pathlib import Path
from statistics import mean, quantiles
from uuid import UUID, uuid5

from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingRegressor

from deploy.local.generate import DEFAULT
from deploy.local.ledger import Row, load
from services.reporting.forecasts.rules import WEEK, Accuracy, Hit, OpenItem, expectations, receipts
from services.reporting.payment_habits.handlers import HISTORY
from services.reporting.payment_habits.rules import Habit, Traits, fit
from services.reporting.payment_odds import rules as payment_odds
from services.reporting.payment_odds.rules import Odds, Seen
from shared.calendar import ONE_DAY
from tests.bench.drift import generated

NAMES = UUID("0f0e6d54-5b52-5b39-9a6d-5a7f6d1b2c90")
WEEKS_AHEAD = 4
TO_BE_PAID = timedelta(days=91)
"""What was issued before this last part of a ledger has had its time."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """Days from issue to payment as foretold, the days between which it should be four times in five, and as it was."""

    days: float
    low: float
    high: float
    really: int
    terms: int

    @property
    def late_or_not_right(self) -> bool:
        return (self.days > self.terms) == (self.really > self.terms)


def customer(row: Row) -> UUID:
    return uuid5(NAMES, row.customer_ref)


def traits(row: Row, *, disputes: bool) -> Traits:
    return row.disputed and disputes, row.channel


def learned(rows: Sequence[Row], as_of: date, *, disputes: bool = True) -> Odds:
    """From what was known at the end of that day."""
    since, cells, seen = as_of - HISTORY, defaultdict[tuple[UUID, Traits], list[int]](list), list[Seen]()
    for row in rows:
        if row.invoice_date > as_of or row.due_date <= since:
            continue
        who, how, first_on = customer(row), traits(row, disputes=disputes), max(row.invoice_date - ONE_DAY, since)
        if row.settled_date is None or row.settled_date > as_of:
            seen.append(Seen(who, how, row.due_date, first_on, as_of, paid=False, invoices=1))
        elif row.settled_date > since:
            cells[who, how].append(days_late(row))
            seen.append(Seen(who, how, row.due_date, first_on, row.settled_date, paid=True, invoices=1))
    model = fit(Habit(who, how, len(of), sum(of), sum(d * d for d in of)) for (who, how), of in cells.items())
    return payment_odds.learn(model, seen, as_of)


def from_paid_alone(rows: Sequence[Row], as_of: date) -> Odds:
    paid = [row for row in rows if row.settled_date and row.settled_date <= as_of]
    return replace(learned(paid, as_of), paces={})


def days_late(row: Row) -> int:
    assert row.settled_date
    return (row.settled_date - row.due_date).days


def days_to_settle(row: Row) -> int:
    assert row.settled_date
    return (row.settled_date - row.invoice_date).days


def by_habit(row: Row, odds: Odds, *, disputes: bool) -> Foretold:
    """What is known on the day of issue, and nothing later."""
    terms = (row.due_date - row.invoice_date).days
    outlook = odds.outlook(customer(row), traits(row, disputes=disputes), now=-terms - 1)
    days, low, high = (terms + outlook.days_at(share) for share in (0.5, 0.1, 0.9))
    return Foretold(days, low, high, terms + days_late(row), terms)


def by_due_date(row: Row) -> Foretold:
    terms = (row.due_date - row.invoice_date).days
    return Foretold(terms, terms, terms, terms + days_late(row), terms)


def settled_before(rows: Sequence[Row]) -> Callable[[Row], list[int]]:
    """In how many days the customer's invoices were settled that were so before this one was issued, the last one at
    the end."""
    paid: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.settled_date or date.max):
        if row.settled_date:
            paid[row.customer_ref].append((row.settled_date, (row.settled_date - row.invoice_date).days))
    return lambda row: [days for settled, days in paid[row.customer_ref] if settled < row.invoice_date]


def by_own_mean(row: Row, before: Sequence[int]) -> Foretold:
    terms = (row.due_date - row.invoice_date).days
    days = mean(before) if before else float(terms)
    return Foretold(days, days, days, terms + days_late(row), terms)


def boosted(
    past: Sequence[Row], new: Sequence[Row], before: Callable[[Row], Sequence[int]], *, disputes: bool
) -> list[Foretold]:
    channels, segments = (sorted({getattr(row, name) for row in past}) for name in ("channel", "segment"))

    def known(row: Row) -> list[float]:
        paid = before(row)
        own = [len(paid), mean(paid), *quantiles([paid[0], *paid], n=4), paid[-1]] if paid else [0] + [nan] * 5
        named = [float(row.channel == each) for each in channels] + [float(row.segment == each) for each in segments]
        terms = (row.due_date - row.invoice_date).days
        day = row.invoice_date
        return [
            terms,
            float(row.amount.minor),
            row.disputed and disputes,
            day.month,
            day.day,
            day.weekday(),
            *own,
            *named,
        ]

    trees = HistGradientBoostingRegressor(random_state=1)
    trees.fit([known(row) for row in past], [days_to_settle(row) for row in past])
    foretold = zip(new, trees.predict([known(row) for row in new]).tolist(), strict=True)
    return [
        Foretold(days, days, days, days_to_settle(row), (row.due_date - row.invoice_date).days)
        for row, days in foretold
    ]


def report(console: Console, rows: Sequence[Row], since: date) -> None:
    past = [row for row in rows if row.settled_date and row.settled_date < since]
    new = [row for row in rows if row.settled_date and row.invoice_date >= since]
    table = Table("foretold by", "mean error", "late or not right", "within the range", box=None, pad_edge=False)

    def line(name: str, foretold: list[Foretold], *, ranged: bool = False) -> None:
        error = mean(abs(each.days - each.really) for each in foretold)
        right = mean(each.late_or_not_right for each in foretold)
        within = mean(each.low <= each.really <= each.high for each in foretold)
        table.add_row(name, f"{error:.2f}", f"{right:.1%}", f"{within:.1%}" if ranged else "")

    line("due date", [by_due_date(row) for row in new])
    before = settled_before(rows)
    line("own mean so far", [by_own_mean(row, before(row)) for row in new])
    for disputes, told in ((True, ""), (False, ", disputes unknown")):
        line(f"gradient boosting{told}", boosted(past, new, before, disputes=disputes))
        odds = learned(rows, since - ONE_DAY, disputes=disputes)
        line(f"habits{told}", [by_habit(row, odds, disputes=disputes) for row in new], ranged=True)
    console.print(
        f"learned from {len(past):,} invoices settled before {since}; {len(new):,} issued since then foretold"
    )
    console.print(table)
    console.print("mean absolute error of days to settle; the range should hold four times in five")


def weekly(rows: Sequence[Row], currency: str, learn: Callable[[Sequence[Row], date], Odds]) -> list[list[Hit]]:
    """One week ahead, two, three and four."""
    first, last = min(row.invoice_date for row in rows), max(row.invoice_date for row in rows)
    as_of, hits = first + (last - first) / 2, [list[Hit]() for _ in range(WEEKS_AHEAD)]
    while as_of <= last - TO_BE_PAID:
        still_open = [
            row
            for row in rows
            if row.amount.currency == currency
            and row.invoice_date <= as_of
            and (row.settled_date is None or row.settled_date > as_of)
        ]
        items = [
            OpenItem(customer(row), "", currency, row.due_date, traits(row, disputes=True), row.amount.minor)
            for row in still_open
        ]
        ends = [as_of + WEEK * week for week in range(WEEKS_AHEAD + 1)]
        for ahead, week in zip(
            hits, receipts(expectations(learn(rows, as_of), items, [], {}, as_of), ends), strict=True
        ):
            paid = (
                row for row in still_open if row.settled_date and week.first_day <= row.settled_date <= week.last_day
            )
            ahead.append(Hit(week, sum(row.amount.minor for row in paid)))
        as_of += WEEK
    return hits


def report_weeks(console: Console, rows: Sequence[Row]) -> None:
    currency = Counter(row.amount.currency for row in rows).most_common(1)[0][0]
    ahead = [f"week {week}" for week in range(1, WEEKS_AHEAD + 1)]
    table = Table("learned from", *ahead, "all", "too much", "within the range", box=None, pad_edge=False)
    weeks = 0
    for name, learn in (("paid invoices alone", from_paid_alone), ("open ones too", learned)):
        hits = weekly(rows, currency, learn)
        every = [hit for of in hits for hit in of]
        received, weeks = sum(hit.received_minor for hit in every), len(hits[0])
        errors = [Accuracy(currency, tuple(of)).error_percent or 0.0 for of in (*hits, every)]
        too_much = 100 * sum(hit.forecast.expected_minor for hit in every) / received - 100
        within = sum(hit.within for hit in every) / len(every)
        table.add_row(name, *(f"{error:.1f}%" for error in errors), f"{too_much:+.1f}%", f"{within:.1%}")
    console.print(f"\nreceipts of a week in {currency}, {weeks} weeks foretold")
    console.print(table)
    console.print("sum of the misses in percent of what came in; the range should hold four times in five")


def main(arguments: Sequence[str]) -> None:
    path = arguments[arguments.index("--ledger") + 1] if "--ledger" in arguments else None
    rows = load(Path(path)) if path else generated(customers=DEFAULT.customers)
    days = sorted(row.invoice_date for row in rows)
    since = arguments[arguments.index("--since") + 1] if "--since" in arguments else None
    console = Console(highlight=False, width=110)
    report(console, rows, date.fromisoformat(since) if since else days[len(days) * 3 // 4])
    report_weeks(console, rows)
