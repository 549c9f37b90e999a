"""Reconciliations over HTTP: run one now, list them, look at the differences."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.invoice.reconciliation import handlers, rules
from services.invoice.reconciliation.rules import Difference, Listed
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, ResourcesDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["reconciliation"])


class ReconciliationOut(BaseModel):
    """`reporting` is what holding the end of `as_of` against the reporting service came to."""

    id: UUID
    on_day: date
    as_of: date
    at: datetime
    scope: rules.Scope
    invoices_compared: int
    payments_compared: int
    reporting: rules.ReportingStatus
    differences_count: int

    @classmethod
    def of(cls, run: Listed) -> "ReconciliationOut":
        return cls(
            id=run.id,
            on_day=run.on_day,
            as_of=run.as_of,
            at=run.at,
            scope=run.scope,
            invoices_compared=run.invoices_compared,
            payments_compared=run.payments_compared,
            reporting=run.reporting,
            differences_count=run.differences_count,
        )


class DifferenceOut(BaseModel):
    """`booked` is what the journal has, `shown` what the invoice, the payment or reporting has; `entries` are the
    journal entries behind it, newest first."""

    what: rules.What
    customer_id: UUID | None
    subject_id: UUID | None
    name: str
    booked: Money
    shown: Money
    difference: Money
    entries: tuple[int, ...]

    @classmethod
    def of(cls, difference: Difference) -> "DifferenceOut":
        def money(minor: int) -> Money:
            return Money(minor, difference.currency)

        return cls(
            what=difference.what,
            customer_id=difference.customer_id,
            subject_id=difference.subject_id,
            name=difference.name,
            booked=money(difference.booked_minor),
            shown=money(difference.shown_minor),
            difference=money(difference.difference_minor),
            entries=tuple(difference.entries),
        )


class ReconciliationDetailOut(ReconciliationOut):
    differences: list[DifferenceOut]


@router.post(
    "/reconciliations",
    status_code=201,
    response_model=ReconciliationDetailOut,
    dependencies=[scope("invoices:write")],
)
async def reconcile(once: Once, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """Compare everything now: invoices and payments with the journal, the journal with reporting."""
    await once.check()
    shown = await handlers.ask_reporting(database, resources.reporting)
    async with once as tx:
        run = await handlers.reconcile(tx, shown, "all")
        answer = _detail(*await handlers.get_reconciliation(tx, run.id))
        return once.answer(201, answer, location=f"/v1/reconciliations/{run.id}")


@router.get("/reconciliations", response_model=Page[ReconciliationOut], dependencies=[scope("invoices:read")])
async def find(database: DatabaseDep, page: PageParams, differing: bool = False) -> Response:
    """The newest first; `differing=true` leaves out those in which everything agreed."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_reconciliations(tx, before, differing=differing, limit=page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[ReconciliationOut](items=[ReconciliationOut.of(run) for run in shown], next_cursor=more))


@router.get(
    "/reconciliations/{reconciliation_id}",
    response_model=ReconciliationDetailOut,
    dependencies=[scope("invoices:read")],
)
async def look_at(reconciliation_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        run, differences = await handlers.get_reconciliation(tx, reconciliation_id)
    return respond(_detail(run, differences))


def _detail(run: Listed, differences: list[Difference]) -> ReconciliationDetailOut:
    shown = [DifferenceOut.of(difference) for difference in differences]
    return ReconciliationDetailOut(**ReconciliationOut.of(run).model_dump(), differences=shown)
