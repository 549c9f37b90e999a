"""The contact table: the newest state of each message to a customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.groups import queries as groups
from services.reporting.groups.rules import Group
from shared.db import Tx

Row = tuple[UUID, int, UUID, str, str, str, str, str, date, str, str]
"""id, version, customer id, strategy, step, tone, channel, status, effective on, invoices (a line each), entity."""


async def keep(tx: Tx, rows: Sequence[Row]) -> None:
    """At most one row a contact; an older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into contact as kept (id, version, customer_id, strategy, step, tone, channel, status, effective_on,
                                     invoices, entity_id)
        select id, version, customer_id, strategy, step, tone, channel, status, effective_on,
               string_to_array(invoices, e'\n'), entity_id
        from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::date[], $10::text[], $11::text[])
             as new (id, version, customer_id, strategy, step, tone, channel, status, effective_on, invoices, entity_id)
        on conflict (id) do update
        set version = excluded.version, status = excluded.status, step = excluded.step, tone = excluded.tone,
            channel = excluded.channel, effective_on = excluded.effective_on, strategy = excluded.strategy,
            invoices = excluded.invoices
        where kept.version < excluded.version
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def sent_by_step(tx: Tx, after: date, until: date) -> list[asyncpg.Record]:
    return await tx.fetch(
        """
        select step, tone, count(*) as messages
        from contact
        where status = 'sent' and effective_on > $1 and effective_on <= $2
        group by step, tone
        """,
        after,
        until,
    )


async def sent_by_channel(tx: Tx, group: Group, after: date, until: date) -> list[asyncpg.Record]:
    return await tx.fetch(
        f"""
        select channel, count(*) as messages from contact k
        where status = 'sent' and effective_on > $1 and effective_on <= $2 and {groups.member(group, "k", place="$3")}
        group by channel
        """,
        after,
        until,
        *groups.args(group),
    )


async def sent_to(tx: Tx, customer_id: UUID, until: date) -> int:
    return await tx.fetchval(
        "select count(*) from contact where customer_id = $1 and status = 'sent' and effective_on <= $2",
        customer_id,
        until,
    )
