"""Table: sender; and who looks after an account, from `looked_after`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from services.reminder.mails.rules import House
from services.reminder.receivables.rules import Key
from services.reminder.signatures.rules import Given
from shared.db import Tx


async def signers(tx: Tx, keys: Collection[Key]) -> dict[Key, tuple[str | None, House | None]]:
    """Who looks after each account, as it is kept, and how its entity appears; accounts with neither are left out."""
    rows = await tx.fetch(_SIGNERS, [key[0] for key in keys], [key[1] for key in keys])
    return {(row["customer_id"], row["entity_id"]): (row["owner"], _house(row)) for row in rows}


_SIGNERS = """
select customer_id, entity_id, l.owner, s.version, s.from_name, s.from_address, s.reply_to, s.lines
from unnest($1::uuid[], $2::text[]) as k (customer_id, entity_id)
left join looked_after l using (customer_id, entity_id)
left join sender s using (entity_id)
where l.owner is not null or s.version is not null
"""


async def find(tx: Tx, entity_id: str) -> Given | None:
    row = await tx.fetchrow("select * from sender where entity_id = $1", entity_id)
    house = _house(row) if row else None
    return Given(entity_id, row["version"], house) if row and house else None


async def save(tx: Tx, given: Given) -> bool:
    """Whether the version before it was still the one that stood."""
    house = given.house
    values = house.name, house.address, house.reply_to, list(house.lines)
    return await tx.fetchval(_SAVE, given.entity_id, given.version, *values) is not None


_SAVE = """
insert into sender (entity_id, version, from_name, from_address, reply_to, lines) values ($1, $2, $3, $4, $5, $6)
on conflict (entity_id) do update set
    version = excluded.version, from_name = excluded.from_name, from_address = excluded.from_address,
    reply_to = excluded.reply_to, lines = excluded.lines
where sender.version = excluded.version - 1
returning 1
"""


def _house(row: Any) -> House | None:
    if row["version"] is None:
        return None
    return House(row["from_name"], row["from_address"], row["reply_to"], tuple(row["lines"]))
