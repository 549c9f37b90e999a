"""Approvals: asked for, decided. What an approval sets off is the business of the feature that asked."""

from __future__ import annotations

from uuid import UUID

from services.invoice.approvals import rules, store
from services.invoice.approvals.rules import Approval, ApprovalNotFound, Status
from shared.db import Tx


async def request_approval(tx: Tx, approval: Approval) -> None:
    await store.insert(tx, approval)


async def decide_approval(tx: Tx, approval_id: UUID, *, approved: bool, by: str, note: str | None) -> Approval:
    """Decide it once, under the lock of the customer it is about.

    Raises ApprovalNotFound, ApprovalDecided, SecondPersonNeeded.
    """
    asked = await store.lock(tx, approval_id)
    if asked is None:
        raise ApprovalNotFound(f"there is no approval {approval_id}")
    decided = rules.decide(asked, approved=approved, by=by, at=tx.now, note=note)
    await store.save(tx, decided)
    return decided


async def get_approval(tx: Tx, approval_id: UUID) -> Approval:
    """Raises ApprovalNotFound."""
    found = await store.find(tx, approval_id)
    if found is None:
        raise ApprovalNotFound(f"there is no approval {approval_id}")
    return found


async def list_approvals(tx: Tx, after: UUID | None, status: Status | None, limit: int) -> list[Approval]:
    """In the order they were asked for."""
    return await store.page(tx, after, status, limit)
