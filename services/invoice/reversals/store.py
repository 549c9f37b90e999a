"""Table: bank_charge."""

from __future__ import annotations

from uuid import UUID

from shared.db import Tx

_INSERT = "insert into bank_charge (payment_id, charge_id) values ($1, $2)"
_FIND = "select charge_id from bank_charge where payment_id = $1"


async def insert(tx: Tx, payment_id: UUID, charge_id: UUID) -> None:
    await tx.execute(_INSERT, payment_id, charge_id)


async def find(tx: Tx, payment_id: UUID) -> UUID | None:
    return await tx.fetchval(_FIND, payment_id)
