"""Keep headroom for orders and end it; keep the queue of orders that did not get it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.credit.exposure import handlers as exposure
from services.credit.limits import handlers as limits
from services.credit.reservations import rules, store
from services.credit.reservations.rules import (
    BlockedOrder,
    BlockedOrderNotFound,
    BlockedStatus,
    InvoiceUsedAnother,
    OrderReserved,
    Reservation,
    ReservationNotFound,
    Status,
)
from shared.calendar import local_date
from shared.db import Tx

EXPIRY_DUE = store.EXPIRY_DUE
EXPIRED_A_RUN = 500


async def reserve(tx: Tx, reservation: Reservation) -> None:
    """The caller has locked the customer. Raises OrderReserved."""
    if not await store.add(tx, reservation):
        raise OrderReserved(
            f"Something is reserved for the order {reservation.reference} already; give that back first.",
            field="/reference",
        )


async def end_reservation(tx: Tx, reservation_id: UUID, status: Status, invoice_id: UUID | None) -> Reservation:
    """Used by an invoice, or given back (no invoice). Raises ReservationNotFound, ReservationEnded,
    InvoiceUsedAnother."""
    reservation = await get_reservation(tx, reservation_id)
    await limits.lock_standing(tx, reservation.customer_id, local_date(tx.now, "UTC"))
    reservation = await store.lock(tx, reservation_id)
    if reservation is None:
        raise ReservationNotFound(reservation_id)
    ended = rules.end(reservation, status, invoice_id, tx.now)
    if not await store.save(tx, ended):
        raise InvoiceUsedAnother(f"Invoice {invoice_id} used up another reservation.", field="/invoice_id")
    return ended


async def expire_reservations(tx: Tx, count_max: int = EXPIRED_A_RUN) -> int:
    """End what has run out. Decisions do not wait for it: what has run out counts no longer from that moment on."""
    customers = await store.expire(tx, count_max)
    if customers:
        await exposure.watch(tx, customers, tx.now)
    return len(customers)


async def move(tx: Tx, from_id: UUID, to_id: UUID, by: str, because: str) -> tuple[int, int]:
    """What is reserved for a merged customer's orders is reserved for the surviving one's; its blocked orders are
    refused, to be asked for anew. Both are locked. Returns how many of each. Raises OrderReserved where both have an
    order of one name."""
    if reference := await store.reserved_for_both(tx, from_id, to_id):
        raise OrderReserved(f"Both have a reservation for the order {reference!r}; use or release one of them first.")
    reserved = await store.move(tx, from_id, to_id)
    blocked = 0
    while waiting := await store.blocked(tx, "waiting", from_id, None, 100):
        for order in waiting:
            await close_blocked(tx, order.id, "refused", by, because)
        blocked += len(waiting)
    return reserved, blocked


async def get_reservation(tx: Tx, reservation_id: UUID) -> Reservation:
    """Raises ReservationNotFound."""
    reservation = await store.read(tx, reservation_id)
    if reservation is None:
        raise ReservationNotFound(reservation_id)
    return reservation


async def list_reservations(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Reservation]:
    """Newest first."""
    return await store.of_customer(tx, customer_id, before, count_max)


async def block_order(tx: Tx, order: BlockedOrder) -> None:
    await store.block(tx, order)


async def close_blocked(tx: Tx, id: UUID, status: BlockedStatus, by: str, because: str) -> BlockedOrder | None:
    """None where the decision blocked no order. Raises OrderNotWaiting."""
    order = await store.lock_blocked(tx, id)
    if order is None:
        return None
    order = rules.close(order, status, by, because, tx.now)
    await store.save_blocked(tx, order)
    return order


async def get_blocked(tx: Tx, id: UUID) -> BlockedOrder:
    """Raises BlockedOrderNotFound."""
    order = await store.read_blocked(tx, id)
    if order is None:
        raise BlockedOrderNotFound(f"No blocked order has the id {id}.")
    return order


async def list_blocked(
    tx: Tx, status: BlockedStatus | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[BlockedOrder]:
    """In the order in which they were blocked."""
    return await store.blocked(tx, status, customer_id, after, count_max)
