"""Who may do what about an entry of the work list, and in which order the entries stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.credit.applications.rules import Application, Status
from services.credit.limit_requests.rules import Approval, Asked

APPLICATIONS: tuple[Status, ...] = ("submitted", "in_vetting", "approved")
"""What waits with us; a draft waits with the company that fills it in."""

DOING = {
    "submitted": "Submitted: begin to vet it",
    "in_vetting": "Being vetted: propose limit and terms",
    "approved": "Approved: send the terms, and have them accepted",
}


def cannot_approve(requested_by: str, approvals: Iterable[Approval], reader: str) -> str | None:
    """Why this person's approval would be refused; None where it would count."""
    if requested_by == reader:
        return "You asked for it: others approve it."
    if any(each.by == reader for each in approvals):
        return "You approved it; another person has to."
    return None


def still_needed(request: Asked) -> int:
    return request.approvers_needed - len(request.approvals)


def waits_for_approval(application: Application) -> bool:
    return application.status == "in_vetting" and application.proposal is not None


def what_to_do(application: Application) -> str:
    proposal = application.proposal
    if proposal and waits_for_approval(application):
        return f"Terms proposed by {proposal.by}: {len(proposal.approvals)} of {proposal.approvers_needed} approved"
    return DOING[application.status]


def in_order(applications: Sequence[Application]) -> list[Application]:
    """What waits for an approval first, then what somebody has to begin with; the oldest first among equals."""
    rank = {"submitted": 1, "in_vetting": 2, "approved": 3}
    return sorted(applications, key=lambda each: (0 if waits_for_approval(each) else rank[each.status], each.id))


def is_late(due_on: date, today: date) -> bool:
    """The due day itself is in time."""
    return due_on < today
