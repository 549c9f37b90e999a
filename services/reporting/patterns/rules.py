"""What changed in how customers pay, and why days sales outstanding moved.

DSO is receivables / credit sales x days, so the change between two days splits without a rest: what sales did with
receivables held, then what receivables not yet due and overdue did at the new sales. By groups it splits into each
one's receivables over the sales of all, which add up to the change as well.

Why an invoice was paid late nobody writes on it. What is known is taken in this order, and the first counts (REASONS):
what was wrong with the invoice itself, what the customer said, what happened to its money, what was agreed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

Trait = Literal["segment", "country", "customer", "channel", "weekday", "disputed"]
By = Literal["segment", "country", "customer", "channel", "weekday", "disputed", "product_line", "reason"]
GroupBy = Literal["segment", "country", "entity", "collector"]
HUNDREDTH = Decimal("0.01")

REASONS = {
    "disputed": "Disputed",
    "cash_flow": "Short of cash",
    "invoice_not_received": "Had no invoice",
    "invoice_wrong": "Invoice wrong",
    "goods_missing": "Goods missing",
    "approval_pending": "Approval pending",
    "already_paid": "Says it had paid",
    "dispute": "Contested it by its own word",
    "insolvency": "Insolvency",
    "payment_run": "Pays on fixed days",
    "other": "Another reason",
    "payment_taken_back": "A payment was taken back",
    "plan": "Paid by a plan",
    "promise_broken": "Broke a promise",
    "promised": "Promised a later day",
    "unknown": "No reason known",
}
"""By their names: the invoice was disputed (with what for, behind a colon); what the customer said between the issue
and the payment, the last word; a payment taken back; a plan on it; a promise about it, broken or not; none of these."""


def reason_label(reason: str) -> str:
    name, _, what = reason.partition(":")
    words = REASONS.get(name, name.replace("_", " "))
    return f"{words}: {what.replace('_', ' ')}" if what else words


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
    """Invoices of a group that were paid in a window: how many, how many after they were due, and days beyond terms.

    With a `currency` they are weighed: what was paid, what of that late, and amounts times days, in minor units."""

    group: str
    label: str
    count: int
    late: int
    days: int
    currency: str | None = None
    amount_minor: int = 0
    late_minor: int = 0
    days_minor: int = 0

    @property
    def weights(self) -> tuple[int, int, int]:
        """What the means are of: the whole, what of it is late, and the days."""
        if self.currency is None:
            return self.count, self.late, self.days
        return self.amount_minor, self.late_minor, self.days_minor


@dataclass(frozen=True, slots=True)
class Pattern:
    """A group's payments in the window and in the one before it; `change` is of the mean, in days. `late_share` is what
    of all that was paid late the group is, in percent. With a currency all of them are by amount."""

    group: str
    label: str
    invoices: int
    invoices_before: int
    mean_days: Decimal | None
    mean_days_before: Decimal | None
    late_percent: Decimal | None
    late_percent_before: Decimal | None
    change: Decimal | None
    late_share: Decimal | None = None
    late_share_before: Decimal | None = None
    currency: str | None = None
    amount_minor: int = 0
    amount_before_minor: int = 0


def patterns(before: Iterable[Paid], after: Iterable[Paid], *, are_all: bool = True) -> list[Pattern]:
    """The groups that got slowest first, currency by currency; those without a comparison last. Shares of what was late
    are told where the groups are all that there are."""
    old = {(each.currency, each.group): each for each in before}
    new = {(each.currency, each.group): each for each in after}
    late_before, late_after = (_late_by_currency(paid.values()) if are_all else {} for paid in (old, new))
    keys = sorted({*old, *new}, key=lambda key: (key[0] or "", key[1]))
    found = [_pattern(old.get(key), new.get(key), late_before, late_after) for key in keys]
    return sorted(found, key=lambda each: (each.currency or "", each.change is None, -(each.change or 0)))


def _late_by_currency(paid: Iterable[Paid]) -> dict[str | None, int]:
    late: dict[str | None, int] = defaultdict(int)
    for each in paid:
        late[each.currency] += each.weights[1]
    return late


def _pattern(
    before: Paid | None, after: Paid | None, late_before: Mapping[str | None, int], late_after: Mapping[str | None, int]
) -> Pattern:
    one = after or before
    assert one
    mean, mean_before = _mean(after), _mean(before)
    return Pattern(
        group=one.group,
        label=one.label,
        invoices=after.count if after else 0,
        invoices_before=before.count if before else 0,
        mean_days=None if mean is None else rounded(mean),
        mean_days_before=None if mean_before is None else rounded(mean_before),
        late_percent=_late(after),
        late_percent_before=_late(before),
        change=None if mean is None or mean_before is None else rounded(mean - mean_before),
        late_share=_share(after, late_after.get(one.currency)),
        late_share_before=_share(before, late_before.get(one.currency)),
        currency=one.currency,
        amount_minor=after.amount_minor if after else 0,
        amount_before_minor=before.amount_minor if before else 0,
    )


def _mean(paid: Paid | None) -> Fraction | None:
    if paid is None or not paid.weights[0]:
        return None
    whole, _, days = paid.weights
    return Fraction(days, whole)


def _late(paid: Paid | None) -> Decimal | None:
    if paid is None or not paid.weights[0]:
        return None
    whole, late, _ = paid.weights
    return rounded(Fraction(100 * late, whole))


def _share(paid: Paid | None, late: int | None) -> Decimal | None:
    return rounded(Fraction(100 * (paid.weights[1] if paid else 0), late)) if late else None


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
