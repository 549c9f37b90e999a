"""What was open at past months' ends by bucket, and what of it was written off afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import asyncpg

from services.reporting.provisions.rules import GroupBy
from shared.db import Tx

Kind = GroupBy | Literal["all"]

_KEYS: dict[Kind, str] = {
    "all": "''",
    "segment": "coalesce((select c.segment from customer c where c.id = r.customer_id), 'unknown')",
    "country": "coalesce((select c.country from customer c where c.id = r.customer_id), 'unknown')",
    "entity": "r.entity_id",
}


async def seen(tx: Tx, kind: Kind, ends: Sequence[date], thresholds: Sequence[int]) -> list[asyncpg.Record]:
    """By currency, group and bucket: what was open at those days, and how many invoices, added up."""
    return await tx.fetch(
        f"""
        select o.currency, o.key, width_bucket(e.on_day - o.day, $2) as bucket,
               sum(o.balance_minor)::bigint as seen_minor, sum(o.open_invoices)::bigint as invoices
        from unnest($1::date[]) as e (on_day) cross join lateral owed_by_group('{kind}', 'due', e.on_day) o
        group by 1, 2, 3
        """,
        list(ends),
        list(thresholds),
    )


async def lost(
    tx: Tx, kind: Kind, ends: Sequence[date], thresholds: Sequence[int], horizon_months: int
) -> list[asyncpg.Record]:
    """By currency, group and bucket: what of the invoices open at those days was written off within the months behind
    each. An invoice counts in the bucket that it was in on the day looked at."""
    return await tx.fetch(
        f"""
        select m.currency, {_KEYS[kind]} as key, width_bucket(e.on_day - r.due_on, $2) as bucket,
               (-sum(m.change_minor))::bigint as lost_minor
        from unnest($1::date[]) as e (on_day)
        join movement m on m.kind = 'write_off' and m.effective_on > e.on_day
                       and m.effective_on <= e.on_day + make_interval(months => $3)
        join receivable r on r.invoice_id = m.invoice_id
        where r.opened_on <= e.on_day
        group by 1, 2, 3
        """,
        list(ends),
        list(thresholds),
        horizon_months,
    )
