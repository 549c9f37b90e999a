"""Write contacts down, publish what becomes of them, and answer who was contacted when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.reminder.contacts import rules, store
from services.reminder.contacts.rules import Contact, ContactNotFound
from services.reminder.policies import rules as policies
from services.reminder.policies.rules import POLICY, Policy, Touch
from shared import outbox
from shared.db import Tx
from shared.ids import new_id

UNDER_WAY_SINCE = store.UNDER_WAY_SINCE


@dataclass(frozen=True, slots=True)
class RecordTouch:
    """A call that was placed, a conversation, or a message of another service. `source` is its id; `contact_id` the
    planned call that it was."""

    customer_id: UUID
    entity_id: str
    channel: str
    kind: Literal["call", "conversation", "other"]
    at: datetime
    source: str
    contact_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecordBounce:
    contact_id: UUID
    at: datetime
    reason: str


async def plan(tx: Tx, contacts: Sequence[Contact]) -> list[Contact]:
    """Write down what is to be sent and what was decided against; returns those whose step had already been sent."""
    if not contacts:
        return []
    written = await store.add(tx, contacts)
    await outbox.append(tx, *(rules.event(contact, tx.now) for contact in contacts if contact.id in written))
    return [contact for contact in contacts if contact.id not in written]


async def save(tx: Tx, contacts: Sequence[Contact]) -> None:
    """Keep the contacts as they now are, and publish those that reached an end."""
    if not contacts:
        return
    await store.save(tx, contacts)
    ended = [contact for contact in contacts if contact.status not in ("planned", "sending")]
    await outbox.append(tx, *(rules.event(contact, tx.now) for contact in ended))


async def to_do(tx: Tx, real_now: datetime, limit: int) -> list[Contact]:
    """Planned messages that may be tried now, and messages whose sender is gone."""
    return await store.to_do(tx, real_now, limit)


async def leave(tx: Tx, ids: Sequence[UUID], lease_until: datetime) -> set[UUID]:
    """Messages are about to go on the wire: from here on a crash leaves their fate unknown. Returns the ids of those
    that may, because nobody else has taken them in hand since that lease was given."""
    return await store.leave(tx, ids, lease_until)


async def left_behind(tx: Tx, ids: Sequence[UUID], real_now: datetime) -> list[Contact]:
    """Of messages whose sender is gone, those that may have left; the others are planned again. The customers are
    locked."""
    await store.take_back(tx, ids, real_now)
    return await store.left_behind(tx, ids, real_now)


async def waiting_letters(tx: Tx, entity_id: str, limit: int) -> list[Contact]:
    """Letters of an entity that wait to be printed, oldest first."""
    return await store.waiting_letters(tx, entity_id, limit)


async def in_status(tx: Tx, ids: Sequence[UUID], status: rules.Status) -> list[Contact]:
    return await store.in_status(tx, ids, status)


async def recent(
    tx: Tx, customer_ids: Sequence[UUID], policy: Policy = POLICY, party_of: Mapping[UUID, UUID] | None = None
) -> Mapping[UUID, list[Touch]]:
    """What reached each customer of late, for whatever entity, or is about to: all that the policy may count. With
    `party_of`, who is contacted for customers, it is by these: a message for several of their customers counts once."""
    found: dict[UUID, list[Touch]] = defaultdict(list)
    counted: set[UUID] = set()
    parties = party_of or {}
    for customer_id, delivery_id, touch in await store.recent(tx, customer_ids, tx.now - policies.looks_back(policy)):
        if delivery_id and parties:
            if delivery_id in counted:
                continue
            counted.add(delivery_id)
        found[parties.get(customer_id, customer_id)].append(touch)
    return found


async def sharing(tx: Tx, contact: Contact) -> list[Contact]:
    """The contacts of other customers that went out as the same message."""
    if contact.delivery_id is None:
        return []
    return [each for each in await store.sharing(tx, contact.delivery_id) if each.id != contact.id]


async def record_touch(tx: Tx, command: RecordTouch) -> None:
    """Once for each kind and source. The customer is locked by the caller."""
    await store.add_touches(tx, [(new_id(), command)])


async def record_touches(tx: Tx, commands: Sequence[RecordTouch]) -> None:
    """Many at once, of what other services send, where the policy in force counts it."""
    if commands:
        await store.add_touches(tx, [(new_id(), command) for command in commands])


async def record_bounce(tx: Tx, command: RecordBounce) -> Contact:
    """A message came back; told again, nothing happens. The customer is locked by the caller. Raises
    ContactNotFound."""
    contact = await find_contact(tx, command.contact_id)
    if contact.bounced_at is None:
        contact = contact.bounced(command.at, command.reason)
        await store.save(tx, [contact])
        await outbox.append(tx, rules.bounced(contact, tx.now))
    return contact


async def record_fate(tx: Tx, contact_id: UUID, delivered_at: datetime | None, complained_at: datetime | None) -> None:
    """That a message arrived, or was called spam by whoever got it. Raises ContactNotFound."""
    contact = await find_contact(tx, contact_id)
    delivered, complained = contact.delivered_at or delivered_at, contact.complained_at or complained_at
    await store.save(tx, [replace(contact, delivered_at=delivered, complained_at=complained)])


async def list_contacts(
    tx: Tx, customer_id: UUID | None, status: rules.Status | None, before: UUID | None, limit: int
) -> list[Contact]:
    """Newest first, those before a given one."""
    return await store.page(tx, customer_id, status, before, limit)


async def find_contact(tx: Tx, contact_id: UUID) -> Contact:
    """Raises ContactNotFound."""
    contact = await store.find(tx, contact_id)
    if contact is None:
        raise ContactNotFound(f"there is no contact {contact_id}")
    return contact


async def latest_to(tx: Tx, address: str) -> Contact | None:
    """The newest message that went to an address or number, or may have; capitals do not matter."""
    return await store.latest_to(tx, address)


async def latest_text_to(tx: Tx, number: str) -> Contact | None:
    """The newest text message to a number in international form, however it was written."""
    return await store.latest_text_to(tx, number)
