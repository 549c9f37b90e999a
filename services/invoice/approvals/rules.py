"""Approvals: what one person asks for and a second one decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.errors import Conflict, NotFound
from shared.money import Money

Kind = Literal["write_off"]
Status = Literal["open", "approved", "rejected"]


class ApprovalNotFound(NotFound):
    slug = "approval-not-found"
    title = "There is no such approval"


class ApprovalDecided(Conflict):
    slug = "approval-decided"
    title = "The approval was decided already"


class SecondPersonNeeded(Conflict):
    slug = "second-person-needed"
    title = "Nobody approves what they asked for themselves"


@dataclass(frozen=True, slots=True)
class Approval:
    """`subject_id` is the row it is about, by kind; `requested_by` and `decided_by` are the subjects of tokens."""

    id: UUID
    entity_id: str
    customer_id: UUID
    kind: Kind
    subject_id: UUID
    invoice_id: UUID | None
    currency: str
    amount_minor: int
    reason: str
    status: Status
    requested_by: str
    requested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def decide(approval: Approval, *, approved: bool, by: str, at: datetime, note: str | None) -> Approval:
    """Approve, which takes a second person, or reject, which the first may do as well: that withdraws it.

    Raises ApprovalDecided, SecondPersonNeeded.
    """
    if approval.status != "open":
        raise ApprovalDecided(f"{approval.decided_by} {approval.status} it on {approval.decided_at:%Y-%m-%d}")
    if approved and by == approval.requested_by:
        raise SecondPersonNeeded(f"{by} asked for it; somebody else has to approve")
    return replace(approval, status="approved" if approved else "rejected", decided_by=by, decided_at=at, note=note)
