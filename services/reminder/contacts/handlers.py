"""Write contacts down, publish what becomes of them, and answer who was contacted when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.reminder.contacts import rules, store
from services.reminder.contacts.rules import POLICY, Contact, ContactNotFound
from shared import outbox
from shared.db import Tx

UNDER_WAY_SINCE = store.UNDER_WAY_SINCE


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


async def in_status(tx: Tx, ids: Sequence[UUID], status: rules.Status) -> list[Contact]:
    return await store.in_status(tx, ids, status)


async def recent(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[UUID, list[datetime]]:
    """When each customer was contacted of late, for whatever entity, or is about to be: all that the contact policy may
    count, and a day more."""
    found: dict[UUID, list[datetime]] = defaultdict(list)
    since = tx.now - timedelta(days=POLICY.within_days + 1)
    for customer_id, at in await store.recent(tx, customer_ids, since):
        found[customer_id].append(at)
    return found


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
