"""What a person has to decide or find out: the things this service will not do by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, TypeVar
from uuid import UUID

from services.reminder.team.rules import Role
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import TaskAssigned, TaskDone, TaskEvent, TaskState

Kind = Literal[
    "agency_referral",
    "approve_step",
    "step",
    "call",
    "fate_unknown",
    "unreachable",
    "handed_over",
    "mentioned",
    "call_back",
    "pause_asked",
    "promise_broken",
    "approval_wanted",
    "offer_failed",
    "placement_failed",
    "limitation",
    "court_date",
    "reply",
    "bounced",
    "tell_sales",
    "propose_plan",
    "to_do",
]
Status = Literal["open", "done"]

Published = TypeVar("Published", bound=TaskEvent)

BY_ITSELF = "the service"
"""Whoever did a task that nobody had to do any more."""

DECIDED_ELSEWHERE: Mapping[Kind, str] = {
    "approve_step": "approve the step or leave it out",
    "approval_wanted": "approve or reject the offer or the placement that it is about",
    "fate_unknown": "say what became of the message",
}
"""Tasks that are done by a decision: ticked off without one, what waits for it would wait for ever."""


@dataclass(frozen=True, slots=True)
class Task:
    """`occasion` is what it is about: one task of a kind for each with an entity, however often it is
    asked for. Without an `assignee` it is for colleagues of the `role`, or where there is none the account owner's.
    `given_by` is whoever gave it by hand."""

    id: UUID
    version: int
    customer_id: UUID
    case_id: UUID
    entity_id: str
    kind: Kind
    occasion: str
    title: str
    detail: str
    status: Status
    due_on: date
    assigned_at: datetime
    assignee: str | None = None
    snoozed_until: date | None = None
    done_by: str | None = None
    done_at: datetime | None = None
    outcome: str | None = None
    role: Role | None = None
    given_by: str | None = None


@dataclass(frozen=True, slots=True)
class AssignTask:
    """`due_on` is the day by which somebody should have looked; without an `assignee` it is the account owner's. With
    a `role` it is for each colleague of that role who follows the account, or where nobody does for the role."""

    customer_id: UUID
    case_id: UUID
    entity_id: str
    kind: Kind
    occasion: str
    title: str
    detail: str
    due_on: date
    assignee: str | None = None
    role: Role | None = None
    given_by: str | None = None


class TaskNotFound(NotFound):
    slug = "task-not-found"
    title = "There is no such task"


class TaskOver(Conflict):
    slug = "task-over"
    title = "The task is done already"


class DecisionWanted(Conflict):
    slug = "task-decision-wanted"
    title = "The task ends with a decision"


class SnoozeRefused(Refused):
    slug = "snooze-refused"
    title = "It cannot be put off like this"


def done(task: Task, by: str, outcome: str | None, now: datetime, *, field: str | None = None) -> Task:
    """`field` names it in a request about many. Raises TaskOver."""
    _still_open(task, field)
    return replace(task, version=task.version + 1, status="done", done_by=by, done_at=now, outcome=outcome)


def check_by_hand(task: Task, *, field: str | None = None) -> None:
    """Raises DecisionWanted for one that is not simply done."""
    if task.kind in DECIDED_ELSEWHERE and task.status == "open":
        raise DecisionWanted(DECIDED_ELSEWHERE[task.kind], field=field)


def handed_to(task: Task, assignee: str) -> Task:
    """Raises TaskOver."""
    _still_open(task)
    return replace(task, version=task.version + 1, assignee=assignee, snoozed_until=None)


def snoozed(task: Task, until: date, today: date) -> Task:
    """Out of sight until that day. Raises TaskOver, SnoozeRefused for a day that is not ahead."""
    _still_open(task)
    if until <= today:
        raise SnoozeRefused(f"{until} is not after today, {today}", field="/until")
    return replace(task, version=task.version + 1, snoozed_until=until)


def _still_open(task: Task, field: str | None = None) -> None:
    if task.status == "done":
        raise TaskOver(f"it was done by {task.done_by}", field=field)


def assigned(task: Task, now: datetime) -> TaskAssigned:
    return _event(TaskAssigned, task, now)


def finished(task: Task, now: datetime) -> TaskDone:
    return _event(TaskDone, task, now)


def _event(kind: type[Published], task: Task, now: datetime) -> Published:
    return kind(
        customer_id=task.customer_id,
        effective_on=now.date(),
        booked_on=now.date(),
        entity_id=task.entity_id,
        task=TaskState(
            id=task.id,
            version=task.version,
            entity_id=task.entity_id,
            kind=task.kind,
            title=task.title,
            status=task.status,
            due_on=task.due_on,
            case_id=task.case_id,
            assignee=task.assignee,
            role=task.role,
        ),
    )
