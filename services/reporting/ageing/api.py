"""Ageing over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing import handlers, rules
from services.reporting.ageing.handlers import AgeReceivables, ListOpenInvoices
from services.reporting.ageing.rules import AgeFrom, Buckets, GroupBy, ReportCurrency, ReportDay
from shared.calendar import local_date
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class BucketOut(BaseModel):
    """Open items by age, `days_from` to `days_to` overdue; null is open ended, and the first is what is not yet due."""

    days_from: int | None
    days_to: int | None
    amount: str
    disputed: str = Field(description="What of the amount the customer contests")
    on_plan: str = Field(description="What of the amount waits for the dates of an instalment plan")
    open_invoices: int


class AgeingItem(BaseModel):
    """Open items of one currency by days overdue: amounts as text with the currency's own decimals. `disputed` and
    `on_plan` are there where they were asked for."""

    currency: str
    group: str | None = Field(
        description="The customer's id, segment, country, entity or collector; null for the whole"
    )
    label: str | None = Field(description="The group's name")
    current: str
    d1_30: str
    d31_60: str
    d61_90: str
    d91_plus: str
    total: str
    overdue: str
    open_invoices: int
    disputed: str = ""
    on_plan: str = ""

    @classmethod
    def of(cls, b: Buckets, *, apart: bool) -> "AgeingItem":
        def amount(minor: int) -> str:
            return format_minor(minor, b.currency)

        more = {"disputed": amount(sum(b.disputed)), "on_plan": amount(sum(b.on_plan))} if apart else {}
        current, d1_30, d31_60, d61_90, d91_plus = map(amount, b.split)
        return cls(
            currency=b.currency,
            group=b.group,
            label=b.label,
            current=current,
            d1_30=d1_30,
            d31_60=d31_60,
            d61_90=d61_90,
            d91_plus=d91_plus,
            total=amount(b.total),
            overdue=amount(b.overdue),
            open_invoices=b.open_invoices,
            **more,
        )


class BucketedItem(BaseModel):
    """As the usual item, with the buckets that were asked for in place of the usual five."""

    currency: str
    group: str | None
    label: str | None
    buckets: list[BucketOut]
    total: str
    overdue: str
    disputed: str
    on_plan: str
    open_invoices: int

    @classmethod
    def of(cls, b: Buckets) -> "BucketedItem":
        def amount(minor: int) -> str:
            return format_minor(minor, b.currency)

        parts = zip(b.ranges, b.split, b.disputed, b.on_plan, b.counts, strict=True)
        return cls(
            currency=b.currency,
            group=b.group,
            label=b.label,
            buckets=[
                BucketOut(
                    days_from=first,
                    days_to=last,
                    amount=amount(owed),
                    disputed=amount(disputed),
                    on_plan=amount(on_plan),
                    open_invoices=count,
                )
                for (first, last), owed, disputed, on_plan, count in parts
            ],
            total=amount(b.total),
            overdue=amount(b.overdue),
            disputed=amount(sum(b.disputed)),
            on_plan=amount(sum(b.on_plan)),
            open_invoices=b.open_invoices,
        )


class AgeingOut(BaseModel):
    as_of: date
    known_at: date | None
    items: list[AgeingItem] | list[BucketedItem]
    next_cursor: str | None


@router.get(
    "/ageing", response_model=AgeingOut, response_model_exclude_unset=True, dependencies=[scope("reports:read")]
)
async def age_receivables(
    database: DatabaseDep,
    page: PageParams,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    group_by: Annotated[GroupBy | None, Query(description="One item a group and currency")] = None,
    currency: ReportCurrency | None = None,
    known_at: Annotated[ReportDay | None, Query(description="As the books stood at the end of this day")] = None,
    age_from: Annotated[AgeFrom, Query(description="Count days from the due date or the invoice date")] = "due_date",
    buckets: Annotated[
        str | None, Query(max_length=80, description="Last days of the buckets in place of the usual: 30,60,90,120")
    ] = None,
    apart: Annotated[bool, Query(description="Say what of it is disputed or on a plan")] = False,
    reporting_currency: Annotated[
        ReportCurrency | None, Query(description="Everything in this one, by the reference rates of `as_of`")
    ] = None,
) -> AgeingOut:
    """What was owed at the end of a day by days overdue: the due date itself is still current."""
    days = rules.USUAL_DAYS if buckets is None else rules.read_days(buckets)
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        after: tuple[str, str] = ("", "")
        if page.after:
            # The day travels in the cursor: midnight between two pages must not mix two days' figures.
            on, after = date.fromisoformat(page.after[0]), (page.after[1], page.after[2])
        query = AgeReceivables(
            on,
            known_at or rules.ALL_KNOWN,
            currency,
            group_by,
            after,
            page.limit + 1,
            days,
            age_from,
            reporting_currency,
        )
        found = await handlers.age_receivables(tx, query)
    shown = found[: page.limit] if group_by else found
    more = encode_cursor([on, shown[-1].currency, shown[-1].group]) if len(found) > len(shown) else None
    items = [AgeingItem.of(b, apart=apart) for b in shown] if buckets is None else [BucketedItem.of(b) for b in shown]
    return AgeingOut(as_of=on, known_at=known_at, items=items, next_cursor=more)


class OpenInvoiceItem(BaseModel):
    """An invoice as it stood at the end of the day; amounts as text with the currency's own decimals."""

    id: UUID
    number: str | None
    customer_id: UUID
    customer_name: str | None
    entity_id: str
    issue_date: date | None
    due_date: date
    days_overdue: int
    currency: str
    balance: str
    disputed: str
    on_plan: str


class OpenInvoicesOut(BaseModel):
    as_of: date
    items: list[OpenInvoiceItem]
    next_cursor: str | None


@router.get("/ageing/invoices", response_model=OpenInvoicesOut, dependencies=[scope("reports:read")])
async def list_open_invoices(
    database: DatabaseDep,
    page: PageParams,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    currency: ReportCurrency | None = None,
    customer_id: UUID | None = None,
    late_min: Annotated[
        int | None, Query(ge=-36_600, le=36_600, description="Overdue for at least so many days")
    ] = None,
    late_max: Annotated[
        int | None, Query(ge=-36_600, le=36_600, description="Overdue for at most so many days")
    ] = None,
) -> OpenInvoicesOut:
    """The invoices that an ageing report adds up, oldest due first: 31 to 60 days is `late_min=31&late_max=60`, what is
    not yet due `late_max=0`."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        place = {}
        if page.after:
            on = date.fromisoformat(page.after[0])
            place = {"after": (date.fromisoformat(page.after[1]), UUID(page.after[2]))}
        query = ListOpenInvoices(
            on,
            page.limit + 1,
            currency=currency,
            customer_id=customer_id,
            late_min=late_min,
            late_max=late_max,
            **place,
        )
        found = await handlers.list_open_invoices(tx, query)
    shown, more = page.cut(found, lambda row: [on, row["due_on"], row["invoice_id"]])
    return OpenInvoicesOut(
        as_of=on,
        items=[
            OpenInvoiceItem(
                id=row["invoice_id"],
                number=row["number"],
                customer_id=row["customer_id"],
                customer_name=row["name"],
                entity_id=row["entity_id"],
                issue_date=row["issue_date"],
                due_date=row["due_on"],
                days_overdue=row["days_overdue"],
                currency=row["currency"],
                balance=format_minor(row["balance_minor"], row["currency"]),
                disputed=format_minor(row["disputed_minor"], row["currency"]),
                on_plan=format_minor(row["on_plan_minor"], row["currency"]),
            )
            for row in shown
        ],
        next_cursor=more,
    )
