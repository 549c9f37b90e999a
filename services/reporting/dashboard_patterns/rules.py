"""How the page of payment patterns may be grouped, and how its rows are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reporting.patterns.rules import By, Pattern

GROUPINGS: dict[str, By] = {
    "Segment": "segment",
    "Country": "country",
    "Customer": "customer",
    "Product line": "product_line",
    "Reason": "reason",
    "Delivery": "channel",
    "Day due": "weekday",
    "Dispute": "disputed",
}
NAMED_IN_FULL: frozenset[By] = frozenset(("country", "customer", "product_line", "reason", "weekday"))
"""Groups whose label is a name or a sentence already; others are a word of the system."""
ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class Drawn:
    """`length` is how late the group paid on average in percent of the latest shown; nothing for who paid in time."""

    pattern: Pattern
    length: float


def read_grouping(text: str | None) -> By:
    known: dict[str, By] = {each: each for each in GROUPINGS.values()}
    return known.get(text or "", "segment")


def drawn(found: Sequence[Pattern]) -> list[Drawn]:
    """As many as a page shows, in the order they come."""
    shown = found[:ROWS_MAX]
    latest = max((float(each.mean_days or 0) for each in shown), default=0.0)
    return [Drawn(each, max(float(each.mean_days or 0), 0.0) * 100 / latest if latest > 0 else 0.0) for each in shown]
