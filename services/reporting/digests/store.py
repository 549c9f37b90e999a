"""Table: account_digest; and how accounts stand, from what the other features keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.reporting.digests.rules import Accounts, Digest
from shared.db import Tx

NEXT_DUE = "select min(next_due_at) from account_digest where active"

_COLUMNS = """id, version, name, recipients, accounts, weekday, hour, active, created_by, created_at, next_due_at,
made_on"""


async def put(tx: Tx, digest: Digest) -> None:
    values: dict[str, Any] = {name: getattr(digest, name) for name in Digest.__slots__}
    values["accounts"] = {**asdict(digest.accounts), "customer_ids": [str(id) for id in digest.accounts.customer_ids]}
    await tx.execute(_PUT, *values.values())


_PUT = f"""
insert into account_digest ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (id) do update
set version = excluded.version, name = excluded.name, recipients = excluded.recipients, accounts = excluded.accounts,
    weekday = excluded.weekday, hour = excluded.hour, active = excluded.active, next_due_at = excluded.next_due_at,
    made_on = excluded.made_on
"""


async def read(tx: Tx, digest_id: UUID, *, lock: bool = False) -> Digest | None:
    row = await tx.fetchrow(
        f"select {_COLUMNS} from account_digest where id = $1{' for update' if lock else ''}", digest_id
    )
    return _digest(row) if row else None


async def page(tx: Tx, after: UUID | None, limit: int) -> list[Digest]:
    return [_digest(row) for row in await tx.fetch(_PAGE, after, limit)]


_PAGE = f"select {_COLUMNS} from account_digest where $1::uuid is null or id > $1 order by id limit $2"


async def take_due(tx: Tx) -> Digest | None:
    row = await tx.fetchrow(_TAKE_DUE, tx.now)
    return _digest(row) if row else None


_TAKE_DUE = f"""
select {_COLUMNS} from account_digest where active and next_due_at <= $1 order by next_due_at, id limit 1
for update skip locked
"""


async def remove(tx: Tx, digest_id: UUID) -> None:
    await tx.execute("delete from account_digest where id = $1", digest_id)


async def customers(tx: Tx, accounts: Accounts) -> list[asyncpg.Record]:
    return await tx.fetch(
        _CUSTOMERS, accounts.collector, accounts.segment, accounts.country, list(accounts.customer_ids)
    )


_CUSTOMERS = """
select c.id, c.name from customer c left join collector k on k.customer_id = c.id
where ($1::text is null or k.name = $1) and ($2::text is null or c.segment = $2)
  and ($3::text is null or c.country = $3) and (cardinality($4::uuid[]) = 0 or c.id = any($4))
order by c.name, c.id
"""


async def happened(
    tx: Tx, customers: Sequence[UUID], since: date, until: date, types: Sequence[str]
) -> list[asyncpg.Record]:
    """Events that count for days from `since` to `until`, in the order they came."""
    return await tx.fetch(_HAPPENED, list(customers), since, until, list(types))


_HAPPENED = """
select customer_id, type, data::text from event
where customer_id = any($1) and effective_on between $2 and $3 and type = any($4) order by customer_id, seq
"""


async def promises(tx: Tx, customers: Sequence[UUID]) -> list[asyncpg.Record]:
    """The newest state of each promise that a customer ever made."""
    return await tx.fetch(_PROMISES, list(customers))


_PROMISES = """
select distinct on (subject) customer_id, (data -> 'promise')::text as promise from event
where customer_id = any($1) and topic = 'ar.reminder' and data -> 'promise' ->> 'id' = subject::text
order by subject, version desc
"""


async def disputed(tx: Tx, customers: Sequence[UUID]) -> list[asyncpg.Record]:
    return await tx.fetch(_DISPUTED, list(customers))


_DISPUTED = """
select customer_id, currency, sum(disputed_minor)::bigint as minor from invoice
where customer_id = any($1) and disputed_minor > 0 group by customer_id, currency order by currency
"""


def _digest(row: Any) -> Digest:
    kept = row["accounts"]
    accounts = Accounts(**{**kept, "customer_ids": tuple(UUID(id) for id in kept["customer_ids"])})
    return Digest(**{**row, "recipients": tuple(row["recipients"]), "accounts": accounts})
