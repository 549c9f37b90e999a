"""Invoices after a message, and alike ones without, watched until they are paid or their customer hears something."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import asyncpg

from services.reporting.effectiveness.rules import AGES, By
from shared.db import Tx

QUIET_DAYS = 14
"""So many days before, nothing was sent to a customer whose invoices count as untreated."""

_PACE = """
    pace as (
        select customer_id, ntile(3) over (order by avg(paid_on - due_on), customer_id) as third
        from payment_course where paid_on <= $1 and known_on <= $1 group by customer_id
    )
"""
"""Thirds of the customers by how late they paid before the period; whoever is new has none of these."""

# The end of the watch: payment, else the next message to the customer, else the last day that is known.
_WATCHED = f"""
    select unit.grouped, width_bucket(unit.age, array{list(AGES)}) as age, coalesce(pace.third, 0)::integer as pace,
           least(unit.paid_on, heard.next_on, unit.closed_on, $2::date) - unit.on_day as days,
           coalesce(unit.paid_on <= least(heard.next_on, $2::date), false) as paid,
           count(*)::integer as count
    from unit
    left join pace on pace.customer_id = unit.customer_id
    left join lateral (
        select min(c.effective_on) as next_on from contact c
        where c.customer_id = unit.customer_id and c.status = 'sent' and c.effective_on > unit.on_day
    ) heard on true
    group by 1, 2, 3, 4, 5
"""


async def after_messages(tx: Tx, since: date, until: date, by: By) -> list[asyncpg.Record]:
    """Of messages sent after `since` up to `until`: the invoices each was about that were open then."""
    return await tx.fetch(
        f"""
        with {_PACE}, unit as (
            select c.{by} as grouped, c.customer_id, c.effective_on as on_day, c.effective_on - p.due_on as age,
                   p.paid_on, r.closed_on
            from contact c
            join invoice i on i.customer_id = c.customer_id and i.number = any(c.invoices)
            join payment_course p on p.invoice_id = i.id
            join receivable r on r.invoice_id = i.id
            where c.status = 'sent' and c.effective_on > $1 and c.effective_on <= $2 and r.closed_on >= c.effective_on
        )
        {_WATCHED}
        """,
        since,
        until,
    )


async def without_message(tx: Tx, since: date, until: date) -> list[asyncpg.Record]:
    """Open invoices in the same days at the ages between which they are alike, once each age, of customers to whom
    nothing was sent in the fortnight before, and nothing that day."""
    return await tx.fetch(
        f"""
        with {_PACE}, unit as (
            select ''::text as grouped, p.customer_id, p.due_on + a.age as on_day, a.age, p.paid_on, r.closed_on
            from unnest(array{[(a + b) // 2 for a, b in pairwise(AGES)]}) as a (age)
            join payment_course p on p.due_on > $1::date - a.age and p.due_on <= $2::date - a.age
            join receivable r on r.invoice_id = p.invoice_id
            where r.closed_on >= p.due_on + a.age and r.opened_on <= p.due_on + a.age
              and not exists (select from contact c
                              where c.customer_id = p.customer_id and c.status = 'sent'
                                and c.effective_on > p.due_on + a.age - {QUIET_DAYS}
                                and c.effective_on <= p.due_on + a.age)
        )
        {_WATCHED}
        """,
        since,
        until,
    )
