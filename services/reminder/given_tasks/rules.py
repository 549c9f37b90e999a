"""What somebody may be given to do by hand."""

from __future__ import annotations

from datetime import date
from typing import Literal

from shared.errors import Conflict, Refused

Kind = Literal["to_do", "call", "call_back"]
"""`to_do` is whatever its title says, and stays until it is done; a call is done with the next one that is logged, and
one that is only to press for payment (`call`) when the case closes."""


class CaseNotOpen(Conflict):
    slug = "case-not-open"
    title = "The customer has no open case"


class TaskDayRefused(Refused):
    slug = "task-day-refused"
    title = "A task cannot be due on that day"


def check(due_on: date, today: date, *, is_open: bool) -> None:
    """Raises CaseNotOpen, TaskDayRefused for a day that is past."""
    if not is_open:
        raise CaseNotOpen("nothing overdue may be asked for, so there is no case that the task could belong to")
    if due_on < today:
        raise TaskDayRefused(f"{due_on} is before today, {today}", field="/due_on")
