"""Payments of a window, by who paid and how the invoice went."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.reporting.patterns.rules import By
from shared.db import Tx

_GROUPS = {
    "segment": ("coalesce(c.segment, 'unknown')", "coalesce(c.segment, 'unknown')"),
    "country": ("coalesce(c.country, 'unknown')", "coalesce(c.country, 'unknown')"),
    "customer": ("p.customer_id::text", "coalesce(min(c.name), 'Unknown customer')"),
    "channel": ("coalesce(p.channel, 'unknown')", "coalesce(p.channel, 'unknown')"),
    "weekday": ("extract(isodow from p.due_on)::text", "trim(to_char(p.due_on, 'Day'))"),
    "disputed": (
        "case when p.disputed_on <= p.paid_on then 'disputed' else 'undisputed' end",
        "case when p.disputed_on <= p.paid_on then 'disputed' else 'undisputed' end",
    ),
}
INVOICES_MIN = 3
"""Fewer payments of a customer are no pattern."""


async def paid(tx: Tx, since: date, until: date, by: By) -> list[asyncpg.Record]:
    """Invoices settled by money after `since` up to `until`, a row a group."""
    group, label = _GROUPS[by]
    if by != "customer":
        label = f"min({label})"
    return await tx.fetch(
        f"""
        select {group} as "group", {label} as label, count(*)::integer as count,
               count(*) filter (where p.paid_on > p.due_on)::integer as late, sum(p.paid_on - p.due_on)::bigint as days
        from payment_course p
        left join customer c on c.id = p.customer_id
        where p.paid_on > $1 and p.paid_on <= $2
        group by 1
        having $3 or count(*) >= {INVOICES_MIN}
        """,
        since,
        until,
        by != "customer",
    )
