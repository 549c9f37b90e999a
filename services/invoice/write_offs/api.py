"""Write-offs over HTTP: give a claim up, approve or reject that, list."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.approvals.rules import Approval
from services.invoice.approvals.rules import Status as ApprovalStatus
from services.invoice.write_offs import handlers, rules
from services.invoice.write_offs.handlers import DecideWriteOff, WriteOffInvoice
from services.invoice.write_offs.rules import WriteOff
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["write-offs"])

Note = Annotated[str, Field(min_length=1, max_length=500)]


class WriteOffInvoiceIn(Body):
    amount: Money | None = Field(default=None, description="Left out: all that is owed")
    reason_code: rules.ReasonCode
    note: Note | None = None


class DecisionIn(Body):
    note: Note | None = None


class WriteOffOut(BaseModel):
    """`awaiting_approval` changes nothing of what is owed; `approval_id` is what a second person decides."""

    id: UUID
    status: rules.Status
    entity_id: str
    customer_id: UUID
    invoice_id: UUID
    amount: Money
    reason_code: rules.ReasonCode
    note: str | None
    requested_by: str
    requested_at: datetime
    approval_id: UUID | None
    written_off_on: date | None

    @classmethod
    def of(cls, write_off: WriteOff) -> "WriteOffOut":
        return cls(
            id=write_off.id,
            status=write_off.status,
            entity_id=write_off.entity_id,
            customer_id=write_off.customer_id,
            invoice_id=write_off.invoice_id,
            amount=write_off.amount,
            reason_code=write_off.reason_code,
            note=write_off.note,
            requested_by=write_off.requested_by,
            requested_at=write_off.requested_at,
            approval_id=write_off.approval_id,
            written_off_on=write_off.written_off_on,
        )


class DecisionOut(BaseModel):
    approval_id: UUID
    status: ApprovalStatus
    requested_by: str
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    write_off: WriteOffOut

    @classmethod
    def of(cls, approval: Approval, write_off: WriteOff) -> "DecisionOut":
        return cls(
            approval_id=approval.id,
            status=approval.status,
            requested_by=approval.requested_by,
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
            note=approval.note,
            write_off=WriteOffOut.of(write_off),
        )


@router.post(
    "/invoices/{invoice_id}/write-off",
    status_code=201,
    response_model=WriteOffOut,
    responses={202: {"model": WriteOffOut, "description": "A second person has to approve it"}},
    dependencies=[scope("invoices:write")],
)
async def write_off(invoice_id: UUID, body: WriteOffInvoiceIn, once: Once, principal: PrincipalDep) -> Response:
    """Give up a part or the whole of what is owed. From the amount in the entity's policy on it waits for a second
    person's approval, and the answer is 202."""
    command = WriteOffInvoice(invoice_id, body.amount, body.reason_code, body.note, principal.subject)
    async with once as tx:
        written_off, _ = await handlers.write_off_invoice(tx, command)
        status = 202 if written_off.status == "awaiting_approval" else 201
        return once.answer(status, WriteOffOut.of(written_off), location=f"/v1/write-offs/{written_off.id}")


@router.post(
    "/approvals/{approval_id}/approval",
    status_code=201,
    response_model=DecisionOut,
    dependencies=[scope("invoices:write", "invoices:approve")],
)
async def approve(approval_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep) -> Response:
    """Approve as a second person; what was asked for happens at once."""
    return await _decide(once, DecideWriteOff(approval_id, True, principal.subject, body.note))


@router.post(
    "/approvals/{approval_id}/rejection",
    status_code=201,
    response_model=DecisionOut,
    dependencies=[scope("invoices:write")],
)
async def reject(approval_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep) -> Response:
    """Reject; whoever asked may do so too, which withdraws it."""
    return await _decide(once, DecideWriteOff(approval_id, False, principal.subject, body.note))


async def _decide(once: Once, command: DecideWriteOff) -> Response:
    async with once as tx:
        approval, decided = await handlers.decide_write_off(tx, command)
        return once.answer(201, DecisionOut.of(approval, decided))


@router.get("/write-offs", response_model=Page[WriteOffOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    status: rules.Status | None = None,
) -> Response:
    """Write-offs in the order they were asked for."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_write_offs(
            tx, after=after, invoice_id=invoice_id, customer_id=customer_id, status=status, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[WriteOffOut](items=[WriteOffOut.of(each) for each in shown], next_cursor=more))


@router.get("/write-offs/{write_off_id}", response_model=WriteOffOut, dependencies=[scope("invoices:read")])
async def look_at(write_off_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        return respond(WriteOffOut.of(await handlers.get_write_off(tx, write_off_id)))
