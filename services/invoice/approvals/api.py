"""Approvals over HTTP: what waits for a second person. What deciding sets off is the feature's that asked."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.invoice.approvals import handlers, rules
from services.invoice.approvals.rules import Approval
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["approvals"], dependencies=[scope("invoices:read")])


class ApprovalOut(BaseModel):
    """`subject_id` is the write-off that it is about."""

    id: UUID
    kind: rules.Kind
    status: rules.Status
    subject_id: UUID
    entity_id: str
    customer_id: UUID
    invoice_id: UUID | None
    amount: Money
    reason: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None

    @classmethod
    def of(cls, approval: Approval) -> "ApprovalOut":
        return cls(
            id=approval.id,
            kind=approval.kind,
            status=approval.status,
            subject_id=approval.subject_id,
            entity_id=approval.entity_id,
            customer_id=approval.customer_id,
            invoice_id=approval.invoice_id,
            amount=approval.amount,
            reason=approval.reason,
            requested_by=approval.requested_by,
            requested_at=approval.requested_at,
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
            note=approval.note,
        )


@router.get("/approvals", response_model=Page[ApprovalOut])
async def find(database: DatabaseDep, page: PageParams, status: rules.Status | None = None) -> Response:
    """In the order they were asked for."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_approvals(tx, after, status, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[ApprovalOut](items=[ApprovalOut.of(each) for each in shown], next_cursor=more))


@router.get("/approvals/{approval_id}", response_model=ApprovalOut)
async def look_at(approval_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        return respond(ApprovalOut.of(await handlers.get_approval(tx, approval_id)))
