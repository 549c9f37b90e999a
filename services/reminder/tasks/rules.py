"""What a person has to decide or find out: the things this service will not do by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shared.errors import NotFound
from shared.events.reminder import TaskAssigned, TaskState

Kind = Literal["agency_referral", "fate_unknown", "unreachable"]
Status = Literal["open", "done"]


@dataclass(frozen=True, slots=True)
class Task:
    """`occasion` is what it is about: one task of a kind for each with an entity, however often it is
    asked for."""

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


@dataclass(frozen=True, slots=True)
class AssignTask:
    """`due_on` is the day by which somebody should have looked."""

    customer_id: UUID
    case_id: UUID
    entity_id: str
    kind: Kind
    occasion: str
    title: str
    detail: str
    due_on: date


class TaskNotFound(NotFound):
    slug = "task-not-found"
    title = "There is no such task"


def assigned(task: Task, now: datetime) -> TaskAssigned:
    return TaskAssigned(
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
        ),
    )
