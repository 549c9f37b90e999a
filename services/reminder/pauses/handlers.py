"""Begin pauses, end them early, let them run out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import Cause, HoldCase, ReleaseCase
from services.reminder.holds.rules import HoldKind
from services.reminder.pauses import rules, store
from services.reminder.pauses.rules import Pause, PauseNotFound, Status, Wanted
from services.reminder.receivables import handlers as receivables
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id

NEXT_LOOK = store.NEXT_LOOK
"""The earliest moment at which a pause has run out."""

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class PauseCase:
    customer_id: UUID
    entity_id: str
    wanted: Wanted
    made_by: str


@dataclass(frozen=True, slots=True)
class EndPause:
    pause_id: UUID
    by: str
    why: str | None


async def pause_case(tx: Tx, command: PauseCase) -> Pause:
    """Raises CaseNotFound, AlreadyPaused, PauseDayRefused, InvoiceNotOwed."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    today = local_date(tx.now, view.account.time_zone)
    limits = (await authority.get_authority(tx, command.entity_id)).authority.pauses
    pause = rules.begin(new_id(), view.case.id, command.wanted, view.account, limits, today, command.made_by)
    if pause.items:
        rested = await receivables.rest_invoices(tx, view.account.key, pause.items, pause.again_on)
        pause = replace(pause, rested_before={number: day and day.isoformat() for number, day in rested.items()})
        await _look_again(tx, pause)
    else:
        held = await cases.hold_case(tx, HoldCase(pause.customer_id, pause.entity_id, rules.hold_of(pause)))
        pause = replace(pause, case_id=held.case.id)
    await store.insert(tx, pause)
    await outbox.append(tx, rules.event(pause, tx.now.date()))
    return pause


async def end_pause(tx: Tx, command: EndPause) -> Pause:
    """Before its time: the customer may be contacted again. Raises PauseNotFound, PauseOver."""
    seen = await get_pause(tx, command.pause_id)
    await receivables.lock(tx, [seen.customer_id])
    view = await cases.find_case(tx, seen.customer_id, seen.entity_id)
    today = local_date(tx.now, view.account.time_zone)
    pause = rules.end(await get_pause(tx, seen.id), today, command.by, command.why)
    if pause.items:
        before = {number: date.fromisoformat(day) if day else None for number, day in pause.rested_before.items()}
        await receivables.wake_invoices(tx, view.account.key, before, pause.again_on)
        await _look_again(tx, pause)
    await _finish(tx, pause)
    return pause


async def run_out(tx: Tx) -> bool:
    """End pauses whose last day has passed. Whether there was any."""
    found = await store.due(tx, tx.now, AT_ONCE)
    await receivables.lock(tx, list({pause.customer_id for pause in found}))
    for pause in await store.due(tx, tx.now, AT_ONCE) if found else ():
        await _finish(tx, rules.run_out(pause))
    return bool(found)


async def get_pause(tx: Tx, pause_id: UUID) -> Pause:
    """Raises PauseNotFound."""
    pause = await store.find(tx, pause_id)
    if pause is None:
        raise PauseNotFound(f"there is no pause {pause_id}")
    return pause


async def list_pauses(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Pause]:
    """Newest first."""
    return await store.page(tx, customer_id, entity_id, status, before, limit)


async def _finish(tx: Tx, pause: Pause) -> None:
    await store.save(tx, pause)
    await outbox.append(tx, rules.event(pause, tx.now.date()))
    release = ReleaseCase(pause.customer_id, pause.entity_id, HoldKind.PAUSED, str(pause.id))
    await cases.release_case(tx, release)


async def _look_again(tx: Tx, pause: Pause) -> None:
    """Some of its invoices rest, or do no more: the case decides anew when to look."""
    cause = Cause(context.correlation.get(), pause.id)
    await cases.follow_accounts(tx, {(pause.customer_id, pause.entity_id): cause}, {})
    context.causation.set(None)
