"""Instalment plans; either of their two events may come first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.plans.rules import Plan
from shared.db import Tx


async def keep(tx: Tx, plans: Sequence[Plan]) -> None:
    await tx.execute(
        """
        insert into instalment_plan as kept (id, invoice_id, customer_id, number, made_on, ended_on, outcome, dates,
                                             amounts_minor)
        select id, invoice_id, customer_id, number, made_on, ended_on, outcome, dates, amounts_minor
        from json_populate_recordset(null::instalment_plan, $1)
        on conflict (id, invoice_id) do update
        set made_on = coalesce(kept.made_on, excluded.made_on), ended_on = coalesce(kept.ended_on, excluded.ended_on),
            outcome = coalesce(kept.outcome, excluded.outcome),
            dates = case when kept.made_on is null then excluded.dates else kept.dates end,
            amounts_minor = case when kept.made_on is null then excluded.amounts_minor else kept.amounts_minor end
        """,
        [each._asdict() for each in plans],
    )


async def running(tx: Tx, as_of: date, customer_id: UUID | None = None) -> list[asyncpg.Record]:
    """Those agreed and not yet ended at the end of that day."""
    mine = "" if customer_id is None else "and customer_id = $2"
    return await tx.fetch(
        f"""
        select customer_id, number, dates, amounts_minor
        from instalment_plan
        where made_on <= $1 and (ended_on is null or ended_on > $1) {mine}
        """,
        as_of,
        *(() if customer_id is None else (customer_id,)),
    )
