"""Money that came in."""

from __future__ import annotations

from datetime import date

import asyncpg

from shared.db import Tx


async def cash_by_month(tx: Tx, currency: str, since: date, as_of: date) -> list[asyncpg.Record]:
    """By month from the one that begins on `since`."""
    return await tx.fetch(
        """
        select date_trunc('month', effective_on)::date as month, sum(cash_minor)::bigint as cash_minor
        from flow
        where kind = 'all' and key = '' and currency = $1 and effective_on >= $2 and effective_on <= $3
        group by 1
        """,
        currency,
        since,
        as_of,
    )


async def cash_in(tx: Tx, currency: str, after: date, until: date) -> int:
    """In (after, until]."""
    return await tx.fetchval(
        """
        select coalesce(sum(cash_minor), 0)::bigint from flow
        where kind = 'all' and key = '' and currency = $1 and effective_on > $2 and effective_on <= $3
        """,
        currency,
        after,
        until,
    )
