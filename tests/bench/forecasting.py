"""`python -m tests.bench forecast [--ledger file.csv] [--since 2013-07-01]`: how well days to settle are foretold.

Habits are learned from the invoices that were settled before a day; then each invoice issued from that day on is
foretold on the day it is issued, and held against when it was paid. Beside it stand the due date and the mean of what
the customer had paid up to then. A dispute counts once it is known: a ledger's disputes are raised with the invoice, so
the figures are given with them, and as if they came only later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import mean
from uuid import UUID, uuid5

from rich.console import Console
from rich.table import Table

from deploy.local.ledger import Row, load
from services.reporting.payment_habits.rules import Habit, Model, Outlook, Rest, Traits, fit, rest_of
from tests.bench.drift import generated

NAMES = UUID("0f0e6d54-5b52-5b39-9a6d-5a7f6d1b2c90")


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


def learned(rows: Iterable[Row], *, disputes: bool) -> tuple[Model, Rest]:
    cells: dict[tuple[UUID, Traits], list[int]] = defaultdict(list)
    for row in rows:
        cells[customer(row), traits(row, disputes=disputes)].append(days_late(row))
    model = fit(Habit(who, how, len(of), sum(of), sum(d * d for d in of)) for (who, how), of in cells.items())
    return model, rest_of(model, ((who, how, d) for (who, how), of in cells.items() for d in of))


def days_late(row: Row) -> int:
    assert row.settled_date
    return (row.settled_date - row.due_date).days


def by_habit(row: Row, model: Model, rest: Rest, *, disputes: bool) -> Foretold:
    """What is known on the day of issue, and nothing later."""
    terms = (row.due_date - row.invoice_date).days
    how = traits(row, disputes=disputes)
    outlook = Outlook(model.usual_days(customer(row), how), model.width(customer(row)), rest, now=-terms - 1)
    days, low, high = (terms + outlook.days_at(share) for share in (0.5, 0.1, 0.9))
    return Foretold(days, low, high, terms + days_late(row), terms)


def by_due_date(row: Row) -> Foretold:
    terms = (row.due_date - row.invoice_date).days
    return Foretold(terms, terms, terms, terms + days_late(row), terms)


def by_own_mean(rows: Sequence[Row]) -> Callable[[Row], Foretold]:
    """The mean of the days in which the customer's invoices were settled that were so before this one was issued."""
    paid: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for row in rows:
        if row.settled_date:
            paid[row.customer_ref].append((row.settled_date, (row.settled_date - row.invoice_date).days))

    def foretell(row: Row) -> Foretold:
        before = [days for settled, days in paid[row.customer_ref] if settled < row.invoice_date]
        terms = (row.due_date - row.invoice_date).days
        days = mean(before) if before else float(terms)
        return Foretold(days, days, days, terms + days_late(row), terms)

    return foretell


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
    line("own mean so far", [by_own_mean(rows)(row) for row in new])
    for disputes, name in ((True, "habits"), (False, "habits, disputes unknown")):
        model, rest = learned(past, disputes=disputes)
        line(name, [by_habit(row, model, rest, disputes=disputes) for row in new], ranged=True)
    console.print(
        f"learned from {len(past):,} invoices settled before {since}; {len(new):,} issued since then foretold"
    )
    console.print(table)
    console.print("mean absolute error of days to settle; the range should hold four times in five")


def main(arguments: Sequence[str]) -> None:
    path = arguments[arguments.index("--ledger") + 1] if "--ledger" in arguments else None
    rows = load(Path(path)) if path else generated()
    days = sorted(row.invoice_date for row in rows)
    since = arguments[arguments.index("--since") + 1] if "--since" in arguments else None
    report(Console(highlight=False), rows, date.fromisoformat(since) if since else days[len(days) * 3 // 4])
