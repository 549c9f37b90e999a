"""Tables: journal_entry and chart_of_accounts; customer, invoice and payment are read for their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import date
from operator import attrgetter
from uuid import UUID

from services.invoice.journal.rules import AccountTotal, Booked, Chart, ChartAccount, Entry, EntryFilter, Posting
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Entry))
_values = attrgetter(*_FIELDS)

_POST = f"""
insert into journal_entry ({", ".join(_FIELDS)})
select * from unnest($1::text[], $2::uuid[], $3::date[], $4::date[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                     $9::text[], $10::uuid[], $11::uuid[], $12::uuid[])
"""


async def post(tx: Tx, entries: Sequence[Entry]) -> None:
    await tx.execute(_POST, *zip(*map(_values, entries), strict=True))


async def copy(tx: Tx, entries: Sequence[Entry]) -> None:
    await tx.copy_records("journal_entry", _FIELDS, map(_values, entries))


_REVERSE = """
insert into journal_entry (entity_id, customer_id, effective_on, booked_on, kind, debit, credit, amount_minor,
                           currency, invoice_id, payment_id, source_id, reverses)
select e.entity_id, e.customer_id, $2, $3, 'reversal', e.credit, e.debit, e.amount_minor,
       e.currency, e.invoice_id, e.payment_id, e.source_id, e.id
from journal_entry e
where {of} and e.reverses is null
  and not exists (select from journal_entry r where r.reverses = e.id)
order by e.id
"""


_REVERSE_PAYMENT = _REVERSE.format(of="e.payment_id = $1")
_REVERSE_SOURCE = _REVERSE.format(of="e.source_id = any($1::uuid[])")


async def reverse_payment(tx: Tx, payment_id: UUID, effective_on: date, booked_on: date) -> None:
    await tx.execute(_REVERSE_PAYMENT, payment_id, effective_on, booked_on)


_RECEIVABLE_CHANGES = """
select effective_on, sum(case when debit = 'trade_receivables' then amount_minor else -amount_minor end)::bigint
from journal_entry
where customer_id = $1 and invoice_id = $2 and 'trade_receivables' in (debit, credit)
group by effective_on order by effective_on
"""


async def receivable_changes(tx: Tx, customer_id: UUID, invoice_id: UUID) -> list[tuple[date, int]]:
    return [(row[0], row[1]) for row in await tx.fetch(_RECEIVABLE_CHANGES, customer_id, invoice_id)]


_DEBITED = """
select coalesce(sum(amount_minor), 0)::bigint from journal_entry
where source_id = $1 and debit = $2 and reverses is null
"""


async def debited(tx: Tx, source_id: UUID, account: str) -> int:
    return await tx.fetchval(_DEBITED, source_id, account)


async def reverse_source(tx: Tx, source_ids: Sequence[UUID], effective_on: date, booked_on: date) -> None:
    await tx.execute(_REVERSE_SOURCE, source_ids, effective_on, booked_on)


_BOOKED = ", ".join(f"e.{field.name}" for field in fields(Booked))
_WIDTH = len(fields(Booked))

_WHICH = """
    (e.effective_on, e.id) > ($1, $2)
    and e.effective_on between $3 and $4
    and ($5::text is null or e.entity_id = $5)
    and ($6::uuid is null or e.customer_id = $6)
    and ($7::uuid is null or e.invoice_id = $7)
    and ($8::uuid is null or e.payment_id = $8)
    and ($9::text is null or $9 in (e.debit, e.credit))
order by e.effective_on, e.id limit $10
"""

_PAGE = f"select {_BOOKED} from journal_entry e where {_WHICH}"


async def page(tx: Tx, which: EntryFilter, after: tuple[date, int], limit: int) -> list[Booked]:
    return [Booked(*row.values()) for row in await tx.fetch(_PAGE, *after, *astuple(which), limit)]


_POSTINGS = f"""
select {_BOOKED}, c.external_id, i.number, p.reference
from journal_entry e
join customer c on c.id = e.customer_id
left join invoice i on i.id = e.invoice_id
left join payment p on p.id = e.payment_id
where {_WHICH}
"""


async def postings(tx: Tx, which: EntryFilter, after: tuple[date, int], limit: int) -> list[Posting]:
    rows = [tuple(row.values()) for row in await tx.fetch(_POSTINGS, *after, *astuple(which), limit)]
    return [Posting(Booked(*values[:_WIDTH]), *values[_WIDTH:]) for values in rows]


_CHART = "select version, accounts from chart_of_accounts where entity_id = $1"


async def chart(tx: Tx, entity_id: str) -> Chart | None:
    row = await tx.fetchrow(_CHART, entity_id)
    if row is None:
        return None
    return Chart(entity_id, row["version"], {name: ChartAccount(*each) for name, each in row["accounts"].items()})


_KEEP_CHART = """
insert into chart_of_accounts as c (entity_id, version, accounts) values ($1, $2, $3)
on conflict (entity_id) do update set version = excluded.version, accounts = excluded.accounts
where c.version = excluded.version - 1
returning true
"""


async def keep_chart(tx: Tx, chart: Chart) -> bool:
    """False when somebody else changed it meanwhile."""
    accounts = {name: [each.code, each.name] for name, each in chart.accounts.items()}
    return bool(await tx.fetchval(_KEEP_CHART, chart.entity_id, chart.version, accounts))


_TRIAL_BALANCE = """
select account, currency, sum(debit_minor)::bigint, sum(credit_minor)::bigint
from (
    select debit as account, currency, amount_minor as debit_minor, 0 as credit_minor from journal_entry
    where effective_on <= $1 and ($2::text is null or entity_id = $2)
    union all
    select credit, currency, 0, amount_minor from journal_entry
    where effective_on <= $1 and ($2::text is null or entity_id = $2)
) sides
group by account, currency order by currency, account
"""


async def account_totals(tx: Tx, as_of: date, entity_id: str | None) -> list[AccountTotal]:
    return [AccountTotal(*row.values()) for row in await tx.fetch(_TRIAL_BALANCE, as_of, entity_id)]
