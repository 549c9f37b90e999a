"""Tasks that have lost their point: nothing of the case may be asked for any more, or its step waits for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.reminder.sayings.rules import closed_because
from services.reminder.tasks.rules import Kind, Task

KINDS: tuple[Kind, ...] = (
    "agency_referral",
    "approval_wanted",
    "approve_step",
    "call",
    "promise_broken",
    "propose_plan",
    "step",
    "tell_sales",
)
"""What is only to be done while the case is open. A call back that was promised is made all the same, and an address
that is missing will be needed again."""


@dataclass(frozen=True, slots=True)
class Moot:
    """A task, and how its case stands: `closed_for` is why it was closed, None while another step waits."""

    task: Task
    is_closed: bool
    closed_for: str | None

    @property
    def because(self) -> str:
        if self.is_closed:
            return f"the case was closed, because {closed_because(self.closed_for)}"
        return "the case has gone on without it"

    @property
    def decides_on(self) -> UUID | None:
        """The offer or the placement that waits for this approval."""
        return UUID(self.task.occasion) if self.task.kind == "approval_wanted" else None
