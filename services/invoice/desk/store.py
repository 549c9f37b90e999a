"""Invoices, disputes, bank entries, imports and payments, read for the overview and for lists across customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from services.invoice.approvals.rules import Approval
from services.invoice.desk.rules import (
    ImportCount,
    InvoiceRow,
    PaidPart,
    Pile,
    Search,
    Stuck,
    Sum,
)
from shared.db import Tx


def _pile(rows: Sequence[Any]) -> Pile:
    """From rows of (currency, count, sum, of these urgent)."""
    return Pile(
        count=sum(row[1] for row in rows),
        sums=tuple(Sum(row[0], row[2]) for row in rows if row[2]),
        urgent=sum(row[3] for row in rows),
    )


# --- what needs somebody ---

_DRAFTS = """
select count(*), count(*) filter (
    where d.created_at <= $1::timestamptz - make_interval(days => coalesce((e.policies ->> 'draft_days_max')::int, $2))
)
from draft d join entity e on e.id = d.entity_id
"""


async def drafts(tx: Tx, days_max: int) -> Pile:
    """`urgent` are those older than their entity allows, or than `days_max` where it does not say."""
    row = await tx.fetchrow(_DRAFTS, tx.now, days_max)
    assert row is not None
    return Pile(row[0], (), row[1])


_QUEUE = """
select currency, count(*), sum(amount_minor)::bigint, count(*) filter (where proposals = '[]')
from cash_application where status = 'open' group by currency order by 2 desc, 1
"""


async def matching_queue(tx: Tx) -> Pile:
    """`urgent` are entries without any proposal."""
    return _pile(await tx.fetch(_QUEUE))


_DISPUTES = """
select i.currency, count(*), sum(d.held_minor)::bigint,
       count(*) filter (where d.answer_by < ($1::timestamptz at time zone e.time_zone)::date)
from dispute d join invoice i on i.id = d.invoice_id join entity e on e.id = i.entity_id
where d.status = 'open' group by i.currency order by 2 desc, 1
"""


async def open_disputes(tx: Tx) -> Pile:
    """`urgent` are those past their deadline."""
    return _pile(await tx.fetch(_DISPUTES, tx.now))


_APPROVALS = """
select currency, count(*), sum(amount_minor)::bigint, 0 from approval
where status = 'open' group by currency order by 2 desc, 1
"""


async def approvals(tx: Tx) -> Pile:
    return _pile(await tx.fetch(_APPROVALS))


_IMPORTS = """
select count(*) filter (where status = 'running'),
       coalesce(sum(rows) filter (where status = 'running'), 0)::bigint,
       coalesce(sum(greatest(accepted + present + rejected, checked)) filter (where status = 'running'), 0)::bigint,
       count(*) filter (where status = 'refused' or rejected > 0)
from import where status = 'running' or received_at > $1::timestamptz - make_interval(days => $2)
"""


async def imports(tx: Tx, days: int) -> ImportCount:
    row = await tx.fetchrow(_IMPORTS, tx.now, days)
    assert row is not None
    return ImportCount(*row.values())


_RECEIVABLES = """
select i.currency, count(*), sum(i.balance_minor)::bigint, count(*) filter (where i.overdue_since is not null)
from invoice i where i.balance_minor > 0 group by i.currency order by 2 desc, 1
"""


async def receivables(tx: Tx) -> Pile:
    """`urgent` are the overdue ones."""
    return _pile(await tx.fetch(_RECEIVABLES))


_STUCK = """
select i.id, i.number, c.name, i.issue_date, i.total_minor, i.currency, d.id, d.channel, d.status, d.recipient,
       d.reason
from delivery d join invoice i on i.id = d.invoice_id join customer c on c.id = i.customer_id
where d.kind = 'invoice' and d.status in ('failed', 'bounced', 'unknown') and i.balance_minor > 0
  and not exists (select from delivery later where later.invoice_id = d.invoice_id and later.id > d.id)
order by i.issue_date, i.id limit $1
"""


async def stuck(tx: Tx, limit: int) -> list[Stuck]:
    """Open invoices of which the last delivery did not arrive, as far as anybody knows; the oldest first."""
    return [Stuck(*row.values()) for row in await tx.fetch(_STUCK, limit)]


# --- lists ---

_INVOICES = """
select i.id, i.number, i.status, c.name, c.external_id, i.issue_date, i.due_date, i.total_minor, i.balance_minor,
       i.disputed_minor, i.currency, i.overdue_since,
       (($1::timestamptz at time zone e.time_zone)::date - i.due_date)
from invoice i join customer c on c.id = i.customer_id join entity e on e.id = i.entity_id
where ($2::uuid is null or i.id < $2)
  and (
      $3 = 'all' or i.status = $3
      or $3 = 'owing' and i.balance_minor > 0
      or $3 = 'overdue' and i.overdue_since is not null
      or $3 = 'disputed' and i.disputed_minor > 0
  )
  and ($4 = '' or i.number ilike $4)
  and ($5 = '' or c.name ilike $5 or c.external_id ilike $5 or c.id::text = $6)
order by i.id desc limit $7
"""


async def invoices(tx: Tx, search: Search, before: UUID | None, limit: int) -> list[InvoiceRow]:
    """The newest first."""
    number, customer = _within(search.number), _within(search.customer)
    rows = await tx.fetch(_INVOICES, tx.now, before, search.status, number, customer, search.customer, limit)
    return [InvoiceRow(*row.values()) for row in rows]


def _within(text: str) -> str:
    """A pattern for `ilike` that finds the text anywhere, taken by the letter; empty for none."""
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%" if text else ""


_APPROVAL = ", ".join(field.name for field in fields(Approval))
_DECIDED = f"select {_APPROVAL} from approval where status <> 'open' order by decided_at desc, id limit $1"


async def decided(tx: Tx, limit: int) -> list[Approval]:
    """The latest first."""
    return [Approval(*row.values()) for row in await tx.fetch(_DECIDED, limit)]


_PAID = """
select a.payment_id, p.received_on, p.method, p.reference, a.amount_minor, a.effective_on, a.reversed_on,
       a.reversal_reason
from allocation a join payment p on p.id = a.payment_id
where a.invoice_id = $1 order by a.id limit $2
"""


async def paid_parts(tx: Tx, invoice_id: UUID, limit: int) -> list[PaidPart]:
    return [PaidPart(*row.values()) for row in await tx.fetch(_PAID, invoice_id, limit)]


_NAMES = "select id, name from customer where id = any($1::uuid[])"


async def names(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row[0]: row[1] for row in await tx.fetch(_NAMES, customer_ids)}


_NUMBERS = "select id, number from invoice where id = any($1::uuid[])"


async def numbers(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row[0]: row[1] for row in await tx.fetch(_NUMBERS, invoice_ids)}
