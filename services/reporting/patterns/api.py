"""What changed and why, over HTTP."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.patterns import handlers
from services.reporting.patterns.handlers import ExplainDso, FindPatterns
from services.reporting.patterns.rules import By, Concentration, DsoChange, GroupBy, Pattern
from shared.calendar import add_months, local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])

WindowDays = Annotated[int, Query(ge=1, le=730)]


class GroupMoved(BaseModel):
    group: str
    days: str


class DsoChangeOut(BaseModel):
    """In days; the parts are null where one of the two windows saw no sales."""

    currency: str
    before: str | None = None
    after: str | None = None
    change: str | None = None
    by_sales: str | None = Field(default=None, description="What other sales did to receivables as they were")
    by_not_due: str | None = Field(default=None, description="More or less that is not yet due")
    by_overdue: str | None = Field(default=None, description="More or less that is overdue")
    groups: list[GroupMoved] = Field(default=[], description="What each group did; they add up to the change")

    @classmethod
    def of(cls, currency: str, c: DsoChange | None) -> "DsoChangeOut":
        if c is None:
            return cls(currency=currency)
        return cls(
            currency=currency,
            before=str(c.before),
            after=str(c.after),
            change=str(c.change),
            by_sales=str(c.by_sales),
            by_not_due=str(c.by_not_due),
            by_overdue=str(c.by_overdue),
            groups=[GroupMoved(group=group, days=str(days)) for group, days in c.groups],
        )


class DsoChangesOut(BaseModel):
    as_of: date
    since: date
    window_days: int
    items: list[DsoChangeOut]
    next_cursor: None = None


@router.get("/dso-change", dependencies=[scope("reports:read")])
async def dso_change(
    database: DatabaseDep,
    as_of: ReportDay | None = None,
    since: ReportDay | None = None,
    window_days: WindowDays = 90,
    group_by: GroupBy = "segment",
    currency: ReportCurrency | None = None,
) -> DsoChangesOut:
    """Why days sales outstanding moved between two days, a month apart when `since` is left out: by sales, by what is
    not yet due, by what is overdue; and by group.
    """
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        before = since or add_months(on, -1)
        found = await handlers.explain_dso(tx, ExplainDso(on, before, window_days, group_by, currency))
    items = [DsoChangeOut.of(code, change) for code, change in found]
    return DsoChangesOut(as_of=on, since=before, window_days=window_days, items=items)


class PatternOut(BaseModel):
    """Days beyond terms on average, and the share paid after it was due, in a window and in the one before. By product
    line they are by amount, currency by currency; by reason they are of what was paid late alone."""

    group: str
    label: str
    invoices: int
    invoices_before: int
    mean_days: str | None
    mean_days_before: str | None
    late_percent: str | None
    late_percent_before: str | None
    change: str | None = Field(description="Of the mean, in days; above zero they got slower")
    late_share_percent: str | None = Field(
        description="Of all that was paid late; null by customer, where few are shown"
    )
    late_share_percent_before: str | None
    currency: str | None = Field(description="By product line: what the amounts are in")
    amount: str | None = Field(description="By product line: what was paid of it, tax included")
    amount_before: str | None

    @classmethod
    def of(cls, p: Pattern) -> "PatternOut":
        def amount(minor: int) -> str | None:
            return format_minor(minor, p.currency) if p.currency else None

        return cls(
            group=p.group,
            label=p.label,
            invoices=p.invoices,
            invoices_before=p.invoices_before,
            mean_days=_text(p.mean_days),
            mean_days_before=_text(p.mean_days_before),
            late_percent=_text(p.late_percent),
            late_percent_before=_text(p.late_percent_before),
            change=_text(p.change),
            late_share_percent=_text(p.late_share),
            late_share_percent_before=_text(p.late_share_before),
            currency=p.currency,
            amount=amount(p.amount_minor),
            amount_before=amount(p.amount_before_minor),
        )


class PatternsOut(BaseModel):
    as_of: date
    window_days: int
    items: list[PatternOut]
    next_cursor: None = None


@router.get("/payment-patterns", dependencies=[scope("reports:read")])
async def payment_patterns(
    database: DatabaseDep,
    as_of: ReportDay | None = None,
    window_days: WindowDays = 90,
    group_by: By = "segment",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PatternsOut:
    """How late what was paid in a window was, beside the window before it; who got slowest comes first."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        found = await handlers.find_patterns(tx, FindPatterns(on, window_days, group_by))
    return PatternsOut(as_of=on, window_days=window_days, items=[PatternOut.of(each) for each in found[:limit]])


class ConcentrationOut(BaseModel):
    """What of the receivables the largest debtors owe, in percent."""

    currency: str
    largest: str
    largest_5: str
    largest_10: str
    largest_20: str

    @classmethod
    def of(cls, c: Concentration) -> "ConcentrationOut":
        largest, largest_5, largest_10, largest_20 = (str(share) for _, share in c.shares)
        return cls(
            currency=c.currency, largest=largest, largest_5=largest_5, largest_10=largest_10, largest_20=largest_20
        )


class ConcentrationsOut(BaseModel):
    as_of: date
    items: list[ConcentrationOut]
    next_cursor: None = None


@router.get("/concentration", dependencies=[scope("reports:read")])
async def concentration(
    database: DatabaseDep, as_of: ReportDay | None = None, currency: ReportCurrency | None = None
) -> ConcentrationsOut:
    """How much hangs on few customers."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        found = await handlers.concentration(tx, on, currency)
    return ConcentrationsOut(as_of=on, items=[ConcentrationOut.of(each) for each in found])


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else str(figure)
