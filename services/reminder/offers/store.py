"""Table: offer; invoices' ids and what is owed on them come from `receivable`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reminder.offers.rules import Claim, Instalment, Offer, OfferOpen, Status
from services.reminder.receivables.rules import Key
from shared.db import Tx

NEXT_EXPIRY = "(select min(look_at) from offer where look_at is not null)"
NEXT_EFFECT = "(select min(effect_at) from offer where effect_at is not null)"
HAS_ANY = "exists (select from offer)"

_FIELDS = tuple(field.name for field in fields(Offer))
_COLUMNS = ", ".join(_FIELDS)


def _offers(rows: Iterable[Any]) -> list[Offer]:
    return [
        Offer(
            **{
                **row,
                "claims": tuple(Claim(**claim) for claim in row["claims"]),
                "instalments": tuple(
                    Instalment(date.fromisoformat(each["due_date"]), each["minor"]) for each in row["instalments"]
                ),
            }
        )
        for row in rows
    ]


def _values(offer: Offer) -> list[Any]:
    values = {name: getattr(offer, name) for name in _FIELDS}
    values |= {
        "claims": [asdict(claim) for claim in offer.claims],
        "instalments": [asdict(each) for each in offer.instalments],
    }
    return list(values.values())


async def insert(tx: Tx, offer: Offer) -> None:
    """Raises OfferOpen."""
    try:
        await tx.execute(_INSERT, *_values(offer))
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "offer_one_open":
            raise OfferOpen("withdraw the open offer first, or wait for its answer") from None
        raise


_INSERT = f"insert into offer ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def save(tx: Tx, offer: Offer) -> None:
    await tx.execute(_SAVE, *_values(offer))


_SAVE = f"update offer set ({_COLUMNS}) = ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))}) where id = $1"


async def find(tx: Tx, offer_id: UUID) -> Offer | None:
    found = _offers(await tx.fetch(f"select {_COLUMNS} from offer where id = $1", offer_id))
    return found[0] if found else None


async def expired(tx: Tx, now: datetime, limit: int) -> list[Offer]:
    sql = f"select {_COLUMNS} from offer where look_at <= $1 order by look_at, id limit $2"
    return _offers(await tx.fetch(sql, now, limit))


async def to_carry_out(tx: Tx, now: datetime, limit: int) -> list[Offer]:
    sql = f"select {_COLUMNS} from offer where effect_at <= $1 order by effect_at, id limit $2"
    return _offers(await tx.fetch(sql, now, limit))


async def page(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Offer]:
    """Newest first."""
    return _offers(await tx.fetch(_PAGE, customer_id, entity_id, status, before, limit))


_PAGE = f"""
select {_COLUMNS} from offer
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or status = $3) and ($4::uuid is null or id < $4)
order by id desc limit $5
"""


async def ids_of(tx: Tx, key: Key, numbers: Sequence[str]) -> dict[str, str]:
    """The invoice service's ids by number."""
    return {row["number"]: str(row["id"]) for row in await tx.fetch(_IDS_OF, *key, numbers)}


_IDS_OF = "select number, id from receivable where customer_id = $1 and entity_id = $2 and number = any($3::text[])"


async def still_owed(tx: Tx, invoice_ids: Sequence[str]) -> set[str]:
    """Those of these invoices on which something is owed."""
    return {str(row["id"]) for row in await tx.fetch(_STILL_OWED, invoice_ids)}


_STILL_OWED = "select id from receivable where id = any($1::text[]::uuid[]) and balance_minor > 0"
