"""Promises and plans as they stand, and as they stood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.commitments.rules import Commitment
from shared.db import Tx


async def keep(tx: Tx, commitments: Sequence[Commitment]) -> None:
    """An older version than the one kept only adds what that one did not know: a plan's end tells no dates."""
    await tx.execute(
        """
        insert into commitment as kept (id, invoice_id, version, customer_id, entity_id, currency, kind, made_on,
                                        ended_on, outcome, numbers, dates, amounts_minor)
        select id, invoice_id, version, customer_id, entity_id, currency, kind, made_on, ended_on, outcome, numbers,
               dates, amounts_minor
        from json_populate_recordset(null::commitment, $1)
        on conflict (id, invoice_id) do update
        set version = greatest(kept.version, excluded.version),
            made_on = coalesce(kept.made_on, excluded.made_on),
            ended_on = case when excluded.version > kept.version then excluded.ended_on else kept.ended_on end,
            outcome = case when excluded.version > kept.version then excluded.outcome else kept.outcome end,
            dates = case when cardinality(excluded.dates) > 0
                              and (excluded.version > kept.version or cardinality(kept.dates) = 0)
                         then excluded.dates else kept.dates end,
            amounts_minor = case when cardinality(excluded.dates) > 0
                                      and (excluded.version > kept.version or cardinality(kept.dates) = 0)
                                 then excluded.amounts_minor else kept.amounts_minor end
        """,
        [each._asdict() for each in commitments],
    )


async def running(tx: Tx, as_of: date) -> list[asyncpg.Record]:
    """Those made and not yet ended at the end of that day."""
    return await tx.fetch(
        """
        select kind, id, invoice_id, customer_id, entity_id, currency, numbers, dates, amounts_minor
        from commitment
        where made_on <= $1 and (ended_on is null or ended_on > $1)
        order by customer_id, id, invoice_id
        """,
        as_of,
    )


async def promises_ended(tx: Tx, as_of: date) -> list[asyncpg.Record]:
    """Kept and broken promises of each customer, up to that day."""
    return await tx.fetch(
        """
        select customer_id, count(*) filter (where outcome = 'kept')::integer as kept,
               count(*) filter (where outcome = 'broken')::integer as broken
        from commitment
        where kind = 'promise' and ended_on <= $1 and outcome in ('kept', 'broken')
        group by customer_id
        """,
        as_of,
    )
