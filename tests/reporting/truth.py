"""The same figures worked out a second time, by hand as it were: plain loops over the books, nothing of the service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.reporting.books import Item

BUCKETS = ("current", "d1_30", "d31_60", "d61_90", "d91_plus")


def owed(item: Item, on: date, known: date = date.max) -> int:
    return sum(minor for effective, booked, minor in item.movements if effective <= on and booked <= known)


def ageing(
    items: Iterable[Item], on: date, known: date = date.max, group: Callable[[Item], Any] = lambda item: None
) -> dict[tuple[str, Any], dict[str, int]]:
    """(currency, group) -> buckets, total, overdue and open_invoices, of what is open."""
    table: dict[tuple[str, Any], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys((*BUCKETS, "total", "overdue", "open_invoices"), 0)
    )
    for item in items:
        balance = owed(item, on, known)
        if balance == 0:
            continue
        late = (on - item.due_on).days
        bucket = BUCKETS[0 if late <= 0 else 1 if late <= 30 else 2 if late <= 60 else 3 if late <= 90 else 4]
        row = table[item.currency, group(item)]
        row[bucket] += balance
        row["total"] += balance
        row["overdue"] += balance if late > 0 else 0
        row["open_invoices"] += 1
    return dict(table)


def sales(items: Iterable[Item], currency: str, after: date, until: date) -> int:
    return sum(i.total for i in items if i.currency == currency and after < i.issued_on <= until)


def kpis(items: list[Item], currency: str, on: date, window: int) -> dict[str, Fraction | None] | None:
    """None when nothing was sold in the window."""
    sold = sales(items, currency, on - timedelta(days=window), on)
    if not sold:
        return None
    zero = dict.fromkeys((*BUCKETS, "total", "overdue", "open_invoices"), 0)
    now = ageing(items, on).get((currency, None), zero)
    then = ageing(items, on - timedelta(days=window)).get((currency, None), zero)
    base = then["total"] + sold - now["current"]
    return {
        "dso": Fraction(now["total"] * window, sold),
        "best_possible_dso": Fraction(now["current"] * window, sold),
        "average_days_delinquent": Fraction(now["overdue"] * window, sold),
        "cei": Fraction((then["total"] + sold - now["total"]) * 100, base) if base else None,
        "dso_countback": _countback(items, currency, on, now["total"]),
    }


def _countback(items: list[Item], currency: str, on: date, receivables: int) -> Fraction | None:
    """Month by month backwards, as long as any invoice could have been written."""
    left, days, end = receivables, 0, on
    earliest = min(i.issued_on for i in items)
    while left > 0:
        before = end.replace(day=1) - timedelta(days=1)
        if end < earliest.replace(day=1):
            return None
        sold = sales(items, currency, before, end)
        length = (end - before).days
        if sold and sold >= left:
            return days + Fraction(left * length, sold)
        left, days, end = left - sold, days + length, before
    return Fraction(days)
