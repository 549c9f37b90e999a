"""Headroom kept for an order, and orders that did not get it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Status = Literal["held", "used", "expired", "released"]
BlockedStatus = Literal["waiting", "released", "refused"]
DAYS_MAX = 365


class ReservationNotFound(NotFound):
    slug = "reservation-not-found"
    title = "There is no such reservation"

    def __init__(self, reservation_id: UUID) -> None:
        super().__init__(f"No reservation has the id {reservation_id}.")


class ReservationEnded(Conflict):
    slug = "reservation-ended"
    title = "A reservation is used once, and before it runs out"


class OrderReserved(Conflict):
    slug = "order-reserved"
    title = "This order has a reservation already"


class InvoiceUsedAnother(Conflict):
    slug = "invoice-used-another"
    title = "The invoice used up another reservation"


class BlockedOrderNotFound(NotFound):
    slug = "blocked-order-not-found"
    title = "There is no such blocked order"


class OrderNotWaiting(Conflict):
    slug = "order-not-waiting"
    title = "Somebody decided on this order before"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Headroom kept for an order (`reference`) until it is invoiced, given back, or `expires_at` comes."""

    id: UUID
    version: int
    customer_id: UUID
    decision_id: UUID
    reference: str
    amount: Money
    status: Status
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BlockedOrder:
    """An order that asked for a reservation and did not get it; it bears the id of the decision."""

    id: UUID
    version: int
    customer_id: UUID
    reference: str
    amount: Money
    reasons: tuple[str, ...]
    asked_by: str
    blocked_at: datetime
    status: BlockedStatus = "waiting"
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_because: str | None = None


def expiry(until: datetime | None, days: int, now: datetime) -> datetime:
    """When a reservation runs out. Raises Refused for a moment that is past or too far away."""
    expires_at = until or now + timedelta(days=days)
    if expires_at <= now:
        raise Refused(
            f"A reservation until {expires_at.isoformat()} would have run out already.", field="/reserve_until"
        )
    if expires_at > now + timedelta(days=DAYS_MAX):
        raise Refused(f"A reservation holds for {DAYS_MAX} days at most.", field="/reserve_until")
    return expires_at


def end(reservation: Reservation, status: Status, invoice_id: UUID | None, now: datetime) -> Reservation:
    """Used by an invoice, or given back. Raises ReservationEnded where it ended before, or its time is over."""
    if reservation.status != "held":
        raise ReservationEnded(f"The reservation was {reservation.status} at {reservation.ended_at}.")
    if reservation.expires_at <= now:
        raise ReservationEnded(f"The reservation ran out at {reservation.expires_at.isoformat()}.")
    return replace(reservation, version=reservation.version + 1, status=status, ended_at=now, invoice_id=invoice_id)


def close(order: BlockedOrder, status: BlockedStatus, by: str, because: str, now: datetime) -> BlockedOrder:
    """Raises OrderNotWaiting."""
    if order.status != "waiting":
        raise OrderNotWaiting(f"The order was {order.status} by {order.closed_by}.")
    return replace(
        order,
        version=order.version + 1,
        status=status,
        closed_at=now,
        closed_by=by,
        closed_because=because,
    )
