"""Tables: recurring_invoice, recurring_period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.invoice.billing_days.rules import Bill, Pause, Period, PriceChange, Recurring
from services.invoice.drafting.rules import LineIn
from services.invoice.recurrence.rules import Days
from services.invoice.terms.rules import PaymentTerms
from shared.db import Tx

NEXT_DUE = "(select min(next_bill_at) from recurring_invoice where next_bill_at is not null)"
HAS_ANY = "exists (select from recurring_invoice)"

_FIELDS = tuple(field.name for field in fields(Recurring))
_COLUMNS = ", ".join(_FIELDS)


def _recurring(row: Record) -> Recurring:
    values = dict(row)
    values["pauses"] = tuple(map(Pause.model_validate, values["pauses"]))
    values["lines"] = tuple(map(LineIn.model_validate, values["lines"]))
    values["price_changes"] = tuple(map(PriceChange.model_validate, values["price_changes"]))
    if values["payment_terms"] is not None:
        values["payment_terms"] = PaymentTerms.model_validate(values["payment_terms"])
    return Recurring(**values)


def _row(recurring: Recurring) -> tuple[Any, ...]:
    def written(name: str) -> Any:
        value = getattr(recurring, name)
        if name in ("pauses", "lines", "price_changes"):
            return [each.model_dump(mode="json", by_alias=True, exclude_unset=True) for each in value]
        if name == "payment_terms" and value is not None:
            return value.model_dump(mode="json", exclude_unset=True)
        return value

    return tuple(map(written, _FIELDS))


_INSERT = f"""
insert into recurring_invoice ({_COLUMNS}, next_bill_at)
values ({", ".join(f"${n}" for n in range(1, len(_FIELDS) + 2))})
"""


async def insert(tx: Tx, recurring: Recurring, next_bill_at: datetime | None) -> None:
    await tx.execute(_INSERT, *_row(recurring), next_bill_at)


_SAVE = f"""
update recurring_invoice set {", ".join(f"{name} = ${n}" for n, name in enumerate(_FIELDS, start=1))},
    next_bill_at = ${len(_FIELDS) + 1}
where id = $1
"""


async def save(tx: Tx, recurring: Recurring, next_bill_at: datetime | None) -> None:
    await tx.execute(_SAVE, *_row(recurring), next_bill_at)


_FIND = f"select {_COLUMNS} from recurring_invoice where id = $1"


async def find(tx: Tx, recurring_id: UUID) -> Recurring | None:
    row = await tx.fetchrow(_FIND, recurring_id)
    return _recurring(row) if row else None


_LOCK = f"{_FIND} for no key update"


async def lock(tx: Tx, recurring_id: UUID) -> Recurring | None:
    row = await tx.fetchrow(_LOCK, recurring_id)
    return _recurring(row) if row else None


_PAGE = f"""
select {_COLUMNS} from recurring_invoice
where ($1::uuid is null or id > $1) and ($2::uuid is null or customer_id = $2) and ($3::text is null or status = $3)
order by id limit $4
"""


async def page(tx: Tx, after: UUID | None, customer_id: UUID | None, status: str | None, limit: int) -> list[Recurring]:
    return [_recurring(row) for row in await tx.fetch(_PAGE, after, customer_id, status, limit)]


_DUE = f"select {_COLUMNS} from recurring_invoice where next_bill_at <= $1 order by next_bill_at, id limit $2"


async def due(tx: Tx, limit: int) -> list[Recurring]:
    return [_recurring(row) for row in await tx.fetch(_DUE, tx.now, limit)]


# --- what became of periods ---

_PERIOD = """
recurring_id, period_start, period_end, whole_start, whole_end, runs, bill_on, status, invoice_id, reason, detail,
decided_at
"""


def _period(row: Record) -> Period:
    runs = tuple(Days(date.fromisoformat(first), date.fromisoformat(last)) for first, last in row["runs"])
    bill = Bill(Days(row["whole_start"], row["whole_end"]), runs, row["bill_on"], row["period_end"])
    return Period(
        row["recurring_id"],
        bill,
        row["status"],
        row["decided_at"],
        row["invoice_id"],
        row["reason"],
        row["detail"],
    )


_DECIDE = f"""
insert into recurring_period ({_PERIOD}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (recurring_id, period_start) do update set
    status = excluded.status, invoice_id = excluded.invoice_id, reason = excluded.reason, detail = excluded.detail,
    decided_at = excluded.decided_at
where recurring_period.status = 'held'
"""


async def decide(tx: Tx, period: Period) -> bool:
    """Write what became of a period; False, and nothing written, for one that is issued or dropped already."""
    days, whole = period.bill.days, period.bill.whole
    runs = [[run.first.isoformat(), run.last.isoformat()] for run in period.bill.runs]
    status = await tx.execute(
        _DECIDE,
        period.recurring_id,
        *(days.first, days.last, whole.first, whole.last, runs, period.bill.bill_on),
        *(period.status, period.invoice_id, period.reason, period.detail, period.decided_at),
    )
    return status.endswith(" 1")


_FIND_PERIOD = f"select {_PERIOD} from recurring_period where recurring_id = $1 and period_start = $2"


async def find_period(tx: Tx, recurring_id: UUID, period_start: date) -> Period | None:
    row = await tx.fetchrow(_FIND_PERIOD, recurring_id, period_start)
    return _period(row) if row else None


_PERIODS = f"""
select {_PERIOD} from recurring_period
where ($1::uuid is null or recurring_id = $1) and ($2::text is null or status = $2)
  and ($3::uuid is null or (recurring_id, period_start) > ($3, $4))
order by recurring_id, period_start limit $5
"""


async def periods(
    tx: Tx, recurring_id: UUID | None, status: str | None, after: tuple[UUID, date] | None, limit: int
) -> list[Period]:
    found: Sequence[Record] = await tx.fetch(_PERIODS, recurring_id, status, *(after or (None, None)), limit)
    return [_period(row) for row in found]
