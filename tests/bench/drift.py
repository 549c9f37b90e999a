"""`python -m tests.bench drift [--ledger file.csv]`: how early a drift is found, and how often wrongly.

A ledger is lived through day by day with the rules that the credit service has, which at no time know what is yet to
come, and beside them the naive rule: three payments in a row that were late. Without a ledger one is generated, whose
customers are known to get slower, or not. What counts as warning and as false alarm stands in docs/credit.md.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from statistics import mean, median
from uuid import UUID, uuid5

from rich.console import Console
from rich.table import Table

from deploy.local import generate
from deploy.local.ledger import BadLedger, Row, load, read
from services.credit.control_charts.rules import Norm, Point, Sums
from services.credit.drifts.rules import Drift, Paying, look, since_when
from services.credit.segment_drifts.rules import EVERYBODY, first_monday, norm_for, norms, window
from shared.calendar import ONE_DAY, add_months

KNOWN_PAYMENTS_MIN = 6
QUARTER_INVOICES_MIN = 3
WORSE_DAYS = 5
WINDOW = timedelta(days=180)
IN_A_ROW = 3
NAMES = UUID("5c0d5c3e-6f0a-5b1c-8a53-3f1f9d0b7e11")


@dataclass(frozen=True, slots=True)
class Account:
    ref: str
    segment: str
    rows: tuple[Row, ...]

    def paid(self, until: date) -> list[Row]:
        """In the order in which they came in."""
        seen = [row for row in self.rows if row.settled_date and row.settled_date <= until]
        return sorted(seen, key=lambda row: (row.settled_date or until, row.due_date, row.invoice_number))


@dataclass(frozen=True, slots=True)
class WorstQuarter:
    """The quarter in which a customer paid later than ever, by more than WORSE_DAYS against all it paid before."""

    first_day: date
    last_day: date

    def is_warned_by(self, alarm: date) -> bool:
        return self.first_day - WINDOW <= alarm <= self.last_day


def accounts(rows: Iterable[Row]) -> list[Account]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.customer_ref].append(row)
    return [Account(ref, of[0].segment, tuple(of)) for ref, of in sorted(found.items())]


def worst_quarter(account: Account, last_day: date) -> WorstQuarter | None:
    """None for a customer that never got worse, or of whom too little was known before it did."""
    quarters: dict[date, list[int]] = defaultdict(list)
    for row in account.rows:
        first = row.due_date.replace(month=(row.due_date.month - 1) // 3 * 3 + 1, day=1)
        quarters[first].append(((row.settled_date or last_day) - row.due_date).days)
    worst: tuple[float, date] | None = None
    for first, days in sorted(quarters.items()):
        before = account.paid(first - ONE_DAY)
        if len(days) < QUARTER_INVOICES_MIN or len(before) < KNOWN_PAYMENTS_MIN:
            continue
        if worst is None or mean(days) > worst[0]:
            worst = (mean(days), first)
    if worst is None:
        return None
    used_to = mean(days_late(row) for row in account.paid(worst[1] - ONE_DAY))
    got_worse = worst[0] > used_to + WORSE_DAYS
    return WorstQuarter(worst[1], add_months(worst[1], 3) - ONE_DAY) if got_worse else None


def days_late(row: Row) -> int:
    assert row.settled_date
    return (row.settled_date - row.due_date).days


def three_in_a_row(account: Account, last_day: date) -> list[date]:
    """An alarm with the third late payment in a row; the next one after a payment that was not late."""
    alarms, run = list[date](), 0
    for row in account.paid(last_day):
        run = run + 1 if days_late(row) > 0 else 0
        if run == IN_A_ROW:
            alarms.append(row.settled_date or last_day)
    return alarms


def usual(book: Sequence[Account], first_day: date, last_day: date) -> Callable[[str, date], Norm | None]:
    """What the service would know of a segment on a day: learnt on the last Monday."""
    known: dict[date, dict[str, Norm]] = {}
    monday = first_monday(first_day).date()
    while monday <= last_day:
        sums = {EVERYBODY: _sums(book, monday)}
        for segment in {account.segment for account in book}:
            sums[segment] = _sums([each for each in book if each.segment == segment], monday)
        known[monday] = norms(sums)
        monday += timedelta(days=7)
    return lambda segment, day: norm_for(segment, known.get(day - timedelta(days=day.weekday()), {}))


def _sums(book: Iterable[Account], monday: date) -> Sums:
    since, _ = window(monday)
    paid = [
        [row for row in each.paid(monday - ONE_DAY) if row.settled_date and row.settled_date >= since] for each in book
    ]
    payers = [[days_late(row) for row in rows] for rows in paid if rows]
    return Sums(
        customers=len(payers),
        payments=sum(map(len, payers)),
        days=sum(map(sum, payers)),
        squares_within=sum(sum((day - mean(days)) ** 2 for day in days) for days in payers),
        squares_of_sums=sum(sum(days) ** 2 / len(days) for days in payers),
        payments_squared=sum(len(days) ** 2 for days in payers),
    )


def control_chart(account: Account, last_day: date, norm: Callable[[str, date], Norm | None]) -> list[date]:
    """The days on which the service would find a drift: it looks the day after a payment, the day after an invoice was
    due, and when it said it would."""
    id = uuid5(NAMES, account.ref)
    drift, alarms = Drift(id, id, 0, None), list[date]()
    ids = {row.invoice_number: uuid5(id, row.invoice_number) for row in account.rows}
    looks = {
        row.due_date + ONE_DAY for row in account.rows if row.settled_date is None or row.settled_date > row.due_date
    }
    looks |= {row.settled_date + ONE_DAY for row in account.rows if row.settled_date}
    while due := sorted(day for day in looks if day <= last_day):
        today = due[0]
        looks.discard(today)
        still_open = [
            row for row in account.rows if row.invoice_date < today and (row.settled_date or last_day) >= today
        ]
        paying = Paying(
            segment=account.segment,
            paid=tuple(
                Point(ids[row.invoice_number], row.due_date, row.settled_date)
                for row in account.paid(today - ONE_DAY)
                if row.settled_date and row.settled_date >= since_when(today)
            ),
            still_open=tuple(Point(ids[row.invoice_number], row.due_date, today, True) for row in still_open),
        )
        before = drift
        drift, _, again = look(before, paying, norm(account.segment, today), today)
        if drift.since and not before.since:
            alarms.append(drift.since)
        if again:
            looks.add(again.date())
    return alarms


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one rule on a ledger; `warnings` are the days from the first alarm to the worst quarter's first day, below
    zero where it had begun."""

    alarms: int
    false: int
    warnings: tuple[int, ...]
    unwarned: int

    @property
    def false_percent(self) -> float:
        return 100 * self.false / self.alarms if self.alarms else 0.0


def judge(alarms: dict[str, list[date]], worst: dict[str, WorstQuarter]) -> Outcome:
    warnings, false = list[int](), 0
    for ref, raised in alarms.items():
        quarter = worst.get(ref)
        right = [alarm for alarm in raised if quarter and quarter.is_warned_by(alarm)]
        false += len(raised) - len(right)
        if quarter and right:
            warnings.append((quarter.first_day - right[0]).days)
    return Outcome(sum(map(len, alarms.values())), false, tuple(warnings), len(worst) - len(warnings))


def measure(rows: Sequence[Row]) -> tuple[dict[str, WorstQuarter], dict[str, dict[str, list[date]]], float]:
    """The worst quarters, each rule's alarms by customer, and the percentage of alarms that would be false if they were
    raised on any day at random."""
    book = accounts(rows)
    first_day = min(row.invoice_date for row in rows)
    last_day = max(max(row.settled_date or row.due_date, row.due_date) for row in rows)
    worst = {each.ref: found for each in book if (found := worst_quarter(each, last_day))}
    norm = usual(book, first_day, last_day)
    alarms = {
        "control chart": {each.ref: control_chart(each, last_day, norm) for each in book},
        "three late in a row": {each.ref: three_in_a_row(each, last_day) for each in book},
    }
    watched = len(book) * (last_day - first_day).days
    warned = sum((each.last_day - max(each.first_day - WINDOW, first_day)).days for each in worst.values())
    return worst, alarms, 100 * (1 - warned / watched)


def report(console: Console, rows: Sequence[Row]) -> None:
    worst, alarms, by_chance = measure(rows)
    customers = len({row.customer_ref for row in rows})
    console.print(
        f"{len(rows):,} invoices of {customers} customers; {len(worst)} had a worst quarter, in which they paid more "
        f"than {WORSE_DAYS} days later than before"
    )
    columns = ("rule", "alarms", "false", "warned before", "during", "not", "days of warning", "longest")
    table = Table(*columns, box=None, pad_edge=False)
    for rule, raised in alarms.items():
        outcome = judge(raised, worst)
        before = sum(days > 0 for days in outcome.warnings)
        table.add_row(
            rule,
            str(outcome.alarms),
            f"{outcome.false_percent:.0f}%",
            str(before),
            str(len(outcome.warnings) - before),
            str(outcome.unwarned),
            f"{median(outcome.warnings):.0f}" if outcome.warnings else "-",
            f"{max(outcome.warnings)}" if outcome.warnings else "-",
        )
    console.print(table)
    console.print(f"days of warning: median, to the quarter's first day; alarms at random: {by_chance:.0f}% false")


def generated(seed: int = 1, customers: int = 80) -> list[Row]:
    written = StringIO()
    generate.write(generate.ledger(generate.Parameters(seed=seed, customers=customers)), written)
    rows, faults = read(written.getvalue().splitlines(keepends=True))
    assert not faults, faults[0]
    return rows


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser(
        prog="python -m tests.bench drift", description="How early a drift is found, how often wrongly."
    )
    parser.add_argument("--ledger", type=Path, help="a ledger file; without one, a ledger is generated")
    path: Path | None = parser.parse_args(arguments).ledger
    try:
        rows = load(path) if path else generated()
    except (BadLedger, OSError) as fault:
        parser.error(str(fault))
    report(Console(highlight=False, width=110), rows)
