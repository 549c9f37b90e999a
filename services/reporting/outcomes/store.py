"""Promises, disputes and payments, each in one row, whatever order its events come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.outcomes.rules import Dispute, Promise, Receipt
from shared.db import Tx


async def keep_promises(tx: Tx, rows: Sequence[Promise]) -> None:
    """An older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into promise as kept (id, version, customer_id, entity_id, currency, amount_minor, paid_minor, status,
                                     made_on, promised_on, ended_on, invoices)
        select id, version, customer_id, entity_id, currency, amount_minor, paid_minor, status, made_on, promised_on,
               ended_on, invoices
        from json_populate_recordset(null::promise, $1)
        on conflict (id) do update
        set version = excluded.version, amount_minor = excluded.amount_minor, paid_minor = excluded.paid_minor,
            status = excluded.status, made_on = excluded.made_on, promised_on = excluded.promised_on,
            ended_on = excluded.ended_on, invoices = excluded.invoices
        where kept.version < excluded.version
        """,
        [row._asdict() for row in rows],
    )


async def promises_running(tx: Tx, as_of: date, customer_id: UUID | None = None) -> list[asyncpg.Record]:
    """Those made and not yet ended at the end of that day; of a customer by its index."""
    mine = "" if customer_id is None else "and customer_id = $2"
    return await tx.fetch(
        f"""
        select customer_id, entity_id, currency, amount_minor, promised_on, invoices
        from promise
        where made_on <= $1 and (ended_on is null or ended_on > $1) {mine}
        order by id
        """,
        as_of,
        *(() if customer_id is None else (customer_id,)),
    )


async def promises_decided(tx: Tx, as_of: date) -> list[asyncpg.Record]:
    """How many each customer had kept and broken by the end of that day."""
    return await tx.fetch(
        """
        select customer_id, count(*) filter (where status = 'kept')::integer as kept,
               count(*) filter (where status = 'broken')::integer as broken
        from promise
        where ended_on <= $1 and status in ('kept', 'broken')
        group by customer_id
        """,
        as_of,
    )


async def keep_disputes(tx: Tx, rows: Sequence[Dispute]) -> None:
    await tx.execute(
        """
        insert into dispute as kept (id, customer_id, invoice_id, currency, amount_minor, opened_on, resolved_on,
                                     outcome, reason)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::date[], $7::date[],
                             $8::text[], $9::text[])
        on conflict (id) do update
        set amount_minor = greatest(kept.amount_minor, excluded.amount_minor),
            opened_on = coalesce(excluded.opened_on, kept.opened_on),
            resolved_on = coalesce(excluded.resolved_on, kept.resolved_on),
            outcome = coalesce(excluded.outcome, kept.outcome), reason = coalesce(excluded.reason, kept.reason)
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def keep_receipts(tx: Tx, rows: Sequence[Receipt]) -> None:
    await tx.execute(
        """
        insert into receipt as kept (payment_id, customer_id, currency, amount_minor, received_on, booked_on,
                                     applied_on, touched, entity_id)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::date[],
                             $8::boolean[], $9::text[])
        on conflict (payment_id) do update
        set booked_on = least(kept.booked_on, excluded.booked_on),
            applied_on = least(kept.applied_on, excluded.applied_on), touched = kept.touched or excluded.touched
        """,
        *map(list, zip(*rows, strict=True)),
    )
