"""Table: delivery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.invoice.deliveries.rules import Delivery
from shared.db import Tx

MAILS_UNDER_WAY_SINCE = """
(select min(due_at) from delivery where channel = 'email' and status in ('queued', 'sending') and batch_id is null)
"""

_FIELDS = tuple(field.name for field in fields(Delivery))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)
_TYPES = (
    *("uuid", "text", "uuid", "text", "text", "text", "text", "date", "timestamptz", "uuid", "uuid", "date", "date"),
    *("int", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "text", "uuid", "uuid"),
    *("uuid", "uuid", "uuid", "date"),
)
_UNNEST = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES, start=1))

_ADD = f"""
insert into delivery ({_COLUMNS}) select {_COLUMNS} from unnest({_UNNEST}) as t ({_COLUMNS}) on conflict do nothing
"""


async def add(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """A statement of a period, or a word of an instalment, that is on its way already is left out."""
    await tx.execute(_ADD, *zip(*map(_values, deliveries), strict=True))


_CHANGING = tuple(
    name for name in _FIELDS if name not in ("id", "entity_id", "customer_id", "kind", "channel", "requested_on")
)
_SAVE = f"""
update delivery d set {", ".join(f"{name} = new.{name}" for name in _CHANGING)}
from unnest({_UNNEST}) as new ({_COLUMNS}) where d.id = new.id
"""


async def save(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    await tx.execute(_SAVE, *zip(*map(_values, deliveries), strict=True))


_TO_DO = f"""
select {_COLUMNS} from delivery
where channel = 'email' and batch_id is null
  and (status = 'queued' and due_at <= $1 and (retry_at is null or retry_at <= $2)
       or status = 'sending' and lease_until <= $2)
order by due_at, id limit $3
"""


async def to_do(tx: Tx, real_now: datetime, limit: int) -> list[Delivery]:
    """Mails that may be tried now, and those whose sender is gone, the oldest first."""
    return _read(await tx.fetch(_TO_DO, tx.now, real_now, limit))


_IN_STATUS = f"select {_COLUMNS} from delivery where id = any($1::uuid[]) and status = $2 order by id"


async def in_status(tx: Tx, ids: Sequence[UUID], status: str) -> list[Delivery]:
    return _read(await tx.fetch(_IN_STATUS, ids, status))


_FIND = f"select {_COLUMNS} from delivery where id = any($1::uuid[]) order by id"


async def find(tx: Tx, ids: Sequence[UUID]) -> list[Delivery]:
    return _read(await tx.fetch(_FIND, ids))


_PAGE = f"""
select {_COLUMNS} from delivery
where ($1::uuid is null or id < $1) and ($2::uuid is null or invoice_id = $2) and ($3::uuid is null or customer_id = $3)
  and ($4::text is null or status = $4)
order by id desc limit $5
"""


async def page(
    tx: Tx, before: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, status: str | None, limit: int
) -> list[Delivery]:
    return _read(await tx.fetch(_PAGE, before, invoice_id, customer_id, status, limit))


def _read(rows: Iterable[Any]) -> list[Delivery]:
    return [Delivery(*row.values()) for row in rows]
