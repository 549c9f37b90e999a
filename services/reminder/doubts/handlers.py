"""Settle messages in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import View
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact
from services.reminder.doubts import rules, store
from services.reminder.doubts.rules import Settlement
from services.reminder.episodes.rules import Outcome
from services.reminder.next_steps.rules import Reason
from services.reminder.policies import rules as policies
from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.handlers import FinishTask
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class SettleContact:
    """Somebody asked the customer, or looked into the logs."""

    contact_id: UUID
    arrived: bool
    by: str
    note: str | None = None


async def settle_contact(tx: Tx, command: SettleContact) -> Settlement:
    """A message that did not arrive is sent once more, while its step is still the newest: its first row counts no more
    for the index that lets a step be sent once. Raises ContactNotFound, NotInDoubt."""
    found = await contacts.find_contact(tx, command.contact_id)
    await receivables.lock(tx, [found.customer_id])
    found = await contacts.find_contact(tx, command.contact_id)
    settled = rules.settle(found, arrived=command.arrived, by=command.by)
    await contacts.save(tx, [settled])
    await _finish_task(tx, settled, command)
    settlement = Settlement(settled.id, command.arrived, command.note, command.by, tx.now)
    if not command.arrived:
        settlement = await _once_more(tx, found, settlement)
    await store.add(tx, settlement)
    return settlement


async def _finish_task(tx: Tx, contact: Contact, command: SettleContact) -> None:
    said = "it arrived" if command.arrived else "it did not arrive"
    for task in await tasks.open_tasks(tx, contact.customer_id, contact.entity_id):
        if task.kind == "fate_unknown" and task.occasion == str(contact.id):
            outcome = f"{said}: {command.note}" if command.note else said
            await tasks.finish_task(tx, FinishTask(task.id, command.by, outcome))


async def _once_more(tx: Tx, contact: Contact, settlement: Settlement) -> Settlement:
    view = await cases.find_case(tx, contact.customer_id, contact.entity_id)
    under_way = [(await contacts.find_contact(tx, id)).step for id in view.case.pending]
    today = local_date(tx.now, view.account.time_zone)
    again = await store.is_repetition(tx, contact.id)
    why_not = rules.why_not_again(contact, view.case, under_way, today, is_repetition=again)
    if why_not:
        return replace(settlement, not_repeated_because=why_not)
    new = await _plan(tx, contact, view)
    return replace(settlement, repeated_by=new.id)


async def _plan(tx: Tx, contact: Contact, view: View) -> Contact:
    """The repetition is a contact like any other: it waits for the contact policy, and for the last look."""
    touches = (await contacts.recent(tx, [contact.customer_id], view.policy)).get(contact.customer_id, [])
    at = policies.free_at([contact.channel], touches, view.account, tx.now, view.policy)
    new = rules.once_more(contact, new_id(), view.account.reached_at(contact.channel), at)
    await contacts.plan(tx, [new])
    case = replace(view.case, pending=(*view.case.pending, new.id), check_at=None)
    await cases.record(tx, [(view.case, Outcome(case, Reason.MESSAGE_PLANNED))])
    return new
