"""Instalment plans over HTTP: agree, look at, call off."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, model_validator

from services.invoice.drafting.rules import IsoDate
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices import handlers as invoices
from services.invoice.plans import handlers, rules
from services.invoice.plans.handlers import AgreePlan, CancelPlan, EvenParts, Standing
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["plans"])


class InstalmentIn(Body):
    due_date: IsoDate
    amount: Money


class AgreePlanIn(Body):
    """Either dates and amounts that add up exactly, or a number of even parts."""

    instalments: Annotated[list[InstalmentIn], Field(min_length=1, max_length=rules.INSTALMENTS_MAX)] | None = None
    count: int | None = Field(default=None, ge=1, le=rules.INSTALMENTS_MAX)
    every: rules.Interval = "month"
    first_on: IsoDate | None = Field(default=None, description="Of the even parts; needed with count")
    down_payment: Money | None = Field(default=None, description="Due today, before the even parts")

    @model_validator(mode="after")
    def _one_way(self) -> "AgreePlanIn":
        if (self.instalments is None) == (self.count is None):
            raise ValueError("give either instalments or a count")
        if self.count is not None and self.first_on is None:
            raise ValueError("with a count, say first_on: the day of the first instalment")
        if self.instalments is not None and (self.first_on or self.down_payment):
            raise ValueError("first_on and down_payment go with a count")
        return self

    def command(self, customer_id: UUID, entity_id: str, invoice_ids: tuple[UUID, ...]) -> AgreePlan:
        parts = None
        if self.count is not None and self.first_on is not None:
            parts = EvenParts(self.count, self.every, self.first_on, self.down_payment)
        given = tuple((each.due_date, each.amount) for each in self.instalments or ())
        return AgreePlan(customer_id, entity_id, invoice_ids, given, parts)


class AgreeCustomerPlanIn(AgreePlanIn):
    invoice_ids: Annotated[list[UUID], Field(min_length=1, max_length=rules.INVOICES_MAX)] | None = Field(
        default=None, description="Left out: all that is overdue and may be collected"
    )
    entity_id: str = Field(default=DEFAULT, max_length=40)


class CancelPlanIn(Body):
    reason: str = Field(min_length=1, max_length=500)


class InstalmentOut(BaseModel):
    due_date: date
    amount: Money
    paid: Money
    balance: Money


class PlanInvoiceOut(BaseModel):
    invoice_id: UUID
    number: str
    amount: Money


class PlanOut(BaseModel):
    """`agreed` until something is paid, then `active`; `kept`, `broken` (`missed_on` is the instalment that broke it)
    or `cancelled` in the end. `balance` is what is still on the plan, or was when it ended."""

    id: UUID
    entity_id: str
    customer_id: UUID
    status: rules.Status
    amount: Money
    paid: Money
    balance: Money
    invoices: list[PlanInvoiceOut]
    instalments: list[InstalmentOut]
    grace_days: int
    missed_max: int
    agreed_on: date
    agreed_by: rules.AgreedBy
    missed_on: date | None
    ended_on: date | None
    reason: str | None
    version: int

    @classmethod
    def of(cls, standing: Standing) -> "PlanOut":
        plan, filled = standing.plan, standing.filled
        paid = sum(each.paid_minor for each in filled)
        return cls(
            id=plan.id,
            entity_id=plan.entity_id,
            customer_id=plan.customer_id,
            status=plan.status,
            amount=plan.money(plan.amount_minor),
            paid=plan.money(paid),
            balance=plan.money(plan.amount_minor - paid),
            invoices=[
                PlanInvoiceOut(invoice_id=share.invoice_id, number=share.number, amount=plan.money(share.minor))
                for share in plan.shares
            ],
            instalments=[
                InstalmentOut(
                    due_date=each.due_date,
                    amount=plan.money(each.minor),
                    paid=plan.money(each.paid_minor),
                    balance=plan.money(each.open_minor),
                )
                for each in filled
            ],
            grace_days=plan.grace_days,
            missed_max=plan.missed_max,
            agreed_on=plan.agreed_on,
            agreed_by=plan.agreed_by,
            missed_on=plan.missed_on,
            ended_on=plan.ended_on,
            reason=plan.ended_why,
            version=plan.version,
        )


@router.post(
    "/invoices/{invoice_id}/plans", status_code=201, response_model=PlanOut, dependencies=[scope("invoices:write")]
)
async def agree_for_invoice(invoice_id: UUID, body: AgreePlanIn, once: Once) -> Response:
    """Let an invoice be paid in instalments: what may be collected of it is not chased while they are paid."""
    async with once as tx:
        invoice = await invoices.get_invoice(tx, invoice_id)
        command = body.command(invoice.customer_id, invoice.entity_id, (invoice_id,))
        standing = await handlers.agree_plan(tx, command)
        return _agreed(once, standing)


@router.post(
    "/customers/{customer_id}/plans", status_code=201, response_model=PlanOut, dependencies=[scope("invoices:write")]
)
async def agree_for_customer(customer_id: UUID, body: AgreeCustomerPlanIn, once: Once) -> Response:
    """One plan over several invoices of a customer; over all that is overdue when none are named."""
    async with once as tx:
        command = body.command(customer_id, body.entity_id, tuple(body.invoice_ids or ()))
        return _agreed(once, await handlers.agree_plan(tx, command))


def _agreed(once: Once, standing: Standing) -> Response:
    plan = standing.plan
    return once.answer(201, PlanOut.of(standing), etag=plan.version, location=f"/v1/plans/{plan.id}")


@router.post(
    "/plans/{plan_id}/cancellation", status_code=201, response_model=PlanOut, dependencies=[scope("invoices:write")]
)
async def cancel(plan_id: UUID, body: CancelPlanIn, once: Once) -> Response:
    """Call a plan off: what is left of it may be collected at once."""
    async with once as tx:
        standing = await handlers.cancel_plan(tx, CancelPlan(plan_id, body.reason))
        return once.answer(201, PlanOut.of(standing), etag=standing.plan.version)


@router.get("/plans", response_model=Page[PlanOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    invoice_id: UUID | None = None,
    status: rules.Status | None = None,
) -> Response:
    """Plans in the order they were agreed."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_plans(
            tx, after=after, customer_id=customer_id, invoice_id=invoice_id, status=status, limit=page.limit + 1
        )
    return _page(found, page)


@router.get("/invoices/{invoice_id}/plans", response_model=Page[PlanOut], dependencies=[scope("invoices:read")])
async def find_of_invoice(invoice_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """The plans an invoice is or was on."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        await invoices.get_invoice(tx, invoice_id)
        found = await handlers.list_plans(tx, after=after, invoice_id=invoice_id, limit=page.limit + 1)
    return _page(found, page)


def _page(found: list[Standing], page: PageParams) -> Response:
    shown, more = page.cut(found, lambda last: [last.plan.id])
    return respond(Page[PlanOut](items=[PlanOut.of(each) for each in shown], next_cursor=more))


@router.get("/plans/{plan_id}", response_model=PlanOut, dependencies=[scope("invoices:read")])
async def look_at(plan_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        standing = await handlers.get_plan(tx, plan_id)
    return respond(PlanOut.of(standing), etag=standing.plan.version)
