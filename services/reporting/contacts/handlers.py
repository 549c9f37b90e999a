"""What was said to customers, counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.contacts import store
from services.reporting.groups.rules import EVERYBODY, Group
from shared.db import Tx
from shared.delivery import Received
from shared.events.reminder import ContactEvent


async def keep_contacts(tx: Tx, received: Sequence[Received]) -> None:
    newest: dict[UUID, ContactEvent] = {}
    for r in received:
        event = r.event
        if isinstance(event, ContactEvent):
            known = newest.get(event.contact.id)
            if known is None or known.version < event.version:
                newest[event.contact.id] = event
    if newest:
        await store.keep(tx, [_row(newest[contact_id]) for contact_id in sorted(newest)])


async def sent_by_step(tx: Tx, after: date, until: date) -> list[asyncpg.Record]:
    """Messages sent in (after, until]: step, tone, messages."""
    return await store.sent_by_step(tx, after, until)


async def sent_by_channel(tx: Tx, after: date, until: date, group: Group = EVERYBODY) -> dict[str, int]:
    """How many messages were sent in (after, until] over each channel."""
    return {row["channel"]: row["messages"] for row in await store.sent_by_channel(tx, group, after, until)}


async def sent_to_customer(tx: Tx, customer_id: UUID, until: date) -> int:
    return await store.sent_to(tx, customer_id, until)


def _row(event: ContactEvent) -> store.Row:
    c = event.contact
    return (
        c.id,
        c.version,
        event.customer_id,
        c.strategy,
        c.step,
        c.tone,
        c.channel,
        c.status,
        event.effective_on,
        "\n".join(c.invoices),
        c.entity_id,
    )
