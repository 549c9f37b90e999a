"""Invoices that were paid, disputed or written off, and broken promises; counted when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.credit.behaviour.rules import History, Record
from shared.db import Tx


async def keep(tx: Tx, records: Sequence[Record]) -> None:
    """One record an invoice; a version that is not newer changes nothing but that there was a dispute."""
    columns = zip(
        *(
            (r.invoice_id, r.customer_id, r.version, r.due_date, r.ended_on, r.written_off, r.disputed_on)
            for r in records
        ),
        strict=True,
    )
    await tx.execute(_KEEP, *map(list, columns))


_KEEP = """
insert into payment_record (invoice_id, customer_id, version, due_date, ended_on, written_off, disputed_on)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::date[], $5::date[], $6::boolean[], $7::date[])
on conflict (invoice_id) do update set
    version = greatest(payment_record.version, excluded.version),
    due_date = case when excluded.version > payment_record.version then excluded.due_date
                    else payment_record.due_date end,
    ended_on = case when excluded.version > payment_record.version then excluded.ended_on
                    else payment_record.ended_on end,
    written_off = case when excluded.version > payment_record.version then excluded.written_off
                       else payment_record.written_off end,
    disputed_on = greatest(payment_record.disputed_on, excluded.disputed_on)
"""


async def keep_broken_promises(tx: Tx, broken: Sequence[tuple[UUID, UUID, date]]) -> None:
    """Rows of (promise_id, customer_id, broken_on)."""
    await tx.execute(_KEEP_BROKEN, *map(list, zip(*broken, strict=True)))


_KEEP_BROKEN = """
insert into broken_promise (promise_id, customer_id, broken_on)
select * from unnest($1::uuid[], $2::uuid[], $3::date[])
on conflict (promise_id) do nothing
"""


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    promises = await tx.execute("update broken_promise set customer_id = $2 where customer_id = $1", from_id, to_id)
    records = await tx.execute("update payment_record set customer_id = $2 where customer_id = $1", from_id, to_id)
    return sum(int(moved.rpartition(" ")[2]) for moved in (promises, records))


async def history(tx: Tx, customer_id: UUID, today: date, since: date, written_off_since: date) -> History:
    row = await tx.fetchrow(_HISTORY, customer_id, today, since, written_off_since)
    return History(**row) if row else History()


_HISTORY = """
select r.*,
    (select count(*) from broken_promise where customer_id = $1 and broken_on between $3 and $2) as broken_promises,
    (select $2 - min(due_date) from invoice_exposure where customer_id = $1 and balance_minor > 0)
        as oldest_overdue_days
from (
    select count(*) filter (where paid) as paid,
           coalesce(sum(ended_on - due_date) filter (where paid), 0)::bigint as days_late,
           count(*) filter (where paid and ended_on > due_date) as paid_late,
           count(*) filter (where disputed_on between $3 and $2) as disputes,
           count(*) filter (where written_off and ended_on between $4 and $2) as write_offs
    from (select *, not written_off and ended_on between $3 and $2 as paid
          from payment_record where customer_id = $1) p
) r
"""
