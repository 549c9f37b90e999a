"""Log calls: they count for the contact policy, finish the tasks that asked for them, and may ask for the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.reminder.calls import rules, store
from services.reminder.calls.rules import Call, Direction, Outcome
from services.reminder.cases import handlers as cases
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.handlers import RecordTouch
from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import AssignTask
from shared import outbox
from shared.db import Tx
from shared.events.reminder import CallLogged, CallState, LatePaymentReason
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class LogCall:
    """Without `called_at` it was made just now."""

    customer_id: UUID
    entity_id: str
    caller: str
    outcome: Outcome
    direction: Direction = "out"
    person: str | None = None
    number: str | None = None
    reason: LatePaymentReason | None = None
    note: str | None = None
    contact_id: UUID | None = None
    call_back_on: date | None = None
    called_at: datetime | None = None


async def log_call(tx: Tx, command: LogCall) -> Call:
    """Raises CaseNotFound, CallRefused."""
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    call = Call(
        id=new_id(),
        customer_id=command.customer_id,
        entity_id=command.entity_id,
        caller=command.caller,
        direction=command.direction,
        outcome=command.outcome,
        person=command.person,
        number=command.number,
        reason=command.reason,
        note=command.note,
        contact_id=command.contact_id,
        call_back_on=command.call_back_on,
        called_at=command.called_at or tx.now,
    )
    rules.check(call, tx.now)
    await store.add(tx, call)
    await _count(tx, call)
    await tasks.finish_tasks(tx, call.customer_id, call.entity_id, "call", call.caller, call.outcome)
    await tasks.finish_tasks(tx, call.customer_id, call.entity_id, "call_back", call.caller, call.outcome)
    if call.call_back_on:
        who = call.person or view.account.name or "the customer"
        await tasks.assign_tasks(
            tx,
            [
                AssignTask(
                    customer_id=call.customer_id,
                    case_id=view.case.id,
                    entity_id=call.entity_id,
                    kind="call_back",
                    occasion=str(call.id),
                    title=f"Call {who} back",
                    detail=call.note or "",
                    due_on=call.call_back_on,
                    assignee=call.caller,
                )
            ],
        )
    await outbox.append(tx, _logged(call, tx.now))
    return call


async def list_calls(tx: Tx, customer_id: UUID, entity_id: str, before: UUID | None, limit: int) -> list[Call]:
    """Newest first, those before a given one."""
    return await store.page(tx, customer_id, entity_id, before, limit)


async def _count(tx: Tx, call: Call) -> None:
    """Calls that we place count, and so does talking, whoever called."""
    touch = RecordTouch(
        customer_id=call.customer_id,
        entity_id=call.entity_id,
        channel="call",
        kind="call",
        at=call.called_at,
        source=str(call.id),
        contact_id=call.contact_id,
    )
    if call.direction == "out":
        await contacts.record_touch(tx, touch)
    if call.was_a_conversation:
        await contacts.record_touch(tx, replace(touch, kind="conversation"))


def _logged(call: Call, now: datetime) -> CallLogged:
    return CallLogged(
        customer_id=call.customer_id,
        effective_on=call.called_at.date(),
        booked_on=now.date(),
        entity_id=call.entity_id,
        call=CallState(
            id=call.id,
            version=1,
            entity_id=call.entity_id,
            direction=call.direction,
            outcome=call.outcome,
            reason=call.reason,
            caller=call.caller,
            called_at=call.called_at,
        ),
    )
