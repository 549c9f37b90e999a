"""Payments of a window, by who paid and how the invoice went."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.reporting.patterns.rules import Trait
from shared.db import Tx

_GROUPS: dict[Trait, tuple[str, str]] = {
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


async def paid(tx: Tx, since: date, until: date, by: Trait) -> list[asyncpg.Record]:
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


async def paid_by_product_line(tx: Tx, since: date, until: date) -> list[asyncpg.Record]:
    """The same, a row a product line and currency, with what was paid of it, what of that was paid late, and the sum of
    amounts times days; an invoice that names none is whole in the one that has no name."""
    return await tx.fetch(
        """
        select coalesce(nullif(s.product_line, ''), 'unknown') as "group",
               coalesce(nullif(s.product_line, ''), 'unknown') as label, count(*)::integer as count,
               count(*) filter (where p.paid_on > p.due_on)::integer as late, sum(p.paid_on - p.due_on)::bigint as days,
               p.currency, sum(coalesce(s.amount_minor, i.total_minor))::bigint as amount_minor,
               coalesce(sum(coalesce(s.amount_minor, i.total_minor)) filter (where p.paid_on > p.due_on), 0)::bigint
                   as late_minor,
               sum(coalesce(s.amount_minor, i.total_minor) * (p.paid_on - p.due_on))::bigint as days_minor
        from payment_course p
        join invoice i on i.id = p.invoice_id
        left join product_share s on s.invoice_id = p.invoice_id
        where p.paid_on > $1 and p.paid_on <= $2
        group by 1, p.currency
        """,
        since,
        until,
    )


async def paid_late_by_reason(tx: Tx, since: date, until: date) -> list[asyncpg.Record]:
    """Of the invoices settled by money after `since` up to `until` those that were late, a row a reason: the first that
    is known, in the order in which rules.REASONS has them."""
    return await tx.fetch(
        """
        select reason as "group", reason as label, count(*)::integer as count, count(*)::integer as late,
               sum(days)::bigint as days
        from (
            select p.paid_on - p.due_on as days, coalesce(
                case when p.disputed_on <= p.paid_on then coalesce((
                    select 'disputed:' || left(d.reason, 80) from dispute d
                    where d.invoice_id = p.invoice_id and d.opened_on <= p.paid_on order by d.opened_on, d.id limit 1
                ), 'disputed') end,
                (select r.reason from reason_given r
                 where r.customer_id = p.customer_id and r.said_on between p.issued_on and p.paid_on
                 order by r.said_on desc, r.id limit 1),
                (select 'payment_taken_back' from movement m
                 where m.invoice_id = p.invoice_id and m.kind = 'cash' and m.change_minor > 0
                   and m.effective_on <= p.paid_on limit 1),
                (select 'plan' from instalment_plan n
                 where n.invoice_id = p.invoice_id and n.made_on <= p.paid_on limit 1),
                (select case when bool_or(v.status = 'broken' and v.ended_on <= p.paid_on) then 'promise_broken'
                             when count(*) > 0 then 'promised' end
                 from promise v
                 where v.customer_id = p.customer_id and v.entity_id = p.entity_id and v.currency = p.currency
                   and v.made_on between p.issued_on and p.paid_on
                   and (v.invoices = '{}' or i.number = any(v.invoices))),
                'unknown') as reason
            from payment_course p
            left join invoice i on i.id = p.invoice_id
            where p.paid_on > $1 and p.paid_on <= $2 and p.paid_on > p.due_on
        ) as late
        group by reason
        """,
        since,
        until,
    )
