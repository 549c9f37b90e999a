"""Tables: reservation, blocked_order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.credit.reservations.rules import BlockedOrder, Reservation
from shared.db import Tx
from shared.money import Money

EXPIRY_DUE = "(select min(expires_at) from reservation where status = 'held')"


async def add(tx: Tx, reservation: Reservation) -> bool:
    """False when the order has one already."""
    return bool(
        await tx.fetchval(
            _ADD,
            reservation.id,
            reservation.customer_id,
            reservation.decision_id,
            reservation.reference,
            reservation.amount.minor,
            reservation.amount.currency,
            reservation.made_at,
            reservation.expires_at,
        )
    )


_ADD = """
with late as (
    update reservation set status = 'expired', version = version + 1, ended_at = expires_at
    where customer_id = $2 and reference = $4 and status = 'held' and expires_at <= $7
)
insert into reservation (id, version, customer_id, decision_id, reference, amount_minor, currency, status, made_at,
                         expires_at)
values ($1, 1, $2, $3, $4, $5, $6, 'held', $7, $8)
on conflict (customer_id, reference) where status = 'held' do nothing
returning true
"""


async def read(tx: Tx, reservation_id: UUID) -> Reservation | None:
    row = await tx.fetchrow("select * from reservation where id = $1", reservation_id)
    return _reservation(row) if row else None


async def lock(tx: Tx, reservation_id: UUID) -> Reservation | None:
    row = await tx.fetchrow("select * from reservation where id = $1 for update", reservation_id)
    return _reservation(row) if row else None


async def save(tx: Tx, reservation: Reservation) -> bool:
    """False when the invoice used up another one."""
    try:
        async with tx.savepoint():
            await tx.execute(
                _SAVE,
                reservation.id,
                reservation.version,
                reservation.status,
                reservation.ended_at,
                reservation.invoice_id,
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


_SAVE = "update reservation set version = $2, status = $3, ended_at = $4, invoice_id = $5 where id = $1"


async def expire(tx: Tx, count_max: int) -> list[UUID]:
    """End what has run out; returns the customers."""
    return [row["customer_id"] for row in await tx.fetch(_EXPIRE, tx.now, count_max)]


_EXPIRE = """
update reservation set status = 'expired', version = version + 1, ended_at = expires_at
where id in (
    select id from reservation where status = 'held' and expires_at <= $1 order by expires_at limit $2
    for update skip locked
)
returning customer_id
"""


async def reserved_for_both(tx: Tx, one_id: UUID, other_id: UUID) -> str | None:
    """An order for which both have a reservation."""
    return await tx.fetchval(_RESERVED_FOR_BOTH, one_id, other_id)


_RESERVED_FOR_BOTH = """
select reference from reservation where customer_id = any(array[$1, $2]::uuid[]) and status = 'held'
group by reference having count(*) > 1 order by reference limit 1
"""


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    moved = await tx.execute(
        "update reservation set customer_id = $2, version = version + 1 where customer_id = $1 and status = 'held'",
        from_id,
        to_id,
    )
    return int(moved.rpartition(" ")[2])


async def of_customer(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> list[Reservation]:
    return [_reservation(row) for row in await tx.fetch(_OF_CUSTOMER, customer_id, before, count_max)]


_OF_CUSTOMER = """
select * from reservation where customer_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
"""


async def block(tx: Tx, order: BlockedOrder) -> None:
    """An order that stands in the queue already stays as it stands."""
    await tx.execute(
        _BLOCK,
        order.id,
        order.customer_id,
        order.reference,
        order.amount.minor,
        order.amount.currency,
        order.reasons,
        order.asked_by,
        order.blocked_at,
    )


_BLOCK = """
insert into blocked_order (id, version, customer_id, reference, amount_minor, currency, reasons, asked_by, blocked_at,
                           status)
values ($1, 1, $2, $3, $4, $5, $6, $7, $8, 'waiting')
on conflict (customer_id, reference) where status = 'waiting' do nothing
"""


async def lock_blocked(tx: Tx, id: UUID) -> BlockedOrder | None:
    row = await tx.fetchrow("select * from blocked_order where id = $1 for update", id)
    return _blocked(row) if row else None


async def read_blocked(tx: Tx, id: UUID) -> BlockedOrder | None:
    row = await tx.fetchrow("select * from blocked_order where id = $1", id)
    return _blocked(row) if row else None


async def save_blocked(tx: Tx, order: BlockedOrder) -> None:
    await tx.execute(
        _SAVE_BLOCKED, order.id, order.version, order.status, order.closed_at, order.closed_by, order.closed_because
    )


_SAVE_BLOCKED = """
update blocked_order set version = $2, status = $3, closed_at = $4, closed_by = $5, closed_because = $6 where id = $1
"""


async def blocked(
    tx: Tx, status: str | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[BlockedOrder]:
    return [_blocked(row) for row in await tx.fetch(_BLOCKED, status, customer_id, after, count_max)]


_BLOCKED = """
select * from blocked_order
where ($1::text is null or status = $1) and ($2::uuid is null or customer_id = $2) and ($3::uuid is null or id > $3)
order by id limit $4
"""


def _reservation(row: Any) -> Reservation:
    return Reservation(
        id=row["id"],
        version=row["version"],
        customer_id=row["customer_id"],
        decision_id=row["decision_id"],
        reference=row["reference"],
        amount=Money(row["amount_minor"], row["currency"]),
        status=row["status"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        invoice_id=row["invoice_id"],
    )


def _blocked(row: Any) -> BlockedOrder:
    return BlockedOrder(
        id=row["id"],
        version=row["version"],
        customer_id=row["customer_id"],
        reference=row["reference"],
        amount=Money(row["amount_minor"], row["currency"]),
        reasons=tuple(row["reasons"]),
        asked_by=row["asked_by"],
        blocked_at=row["blocked_at"],
        status=row["status"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        closed_because=row["closed_because"],
    )
