"""A pause: somebody asks that a customer is left in peace for a while, as a whole or for some invoices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from services.reminder.authority.rules import Pauses as Limits
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.receivables.rules import Account
from shared.calendar import ONE_DAY, at_local_time
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import PauseEnded, PauseEvent, PauseMade, PauseState

Status = Literal["running", "over", "ended"]
Why = Literal["customer_asked", "sales_asked", "service_case", "hardship", "holidays", "investigation", "other"]


class PauseNotFound(NotFound):
    slug = "pause-not-found"
    title = "There is no such pause"


class AlreadyPaused(Conflict):
    slug = "already-paused"
    title = "A pause runs already"


class PauseOver(Conflict):
    slug = "pause-over"
    title = "The pause is over already"


class PauseDayRefused(Refused):
    slug = "pause-day"
    title = "A pause cannot last until this day"


class InvoiceNotOwed(Refused):
    slug = "pause-invoice"
    title = "The customer owes no such invoice"


@dataclass(frozen=True, slots=True)
class Pause:
    """`items` are the invoices it is for, none for the whole account; `until_on` is its last day, in the customer's
    calendar. `asked_by` wanted it, `made_by` wrote it down. It is `over` by itself, or `ended` by somebody."""

    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    case_id: UUID
    status: Status
    reason: Why
    note: str | None
    items: tuple[str, ...]
    rested_before: dict[str, str | None]
    started_on: date
    until_on: date
    asked_by: str
    made_by: str
    ended_on: date | None
    ended_by: str | None
    ended_why: str | None
    look_at: datetime | None

    @property
    def runs(self) -> bool:
        return self.status == "running"

    @property
    def again_on(self) -> date:
        """The first day after it."""
        return self.until_on + ONE_DAY


@dataclass(frozen=True, slots=True)
class Wanted:
    until_on: date
    reason: Why
    note: str | None
    items: tuple[str, ...]
    asked_by: str


def begin(
    pause_id: UUID, case_id: UUID, wanted: Wanted, account: Account, limits: Limits, today: date, made_by: str
) -> Pause:
    """Raises PauseDayRefused, InvoiceNotOwed."""
    if wanted.until_on < today:
        raise PauseDayRefused(f"{wanted.until_on} has passed; today is {today}", field="/until")
    if (wanted.until_on - today).days > limits.days_max:
        last = today + timedelta(days=limits.days_max)
        raise PauseDayRefused(f"a pause lasts {limits.days_max} days at most, until {last}", field="/until")
    known = {item.number for item in account.items}
    for n, number in enumerate(wanted.items):
        if number not in known:
            raise InvoiceNotOwed(f"nothing is owed on an invoice {number}", field=f"/items/{n}")
    return Pause(
        id=pause_id,
        version=1,
        customer_id=account.id,
        entity_id=account.entity_id,
        case_id=case_id,
        status="running",
        reason=wanted.reason,
        note=wanted.note,
        items=wanted.items,
        rested_before={},
        started_on=today,
        until_on=wanted.until_on,
        asked_by=wanted.asked_by,
        made_by=made_by,
        ended_on=None,
        ended_by=None,
        ended_why=None,
        look_at=at_local_time(wanted.until_on + ONE_DAY, time(), account.time_zone),
    )


def hold_of(pause: Pause) -> Hold:
    """What the case rests for."""
    return Hold(HoldKind.PAUSED, pause.until_on, str(pause.id), f"{pause.reason}, asked by {pause.asked_by}")


def end(pause: Pause, today: date, by: str, why: str | None) -> Pause:
    """Before its time. Raises PauseOver."""
    if not pause.runs:
        raise PauseOver(f"it is {pause.status} since {pause.ended_on}")
    return replace(
        pause,
        version=pause.version + 1,
        status="ended",
        ended_on=today,
        ended_by=by,
        ended_why=why,
        look_at=None,
    )


def run_out(pause: Pause) -> Pause:
    """Its last day has passed."""
    return replace(pause, version=pause.version + 1, status="over", ended_on=pause.again_on, look_at=None)


def event(pause: Pause, today: date) -> PauseEvent:
    """That it was made, or is over since the day it ended on."""
    kind = PauseMade if pause.runs else PauseEnded
    return kind(
        customer_id=pause.customer_id,
        effective_on=pause.ended_on or pause.started_on,
        booked_on=today,
        entity_id=pause.entity_id,
        pause=PauseState(
            id=pause.id,
            version=pause.version,
            entity_id=pause.entity_id,
            case_id=pause.case_id,
            status=pause.status,
            reason=pause.reason,
            items=pause.items,
            started_on=pause.started_on,
            until=pause.until_on,
            ended_on=pause.ended_on,
        ),
    )
