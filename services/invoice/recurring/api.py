"""Recurring invoices over HTTP: agree on one, look ahead, pause, resume, end, and see what became of each period."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from services.invoice.billing_days.rules import (
    COUNT_MAX,
    PRICE_CHANGES_MAX,
    CatchUp,
    Pause,
    Period,
    PeriodStatus,
    PriceChange,
    Proration,
    Recurring,
    Status,
    Timing,
)
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.drafting.rules import (
    LINES_MAX,
    QUANTITY_PLACES,
    RATE_PLACES,
    DeliveryChannel,
    ExternalId,
    IsoDate,
    LineIn,
    Text,
    Wire,
)
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.pricing.rules import Priced, decimal_text
from services.invoice.recurrence.rules import Days
from services.invoice.recurring import handlers
from services.invoice.recurring.handlers import AgreeRecurring, Preview
from services.invoice.recurring.rules import issue_date
from services.invoice.terms.rules import PaymentTerms
from shared.db import reading, transaction
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["recurring invoices"])

Lines = Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MAX)]
PriceChanges = Annotated[tuple[PriceChange, ...], Field(max_length=PRICE_CHANGES_MAX)]
Reference = Annotated[str, Field(min_length=1, max_length=200)]


class RecurringIn(Wire):
    """An agreement to invoice again and again. Descriptions may hold {period_start}, {period_end}, {month} and {year};
    without any of them the period is put after the description."""

    customer_id: UUID | None = None
    customer_external_id: ExternalId | None = None
    entity_id: Annotated[str, Field(min_length=1, max_length=64)] = DEFAULT
    name: Text | None = None
    lines: Lines
    rrule: Annotated[str, Field(min_length=1, max_length=300, examples=["FREQ=MONTHLY;BYMONTHDAY=1"])] = Field(
        description="RFC 5545; its occurrences begin the periods. COUNT and UNTIL are said as count and ends_on"
    )
    starts_on: IsoDate
    ends_on: IsoDate | None = Field(default=None, description="The last day that is billed")
    count: Annotated[int, Field(strict=True, ge=1, le=COUNT_MAX)] | None = Field(
        default=None, description="How many periods, the first of which may be a part of one; instead of ends_on"
    )
    timing: Timing = Field(default="advance", description="Billed on a period's first day, or the day after its last")
    proration: Proration = Field(default="days", description="How parts of a period are billed")
    catch_up: CatchUp = Field(default="period_date", description="The date on an invoice that comes late")
    price_changes: PriceChanges = ()
    payment_terms: PaymentTerms | None = Field(default=None, description="Left out: the customer's own")
    reference: Reference | None = None
    delivery_channel: DeliveryChannel | None = Field(
        default=None, description="Left out: by letter to customers who want paper, else by mail"
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> "RecurringIn":
        if (self.customer_id is None) == (self.customer_external_id is None):
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        if self.ends_on and self.count:
            raise ValueError("state the end once, as ends_on or as count")
        return self


class ChangeRecurringIn(Wire):
    """What is given is replaced, for all that is not billed yet; null takes an end, terms, a reference or the way of
    delivery away."""

    name: Text | None = None
    lines: Lines | None = None
    ends_on: IsoDate | None = None
    catch_up: CatchUp | None = None
    price_changes: PriceChanges | None = None
    payment_terms: PaymentTerms | None = None
    reference: Reference | None = None
    delivery_channel: DeliveryChannel | None = None

    @model_validator(mode="after")
    def _not_null(self) -> "ChangeRecurringIn":
        for name in ("lines", "catch_up", "price_changes"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be taken away")
        return self

    def changes(self) -> dict:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


class PauseIn(Wire):
    first: IsoDate | None = Field(default=None, alias="from", description="First day not billed; today when left out")
    until: IsoDate | None = Field(default=None, description="First day billed again; left out: until it is resumed")


class ResumeIn(Wire):
    on: IsoDate | None = Field(default=None, description="First day billed again; today when left out")


class EndIn(Wire):
    on: IsoDate | None = Field(default=None, description="Last day billed; today when left out")


class DropIn(Wire):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class RecurringOut(BaseModel):
    """`paused` while a pause has no end yet. `billed_through` is the last day decided on."""

    id: UUID
    entity_id: str
    customer_id: UUID
    status: Status
    name: str | None
    rrule: str
    starts_on: date
    ends_on: date | None
    timing: Timing
    proration: Proration
    catch_up: CatchUp
    pauses: tuple[Pause, ...]
    lines: tuple[LineIn, ...]
    price_changes: tuple[PriceChange, ...]
    payment_terms: PaymentTerms | None
    reference: str | None
    delivery_channel: DeliveryChannel | None
    billed_through: date | None
    next_bill_on: date | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, recurring: Recurring) -> "RecurringOut":
        return cls(**{name: getattr(recurring, name) for name in cls.model_fields})


class RunOut(BaseModel):
    first: date
    last: date

    @classmethod
    def of(cls, days: Days) -> "RunOut":
        return cls(first=days.first, last=days.last)


class PeriodOut(BaseModel):
    """`held` says why in `reason` (the kind of problem) and `detail`; `runs` are the days of the period billed."""

    recurring_id: UUID
    period_start: date
    period_end: date
    runs: list[RunOut]
    bill_on: date
    status: PeriodStatus
    invoice_id: UUID | None
    reason: str | None
    detail: str | None
    decided_at: datetime

    @classmethod
    def of(cls, period: Period) -> "PeriodOut":
        bill = period.bill
        return cls(
            recurring_id=period.recurring_id,
            period_start=bill.days.first,
            period_end=bill.days.last,
            runs=[RunOut.of(run) for run in bill.runs],
            bill_on=bill.bill_on,
            status=period.status,
            invoice_id=period.invoice_id,
            reason=period.reason,
            detail=period.detail,
            decided_at=period.decided_at,
        )


class PreviewLineOut(BaseModel):
    description: str
    quantity: str
    unit_price: Money
    net: Money
    tax_category: str
    tax_rate: str


class PreviewOut(BaseModel):
    """An invoice to come; `problem` says why it would be held."""

    period_start: date
    period_end: date
    runs: list[RunOut]
    bill_on: date
    issue_date: date
    lines: list[PreviewLineOut]
    net: Money | None
    tax: Money | None
    total: Money | None
    problem: str | None

    @classmethod
    def of(cls, recurring: Recurring, preview: Preview, today: date) -> "PreviewOut":
        bill, priced = preview.bill, preview.priced
        issued_on = issue_date(recurring, bill, max(today, bill.bill_on))
        return cls(
            period_start=bill.days.first,
            period_end=bill.days.last,
            runs=[RunOut.of(run) for run in bill.runs],
            bill_on=bill.bill_on,
            issue_date=issued_on,
            lines=_preview_lines(priced) if priced else [],
            net=Money(priced.net_minor, priced.currency) if priced else None,
            tax=Money(priced.tax_minor, priced.currency) if priced else None,
            total=Money(priced.total_minor, priced.currency) if priced else None,
            problem=preview.refused.detail if preview.refused else None,
        )


def _preview_lines(priced: Priced) -> list[PreviewLineOut]:
    return [
        PreviewLineOut(
            description=line.description,
            quantity=decimal_text(line.quantity_millionths, QUANTITY_PLACES),
            unit_price=Money(line.unit_price_minor, priced.currency),
            net=Money(line.net_minor, priced.currency),
            tax_category=line.tax_category,
            tax_rate=decimal_text(line.tax_rate_bp, RATE_PLACES),
        )
        for line in priced.lines
    ]


@router.post(
    "/recurring-invoices", status_code=201, response_model=RecurringOut, dependencies=[scope("invoices:write")]
)
async def agree(body: RecurringIn, once: Once, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """Agree on invoices that repeat. Periods whose day has come already are invoiced at once."""
    await once.check()
    ref = CustomerRef(body.customer_id, body.customer_external_id)
    async with reading(database) as tx:
        await entities.get_entity(tx, body.entity_id)
    account = await customers.learn_account(database, resources.credit, ref, body.entity_id)
    terms = body.model_dump(
        include={"name", "rrule", "starts_on", "ends_on", "timing", "proration", "catch_up", "reference"}
        | {"delivery_channel"}
    )
    terms |= {"lines": tuple(body.lines), "price_changes": body.price_changes, "payment_terms": body.payment_terms}
    async with once as tx:
        command = AgreeRecurring(CustomerRef(account.customer.id), terms, body.count)
        recurring = await handlers.agree_recurring(tx, command, body.entity_id)
        return once.answer(
            201,
            RecurringOut.of(recurring),
            etag=recurring.version,
            location=f"/v1/recurring-invoices/{recurring.id}",
        )


@router.get("/recurring-invoices", response_model=Page[RecurringOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep, page: PageParams, customer_id: UUID | None = None, status: Status | None = None
) -> Response:
    """Agreements to bill again and again, in the order they were made."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_recurring(
            tx, after=after, customer_id=customer_id, status=status, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[RecurringOut](items=[RecurringOut.of(each) for each in shown], next_cursor=more))


@router.get("/recurring-invoices/held", response_model=Page[PeriodOut], dependencies=[scope("invoices:read")])
async def find_held(database: DatabaseDep, page: PageParams) -> Response:
    """Every period that could not be invoiced and waits for somebody."""
    return await _periods(database, page, None, "held")


@router.get("/recurring-invoices/{recurring_id}", response_model=RecurringOut, dependencies=[scope("invoices:read")])
async def look_at(recurring_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        recurring = await handlers.get_recurring(tx, recurring_id)
    return respond(RecurringOut.of(recurring), etag=recurring.version)


@router.patch("/recurring-invoices/{recurring_id}", response_model=RecurringOut, dependencies=[scope("invoices:write")])
async def change(recurring_id: UUID, body: ChangeRecurringIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Change what later periods are billed with. Another rule is another recurring invoice: end this one first."""
    async with transaction(database) as tx:
        recurring = await handlers.change_recurring(tx, recurring_id, version, body.changes())
    return respond(RecurringOut.of(recurring), etag=recurring.version)


@router.post(
    "/recurring-invoices/{recurring_id}/pause", response_model=RecurringOut, dependencies=[scope("invoices:write")]
)
async def pause(recurring_id: UUID, body: PauseIn, once: Once) -> Response:
    """Leave days out from now or a later day on. What is invoiced already stands."""
    async with once as tx:
        recurring = await handlers.pause_recurring(tx, recurring_id, body.first, body.until)
        return once.answer(200, RecurringOut.of(recurring), etag=recurring.version)


@router.post(
    "/recurring-invoices/{recurring_id}/resume", response_model=RecurringOut, dependencies=[scope("invoices:write")]
)
async def resume(recurring_id: UUID, body: ResumeIn, once: Once) -> Response:
    """End the pause that runs or comes next. Days of a period left over from it are billed as a part."""
    async with once as tx:
        recurring = await handlers.resume_recurring(tx, recurring_id, body.on)
        return once.answer(200, RecurringOut.of(recurring), etag=recurring.version)


@router.post(
    "/recurring-invoices/{recurring_id}/end", response_model=RecurringOut, dependencies=[scope("invoices:write")]
)
async def end(recurring_id: UUID, body: EndIn, once: Once) -> Response:
    """Bill nothing after a day. What is invoiced already stands."""
    async with once as tx:
        recurring = await handlers.end_recurring(tx, recurring_id, body.on)
        return once.answer(200, RecurringOut.of(recurring), etag=recurring.version)


@router.get(
    "/recurring-invoices/{recurring_id}/preview",
    response_model=Page[PreviewOut],
    dependencies=[scope("invoices:read")],
)
async def preview(
    recurring_id: UUID, database: DatabaseDep, periods: Annotated[int, Query(ge=1, le=120)] = 12
) -> Response:
    """The next invoices, with their lines and dates; fewer when the end or an open pause comes first."""
    async with reading(database) as tx:
        recurring, found = await handlers.preview_recurring(tx, recurring_id, periods)
        entity = await entities.get_entity(tx, recurring.entity_id)
        today = entity.today(tx.now)
    return respond(Page[PreviewOut](items=[PreviewOut.of(recurring, each, today) for each in found]))


@router.get(
    "/recurring-invoices/{recurring_id}/periods",
    response_model=Page[PeriodOut],
    dependencies=[scope("invoices:read")],
)
async def find_periods(
    recurring_id: UUID, database: DatabaseDep, page: PageParams, status: PeriodStatus | None = None
) -> Response:
    """What became of each period, the earliest first."""
    async with reading(database) as tx:
        await handlers.get_recurring(tx, recurring_id)
    return await _periods(database, page, recurring_id, status)


async def _periods(
    database: DatabaseDep, page: PageParams, recurring_id: UUID | None, status: PeriodStatus | None
) -> Response:
    after = (UUID(page.after[0]), date.fromisoformat(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_periods(tx, recurring_id, status=status, after=after, limit=page.limit + 1)
    shown = found[: page.limit]
    last = shown[-1] if len(found) > page.limit else None
    more = encode_cursor([last.recurring_id, last.bill.days.first]) if last else None
    return respond(Page[PeriodOut](items=[PeriodOut.of(each) for each in shown], next_cursor=more))


@router.post(
    "/recurring-invoices/{recurring_id}/periods/{period_start}/release",
    response_model=PeriodOut,
    dependencies=[scope("invoices:write")],
)
async def release(
    recurring_id: UUID,
    period_start: date,
    once: Once,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    resources: ResourcesDep,
) -> Response:
    """Invoice a held period after all, with the template's lines as they are now; credit is asked again."""
    await once.check()
    async with reading(database) as tx:
        due = await handlers.held_bill(tx, recurring_id, period_start)
    again = f"{principal.key}\0{request.headers['idempotency-key']}"
    credit = await handlers.ask_credit(resources.credit, due, again)
    async with once as tx:
        period = await handlers.release_period(tx, due, credit)
        return once.answer(200, PeriodOut.of(period))


@router.post(
    "/recurring-invoices/{recurring_id}/periods/{period_start}/drop",
    response_model=PeriodOut,
    dependencies=[scope("invoices:write")],
)
async def drop(recurring_id: UUID, period_start: date, body: DropIn, once: Once) -> Response:
    """Never invoice a held period."""
    async with once as tx:
        period = await handlers.drop_period(tx, recurring_id, period_start, body.reason)
        return once.answer(200, PeriodOut.of(period))
