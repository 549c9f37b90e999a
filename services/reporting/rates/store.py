"""Reference rates as they were published: the newest word on each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.db import Tx

Row = tuple[date, str, str, int, dict[str, str]]
"""on, base, source, version, rates by currency."""


async def keep(tx: Tx, rows: Sequence[Row]) -> None:
    """At most one row a day and base; an older version than the one kept changes nothing."""
    await tx.executemany(
        """
        insert into rates as kept (on_day, base, source, version, by_currency) values ($1, $2, $3, $4, $5)
        on conflict (on_day, base) do update
        set source = excluded.source, version = excluded.version, by_currency = excluded.by_currency
        where kept.version < excluded.version
        """,
        rows,
    )


async def in_force(tx: Tx, on: date) -> asyncpg.Record | None:
    return await tx.fetchrow(
        "select on_day, base, by_currency from rates where on_day <= $1 order by on_day desc, base limit 1", on
    )
