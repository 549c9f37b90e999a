"""What changed in how customers pay, and why days sales outstanding moved.

DSO is receivables / credit sales x days, so the change between two days splits without a rest: what sales did with
receivables held, then what receivables not yet due and overdue did at the new sales. By groups it splits into each
one's receivables over the sales of all, which add up to the change as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

By = Literal["segment", "country", "customer", "channel", "weekday", "disputed"]
GroupBy = Literal["segment", "country", "entity", "collector"]
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Book:
    """One currency at the end of a day, minor units: what is not yet due, what is overdue, and what was sold in the
    window before it; `groups` are receivables by group."""

    on: date
    current_minor: int
    overdue_minor: int
    sales_minor: int
    groups: Mapping[str, int]

    @property
    def receivables_minor(self) -> int:
        return self.current_minor + self.overdue_minor


@dataclass(frozen=True, slots=True)
class DsoChange:
    """In days. `change` = `by_sales` + `by_not_due` + `by_overdue` = the sum of `groups`, before rounding."""

    before: Decimal
    after: Decimal
    change: Decimal
    by_sales: Decimal
    by_not_due: Decimal
    by_overdue: Decimal
    groups: tuple[tuple[str, Decimal], ...]


def dso_change(before: Book, after: Book, window_days: int) -> DsoChange | None:
    """None when one of the windows saw no sales. Groups come in the order of how much they moved it."""
    if before.sales_minor <= 0 or after.sales_minor <= 0:
        return None

    def days(minor: int, sales_minor: int) -> Fraction:
        return Fraction(minor * window_days, sales_minor)

    old, new = days(before.receivables_minor, before.sales_minor), days(after.receivables_minor, after.sales_minor)
    moved = {
        group: days(after.groups.get(group, 0), after.sales_minor)
        - days(before.groups.get(group, 0), before.sales_minor)
        for group in {*before.groups, *after.groups}
    }
    ranked = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))
    return DsoChange(
        before=rounded(old),
        after=rounded(new),
        change=rounded(new - old),
        by_sales=rounded(days(before.receivables_minor, after.sales_minor) - old),
        by_not_due=rounded(days(after.current_minor - before.current_minor, after.sales_minor)),
        by_overdue=rounded(days(after.overdue_minor - before.overdue_minor, after.sales_minor)),
        groups=tuple((group, rounded(each)) for group, each in ranked),
    )


@dataclass(frozen=True, slots=True)
class Paid:
    """Invoices of a group that were paid in a window: how many, how many after they were due, and days beyond terms."""

    group: str
    label: str
    count: int
    late: int
    days: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A group's payments in the window and in the one before it; `change` is of the mean, in days."""

    group: str
    label: str
    invoices: int
    invoices_before: int
    mean_days: Decimal | None
    mean_days_before: Decimal | None
    late_percent: Decimal | None
    late_percent_before: Decimal | None
    change: Decimal | None


def patterns(before: Iterable[Paid], after: Iterable[Paid]) -> list[Pattern]:
    """The groups that got slowest first; those without a comparison last."""
    old, new = {each.group: each for each in before}, {each.group: each for each in after}
    found = [_pattern(old.get(group), new.get(group)) for group in sorted({*old, *new})]
    return sorted(found, key=lambda each: (each.change is None, -(each.change or 0)))


def _pattern(before: Paid | None, after: Paid | None) -> Pattern:
    one = after or before
    assert one
    mean, mean_before = _mean(after), _mean(before)
    return Pattern(
        one.group,
        one.label,
        after.count if after else 0,
        before.count if before else 0,
        None if mean is None else rounded(mean),
        None if mean_before is None else rounded(mean_before),
        _late(after),
        _late(before),
        None if mean is None or mean_before is None else rounded(mean - mean_before),
    )


def _mean(paid: Paid | None) -> Fraction | None:
    return Fraction(paid.days, paid.count) if paid else None


def _late(paid: Paid | None) -> Decimal | None:
    return rounded(Fraction(100 * paid.late, paid.count)) if paid else None


@dataclass(frozen=True, slots=True)
class Concentration:
    """What of a currency's receivables the largest debtors owe, in percent: the first, the first 5, 10 and 20."""

    currency: str
    shares: tuple[tuple[int, Decimal], ...]


def concentration(currency: str, whole_minor: int, largest_minor: Iterable[int]) -> Concentration:
    amounts = sorted(largest_minor, reverse=True)
    shares = (
        (count, rounded(Fraction(100 * sum(amounts[:count]), whole_minor)) if whole_minor > 0 else Decimal(0))
        for count in (1, 5, 10, 20)
    )
    return Concentration(currency, tuple(shares))


def rounded(exact: Fraction) -> Decimal:
    """Half-even, to two decimals."""
    scaled = exact * 100
    return Decimal(round(scaled)).scaleb(-2).quantize(HUNDREDTH, ROUND_HALF_EVEN)
