"""Tables: agency, placement, placement_file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reminder.placements.rules import (
    Agency,
    AlreadyPlaced,
    Placement,
    Status,
    claims_of,
    kept_claims,
    kept_rates,
    rates_of,
)
from shared.db import Tx

NEXT_HAND_OVER = "(select min(hand_over_at) from placement where hand_over_at is not null)"

_FIELDS = tuple(field.name for field in fields(Placement))
_COLUMNS = ", ".join(_FIELDS)


def _agencies(rows: Iterable[Any]) -> list[Agency]:
    return [Agency(**{**row, "commission": rates_of(row["commission"])}) for row in rows]


async def find_agency(tx: Tx, agency_id: str) -> Agency | None:
    found = _agencies(
        await tx.fetch("select id, version, name, email, commission from agency where id = $1", agency_id)
    )
    return found[0] if found else None


async def save_agency(tx: Tx, agency: Agency) -> bool:
    """Whether the version before it was still the one that stood."""
    rates = kept_rates(agency.commission)
    return await tx.fetchval(_SAVE_AGENCY, agency.id, agency.version, agency.name, agency.email, rates) is not None


_SAVE_AGENCY = """
insert into agency (id, version, name, email, commission) values ($1, $2, $3, $4, $5)
on conflict (id) do update set
    version = excluded.version, name = excluded.name, email = excluded.email, commission = excluded.commission
where agency.version = excluded.version - 1
returning 1
"""


async def agencies(tx: Tx, after: str | None, limit: int) -> list[Agency]:
    return _agencies(await tx.fetch(_AGENCIES, after, limit))


_AGENCIES = """
select id, version, name, email, commission from agency where $1::text is null or id > $1 order by id limit $2
"""


def _placements(rows: Iterable[Any]) -> list[Placement]:
    return [
        Placement(**{**row, "claims": claims_of(row["claims"]), "commission": rates_of(row["commission"])})
        for row in rows
    ]


def _values(placement: Placement) -> list[Any]:
    values = {name: getattr(placement, name) for name in _FIELDS}
    values |= {"claims": kept_claims(placement.claims), "commission": kept_rates(placement.commission)}
    return list(values.values())


async def insert(tx: Tx, placement: Placement) -> None:
    """Raises AlreadyPlaced."""
    try:
        await tx.execute(_INSERT, *_values(placement))
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "placement_one_at_a_time":
            raise AlreadyPlaced("recall or reject the other placement first") from None
        raise


_INSERT = f"insert into placement ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def save(tx: Tx, placement: Placement) -> None:
    await tx.execute(_SAVE, *_values(placement))


_SAVE = f"""
update placement set ({", ".join(_FIELDS[1:])}) = ({", ".join(f"${n + 1}" for n in range(1, len(_FIELDS)))})
where id = $1
"""


async def find(tx: Tx, placement_id: UUID) -> Placement | None:
    found = _placements(await tx.fetch(f"select {_COLUMNS} from placement where id = $1", placement_id))
    return found[0] if found else None


async def to_hand_over(tx: Tx, now: datetime, limit: int) -> list[Placement]:
    return _placements(await tx.fetch(_TO_HAND_OVER, now, limit))


_TO_HAND_OVER = f"select {_COLUMNS} from placement where hand_over_at <= $1 order by hand_over_at, id limit $2"


async def placed_of(tx: Tx, customer_ids: Sequence[UUID]) -> list[Placement]:
    return _placements(await tx.fetch(_PLACED_OF, customer_ids))


_PLACED_OF = f"select {_COLUMNS} from placement where customer_id = any($1::uuid[]) and status = 'placed' order by id"


async def page(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    agency_id: str | None,
    status: Status | None,
    before: UUID | None,
    limit: int,
) -> list[Placement]:
    """Newest first."""
    return _placements(await tx.fetch(_PAGE, customer_id, entity_id, agency_id, status, before, limit))


_PAGE = f"""
select {_COLUMNS} from placement
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or agency_id = $3) and ($4::text is null or status = $4) and ($5::uuid is null or id < $5)
order by id desc limit $6
"""


async def put_file(tx: Tx, placement_id: UUID, content: bytes) -> None:
    await tx.execute(
        "insert into placement_file (placement_id, content, made_at) values ($1, $2, $3)", placement_id, content, tx.now
    )


async def file_of(tx: Tx, placement_id: UUID) -> bytes | None:
    return await tx.fetchval("select content from placement_file where placement_id = $1", placement_id)
