"""Tables: invoice, invoice_line, invoice_tax, overdue_episode, adjustment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.invoice.drafting.rules import InvoiceParticulars
from services.invoice.invoices.rules import Adjustment, CreditAnswer, Document, Filed, Invoice
from services.invoice.pricing.rules import LineParticulars, PricedLine, TaxGroup
from services.invoice.terms.rules import AgreedTerms
from shared.db import Tx

NEXT_LOOK = "(select min(next_look_at) from invoice where next_look_at is not null)"
"""The earliest moment at which the overdue ladder has something to say."""

_FIELDS = tuple(field.name for field in fields(Invoice))
_INVOICE = ", ".join(f"i.{name}" for name in _FIELDS)
_FILED = "i.credit_policy, i.credit_outcome, i.credit_reasons, i.credit_decision_id, i.issued_at"
_WIDTH = len(_FIELDS)
_invoice_values = attrgetter(*_FIELDS)


def _filed(values: Sequence[Any]) -> Filed:
    policy, outcome, reasons, decision_id, issued_at = values[_WIDTH : _WIDTH + 5]
    return Filed(Invoice(*values[:_WIDTH]), CreditAnswer(policy, outcome, tuple(reasons), decision_id), issued_at)


# --- written once, when issued ---

_COLUMNS = (
    *_FIELDS,
    *("status", "total_minor", "balance_minor", "next_look_at"),
    *("credit_policy", "credit_outcome", "credit_reasons", "credit_decision_id", "issued_at", "import_id"),
    *("supplied_on", "terms", "particulars"),
)
_NUMBER = _FIELDS.index("number")
_LINE_COLUMNS = tuple(field.name for field in fields(PricedLine))
_TAX_COLUMNS = tuple(field.name for field in fields(TaxGroup))
_plain_line_values = attrgetter(*_LINE_COLUMNS[:-1])
_tax_values = attrgetter(*_TAX_COLUMNS)


def _line_values(line: PricedLine) -> tuple[Any, ...]:
    return (*_plain_line_values(line), _kept(line.particulars))


def _kept(model: BaseModel | None) -> dict[str, Any] | None:
    return model.model_dump(mode="json", exclude_defaults=True) if model else None


def _row(document: Document, next_look_at: datetime | None, import_id: UUID | None) -> tuple[Any, ...]:
    invoice, credit = document.invoice, document.filed.credit
    return (
        *_invoice_values(invoice),
        *(invoice.status, invoice.total_minor, invoice.balance_minor, next_look_at),
        *(credit.policy, credit.outcome, credit.reasons, credit.decision_id, document.filed.issued_at, import_id),
        *(document.supplied_on, _kept(document.terms), _kept(document.particulars)),
    )


def _placeholders() -> str:
    """One for each column; an empty number takes the series' next one."""
    numbered = [f"${n}" for n in range(1, len(_COLUMNS) + 1)]
    numbered[_NUMBER] = f"coalesce(nullif(${_NUMBER + 1}, ''), (select number from series))"
    return ", ".join(numbered)


_L, _T = len(_COLUMNS), len(_COLUMNS) + len(_LINE_COLUMNS)

_INSERT = f"""
with series as (
    update number_series set next_number = next_number + 1
    where entity_id = ${_FIELDS.index("entity_id") + 1} and kind = 'invoice' and ${_NUMBER + 1} = ''
    returning prefix || lpad((next_number - 1)::text, greatest(6, length((next_number - 1)::text)), '0') as number
), written as (
    insert into invoice ({", ".join(_COLUMNS)}) values ({_placeholders()}) returning number
), lines as (
    insert into invoice_line (invoice_id, {", ".join(_LINE_COLUMNS)})
    select $1, position, description, quantity, price, net, category, rate, particulars::jsonb
    from unnest(${_L + 1}::int[], ${_L + 2}::text[], ${_L + 3}::bigint[], ${_L + 4}::bigint[], ${_L + 5}::bigint[],
                ${_L + 6}::text[], ${_L + 7}::int[], ${_L + 8}::text[])
        as t (position, description, quantity, price, net, category, rate, particulars)
), taxes as (
    insert into invoice_tax (invoice_id, {", ".join(_TAX_COLUMNS)})
    select $1, * from unnest(${_T + 1}::text[], ${_T + 2}::int[], ${_T + 3}::bigint[], ${_T + 4}::bigint[],
                             ${_T + 5}::text[], ${_T + 6}::text[])
)
select number from written
"""


async def insert(tx: Tx, document: Document, next_look_at: datetime | None) -> str:
    """File an invoice; returns its number, taken from the entity's series where it has none of its own yet."""
    return await tx.fetchval(
        _INSERT,
        *_row(document, next_look_at, None),
        *zip(*map(_plain_line_values, document.lines), strict=True),
        [line.particulars and line.particulars.model_dump_json(exclude_defaults=True) for line in document.lines],
        *zip(*map(_tax_values, document.taxes), strict=True),
    )


async def copy(
    tx: Tx, documents: Sequence[Document], next_looks_at: Sequence[datetime | None], import_id: UUID
) -> None:
    """File many invoices that have their numbers."""
    rows = (_row(document, at, import_id) for document, at in zip(documents, next_looks_at, strict=True))
    await tx.copy_records("invoice", _COLUMNS, rows)
    lines = ((d.invoice.id, *_line_values(line)) for d in documents for line in d.lines)
    await tx.copy_records("invoice_line", ("invoice_id", *_LINE_COLUMNS), lines)
    taxes = ((d.invoice.id, *_tax_values(group)) for d in documents for group in d.taxes)
    await tx.copy_records("invoice_tax", ("invoice_id", *_TAX_COLUMNS), taxes)


_NUMBERS_TAKEN = "select number from invoice where entity_id = $1 and number = any($2::text[])"


async def numbers_taken(tx: Tx, entity_id: str, numbers: Sequence[str]) -> set[str]:
    return {row[0] for row in await tx.fetch(_NUMBERS_TAKEN, entity_id, numbers)}


# --- changed while it is owed ---

_CHANGING = (
    *("id", "version", "allocated_minor", "disputed_minor", "overdue_episode", "overdue_since", "aged_days"),
    *("due_soon_on", "raised_on", "moved_on", "reopened_on", "settled_on", "charged_minor", "credited_minor"),
    *("discounted_minor", "difference_minor", "written_off_minor", "planned_minor", "voided_on", "status"),
    *("balance_minor", "due_date"),
)
_changing_values = attrgetter(*_CHANGING)

_SAVE = f"""
with given as (
    select * from unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::int[],
                         $8::date[], $9::date[], $10::date[], $11::date[], $12::date[], $13::bigint[], $14::bigint[],
                         $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::date[], $20::text[],
                         $21::bigint[], $22::date[], $23::timestamptz[], $24::date[])
        as t ({", ".join(_CHANGING)}, next_look_at, episode_announced_on)
), cleared as (
    update overdue_episode e set cleared_on = coalesce(g.settled_on, g.moved_on)
    from given g where e.invoice_id = g.id and e.cleared_on is null and g.overdue_since is null
), started as (
    insert into overdue_episode (invoice_id, episode, due_date, started_on, announced_on)
    select i.id, g.overdue_episode, i.due_date, g.overdue_since, g.episode_announced_on
    from given g join invoice i on i.id = g.id where g.episode_announced_on is not null
)
update invoice i set {", ".join(f"{name} = g.{name}" for name in (*_CHANGING[1:], "next_look_at"))}
from given g where i.id = g.id and i.version < g.version
"""


async def save(
    tx: Tx,
    invoices: Sequence[Invoice],
    next_looks_at: Sequence[datetime | None],
    episodes_announced_on: Sequence[date | None],
) -> int:
    """Write what changed, ending and starting overdue episodes with it; returns how many were older than given."""
    columns = zip(*map(_changing_values, invoices), strict=True)
    status = await tx.execute(_SAVE, *columns, next_looks_at, episodes_announced_on)
    return int(status.rpartition(" ")[2])


_ADJUSTMENT = tuple(field.name for field in fields(Adjustment))
_adjustment_values = attrgetter(*_ADJUSTMENT)

_ADJUST = f"""
insert into adjustment ({", ".join(_ADJUSTMENT)})
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::text[], $8::uuid[],
                     $9::text[], $10::date[])
"""


async def adjust(tx: Tx, adjustments: Sequence[Adjustment]) -> None:
    await tx.execute(_ADJUST, *zip(*map(_adjustment_values, adjustments), strict=True))


_ADJUSTMENTS_OF = f"""
select {", ".join(_ADJUSTMENT)} from adjustment where invoice_id = any($1::uuid[]) order by id
"""


async def adjustments_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Adjustment]:
    return [Adjustment(*row.values()) for row in await tx.fetch(_ADJUSTMENTS_OF, invoice_ids)]


_ADJUSTMENTS_FROM = f"""
select {", ".join(_ADJUSTMENT)} from adjustment where source_id = $1 and reversed_on is null order by id
"""


async def adjustments_from(tx: Tx, source_id: UUID) -> list[Adjustment]:
    return [Adjustment(*row.values()) for row in await tx.fetch(_ADJUSTMENTS_FROM, source_id)]


_TAKE_BACK = "update adjustment set reversed_on = $2 where id = any($1::uuid[]) and reversed_on is null"


async def take_back(tx: Tx, adjustment_ids: Sequence[UUID], on: date) -> None:
    await tx.execute(_TAKE_BACK, adjustment_ids, on)


_PASS_OVER = """
update invoice i set next_look_at = g.next_look_at, due_soon_on = g.due_soon_on
from unnest($1::uuid[], $2::timestamptz[], $3::date[]) as g (id, next_look_at, due_soon_on) where i.id = g.id
"""


async def look_later(tx: Tx, invoices: Sequence[Invoice], next_looks_at: Sequence[datetime | None]) -> None:
    await tx.execute(_PASS_OVER, [i.id for i in invoices], next_looks_at, [i.due_soon_on for i in invoices])


# --- read ---

_FIND = f"select {_INVOICE}, {_FILED} from invoice i where i.id = $1"
_FIND_DOCUMENT = f"select {_INVOICE}, {_FILED}, i.supplied_on, i.terms, i.particulars from invoice i where i.id = $1"
_LINES = f"select {', '.join(_LINE_COLUMNS)} from invoice_line where invoice_id = $1 order by position"
_TAXES = f"select {', '.join(_TAX_COLUMNS)} from invoice_tax where invoice_id = $1 order by category, rate_bp"


async def find(tx: Tx, invoice_id: UUID) -> Invoice | None:
    row = await tx.fetchrow(_FIND, invoice_id)
    return Invoice(*tuple(row.values())[:_WIDTH]) if row else None


async def find_document(tx: Tx, invoice_id: UUID) -> Document | None:
    row = await tx.fetchrow(_FIND_DOCUMENT, invoice_id)
    if row is None:
        return None
    *filed, supplied_on, terms, particulars = row.values()
    return Document(
        _filed(filed),
        tuple(_line(*line.values()) for line in await tx.fetch(_LINES, invoice_id)),
        tuple(TaxGroup(*group.values()) for group in await tx.fetch(_TAXES, invoice_id)),
        AgreedTerms.model_validate(terms) if terms else None,
        supplied_on,
        InvoiceParticulars.model_validate(particulars) if particulars else None,
    )


def _line(*values: Any) -> PricedLine:
    *plain, particulars = values
    return PricedLine(*plain, particulars=LineParticulars.model_validate(particulars) if particulars else None)


_PAGE = f"""
select {_INVOICE}, {_FILED} from invoice i
where ($1::uuid is null or i.id > $1)
  and ($2::text is null or i.number = $2)
  and ($3::uuid is null or i.customer_id = $3)
  and ($4::text is null or i.status = $4)
order by i.id limit $5
"""


async def page(
    tx: Tx, *, after: UUID | None, number: str | None, customer_id: UUID | None, status: str | None, limit: int
) -> list[Filed]:
    rows = await tx.fetch(_PAGE, after, number, customer_id, status, limit)
    return [_filed(tuple(row.values())) for row in rows]


_ACCOUNT_OF = "select customer_id, entity_id from invoice where id = $1"


async def account_of(tx: Tx, invoice_id: UUID) -> tuple[UUID, str] | None:
    """The customer and the entity whose account the invoice is on."""
    row = await tx.fetchrow(_ACCOUNT_OF, invoice_id)
    return (row[0], row[1]) if row else None


_CUSTOMERS_OF_NUMBERS = """
select distinct customer_id from invoice where entity_id = $1 and (number = any($2::text[]) or id = any($3::uuid[]))
limit 2
"""


async def customers_of(tx: Tx, entity_id: str, numbers: Sequence[str], invoice_ids: Sequence[UUID]) -> list[UUID]:
    return [row[0] for row in await tx.fetch(_CUSTOMERS_OF_NUMBERS, entity_id, numbers, invoice_ids)]


_NAMED = f"""
select {_INVOICE} from invoice i
where i.customer_id = $1 and i.entity_id = $2 and (i.number = any($3::text[]) or i.id = any($4::uuid[]))
order by i.due_date, i.id
"""


async def named(
    tx: Tx, customer_id: UUID, entity_id: str, numbers: Sequence[str], invoice_ids: Sequence[UUID]
) -> list[Invoice]:
    return [Invoice(*row.values()) for row in await tx.fetch(_NAMED, customer_id, entity_id, numbers, invoice_ids)]


_REFERENCED = f"""
select {_INVOICE} from invoice i where i.entity_id = $1 and i.number = any($2::text[])
union
select {_INVOICE} from invoice i where i.entity_id = $1 and i.payment_reference = any($3::text[])
order by due_date, id limit $4
"""


async def referenced(
    tx: Tx, entity_id: str, numbers: Sequence[str], payment_references: Sequence[str], limit: int
) -> list[Invoice]:
    rows = await tx.fetch(_REFERENCED, entity_id, numbers, payment_references, limit)
    return [Invoice(*row.values()) for row in rows]


_OWING_EXACTLY = f"""
select {_INVOICE} from invoice i
where i.entity_id = $1 and i.currency = $2 and i.balance_minor = $3 and i.balance_minor > 0
order by i.due_date, i.id limit $4
"""


async def owing_exactly(tx: Tx, entity_id: str, currency: str, balance_minor: int, limit: int) -> list[Invoice]:
    rows = await tx.fetch(_OWING_EXACTLY, entity_id, currency, balance_minor, limit)
    return [Invoice(*row.values()) for row in rows]


# Of a thousand open invoices only those that the amount can reach are read, in each currency.
_PAYABLE = f"""
select {_INVOICE} from (
    select *, sum(balance_minor - disputed_minor) over (partition by currency order by due_date, id)
              - (balance_minor - disputed_minor) as before_minor
    from invoice where customer_id = $1 and entity_id = $2 and balance_minor > 0
) i
where before_minor < $5::bigint or disputed_minor > 0
union
select {_INVOICE} from invoice i
where i.customer_id = $1 and i.entity_id = $2 and (i.number = any($3::text[]) or i.id = any($4::uuid[]))
order by due_date, id
"""


async def payable(
    tx: Tx,
    customer_id: UUID,
    entity_id: str,
    numbers: Sequence[str],
    invoice_ids: Sequence[UUID],
    amount_minor: int,
) -> list[Invoice]:
    rows = await tx.fetch(_PAYABLE, customer_id, entity_id, numbers, invoice_ids, amount_minor)
    return [Invoice(*row.values()) for row in rows]


_OPEN = f"""
select {_INVOICE} from invoice i
where i.customer_id = $1 and i.entity_id = $2 and i.balance_minor > 0 order by i.due_date, i.id
"""


async def open_items(tx: Tx, customer_id: UUID, entity_id: str) -> list[Invoice]:
    return [Invoice(*row.values()) for row in await tx.fetch(_OPEN, customer_id, entity_id)]


_CUSTOMERS_TO_LOOK_AT = """
select distinct customer_id from (
    select customer_id from invoice where next_look_at <= $1 order by next_look_at limit $2
) due
"""


async def customers_to_look_at(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    return [row[0] for row in await tx.fetch(_CUSTOMERS_TO_LOOK_AT, now, limit)]


_TO_LOOK_AT = f"""
select {_INVOICE} from invoice i
where i.customer_id = any($1::uuid[]) and i.next_look_at <= $2
order by i.customer_id, i.due_date, i.id limit $3
"""


async def to_look_at(tx: Tx, customer_ids: Sequence[UUID], now: datetime, limit: int) -> list[Invoice]:
    return [Invoice(*row.values()) for row in await tx.fetch(_TO_LOOK_AT, customer_ids, now, limit)]
