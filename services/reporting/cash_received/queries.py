"""Money that came in on invoices, less what was taken back."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.reporting.groups import queries as groups
from services.reporting.groups.rules import Group
from shared.db import Tx


async def by_month(tx: Tx, group: Group, currency: str | None, since: date, as_of: date) -> list[asyncpg.Record]:
    """By currency and month from the one that begins on `since`; currencies in which anything happened by then."""
    return await tx.fetch(
        f"""
        select currency, date_trunc('month', effective_on)::date as month, sum(cash_minor)::bigint as cash_minor
        from {groups.flows(group, place="$4")} f
        where ($1::text is null or currency = $1) and effective_on >= $2 and effective_on <= $3
        group by 1, 2
        order by 1, 2
        """,
        currency,
        since,
        as_of,
        *groups.args(group),
    )


async def within(tx: Tx, group: Group, currency: str, after: date, until: date) -> int:
    """In (after, until]."""
    return await tx.fetchval(
        f"""
        select coalesce(sum(cash_minor), 0)::bigint from {groups.flows(group, place="$4")} f
        where currency = $1 and effective_on > $2 and effective_on <= $3
        """,
        currency,
        after,
        until,
        *groups.args(group),
    )
