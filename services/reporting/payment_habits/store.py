"""How invoices went, and what of it habits are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.payment_habits.rules import Course
from shared.db import Tx


async def keep(tx: Tx, courses: Sequence[Course]) -> None:
    """At most one an invoice. What is known stays known; whether it is paid, the newer version says."""
    await tx.execute(
        """
        insert into payment_course as kept (invoice_id, version, customer_id, entity_id, currency, issued_on, due_on,
                                            channel, disputed_on, paid_on, known_on)
        select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::date[], $7::date[],
                             $8::text[], $9::date[], $10::date[], $11::date[])
        on conflict (invoice_id) do update
        set version = greatest(kept.version, excluded.version),
            due_on = case when excluded.version > kept.version then excluded.due_on else kept.due_on end,
            channel = coalesce(kept.channel, excluded.channel),
            disputed_on = least(kept.disputed_on, excluded.disputed_on),
            paid_on = case when excluded.version > kept.version then excluded.paid_on else kept.paid_on end,
            known_on = case when excluded.version > kept.version then excluded.known_on else kept.known_on end
        """,
        *map(list, zip(*courses, strict=True)),
    )


_DAYS = "least(paid_on - due_on, 1000)"


async def habits(tx: Tx, as_of: date, since: date) -> list[asyncpg.Record]:
    """What was paid after `since` and known at the end of `as_of`, added up: a row a customer and traits."""
    return await tx.fetch(
        f"""
        select customer_id, coalesce(disputed_on <= paid_on, false) as disputed, coalesce(channel, '') as channel,
               count(*)::integer as count, sum({_DAYS})::bigint as days, sum({_DAYS} * {_DAYS})::bigint as days_squared
        from payment_course
        where paid_on > $2::date and paid_on <= $1::date and known_on <= $1::date and due_on > $2::date
        group by 1, 2, 3
        """,
        as_of,
        since,
    )
