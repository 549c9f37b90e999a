"""How the page of a review pack says things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from services.credit.review_packs.rules import ClassOutcome, Sold
from shared.money import Money

UNLIKELY = Decimal("0.05")
"""Below it, so many defaults by chance are a reason to look at the class."""

CONCLUSIONS = {"kept": "They stay as they are", "to_change": "Something is to change"}


def highest(classes: Iterable[ClassOutcome]) -> Decimal:
    """What the longest bar stands for; never zero."""
    shares = [share for each in classes for share in (each.expected, each.actual) if share is not None]
    return max([*shares, Decimal("0.0001")])


def is_alarming(each: ClassOutcome) -> bool:
    return each.tail is not None and each.tail < UNLIKELY


def summed(sold: Sequence[Sold]) -> list[Money]:
    """The amounts of invoices, by currency."""
    sums: dict[str, int] = {}
    for each in sold:
        sums[each.amount.currency] = sums.get(each.amount.currency, 0) + each.amount.minor
    return [Money(minor, currency) for currency, minor in sorted(sums.items())]
