"""Changes of a customer's terms that one person asks for and one or two others approve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.limit_requests import rules as approvals
from services.credit.limit_requests.rules import Approval, Status
from services.credit.terms.rules import Terms
from services.credit.terms.rules import check as check_terms
from shared.errors import Conflict, NotFound


class TermRequestNotFound(NotFound):
    slug = "term-request-not-found"
    title = "There is no such term request"

    def __init__(self, request_id: UUID) -> None:
        super().__init__(f"No term request has the id {request_id}.")


class TermRequestClosed(Conflict):
    slug = "term-request-closed"
    title = "The term request is closed"


class TermsInForce(Conflict):
    slug = "terms-in-force"
    title = "The customer has these terms"


@dataclass(frozen=True, slots=True)
class TermRequest:
    """`wanted` replaces the customer's terms whole. `evidence` is the assessment where one recommends it."""

    id: UUID
    version: int
    customer_id: UUID
    wanted: Terms
    reason: str
    requested_by: str
    requested_at: datetime
    approvers_needed: int
    evidence: str | None = None
    approvals: tuple[Approval, ...] = ()
    status: Status = "waiting"
    closed_at: datetime | None = None
    closed_because: str | None = None


def check(wanted: Terms, before: Terms, currency: str) -> None:
    """Raises Refused for a deposit that cannot be, TermsInForce where nothing would change."""
    check_terms(wanted, currency, field="")
    if wanted == before:
        raise TermsInForce("Nothing would change: the customer has just these terms.")


def approve(request: TermRequest, by: str, now: datetime) -> TermRequest:
    """With the last approval that it takes it is approved. Raises TermRequestClosed, ApprovalRefused."""
    _expect_waiting(request)
    return approvals.approve(request, by, now)


def close(request: TermRequest, by: str, because: str, now: datetime) -> TermRequest:
    """Refused by another, or withdrawn by who asked. Raises TermRequestClosed."""
    _expect_waiting(request)
    return approvals.close(request, by, because, now)


def _expect_waiting(request: TermRequest) -> None:
    if request.status != "waiting":
        raise TermRequestClosed(f"The request was {request.status}.")
