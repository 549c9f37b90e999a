"""What a replayed ledger has to come out at: plain arithmetic on its rows, independent of every service.

Written from the definitions alone (decimals, no minor units, no shared code), slowly and in the open, so that a figure
that differs can be worked out by hand. A day's figures are at its end.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

DAY = timedelta(days=1)
BUCKETS = ("current", "d1_30", "d31_60", "d61_90", "d91_plus")


@dataclass(frozen=True)
class Claim:
    """One invoice as its ledger row tells it."""

    customer: str
    number: str
    issued: date
    due: date
    amount: Decimal
    currency: str
    settled: date | None

    def open_on(self, day: date) -> bool:
        return self.issued <= day and (self.settled is None or self.settled > day)


@dataclass(frozen=True)
class Ageing:
    """Open amounts of one currency by days overdue, and how many invoices they are."""

    buckets: Mapping[str, Decimal]
    open_invoices: int

    @property
    def total(self) -> Decimal:
        return sum(self.buckets.values(), Decimal(0))

    @property
    def overdue(self) -> Decimal:
        return self.total - self.buckets["current"]


@dataclass(frozen=True)
class Kpis:
    """The figures of a window; a ratio is None where there is nothing to divide by."""

    receivables: Decimal
    overdue: Decimal
    credit_sales: Decimal
    dso: Decimal | None
    dso_countback: Decimal | None
    best_possible_dso: Decimal | None
    average_days_delinquent: Decimal | None
    cei: Decimal | None


class Truth:
    """The figures of a ledger on any day."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.claims = list(claims)
        self.first = min(claim.issued for claim in self.claims)
        self.last = max(claim.settled or claim.due for claim in self.claims)
        self.currencies = sorted({claim.currency for claim in self.claims})

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, str]]) -> Truth:
        """From the ledger's columns as text."""
        return cls(
            Claim(
                customer=row["customer_ref"],
                number=row["invoice_number"],
                issued=date.fromisoformat(row["invoice_date"]),
                due=date.fromisoformat(row["due_date"]),
                amount=Decimal(row["amount"]),
                currency=row["currency"],
                settled=date.fromisoformat(row["settled_date"]) if row["settled_date"] else None,
            )
            for row in rows
        )

    @classmethod
    def of_file(cls, path: Path) -> Truth:
        with path.open(newline="", encoding="utf-8") as file:
            return cls.of_rows(csv.DictReader(file))

    def month_ends(self) -> list[date]:
        """The last day of every month from the first invoice on, and the ledger's last day."""
        ends = []
        start = self.first.replace(day=1)
        while start <= self.last:
            next_start = date(start.year + start.month // 12, start.month % 12 + 1, 1)
            ends.append(min(next_start - DAY, self.last))
            start = next_start
        return ends

    def ageing(self, day: date, currency: str) -> Ageing:
        buckets: dict[str, Decimal] = {name: Decimal(0) for name in BUCKETS}
        count = 0
        for claim in self.claims:
            if claim.currency == currency and claim.open_on(day):
                buckets[_bucket((day - claim.due).days)] += claim.amount
                count += 1
        return Ageing(buckets, count)

    def credit_sales(self, after: date, until: date, currency: str) -> Decimal:
        """What was invoiced in (after, until]."""
        sold = (c.amount for c in self.claims if c.currency == currency and after < c.issued <= until)
        return sum(sold, Decimal(0))

    def kpis(self, day: date, currency: str, window_days: int = 90) -> Kpis:
        closing = self.ageing(day, currency)
        opening = self.ageing(day - timedelta(days=window_days), currency)
        sales = self.credit_sales(day - timedelta(days=window_days), day, currency)
        current = closing.buckets["current"]
        dso = best = delinquent = cei = None
        if sales:
            dso = closing.total / sales * window_days
            best = current / sales * window_days
            delinquent = dso - best
            collectable = opening.total + sales - current
            if collectable:
                cei = (opening.total + sales - closing.total) / collectable * 100
        return Kpis(
            receivables=closing.total,
            overdue=closing.overdue,
            credit_sales=sales,
            dso=_ratio(dso),
            dso_countback=_ratio(self.countback(day, closing.total, currency)) if sales else None,
            best_possible_dso=_ratio(best),
            average_days_delinquent=_ratio(delinquent),
            cei=_ratio(cei),
        )

    def countback(self, day: date, receivables: Decimal, currency: str) -> Decimal | None:
        """Whole months of sales are taken off the receivables, newest first; the last month counts by ratio."""
        left, days, end = receivables, Decimal(0), day
        while left > 0:
            if end < self.first.replace(day=1):
                return None
            month_before = end.replace(day=1) - DAY
            sales = self.credit_sales(month_before, end, currency)
            length = (end - month_before).days
            if sales >= left:
                return days + left / sales * length
            left -= sales
            days += length
            end = month_before
        return days

    def overdue_episodes(self, until: date | None = None) -> int:
        """How many invoices became overdue by a day (the last): open at the end of the day after their due date, or
        still open when that day begins, which is when it is announced."""
        until = until or self.last
        return sum(
            1
            for claim in self.claims
            if claim.due < until and (claim.settled is None or claim.settled > claim.due)
        )  # fmt: skip

    def balance(self, number: str, on: date | None = None) -> Decimal:
        """What is owed on an invoice at the end of a day (the last)."""
        claim = next(claim for claim in self.claims if claim.number == number)
        return claim.amount if claim.open_on(on or self.last) else Decimal(0)

    def final_balances(self) -> dict[str, Decimal]:
        return {claim.number: Decimal(0) if claim.settled else claim.amount for claim in self.claims}


def _bucket(days_overdue: int) -> str:
    if days_overdue <= 0:
        return "current"
    if days_overdue >= 91:
        return "d91_plus"
    return ("d1_30", "d31_60", "d61_90")[(days_overdue - 1) // 30]


def _ratio(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else figure.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
