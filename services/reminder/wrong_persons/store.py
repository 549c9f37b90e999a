"""Who said that a message is for somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.reminder.wrong_persons.rules import WrongPerson
from shared.db import Tx

_COLUMNS = "contact_id, customer_id, entity_id, address, right_name, right_email, note, told_at"


async def add(tx: Tx, told: WrongPerson) -> bool:
    """Whether it was said for the first time."""
    added = await tx.fetchval(
        _ADD,
        told.contact_id,
        told.customer_id,
        told.entity_id,
        told.address,
        told.right_name,
        told.right_email,
        told.note,
        told.told_at,
    )
    return added is not None


_ADD = f"""
insert into wrong_person ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (contact_id) do nothing returning contact_id
"""


async def find(tx: Tx, contact_id: UUID) -> WrongPerson | None:
    row: Any = await tx.fetchrow(f"select {_COLUMNS} from wrong_person where contact_id = $1", contact_id)
    return WrongPerson(**row) if row else None


async def of_customer(tx: Tx, customer_id: UUID) -> list[WrongPerson]:
    """Newest first."""
    return [WrongPerson(**row) for row in await tx.fetch(_OF_CUSTOMER, customer_id)]


_OF_CUSTOMER = f"select {_COLUMNS} from wrong_person where customer_id = $1 order by told_at desc, contact_id limit 500"
