"""Tables: payment, allocation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

from services.invoice.payments.rules import Payment, Standing, Taken
from shared.db import Tx
from shared.money import Money

_FIELDS = tuple(field.name for field in fields(Payment))
_PAYMENT = ", ".join(f"p.{name}" for name in _FIELDS)
_values = attrgetter(*_FIELDS)
_F = len(_FIELDS)


@dataclass(frozen=True, slots=True)
class NewAllocation:
    invoice_id: UUID
    amount_minor: int
    effective_on: date
    charges_minor: int = 0


@dataclass(frozen=True, slots=True)
class Allocation:
    payment_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Money
    effective_on: date
    reversed_on: date | None
    charges: Money
    """What of the amount went to the invoice's costs and interest."""
    reversal_reason: str | None = None


_INSERT = f"""
with received as (
    insert into payment ({", ".join(_FIELDS)}, status, unapplied_minor, booked_at)
    values ({", ".join(f"${n}" for n in range(1, _F + 4))})
)
insert into allocation (payment_id, invoice_id, amount_minor, effective_on, charges_minor)
select $1, * from unnest(${_F + 4}::uuid[], ${_F + 5}::bigint[], ${_F + 6}::date[], ${_F + 7}::bigint[])
"""


async def insert(tx: Tx, payment: Payment, allocations: Sequence[NewAllocation]) -> None:
    await tx.execute(
        _INSERT,
        *_values(payment),
        *(payment.status, payment.unapplied_minor, tx.now),
        *_columns(allocations),
    )


_ALLOCATE = """
with applied as (
    update payment set version = $2, applied_minor = $3, unapplied_minor = $4, status = $5, applied_by = $6
    where id = $1
)
insert into allocation (payment_id, invoice_id, amount_minor, effective_on, charges_minor)
select $1, * from unnest($7::uuid[], $8::bigint[], $9::date[], $10::bigint[])
"""


async def allocate(tx: Tx, payment: Payment, allocations: Sequence[NewAllocation]) -> None:
    p = payment
    await tx.execute(
        _ALLOCATE,
        *(p.id, p.version, p.applied_minor, p.unapplied_minor, p.status, p.applied_by),
        *_columns(allocations),
    )


def _columns(allocations: Sequence[NewAllocation]) -> tuple[list[UUID], list[int], list[date], list[int]]:
    return (
        [allocation.invoice_id for allocation in allocations],
        [allocation.amount_minor for allocation in allocations],
        [allocation.effective_on for allocation in allocations],
        [allocation.charges_minor for allocation in allocations],
    )


_REVERSE = """
with reversed as (
    update payment set version = $2, applied_minor = 0, unapplied_minor = 0, status = 'reversed', reversed_on = $3,
                       reversal_reason = $4, reversal_kind = $5
    where id = $1
)
update allocation set reversed_on = $3 where payment_id = $1 and reversed_on is null
"""


async def reverse(tx: Tx, payment: Payment) -> None:
    await tx.execute(
        _REVERSE,
        *(payment.id, payment.version, payment.reversed_on, payment.reversal_reason, payment.reversal_kind),
    )


_STANDING = """
select id, payment_id, amount_minor, charges_minor from allocation where invoice_id = $1 and reversed_on is null
"""


async def standing(tx: Tx, invoice_id: UUID) -> list[Standing]:
    return [Standing(*row.values()) for row in await tx.fetch(_STANDING, invoice_id)]


# What is taken back of an allocation becomes a row of its own beside the rest that stands.
_UNALLOCATE = """
with taken as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as t (id, amount_minor, charges_minor)
), whole as (
    update allocation a set reversed_on = $4, reversal_reason = $5
    from taken t where a.id = t.id and a.amount_minor = t.amount_minor
), parted as (
    insert into allocation
        (payment_id, invoice_id, amount_minor, effective_on, charges_minor, reversed_on, reversal_reason)
    select a.payment_id, a.invoice_id, t.amount_minor, a.effective_on, t.charges_minor, $4, $5
    from taken t join allocation a on a.id = t.id where a.amount_minor > t.amount_minor
)
update allocation a
set amount_minor = a.amount_minor - t.amount_minor, charges_minor = a.charges_minor - t.charges_minor
from taken t where a.id = t.id and a.amount_minor > t.amount_minor
"""


async def unallocate(tx: Tx, taken: Sequence[Taken], on: date, reason: str | None = None) -> None:
    await tx.execute(
        _UNALLOCATE,
        [each.allocation.id for each in taken],
        [each.amount_minor for each in taken],
        [each.charges_minor for each in taken],
        on,
        reason,
    )


_SAVE = """
update payment set version = $2, applied_minor = $3, refunded_minor = $4, unapplied_minor = $5, status = $6
where id = $1
"""


async def save(tx: Tx, payment: Payment) -> None:
    p = payment
    await tx.execute(_SAVE, p.id, p.version, p.applied_minor, p.refunded_minor, p.unapplied_minor, p.status)


_FIND = f"select {_PAYMENT}, p.booked_at from payment p where p.id = $1"


async def find(tx: Tx, payment_id: UUID) -> tuple[Payment, datetime] | None:
    row = await tx.fetchrow(_FIND, payment_id)
    if row is None:
        return None
    values = tuple(row.values())
    return Payment(*values[:-1]), values[-1]


_ACCOUNT_OF = "select customer_id, entity_id from payment where id = $1"


async def account_of(tx: Tx, payment_id: UUID) -> tuple[UUID, str] | None:
    row = await tx.fetchrow(_ACCOUNT_OF, payment_id)
    return (row[0], row[1]) if row else None


_ALLOCATIONS = """
select a.payment_id, a.invoice_id, i.number, a.amount_minor, i.currency, a.effective_on, a.reversed_on, a.charges_minor,
       a.reversal_reason
from allocation a join invoice i on i.id = a.invoice_id
where a.payment_id = any($1::uuid[]) order by a.id
"""


async def allocations_of(tx: Tx, payment_ids: Sequence[UUID]) -> list[Allocation]:
    return [
        Allocation(payment_id, invoice_id, number, Money(minor, currency), since, until, Money(charges, currency), why)
        for payment_id, invoice_id, number, minor, currency, since, until, charges, why in map(
            tuple, await tx.fetch(_ALLOCATIONS, payment_ids)
        )
    ]


_CHARGES_PAID = """
select invoice_id, sum(charges_minor)::bigint from allocation
where invoice_id = any($1::uuid[]) and reversed_on is null group by invoice_id
"""


async def charges_paid(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, int]:
    return {row[0]: row[1] for row in await tx.fetch(_CHARGES_PAID, invoice_ids)}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money on an invoice, with the day it was received, whatever the day it was applied."""

    invoice_id: UUID
    amount_minor: int
    received_on: date
    reversed_on: date | None


_RECEIPTS = """
select a.invoice_id, a.amount_minor, p.received_on, a.reversed_on
from allocation a join payment p on p.id = a.payment_id
where a.invoice_id = any($1::uuid[]) order by a.id
"""


async def receipts_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Receipt]:
    return [Receipt(*row.values()) for row in await tx.fetch(_RECEIPTS, invoice_ids)]


_PAGE = f"""
select {_PAYMENT}, p.booked_at from payment p
where ($1::uuid is null or p.id > $1)
  and ($2::uuid is null or p.customer_id = $2)
  and ($3::text is null or p.status = $3)
order by p.id limit $4
"""


async def page(
    tx: Tx, after: UUID | None, customer_id: UUID | None, status: str | None, limit: int
) -> list[tuple[Payment, datetime]]:
    rows = await tx.fetch(_PAGE, after, customer_id, status, limit)
    return [(Payment(*tuple(row.values())[:-1]), row[-1]) for row in rows]


_UNAPPLIED = """
select currency, sum(unapplied_minor)::bigint from payment
where customer_id = $1 and entity_id = $2 and unapplied_minor > 0 group by currency order by currency
"""


async def unapplied(tx: Tx, customer_id: UUID, entity_id: str) -> list[Money]:
    return [Money(minor, currency) for currency, minor in await tx.fetch(_UNAPPLIED, customer_id, entity_id)]
