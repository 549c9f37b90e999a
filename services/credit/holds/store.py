"""Holds, one row each; released ones stay. Table: credit_hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any
from uuid import UUID

from services.credit.holds.rules import Hold
from shared.db import Tx

_COLUMNS = """
id, version, customer_id, cause, source, held, reason, placed_by, placed_at, until_on, released_at, released_by,
release_reason
"""


async def add(tx: Tx, hold: Hold) -> bool:
    """False when one of this cause and source is in force."""
    return bool(await tx.fetchval(_ADD, *astuple(hold)))


_ADD = f"""
insert into credit_hold ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (customer_id, cause, source) where released_at is null do nothing
returning true
"""


async def save_released(tx: Tx, hold: Hold) -> None:
    await tx.execute(
        "update credit_hold set version = $2, released_at = $3, released_by = $4, release_reason = $5 where id = $1",
        hold.id,
        hold.version,
        hold.released_at,
        hold.released_by,
        hold.release_reason,
    )


async def in_force(tx: Tx, customer_id: UUID) -> list[Hold]:
    rows = await tx.fetch(
        f"select {_COLUMNS} from credit_hold where customer_id = $1 and released_at is null order by id", customer_id
    )
    return [_hold(row) for row in rows]


async def read(tx: Tx, customer_id: UUID, hold_id: UUID) -> Hold | None:
    row = await tx.fetchrow(
        f"select {_COLUMNS} from credit_hold where id = $2 and customer_id = $1", customer_id, hold_id
    )
    return _hold(row) if row else None


async def of_customer(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Hold]:
    """Newest first."""
    return [_hold(row) for row in await tx.fetch(_OF_CUSTOMER, customer_id, before, count_max)]


_OF_CUSTOMER = f"""
select {_COLUMNS} from credit_hold where customer_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
"""


def _hold(row: Any) -> Hold:
    return Hold(**{**row, "held": tuple(row["held"])})
