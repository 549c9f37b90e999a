"""Tables: import, import_chunk, import_error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from services.invoice.imports.rules import BadRow, Chunk, Import, Reason
from shared.db import Tx

NEXT_DUE = "(select min(due_at) from import_chunk)"
"""A chunk waits until it is issued; each has a moment of its own, so that every one done is headway."""

_COLUMNS = ", ".join(field.name for field in fields(Import))

_INSERT = """
insert into import (id, entity_id, rows, received_at) values ($1, $2, $3, $4)
"""


async def insert(tx: Tx, import_id: UUID, entity_id: str, chunks: Sequence[Chunk]) -> None:
    await tx.execute(_INSERT, import_id, entity_id, sum(chunk.rows for chunk in chunks), tx.now)
    first = tx.now - timedelta(microseconds=len(chunks))
    await tx.copy_records(
        "import_chunk",
        ("import_id", "first_line", "body", "rows", "due_at"),
        (
            (import_id, chunk.first_line, chunk.body, chunk.rows, first + timedelta(microseconds=n))
            for n, chunk in enumerate(chunks)
        ),
    )


_TAKE = """
select c.import_id, i.entity_id, c.first_line, c.body, c.rows
from import_chunk c join import i on i.id = c.import_id
where c.due_at <= $1 order by c.due_at limit 1
for update of c skip locked
"""


async def take_chunk(tx: Tx) -> tuple[UUID, str, Chunk] | None:
    row = await tx.fetchrow(_TAKE, tx.now)
    return (row[0], row[1], Chunk(row[2], row[3], row[4])) if row else None


_FINISH = """
with done as (
    delete from import_chunk where import_id = $1 and first_line = $2
), noted as (
    insert into import_error (import_id, line, reasons)
    select $1, line, reasons::jsonb from unnest($5::int[], $6::text[]) as t (line, reasons)
)
update import set
    accepted = accepted + $3, rejected = rejected + $4, version = version + 1,
    status = case when accepted + rejected + $3 + $4 = rows then 'completed' else 'running' end,
    completed_at = case when accepted + rejected + $3 + $4 = rows then $7::timestamptz end
where id = $1
"""


async def finish_chunk(tx: Tx, import_id: UUID, chunk: Chunk, accepted: int, bad: Sequence[BadRow]) -> None:
    await tx.execute(
        _FINISH,
        import_id,
        chunk.first_line,
        accepted,
        len(bad),
        [row.line for row in bad],
        [orjson.dumps(row.reasons).decode() for row in bad],
        tx.now,
    )


_FIND = f"select {_COLUMNS} from import where id = $1"


async def find(tx: Tx, import_id: UUID) -> Import | None:
    row = await tx.fetchrow(_FIND, import_id)
    return Import(*row.values()) if row else None


_PAGE = f"select {_COLUMNS} from import where $1::uuid is null or id < $1 order by id desc limit $2"


async def page(tx: Tx, before: UUID | None, limit: int) -> list[Import]:
    return [Import(*row.values()) for row in await tx.fetch(_PAGE, before, limit)]


_ERRORS = "select line, reasons from import_error where import_id = $1 and line > $2 order by line limit $3"


async def errors(tx: Tx, import_id: UUID, after_line: int, limit: int) -> list[BadRow]:
    return [
        BadRow(line, tuple(Reason(**reason) for reason in reasons))
        for line, reasons in await tx.fetch(_ERRORS, import_id, after_line, limit)
    ]


def received(import_id: UUID, entity_id: str, chunks: Sequence[Chunk], now: datetime) -> Import:
    """The import as `insert` wrote it."""
    return Import(import_id, 1, entity_id, "running", sum(chunk.rows for chunk in chunks), 0, 0, now, None)
