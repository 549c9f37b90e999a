"""What was open at past months' ends by bucket, and what of it was written off afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.db import Tx


async def seen(tx: Tx, ends: Sequence[date], thresholds: Sequence[int]) -> list[asyncpg.Record]:
    """By currency and bucket: what was open at those days, added up."""
    return await tx.fetch(
        """
        select o.currency, width_bucket(e.on_day - o.day, $2) as bucket, sum(o.balance_minor)::bigint as seen_minor
        from unnest($1::date[]) as e (on_day) cross join lateral owed_by_group('all', 'due', e.on_day) o
        group by 1, 2
        """,
        list(ends),
        list(thresholds),
    )


async def lost(tx: Tx, ends: Sequence[date], thresholds: Sequence[int], horizon_months: int) -> list[asyncpg.Record]:
    """By currency and bucket: what of the invoices open at those days was written off within the months behind each. An
    invoice counts in the bucket that it was in on the day looked at."""
    return await tx.fetch(
        """
        select m.currency, width_bucket(e.on_day - r.due_on, $2) as bucket, (-sum(m.change_minor))::bigint as lost_minor
        from unnest($1::date[]) as e (on_day)
        join movement m on m.kind = 'write_off' and m.effective_on > e.on_day
                       and m.effective_on <= e.on_day + make_interval(months => $3)
        join receivable r on r.invoice_id = m.invoice_id
        where r.opened_on <= e.on_day
        group by 1, 2
        """,
        list(ends),
        list(thresholds),
        horizon_months,
    )
