"""A customer's credit, promises, disputes and how its invoices went, at the end of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from shared.db import Tx


async def credit(tx: Tx, customer_id: UUID, as_of: date) -> list[asyncpg.Record]:
    """The newest event of each kind that says how the customer's credit stands."""
    return await tx.fetch(
        """
        select distinct on (kind) kind, effective_on, data
        from (
            select case type when 'dueward.credit.limit_changed.v1' then 'limit'
                             when 'dueward.credit.assessed.v1' then 'file' else 'hold' end as kind,
                   effective_on, seq, data
            from event
            where customer_id = $1 and effective_on <= $2
              and type in ('dueward.credit.limit_changed.v1', 'dueward.credit.assessed.v1',
                           'dueward.credit.hold_placed.v1', 'dueward.credit.hold_released.v1')
        ) as said
        order by kind, effective_on desc, seq desc
        """,
        customer_id,
        as_of,
    )


async def promises(tx: Tx, customer_id: UUID, as_of: date, limit: int) -> list[asyncpg.Record]:
    """The latest first. What became of one after `as_of` is left out, as it was not known then."""
    return await tx.fetch(
        """
        select currency, made_on, promised_on, amount_minor, case when ended_on <= $2 then paid_minor end as paid_minor,
               case when ended_on <= $2 then status else 'open' end as status
        from promise
        where customer_id = $1 and made_on <= $2
        order by made_on desc, id
        limit $3
        """,
        customer_id,
        as_of,
        limit,
    )


async def disputes(tx: Tx, customer_id: UUID, as_of: date, limit: int) -> list[asyncpg.Record]:
    """Open ones first, then the latest."""
    return await tx.fetch(
        """
        select d.currency, d.amount_minor, d.opened_on, d.reason, d.invoice_id, i.number,
               case when d.resolved_on <= $2 then d.resolved_on end as resolved_on,
               case when d.resolved_on <= $2 then d.outcome end as outcome
        from dispute d left join invoice i on i.id = d.invoice_id
        where d.customer_id = $1 and d.opened_on <= $2
        order by coalesce(d.resolved_on <= $2, false), d.opened_on desc, d.id
        limit $3
        """,
        customer_id,
        as_of,
        limit,
    )


async def courses(tx: Tx, invoices: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    rows = await tx.fetch(
        "select invoice_id, channel, disputed_on from payment_course where invoice_id = any($1)", list(invoices)
    )
    return {row["invoice_id"]: row for row in rows}
