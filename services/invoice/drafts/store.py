"""Table: draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from services.invoice.drafts.rules import Draft
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Draft))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)

_INSERT = f"insert into draft ({_COLUMNS}) values ({', '.join(f'${n}' for n in range(1, len(_FIELDS) + 1))})"


async def insert(tx: Tx, draft: Draft) -> None:
    await tx.execute(_INSERT, *_values(draft))


_FIND = f"select {_COLUMNS} from draft where id = $1"


async def find(tx: Tx, draft_id: UUID) -> Draft | None:
    row = await tx.fetchrow(_FIND, draft_id)
    return Draft(*row.values()) if row else None


async def lock(tx: Tx, draft_id: UUID) -> Draft | None:
    row = await tx.fetchrow(f"{_FIND} for update", draft_id)
    return Draft(*row.values()) if row else None


_SAVE = """
update draft set version = $2, entity_id = $3, customer_id = $4, owner = $5, body = $6, changed_at = $8 where id = $1
  and created_at = $7
"""


async def save(tx: Tx, draft: Draft) -> None:
    await tx.execute(_SAVE, *_values(draft))


_DELETE = "delete from draft where id = $1 and version = $2 returning id"


async def delete(tx: Tx, draft_id: UUID, version: int) -> bool:
    return await tx.fetchval(_DELETE, draft_id, version) is not None


_PAGE = f"""
select {_COLUMNS} from draft
where ($1::uuid is null or id > $1) and ($2::uuid is null or customer_id = $2)
order by id limit $3
"""


async def page(tx: Tx, after: UUID | None, customer_id: UUID | None, limit: int) -> list[Draft]:
    return [Draft(*row.values()) for row in await tx.fetch(_PAGE, after, customer_id, limit)]


_LATE = f"""
select {_COLUMNS} from draft d
join unnest($1::text[], $2::timestamptz[]) as late (of_entity, begun_before)
    on d.entity_id = late.of_entity and d.created_at < late.begun_before
where ($3::timestamptz is null or (d.created_at, d.id) > ($3, $4)) and ($5::text is null or d.owner = $5)
order by d.created_at, d.id limit $6
"""


async def late(
    tx: Tx,
    begun_before: Mapping[str, datetime],
    after: tuple[datetime, UUID] | None,
    owner: str | None,
    limit: int,
) -> list[Draft]:
    moment, draft_id = after or (None, None)
    rows = await tx.fetch(_LATE, list(begun_before), list(begun_before.values()), moment, draft_id, owner, limit)
    return [Draft(*row.values()) for row in rows]
