"""Tables: checkout, provider_event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.invoice.checkouts.rules import Checkout, Part
from shared.db import Tx

NEXT_LOOK = "(select min(look_at) from checkout where look_at is not null)"

_FIELDS = tuple(field.name for field in fields(Checkout))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)
_PARTS = _FIELDS.index("parts")


def _row(checkout: Checkout) -> list[Any]:
    values = list(_values(checkout))
    values[_PARTS] = [[str(part.invoice_id), part.amount_minor] for part in checkout.parts]
    return values


def _checkout(row: Any) -> Checkout:
    values = list(row.values())
    values[_PARTS] = tuple(Part(UUID(invoice_id), amount) for invoice_id, amount in values[_PARTS])
    return Checkout(*values)


_INSERT = f"""
insert into checkout ({_COLUMNS}) values ({", ".join(f"${n}" for n in range(1, len(_FIELDS) + 1))})
on conflict (id) do nothing
"""


async def insert(tx: Tx, checkout: Checkout) -> None:
    """Nothing happens where it is there already: the form was sent twice."""
    await tx.execute(_INSERT, *_row(checkout))


_SAVE = """
update checkout
set status = $2, look_at = $3, session_id = $4, url = $5, intent_id = $6, payment_id = $7, failure = $8
where id = $1
"""


async def save(tx: Tx, checkout: Checkout) -> None:
    c = checkout
    await tx.execute(_SAVE, c.id, c.status, c.look_at, c.session_id, c.url, c.intent_id, c.payment_id, c.failure)


async def find(tx: Tx, checkout_id: UUID) -> Checkout | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from checkout where id = $1", checkout_id)
    return _checkout(row) if row else None


async def lock(tx: Tx, checkout_id: UUID) -> Checkout | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from checkout where id = $1 for update", checkout_id)
    return _checkout(row) if row else None


async def of_intent(tx: Tx, intent_id: str) -> Checkout | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from checkout where intent_id = $1", intent_id)
    return _checkout(row) if row else None


async def to_look_at(tx: Tx, now: datetime, limit: int) -> Sequence[Checkout]:
    rows = await tx.fetch(f"select {_COLUMNS} from checkout where look_at <= $1 order by look_at limit $2", now, limit)
    return [_checkout(row) for row in rows]


_CLAIM_EVENT = "insert into provider_event (id) values ($1) on conflict do nothing returning true"


async def claim_event(tx: Tx, event_id: str) -> bool:
    """False for a call that was taken before: providers repeat theirs."""
    return bool(await tx.fetchval(_CLAIM_EVENT, event_id))
