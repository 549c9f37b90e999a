"""Tables: reconciliation, its differences and schedule; invoices, payments and the journal are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import date, datetime
from uuid import UUID

from services.invoice.reconciliation.rules import Difference, Listed, Reconciliation, What
from shared.db import Tx

NEXT_DUE = "(select next_at from reconciliation_schedule where not_before <= now())"
"""Real days are what a control over the books is for: years simulated in minutes get a run an hour, not one a day."""

_MOVED_SINCE = "select coalesce((select up_to_entry from reconciliation order by id desc offset 1 limit 1), 0)"


async def moved_since(tx: Tx) -> int:
    """The entry up to which the run before the last had looked: entries become visible a little out of order, and the
    overlap of a run covers the slowest transaction."""
    return await tx.fetchval(_MOVED_SINCE)


_LAST_ENTRY = "select coalesce(max(id), 0) from journal_entry"


async def last_entry(tx: Tx) -> int:
    return await tx.fetchval(_LAST_ENTRY)


_COMPARED = """
with booked as (
    select e.{subject} as id,
           sum(case when e.{side} = '{account}' then e.amount_minor else -e.amount_minor end)::bigint as minor
    from journal_entry e
    where e.{subject} is not null and '{account}' in (e.debit, e.credit)
      and ($1 = 0 or e.{subject} in (select m.{subject} from journal_entry m where m.id > $1))
    group by e.{subject}
), compared as (
    select s.id, s.customer_id, {name} as name, s.currency, coalesce(b.minor, 0) as booked, s.{shown} as shown
    from {table} s left join booked b on b.id = s.id
    where $1 = 0 or b.id is not null
)
select count(*),
       coalesce(jsonb_agg(jsonb_build_array(
           customer_id, id, name, currency, booked, shown,
           (select coalesce(jsonb_agg(id), '[]') from (
                select e.id from journal_entry e where e.{subject} = c.id order by e.id desc limit 100) own)
       )) filter (where booked <> shown), '[]')
from compared c
"""
_INVOICES = _COMPARED.format(
    subject="invoice_id",
    side="debit",
    account="trade_receivables",
    name="s.number",
    shown="balance_minor",
    table="invoice",
)
_PAYMENTS = _COMPARED.format(
    subject="payment_id",
    side="credit",
    account="unapplied_cash",
    name="coalesce(s.reference, s.id::text)",
    shown="unapplied_minor",
    table="payment",
)


async def compare(tx: Tx, what: What, since: int) -> tuple[int, list[Difference]]:
    """How many invoices or payments were held against their entries, and where the two differ: those with an entry
    behind `since`, all of them for 0."""
    row = await tx.fetchrow(_INVOICES if what == "invoice" else _PAYMENTS, since)
    assert row is not None
    return row[0], [
        Difference(what, UUID(customer), UUID(subject), name, currency, booked, shown, tuple(entries))
        for customer, subject, name, currency, booked, shown, entries in row[1]
    ]


_RECEIVABLES = """
select {group}e.currency,
       sum(case when e.debit = 'trade_receivables' then e.amount_minor else -e.amount_minor end)::bigint
from journal_entry e
where e.effective_on <= $1 and 'trade_receivables' in (e.debit, e.credit)
group by {group}e.currency
"""
_RECEIVABLES_BY_CURRENCY = _RECEIVABLES.format(group="")
_RECEIVABLES_BY_CUSTOMER = _RECEIVABLES.format(group="e.customer_id, ")


async def receivables(tx: Tx, as_of: date) -> dict[str, int]:
    return {row[0]: row[1] for row in await tx.fetch(_RECEIVABLES_BY_CURRENCY, as_of)}


async def receivables_by_customer(tx: Tx, as_of: date) -> dict[tuple[UUID, str], int]:
    return {(row[0], row[1]): row[2] for row in await tx.fetch(_RECEIVABLES_BY_CUSTOMER, as_of)}


_NAMES = "select id, external_id from customer where id = any($1::uuid[])"


async def names(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row[0]: row[1] for row in await tx.fetch(_NAMES, customer_ids)}


_LOCK_SCHEDULE = "select next_at from reconciliation_schedule for update skip locked"


async def lock_schedule(tx: Tx) -> datetime | None:
    """None while another worker is at it."""
    return await tx.fetchval(_LOCK_SCHEDULE)


_SCHEDULE = "update reconciliation_schedule set next_at = $1, not_before = now() + interval '1 hour'"


async def schedule(tx: Tx, next_at: datetime) -> None:
    await tx.execute(_SCHEDULE, next_at)


_COLUMNS = (
    "id, on_day, as_of, at, scope, invoices_compared, payments_compared, up_to_entry, reporting, differences_count"
)
_INSERT = f"insert into reconciliation ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_INSERT_DIFFERENCES = """
insert into reconciliation_difference (reconciliation_id, position, what, customer_id, subject_id, name, currency,
                                       booked_minor, shown_minor, entries)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def insert(tx: Tx, run: Reconciliation) -> None:
    await tx.execute(
        _INSERT,
        *(run.id, run.on_day, run.as_of, run.at, run.scope, run.invoices_compared, run.payments_compared),
        *(run.up_to_entry, run.reporting, len(run.differences)),
    )
    rows = [(run.id, position, *astuple(each)) for position, each in enumerate(run.differences, start=1)]
    if rows:
        await tx.executemany(_INSERT_DIFFERENCES, rows)


_PAGE = f"""
select {_COLUMNS} from reconciliation
where ($1::uuid is null or id < $1) and (not $2 or differences_count > 0) order by id desc limit $3
"""


async def page(tx: Tx, before: UUID | None, differing: bool, limit: int) -> list[Listed]:
    return [Listed(*row.values()) for row in await tx.fetch(_PAGE, before, differing, limit)]


_FIND = f"select {_COLUMNS} from reconciliation where id = $1"
_DIFFERENCES = """
select what, customer_id, subject_id, name, currency, booked_minor, shown_minor, entries
from reconciliation_difference where reconciliation_id = $1 order by position
"""


async def find(tx: Tx, reconciliation_id: UUID) -> tuple[Listed, list[Difference]] | None:
    row = await tx.fetchrow(_FIND, reconciliation_id)
    if row is None:
        return None
    differences = [Difference(*each.values()) for each in await tx.fetch(_DIFFERENCES, reconciliation_id)]
    return Listed(*row.values()), differences
