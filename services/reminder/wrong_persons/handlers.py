"""Record that a message went to the wrong person, and see to it that nothing more goes there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.handlers import RecordBounce
from services.reminder.contacts.rules import ContactNotFound
from services.reminder.links.rules import MessageLinkUnusable, read_contact_token
from services.reminder.receivables import handlers as receivables
from services.reminder.reminders import handlers as reminders
from services.reminder.wordings.rules import Language, language_of
from services.reminder.wrong_persons import rules, store
from services.reminder.wrong_persons.rules import WrongPerson
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who came with the link of a message; `told` is what was said before."""

    contact_id: UUID
    customer_id: UUID
    entity_id: str
    address: str
    language: Language
    told: WrongPerson | None


@dataclass(frozen=True, slots=True)
class TellWrongPerson:
    right_name: str | None
    right_email: str | None
    note: str | None


async def visit(tx: Tx, key: bytes | None, token: str) -> Visit:
    """Raises MessageLinkUnusable."""
    if key is None:
        raise MessageLinkUnusable("this installation gives out no such links")
    try:
        contact = await contacts.find_contact(tx, read_contact_token(key, token))
    except ContactNotFound:
        raise MessageLinkUnusable("the message it stands for is not there") from None
    if contact.recipient is None:
        raise MessageLinkUnusable("the message it stands for went to nobody")
    account = (await receivables.accounts(tx, [contact.account])).get(contact.account)
    return Visit(
        contact.id,
        contact.customer_id,
        contact.entity_id,
        contact.recipient,
        language_of(account.language if account else "en"),
        await store.find(tx, contact.id),
    )


async def tell_wrong_person(tx: Tx, visit: Visit, command: TellWrongPerson) -> WrongPerson:
    """Nothing more goes to the address, and somebody is asked to find the right one. Told again, nothing happens.
    Raises AddressNotUsable."""
    told = WrongPerson(
        visit.contact_id,
        visit.customer_id,
        visit.entity_id,
        visit.address,
        command.right_name or None,
        rules.checked_email(command.right_email),
        command.note or None,
        tx.now,
    )
    await receivables.lock(tx, [visit.customer_id])
    if not await store.add(tx, told):
        return await store.find(tx, visit.contact_id) or told
    await reminders.bounce_contact(tx, RecordBounce(visit.contact_id, tx.now, rules.reason(told)))
    return told


async def list_wrong_persons(tx: Tx, customer_id: UUID) -> list[WrongPerson]:
    return await store.of_customer(tx, customer_id)
