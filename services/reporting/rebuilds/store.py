"""The tables beside the ones in use, in a schema of their own, and how they take their place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.db import Tx

BESIDE = "rebuilding"
RETIRED = "retired"


async def want(tx: Tx, wanted_by: str) -> int | None:
    """None when one is under way."""
    return await tx.fetchval(
        """
        insert into rebuild (wanted_by) values ($1)
        on conflict ((true)) where finished_at is null do nothing
        returning id
        """,
        wanted_by,
    )


async def take_up(tx: Tx) -> asyncpg.Record | None:
    """The one under way, for this transaction alone; None when there is none, or somebody else is at it."""
    return await tx.fetchrow("select * from rebuild where finished_at is null for update skip locked")


async def latest(tx: Tx) -> asyncpg.Record | None:
    return await tx.fetchrow(
        """
        select id, wanted_by, wanted_at, events, finished_at, coalesce(reached_seq, 0) as reached_seq,
               coalesce((select max(seq) from event), 0) as last_seq
        from rebuild order by id desc limit 1
        """
    )


async def reached(tx: Tx, rebuild_id: int, seq: int, events: int) -> None:
    await tx.execute(
        "update public.rebuild set reached_seq = $2, events = events + $3 where id = $1", rebuild_id, seq, events
    )


async def finish(tx: Tx, rebuild_id: int) -> None:
    await tx.execute("update public.rebuild set finished_at = now() where id = $1", rebuild_id)


async def lay_out(tx: Tx, tables: Sequence[str]) -> None:
    """Make the tables anew, empty, with the constraints and indexes of the ones in use under the same names."""
    await tx.execute(f"drop schema if exists {BESIDE} cascade")
    await tx.execute(f"create schema {BESIDE}")
    for table in tables:
        await tx.execute(
            f"create table {BESIDE}.{table} (like public.{table} including all excluding indexes excluding constraints)"
        )
        for row in await tx.fetch(
            """
            select conname, pg_get_constraintdef(oid) as definition
            from pg_constraint where conrelid = $1::text::regclass and contype in ('p', 'u', 'c')
            """,
            f"public.{table}",
        ):
            await tx.execute(f'alter table {BESIDE}.{table} add constraint "{row["conname"]}" {row["definition"]}')
        for definition in await tx.fetch(
            """
            select replace(indexdef, ' ON public.', $2) as sql from pg_indexes i
            where schemaname = 'public' and tablename = $1
              and not exists (select from pg_constraint c where c.conrelid = ('public.' || $1)::regclass
                              and c.conname = i.indexname)
            """,
            table,
            f" ON {BESIDE}.",
        ):
            await tx.execute(definition["sql"])


async def work_beside(tx: Tx) -> None:
    """From here to the end of the transaction the tables beside are meant wherever a read model is named."""
    await tx.execute(f"set local search_path = {BESIDE}, public")


async def events_behind(tx: Tx, seq: int, limit: int) -> list[asyncpg.Record]:
    return await tx.fetch(
        """
        select seq, id, source, type, topic, subject, version, customer_id, time, correlation, causation,
               data::text as data
        from public.event where seq > $1 order by seq limit $2
        """,
        seq,
        limit,
    )


async def standing_days_missing(tx: Tx) -> list[date]:
    """Those that are kept by the tables in use and not beside them yet."""
    rows = await tx.fetch(
        f"""
        select before_on from public.standing_day
        where before_on not in (select before_on from {BESIDE}.standing_day) order by before_on
        """
    )
    return [row["before_on"] for row in rows]


async def take_their_place(tx: Tx, tables: Sequence[str]) -> None:
    """The tables beside become the ones in use; views and privileges go over to them."""
    views = await tx.fetch(
        """
        select distinct format('%I.%I', v.relnamespace::regnamespace, v.relname) as name,
               pg_get_viewdef(v.oid) as definition
        from pg_depend d
        join pg_rewrite r on r.oid = d.objid
        join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
        where d.classid = 'pg_rewrite'::regclass and d.refobjid = any($1::text[]::regclass[]::oid[])
        """,
        [f"public.{table}" for table in tables],
    )
    granted = await tx.fetch(
        """
        select c.relname, a.privilege_type, a.grantee::regrole::text as grantee
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = any($1::text[]::regclass[]::oid[]) and a.grantee <> c.relowner and a.grantee <> 0
        """,
        [f"public.{table}" for table in tables],
    )
    await tx.execute(
        "set local lock_timeout = '5s'"
    )  # Rather try again than make everybody queue behind a long report.
    await tx.execute(f"drop schema if exists {RETIRED} cascade")
    await tx.execute(f"create schema {RETIRED}")
    for table in tables:
        await tx.execute(f"alter table public.{table} set schema {RETIRED}")
        await tx.execute(f"alter table {BESIDE}.{table} set schema public")
    for view in views:
        await tx.execute(f"create or replace view {view['name']} as {view['definition']}")
    for grant in granted:
        await tx.execute(f"grant {grant['privilege_type']} on public.{grant['relname']} to {grant['grantee']}")
    await tx.execute(f"drop schema {RETIRED} cascade")
    await tx.execute(f"drop schema {BESIDE} cascade")
