"""Limits that changed, one row a customer until it is written to. Tables: limit_change (written), credit_policy
(read)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.credit.announcements.rules import Change, Limits
from shared.db import Tx
from shared.money import Money

ANNOUNCEMENTS_DUE = "(select min(noted_at) from limit_change)"


async def note(tx: Tx, before: Mapping[UUID, Limits]) -> None:
    rows = [
        (customer_id, known.limit.currency, known.limit.minor, known.base.minor)
        for customer_id, known in sorted(before.items())
    ]
    await tx.execute(_NOTE, *map(list, zip(*rows, strict=True)), tx.now)


_NOTE = """
insert into limit_change (customer_id, currency, limit_minor, base_minor, noted_at)
select t.*, $5::timestamptz from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) as t
where (select coalesce((rules ->> 'limit_letters')::boolean, false) from credit_policy order by version desc limit 1)
on conflict (customer_id) do nothing
"""


async def due(tx: Tx, count_max: int) -> list[UUID]:
    """In the order in which customers are locked."""
    return sorted(row["customer_id"] for row in await tx.fetch(_DUE, tx.now, count_max))


_DUE = "select customer_id from limit_change where noted_at <= $1 order by noted_at, customer_id limit $2"


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> list[Change]:
    rows = await tx.fetch("delete from limit_change where customer_id = any($1) returning *", customer_ids)
    return [
        Change(
            row["customer_id"],
            Limits(Money(row["limit_minor"], row["currency"]), Money(row["base_minor"], row["currency"])),
            row["noted_at"],
        )
        for row in rows
    ]
