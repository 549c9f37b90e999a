"""Customers in their newest state, as credit published it, and who looks after each, as the reminder service did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from shared.db import Tx

Row = tuple[UUID, int, str, str, str, str, str, str, int]
"""id, version, external id, name, status, country, currency, segment, net days."""


Collector = tuple[UUID, str, date, UUID, int]
"""customer id, name, the day it was said on, task id, version."""


async def keep(tx: Tx, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """At most one row a customer; an older version than the one kept changes nothing. Returns who is in another segment
    or country than before: customer id, kind, left, joined."""
    return await tx.fetch(
        """
        with given as (
            select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                 $8::text[], $9::integer[])
                as t (id, version, external_id, name, status, country, currency, segment, net_days)
        ), known as (
            select id, country, segment from customer where id = any($1)
        ), kept as (
            insert into customer as kept (id, version, external_id, name, status, country, currency, segment, net_days)
            select * from given
            on conflict (id) do update
            set version = excluded.version, external_id = excluded.external_id, name = excluded.name,
                status = excluded.status, country = excluded.country, currency = excluded.currency,
                segment = excluded.segment, net_days = excluded.net_days
            where kept.version < excluded.version
            returning id, country, segment
        )
        select id, kind, was, becomes
        from kept left join known using (id)
        cross join lateral (values ('segment', coalesce(known.segment, 'unknown'), kept.segment),
                                   ('country', coalesce(known.country, 'unknown'), kept.country)
                           ) as g (kind, was, becomes)
        where was <> becomes
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def keep_collectors(tx: Tx, rows: Sequence[Collector]) -> list[asyncpg.Record]:
    """At most one row a customer; what was said earlier than the row kept changes nothing. Returns who has another
    collector than before: customer id, kind, left, joined."""
    return await tx.fetch(
        """
        with known as (
            select customer_id, name from collector where customer_id = any($1)
        ), kept as (
            insert into collector as kept (customer_id, name, said_on, task_id, version)
            select * from unnest($1::uuid[], $2::text[], $3::date[], $4::uuid[], $5::bigint[])
            on conflict (customer_id) do update
            set name = excluded.name, said_on = excluded.said_on, task_id = excluded.task_id,
                version = excluded.version
            where (kept.said_on, kept.task_id, kept.version) < (excluded.said_on, excluded.task_id, excluded.version)
            returning customer_id, name
        )
        select customer_id, 'collector' as kind, coalesce(known.name, 'nobody') as was, kept.name as becomes
        from kept left join known using (customer_id)
        where coalesce(known.name, 'nobody') <> kept.name
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def find(tx: Tx, customer_id: UUID) -> asyncpg.Record | None:
    return await tx.fetchrow("select * from customer where id = $1", customer_id)


async def count(tx: Tx) -> int:
    return await tx.fetchval("select count(*) from customer")
