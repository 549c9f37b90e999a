"""Tables: proceeding, limitation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reminder.legal.rules import AlreadyOpen, Kind, Limitation, Proceeding, Status
from shared.db import Tx
from shared.money import Money

NEXT_WARNING = "(select min(warn_at) from limitation where warn_at is not null)"

_PROCEEDING = tuple(field.name for field in fields(Proceeding))
_LIMITATION = tuple(field.name for field in fields(Limitation))
_OF_PROCEEDING = ", ".join(_PROCEEDING)
_OF_LIMITATION = ", ".join(f"l.{name}" for name in _LIMITATION)


def _places(names: Sequence[str]) -> str:
    return ", ".join(f"${n + 1}" for n in range(len(names)))


async def insert(tx: Tx, proceeding: Proceeding) -> None:
    """Raises AlreadyOpen."""
    try:
        await tx.execute(_INSERT, *astuple(proceeding))
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "proceeding_one_of_a_kind":
            raise AlreadyOpen("close the open one first, or change it") from None
        raise


_INSERT = f"insert into proceeding ({_OF_PROCEEDING}) values ({_places(_PROCEEDING)})"


async def save(tx: Tx, proceeding: Proceeding) -> None:
    await tx.execute(_SAVE, *astuple(proceeding))


_SAVE = f"update proceeding set ({_OF_PROCEEDING}) = ({_places(_PROCEEDING)}) where id = $1"


async def find(tx: Tx, proceeding_id: UUID) -> Proceeding | None:
    row = await tx.fetchrow(f"select {_OF_PROCEEDING} from proceeding where id = $1", proceeding_id)
    return Proceeding(**row) if row else None


async def page(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    kind: Kind | None,
    status: Status | None,
    before: UUID | None,
    limit: int,
) -> list[Proceeding]:
    """Newest first."""
    rows = await tx.fetch(_PAGE, customer_id, entity_id, kind, status, before, limit)
    return [Proceeding(**row) for row in rows]


_PAGE = f"""
select {_OF_PROCEEDING} from proceeding
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or kind = $3) and ($4::text is null or status = $4) and ($5::uuid is null or id < $5)
order by id desc limit $6
"""


async def watch(tx: Tx, limitations: Iterable[Limitation]) -> None:
    """Those that are watched already stay as they are; one that was paid in the meantime is warned of again."""
    await tx.executemany(_WATCH, [astuple(each) for each in limitations])


_WATCH = f"""
insert into limitation ({", ".join(_LIMITATION)}) values ({_places(_LIMITATION)})
on conflict (invoice_id) do update set warn_at = excluded.warn_at, version = limitation.version + 1
where limitation.warn_at is null and limitation.warned_on is null
"""


async def unwatch(tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    """Nothing is owed on these any more: nobody is warned of them."""
    await tx.execute("update limitation set warn_at = null where invoice_id = any($1::uuid[])", invoice_ids)


async def save_limitation(tx: Tx, limitation: Limitation) -> None:
    await tx.execute(_SAVE_LIMITATION, *astuple(limitation))


_SAVE_LIMITATION = f"update limitation set ({', '.join(_LIMITATION)}) = ({_places(_LIMITATION)}) where invoice_id = $1"


async def find_limitation(tx: Tx, invoice_id: UUID) -> Limitation | None:
    row = await tx.fetchrow(f"select {_OF_LIMITATION} from limitation l where invoice_id = $1", invoice_id)
    return Limitation(**row) if row else None


_KEPT = (
    f"select {_OF_LIMITATION}, r.balance_minor, r.currency from limitation l join receivable r on r.id = l.invoice_id"
)


async def to_warn_of(tx: Tx, now: datetime, limit: int) -> list[tuple[Limitation, Money]]:
    """With what is still owed."""
    return _with_owed(await tx.fetch(f"{_KEPT} where l.warn_at <= $1 order by l.warn_at limit $2", now, limit))


async def open_limitations(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    until: date | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[tuple[Limitation, Money]]:
    """Those that lapse first come first."""
    return _with_owed(await tx.fetch(_OPEN_PAGE, customer_id, entity_id, until, *(after or (None, None)), limit))


_OPEN_PAGE = f"""{_KEPT}
where r.balance_minor > 0 and ($1::uuid is null or l.customer_id = $1) and ($2::text is null or l.entity_id = $2)
  and ($3::date is null or l.lapses_on <= $3) and ($4::date is null or (l.lapses_on, l.invoice_id) > ($4, $5::uuid))
order by l.lapses_on, l.invoice_id limit $6
"""


def _with_owed(rows: Iterable[Any]) -> list[tuple[Limitation, Money]]:
    return [
        (Limitation(**{name: row[name] for name in _LIMITATION}), Money(row["balance_minor"], row["currency"]))
        for row in rows
    ]
