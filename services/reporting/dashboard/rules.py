"""What the first page shows beside figures as they are: how they moved, and what is told of the forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from services.reporting.ageing.rules import Buckets, GroupBy
from services.reporting.groups.rules import EVERYBODY, Group, Kind
from services.reporting.navigation.rules import figure
from shared.calendar import add_months, month_start

GROUPINGS: dict[str, GroupBy] = {
    "Segment": "segment",
    "Country": "country",
    "Selling entity": "entity",
    "Collector": "collector",
}
GROUPS_MAX = 8
CASH_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved since an earlier day; `worse` says in which colour to show it."""

    words: str
    since: date
    worse: bool


def change(now: Decimal | None, before: Decimal | None, since: date, *, higher_is_worse: bool = True) -> Change | None:
    if now is None or before is None:
        return None
    delta = now - before
    if abs(delta) < Decimal("0.05"):
        return Change("unchanged", since, False)
    arrow = "▲" if delta > 0 else "▼"
    return Change(f"{arrow} {figure(abs(delta))}", since, (delta > 0) == higher_is_worse)


@dataclass(frozen=True, slots=True)
class Cash:
    """Money that came in, minor units: in the last 30 days, in the 30 days before, and by month, oldest first; the
    last month is of its days so far."""

    received_minor: int
    before_minor: int
    months: Sequence[tuple[date, int]]

    @property
    def change_percent(self) -> Decimal | None:
        if self.before_minor <= 0:
            return None
        return Decimal(self.received_minor - self.before_minor) * 100 / self.before_minor


def months_shown(as_of: date) -> list[date]:
    """The first days of the months whose cash is drawn, oldest first."""
    return [add_months(month_start(as_of), -back) for back in range(CASH_MONTHS, -1, -1)]


def largest_groups(groups: Sequence[Buckets]) -> list[Buckets]:
    """Those that owe most, first."""
    owing = (group for group in groups if group.open_invoices)
    return sorted(owing, key=lambda group: (-group.total, group.label or ""))[:GROUPS_MAX]


def read_grouping(text: str | None) -> GroupBy:
    known: dict[str, GroupBy] = {each: each for each in GROUPINGS.values()}
    return known.get(text or "", "segment")


def read_group(**named: str | None) -> Group:
    """The first that the address names of `segment`, `country`, `entity` and `collector`."""
    return next((Group(cast(Kind, kind), key) for kind, key in named.items() if key), EVERYBODY)


def day_near(day: date, other: date) -> str:
    """30 Jun, with the year only where it is not that of the other day at hand."""
    return f"{day.day} {day:%b}" if day.year == other.year else f"{day.day} {day:%b %Y}"
