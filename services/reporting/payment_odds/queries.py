"""How invoices went that were paid lately, and those that are open."""

from __future__ import annotations

from datetime import date

import asyncpg

from shared.db import Tx

_EVERY = "('x' || right(invoice_id::text, 6))::bit(24)::integer % $3 = 0"
"""One invoice in so many, the same ones whenever it is asked: the end of an id is random."""


async def paid(tx: Tx, as_of: date, since: date, every: int) -> list[asyncpg.Record]:
    """Due and paid after `since`, of what was known at the end of `as_of`: a row an invoice."""
    return await tx.fetch(
        f"""
        select customer_id, coalesce(disputed_on <= paid_on, false) as disputed, coalesce(channel, '') as channel,
               due_on, issued_on, paid_on
        from payment_course
        where paid_on > $2::date and paid_on <= $1::date and known_on <= $1::date and due_on > $2::date and {_EVERY}
        """,
        as_of,
        since,
        every,
    )


async def still_open(tx: Tx, as_of: date, since: date, every: int) -> list[asyncpg.Record]:
    """Due after `since` and not paid by the end of `as_of`, as it was known then: a row for all of a customer's that
    were issued and due on the same days and went alike."""
    return await tx.fetch(
        f"""
        select customer_id, coalesce(c.disputed_on <= $1, false) as disputed, coalesce(c.channel, '') as channel,
               r.due_on, r.issued_on, count(*)::integer as invoices
        from receivable r
        join payment_course c using (invoice_id, customer_id)
        where r.opened_on <= $1 and r.due_on > $2 and (r.closed_on > $1 or c.known_on > $1) and {_EVERY}
          and (select sum(m.change_minor) from movement m
               where m.invoice_id = r.invoice_id and m.effective_on <= $1 and m.booked_on <= $1) > 0
        group by 1, 2, 3, 4, 5
        """,
        as_of,
        since,
        every,
    )
