"""The reports as tables: which there are, what each may be asked, and what its columns hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.ageing.rules import AgeFrom, ReportCurrency, ReportDay
from services.reporting.groups.rules import Group, Key, asked_group
from shared.calendar import ONE_DAY, add_months, month_start
from shared.errors import NotFound, Refused
from shared.money import Money

ReportName = Literal[
    "ageing",
    "open-invoices",
    "indicators",
    "trend",
    "top-debtors",
    "cash-forecast",
    "payment-patterns",
    "reminder-effectiveness",
    "dso-change",
    "concentration",
    "provision",
    "segments",
]
RelativeDay = Literal[
    "today", "yesterday", "end_of_last_week", "end_of_last_month", "end_of_last_quarter", "end_of_last_year"
]
Kind = Literal["text", "money", "number", "percent", "count", "date"]
Cell = str | Money | Decimal | int | date | UUID | None
Row = Sequence[Cell]


class ReportUnknown(NotFound):
    slug = "report-not-found"
    title = "There is no such report"


class NotAsked(Refused):
    slug = "not-asked-of-this-report"
    title = "This report cannot be asked that"


class Parameters(BaseModel):
    """What reports may be asked; each takes some of it (`SPECS`), and has its own idea of what is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: ReportDay | RelativeDay = Field(default="today", description="A day, or one seen from the day it is made on")
    currency: ReportCurrency | None = None
    group_by: Annotated[str, Field(max_length=20)] | None = None
    window_days: Annotated[int, Field(ge=14, le=730)] | None = None
    buckets: Annotated[str, Field(max_length=80)] | None = None
    age_from: AgeFrom | None = None
    reporting_currency: ReportCurrency | None = None
    late_min: Annotated[int, Field(ge=-36_600, le=36_600)] | None = None
    late_max: Annotated[int, Field(ge=-36_600, le=36_600)] | None = None
    months: Annotated[int, Field(ge=1, le=120)] | None = None
    weeks: Annotated[int, Field(ge=1, le=26)] | None = None
    by: Literal["day", "week"] | None = None
    sort_by: Literal["total", "overdue"] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] | None = None
    horizon_months: Annotated[int, Field(ge=1, le=60)] | None = None
    adjustment_percent: Annotated[Decimal, Field(ge=-100, le=1000)] | None = None
    seen_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    segment: Key | None = None
    country: Key | None = None
    entity: Key | None = None
    collector: Key | None = None
    customer: UUID | None = None

    @property
    def group(self) -> Group:
        """Whose figures alone are asked for. Raises SeveralGroups."""
        return asked_group(self.segment, self.country, self.entity, self.collector, self.customer)

    def given(self) -> dict[str, Any]:
        """As JSON, without what was left out."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Spec:
    """`takes` are the parameters beside `as_of`; `groups` what `group_by` may be, the first where it is left out."""

    title: str
    takes: frozenset[str]
    groups: tuple[str | None, ...] = (None,)


@dataclass(frozen=True, slots=True)
class Column:
    """`adds` when the cells of one currency add up to a total."""

    name: str
    title: str
    kind: Kind = "text"
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A report on its way: rows come in chunks, so that none has to fit into memory."""

    report: ReportName
    title: str
    as_of: date
    asked: Mapping[str, Any]
    columns: tuple[Column, ...]
    chunks: AsyncIterator[Sequence[Row]]


def _takes(*names: str) -> frozenset[str]:
    return frozenset(names)


_OF_ONE_GROUP = ("segment", "country", "entity", "collector", "customer")

SPECS: Mapping[ReportName, Spec] = {
    "ageing": Spec(
        "Ageing of receivables",
        _takes("currency", "group_by", "buckets", "age_from", "reporting_currency"),
        (None, "customer", "segment", "country", "entity", "collector"),
    ),
    "open-invoices": Spec("Open invoices", _takes("currency", "late_min", "late_max")),
    "indicators": Spec("Indicators of collection", _takes("currency", "window_days", *_OF_ONE_GROUP)),
    "trend": Spec("Collection by month", _takes("currency", "window_days", "months", *_OF_ONE_GROUP)),
    "top-debtors": Spec("Largest debtors", _takes("currency", "sort_by", "limit")),
    "cash-forecast": Spec("Cash forecast", _takes("currency", "weeks", "by", *_OF_ONE_GROUP)),
    "payment-patterns": Spec(
        "Payment patterns",
        _takes("window_days", "group_by"),
        ("segment", "country", "customer", "channel", "weekday", "disputed", "product_line", "reason"),
    ),
    "reminder-effectiveness": Spec(
        "What reminders do", _takes("window_days", "group_by"), ("step", "channel", "tone", "strategy")
    ),
    "dso-change": Spec(
        "Why days sales outstanding moved",
        _takes("currency", "window_days", "group_by"),
        ("segment", "country", "entity", "collector"),
    ),
    "concentration": Spec("Concentration", _takes("currency")),
    "provision": Spec(
        "Provision matrix",
        _takes("currency", "buckets", "months", "horizon_months", "adjustment_percent", "group_by", "seen_min"),
        (None, "segment", "country", "entity"),
    ),
    "segments": Spec("Segments of customers", _takes("currency", "window_days")),
}


def spec_of(report: str) -> Spec:
    """Raises ReportUnknown."""
    for name, spec in SPECS.items():
        if name == report:
            return spec
    raise ReportUnknown(f"{report} is none of {', '.join(SPECS)}")


def check(report: ReportName, parameters: Parameters) -> None:
    """Raises NotAsked, naming the parameter, and SeveralGroups."""
    spec = spec_of(report)
    for name in parameters.given():
        if name != "as_of" and name not in spec.takes:
            raise NotAsked(f"{report} has no {name}", field=f"query.{name}")
    if parameters.group_by and parameters.group_by not in spec.groups:
        known = ", ".join(each for each in spec.groups if each)
        raise NotAsked(f"{report} can be grouped by {known}", field="query.group_by")
    _ = parameters.group


def day_of(as_of: date | RelativeDay, today: date) -> date:
    """Weeks end on Sunday."""
    match as_of:
        case "today":
            return today
        case "yesterday":
            return today - ONE_DAY
        case "end_of_last_week":
            return today - timedelta(days=today.isoweekday())
        case "end_of_last_month":
            return month_start(today) - ONE_DAY
        case "end_of_last_quarter":
            return add_months(month_start(today), -((today.month - 1) % 3)) - ONE_DAY
        case "end_of_last_year":
            return date(today.year - 1, 12, 31)
        case _:
            return as_of
