"""Reasons that customers gave, the newest word of each call, answer and insolvency."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.late_reasons.rules import Reason
from shared.db import Tx


async def keep(tx: Tx, reasons: Sequence[Reason]) -> None:
    """At most one row of an id; an older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into reason_given as kept (id, version, customer_id, said_on, reason)
        select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::date[], $5::text[])
        on conflict (id) do update
        set version = excluded.version, said_on = excluded.said_on, reason = excluded.reason
        where kept.version < excluded.version
        """,
        *map(list, zip(*reasons, strict=True)),
    )
