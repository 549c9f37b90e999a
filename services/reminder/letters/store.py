"""Batches of letters, and the letters in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson

from services.reminder.enclosures.rules import Document
from services.reminder.letters.rules import Batch, BatchStatus, Sheet
from shared.db import Tx

_BATCH = "id, version, entity_id, status, envelope_window, letters, closed_at, closed_by, ended_at, ended_by"
_SHEET = """contact_id, customer_id, place, customer, address, step, totals, invoices, content, documents, enclosed"""


async def add(tx: Tx, batch: Batch, sheets: Sequence[Sheet]) -> None:
    await tx.execute(
        f"insert into letter_batch ({_BATCH}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        batch.id,
        batch.version,
        batch.entity_id,
        batch.status,
        batch.window,
        batch.letters,
        batch.closed_at,
        batch.closed_by,
        batch.ended_at,
        batch.ended_by,
    )
    for sheet in sheets:
        await tx.execute(
            _ADD_SHEET,
            batch.id,
            sheet.contact_id,
            sheet.customer_id,
            sheet.position,
            sheet.customer,
            _json(sheet.address),
            sheet.step,
            _json(sheet.totals),
            _json(sheet.invoices),
            _json(sheet.content),
            _json(sheet.documents),
        )


_ADD_SHEET = """
insert into letter (batch_id, contact_id, customer_id, place, customer, address, step, totals, invoices, content,
                    documents)
values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8::text::jsonb, $9::text::jsonb, $10::text::jsonb, $11::text::jsonb)
"""


async def find(tx: Tx, batch_id: UUID) -> Batch | None:
    row = await tx.fetchrow(f"select {_BATCH} from letter_batch where id = $1", batch_id)
    return _batch(row) if row else None


async def sheets(tx: Tx, batch_id: UUID) -> list[Sheet]:
    """In the order of the pages."""
    rows = await tx.fetch(f"select {_SHEET} from letter where batch_id = $1 order by place", batch_id)
    return [_sheet(row) for row in rows]


async def page(tx: Tx, before: UUID | None, limit: int) -> list[Batch]:
    """The newest first."""
    return [_batch(row) for row in await tx.fetch(_PAGE, before, limit)]


_PAGE = f"select {_BATCH} from letter_batch where ($1::uuid is null or id < $1) order by id desc limit $2"


async def enclose(tx: Tx, batch_id: UUID, contact_id: UUID, enclosed: bytes) -> None:
    """What was fetched first stays: a second print is the same."""
    await tx.execute(
        "update letter set enclosed = $3 where batch_id = $1 and contact_id = $2 and enclosed is null",
        batch_id,
        contact_id,
        enclosed,
    )


async def end(tx: Tx, batch_id: UUID, status: BatchStatus, by: str) -> Batch | None:
    """None when the batch has ended before."""
    row = await tx.fetchrow(_END, batch_id, status, tx.now, by)
    return _batch(row) if row else None


_END = f"""
update letter_batch set status = $2, version = version + 1, ended_at = $3, ended_by = $4
where id = $1 and status = 'closed' returning {_BATCH}
"""


async def withdraw(tx: Tx, batch_id: UUID, contact_ids: Collection[UUID]) -> None:
    await tx.execute(
        "update letter set withdrawn = true where batch_id = $1 and contact_id = any($2::uuid[])",
        batch_id,
        list(contact_ids),
    )


def _batch(row: Any) -> Batch:
    return Batch(
        id=row["id"],
        version=row["version"],
        entity_id=row["entity_id"],
        status=row["status"],
        window=row["envelope_window"],
        letters=row["letters"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


def _sheet(row: Any) -> Sheet:
    return Sheet(
        contact_id=row["contact_id"],
        customer_id=row["customer_id"],
        position=row["place"],
        customer=row["customer"],
        address=tuple(_read(row["address"])),
        step=row["step"],
        totals=tuple(_read(row["totals"])),
        invoices=tuple(_read(row["invoices"])),
        content=_read(row["content"]),
        documents=tuple(_documents(_read(row["documents"]))),
        enclosed=row["enclosed"],
    )


def _documents(given: Iterable[Any]) -> Iterable[Document]:
    for each in given:
        yield Document(each["path"], each["name"], tuple((name, value) for name, value in each["query"]))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _read(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value
