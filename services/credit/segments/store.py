"""What segments go by, of many customers in one look, and who is pinned. Tables: segment_pin (written); customer,
payment_record, broken_promise, invoice_exposure, credit_file, payment_drift (read)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.credit.behaviour.rules import History
from services.credit.segments.rules import Known, Pin
from shared.db import Tx
from shared.money import Money


async def known(tx: Tx, customer_ids: Sequence[UUID], today: date, since: date, written_off_since: date) -> list[Known]:
    """In the order of their ids; who is no customer is not in the answer."""
    return [_known(row) for row in await tx.fetch(_KNOWN, customer_ids, today, since, written_off_since)]


_KNOWN = """
select c.id, c.segment, c.country, c.currency, c.onboarded_at::date as onboarded_on, p.*, e.*, f.risk_class,
       d.since is not null as drifting, pin.reason as pin_reason, pin.pinned_by, pin.pinned_at,
       (select count(*) from broken_promise b where b.customer_id = c.id and b.broken_on between $3 and $2)
           as broken_promises
from unnest($1::uuid[]) as wanted (id)
join customer c on c.id = wanted.id
cross join lateral (
    select count(*) filter (where paid) as paid,
           coalesce(sum(ended_on - due_date) filter (where paid), 0)::bigint as days_late,
           count(*) filter (where paid and ended_on > due_date) as paid_late,
           count(*) filter (where disputed_on between $3 and $2) as disputes,
           count(*) filter (where written_off and ended_on between $4 and $2) as write_offs
    from (select *, not written_off and ended_on between $3 and $2 as paid
          from payment_record where customer_id = c.id) r
) p
cross join lateral (
    select coalesce(sum(invoices), 0)::bigint as invoices, $2 - min(oldest) as oldest_overdue_days,
           jsonb_agg(jsonb_build_array(currency, total_minor)) filter (where total_minor > 0) as sales
    from (
        select currency, min(due_date) filter (where balance_minor > 0) as oldest,
               count(*) filter (where due_date between $3 and $2 and status <> 'voided') as invoices,
               coalesce(sum(total_minor) filter (where due_date between $3 and $2 and status <> 'voided'), 0)::bigint
                   as total_minor
        from invoice_exposure where customer_id = c.id group by currency
    ) x
) e
left join credit_file f on f.customer_id = c.id
left join payment_drift d on d.customer_id = c.id
left join segment_pin pin on pin.customer_id = c.id
order by c.id
"""


async def page(tx: Tx, after: UUID | None, count_max: int) -> list[UUID]:
    """Every customer in turn."""
    rows = await tx.fetch(_PAGE, after, count_max)
    return [row["id"] for row in rows]


_PAGE = "select id from customer where $1::uuid is null or id > $1 order by id limit $2"


async def pin(tx: Tx, customer_id: UUID, pin: Pin) -> None:
    await tx.execute(_PIN, customer_id, pin.reason, pin.pinned_by, pin.pinned_at)


_PIN = """
insert into segment_pin (customer_id, reason, pinned_by, pinned_at) values ($1, $2, $3, $4)
on conflict (customer_id) do update set
    reason = excluded.reason, pinned_by = excluded.pinned_by, pinned_at = excluded.pinned_at
"""


async def pins(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, Pin]:
    """Those of these customers that are pinned."""
    rows = await tx.fetch("select * from segment_pin where customer_id = any($1)", customer_ids)
    return {row["customer_id"]: Pin(row["reason"], row["pinned_by"], row["pinned_at"]) for row in rows}


async def unpin(tx: Tx, customer_id: UUID) -> bool:
    """False where it was not pinned."""
    return bool(await tx.fetchval("delete from segment_pin where customer_id = $1 returning true", customer_id))


def _known(row: Any) -> Known:
    history = History(
        paid=row["paid"],
        days_late=row["days_late"],
        paid_late=row["paid_late"],
        disputes=row["disputes"],
        broken_promises=row["broken_promises"],
        write_offs=row["write_offs"],
        oldest_overdue_days=row["oldest_overdue_days"],
    )
    return Known(
        customer_id=row["id"],
        segment=row["segment"],
        country=row["country"],
        currency=row["currency"],
        onboarded_on=row["onboarded_on"],
        history=history,
        sales=tuple(Money(minor, currency) for currency, minor in row["sales"] or ()),
        invoices=row["invoices"],
        risk_class=row["risk_class"],
        drifting=row["drifting"],
        pin=Pin(row["pin_reason"], row["pinned_by"], row["pinned_at"]) if row["pinned_by"] else None,
    )
