"""Decide on the orders that stand in the queue: let one pass, or refuse it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.credit.decisions import handlers as decisions
from services.credit.limits import handlers as limits
from services.credit.reservations import handlers as reservations
from services.credit.reservations.rules import BlockedOrder
from shared.calendar import local_date
from shared.db import Tx


async def release_order(tx: Tx, id: UUID, reason: str, by: str, expires_at: datetime) -> BlockedOrder:
    """It has its reservation until then. Raises BlockedOrderNotFound, OrderNotWaiting, OverrideRefused, Refused."""
    await reservations.get_blocked(tx, id)
    await decisions.override_decision(tx, id, reason, by, expires_at)
    return await reservations.get_blocked(tx, id)


async def refuse_order(tx: Tx, id: UUID, reason: str, by: str) -> BlockedOrder:
    """Raises BlockedOrderNotFound, OrderNotWaiting."""
    order = await reservations.get_blocked(tx, id)
    await limits.lock_standing(tx, order.customer_id, local_date(tx.now, "UTC"))
    await reservations.close_blocked(tx, id, "refused", by, reason)
    return await reservations.get_blocked(tx, id)
