"""What is open, and what came in of what was open."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.reporting.groups import queries as groups
from services.reporting.groups.rules import Group
from shared.db import Tx

_BALANCE_THEN = """
    (select coalesce(sum(m.change_minor), 0)::bigint from movement m
     where m.invoice_id = r.invoice_id and m.effective_on <= $1 and m.booked_on <= $1)
"""


async def open_items(tx: Tx, as_of: date, *, is_past: bool, currency: str | None, group: Group) -> list[asyncpg.Record]:
    """What was owed as it was known at the end of that day: a row an invoice where something was said of it, else a row
    for all of a customer's that are due on the same day and went alike."""
    return await tx.fetch(
        f"""
        with committed as (
            select customer_id from promise where made_on <= $1 and (ended_on is null or ended_on > $1)
            union
            select customer_id from instalment_plan where made_on <= $1 and (ended_on is null or ended_on > $1)
        ), item as (
            select r.customer_id, r.entity_id, r.currency, r.due_on, coalesce(c.disputed_on <= $1, false) as disputed,
                   coalesce(c.channel, '') as channel,
                   case when d.customer_id is not null then i.number end as number,
                   {_BALANCE_THEN if is_past else "r.balance_minor"} as balance_minor
            from receivable r
            left join payment_course c on c.invoice_id = r.invoice_id
            left join committed d on d.customer_id = r.customer_id
            left join invoice i on i.id = r.invoice_id and d.customer_id is not null
            where r.opened_on <= $1 and (r.closed_on > $1 or c.known_on > $1) and ($2::text is null or r.currency = $2)
              and {groups.member(group, "r", place="$3")}
        )
        select customer_id, entity_id, currency, due_on, disputed, channel, number,
               sum(balance_minor)::bigint as balance_minor
        from item
        where balance_minor > 0
        group by customer_id, entity_id, currency, due_on, disputed, channel, number
        """,
        as_of,
        currency,
        *groups.args(group),
    )


async def received(tx: Tx, as_of: date, until: date, currency: str | None, group: Group) -> list[asyncpg.Record]:
    """Money that came in after `as_of` up to `until` on invoices that were open at the end of `as_of`, by currency."""
    return await tx.fetch(
        f"""
        select m.currency, -sum(m.change_minor)::bigint as received_minor
        from movement m
        join receivable r using (invoice_id)
        where m.kind = 'cash' and m.effective_on > $1 and m.effective_on <= $2 and r.opened_on <= $1
          and ($3::text is null or m.currency = $3) and {groups.member(group, "r", place="$4")}
        group by m.currency
        """,
        as_of,
        until,
        currency,
        *groups.args(group),
    )
