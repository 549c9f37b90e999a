"""Table: webhook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any
from uuid import UUID

from services.reporting.webhooks.rules import Webhook
from shared.db import Tx

_COLUMNS = """id, version, url, description, types, customers, notify, status, disabled_because, key, former_key,
former_until, starts_behind, created_by, created_at"""


async def add(tx: Tx, webhook: Webhook) -> None:
    await tx.execute(_ADD, *astuple(webhook))


_ADD = f"""
insert into webhook ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""


async def save(tx: Tx, webhook: Webhook) -> None:
    await tx.execute(_SAVE, *astuple(webhook)[:12])


_SAVE = """
update webhook set version = $2, url = $3, description = $4, types = $5, customers = $6, notify = $7, status = $8,
                   disabled_because = $9, key = $10, former_key = $11, former_until = $12
where id = $1
"""


async def read(tx: Tx, webhook_id: UUID, *, lock: bool = False) -> Webhook | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from webhook where id = $1{' for update' if lock else ''}", webhook_id)
    return _webhook(row) if row else None


async def page(tx: Tx, after: UUID | None, limit: int | None) -> Sequence[Webhook]:
    """In the order in which they were made."""
    return [_webhook(row) for row in await tx.fetch(_PAGE, after, limit)]


_PAGE = f"select {_COLUMNS} from webhook where $1::uuid is null or id > $1 order by id limit $2"


async def remove(tx: Tx, webhook_id: UUID) -> None:
    await tx.execute("delete from webhook where id = $1", webhook_id)


def _webhook(row: Any) -> Webhook:
    return Webhook(**{**row, "types": tuple(row["types"]), "customers": tuple(row["customers"])})
