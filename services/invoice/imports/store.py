"""Tables: import, import_chunk, import_error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record

from services.invoice.import_rows.rules import BadRow
from services.invoice.imports.rules import Chunk, Import, Run, Step
from services.invoice.mapped_rows.rules import Reason
from services.invoice.mappings.rules import read_profile
from shared.db import Tx

NEXT_ISSUE = "(select min(due_at) from import_chunk where step = 'issue')"
"""A chunk waits until it is issued; each has a moment of its own, so that every one done is headway."""
NEXT_JUDGE = "(select min(due_at) from import_chunk where step = 'judge')"
NEXT_TOGETHER = "(select min(due_at) from import_chunk where step = 'together')"

_COLUMNS = ", ".join(field.name for field in fields(Import))

_INSERT = f"""
insert into import (id, entity_id, kind, mode, dry_run, format, profile_name, profile_version, profile, headings, rows,
                    received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
returning {_COLUMNS}
"""


async def insert(
    tx: Tx, run: Run, chunks: Sequence[Chunk], step: Step, file_format: str, profile: tuple[str, int] | None
) -> Import:
    document = run.profile.model_dump(mode="json", exclude_none=True) if run.profile else None
    row = await tx.fetchrow(
        _INSERT,
        *(run.id, run.entity_id, run.kind, run.mode, run.dry_run, file_format, *(profile or (None, None))),
        *(document, run.headings, run.rows, tx.now),
    )
    assert row is not None
    first = tx.now - timedelta(microseconds=len(chunks))
    await tx.copy_records(
        "import_chunk",
        ("import_id", "first_line", "body", "rows", "due_at", "step"),
        (
            (run.id, chunk.first_line, chunk.body, chunk.rows, first + timedelta(microseconds=n), step)
            for n, chunk in enumerate(chunks)
        ),
    )
    return Import(*row.values())


_RUN = "i.id, i.entity_id, i.kind, i.mode, i.dry_run, i.rows, i.profile::text, i.headings"
_RUN_WIDTH = 8


def _run(values: Sequence[Any]) -> Run:
    import_id, entity_id, kind, mode, dry_run, rows, profile, headings = values
    return Run(
        import_id,
        entity_id,
        kind,
        mode,
        dry_run,
        rows,
        read_profile(profile) if profile else None,
        tuple(headings) if headings is not None else None,
    )


def _taken(row: Record | None) -> tuple[Run, Chunk] | None:
    if row is None:
        return None
    values = tuple(row.values())
    return _run(values[:_RUN_WIDTH]), Chunk(*values[_RUN_WIDTH:])


_TAKE = f"""
select {_RUN}, c.first_line, c.body, c.rows
from import_chunk c join import i on i.id = c.import_id
where c.step = $2 and c.due_at <= $1 order by c.due_at limit 1
for update of c skip locked
"""


async def take_chunk(tx: Tx, step: Step) -> tuple[Run, Chunk] | None:
    return _taken(await tx.fetchrow(_TAKE, tx.now, step))


_NOTE = """
insert into import_error (import_id, line, reasons)
select $1, line, reasons::jsonb from unnest($2::int[], $3::text[]) as t (line, reasons)
"""

_FINISH = f"""
with done as (
    delete from import_chunk where import_id = $1 and first_line = $4
), noted as (
    {_NOTE}
)
update import set
    accepted = accepted + $5, present = present + $6, rejected = rejected + $7, version = version + 1,
    status = case when accepted + present + rejected + $5 + $6 + $7 = rows then 'completed' else 'running' end,
    completed_at = case when accepted + present + rejected + $5 + $6 + $7 = rows then $8::timestamptz end,
    working_since = coalesce(working_since, now()), worked_until = clock_timestamp()
where id = $1
"""


async def finish_chunk(
    tx: Tx, import_id: UUID, chunk: Chunk, accepted: int, present: int, bad: Sequence[BadRow]
) -> None:
    await tx.execute(_FINISH, import_id, *_noted(bad), chunk.first_line, accepted, present, len(bad), tx.now)


def _noted(bad: Sequence[BadRow]) -> tuple[list[int], list[str]]:
    return [row.line for row in bad], [orjson.dumps(row.reasons).decode() for row in bad]


# --- judged ahead: dry runs, and all or nothing ---

_SAID_BEFORE = """
select t.number, t.content from import_chunk c, unnest(c.numbers, c.contents) as t (number, content)
where c.import_id = $1 and c.step = 'judged' and t.number = any($2::text[])
"""


async def said_before(tx: Tx, import_id: UUID, numbers: Sequence[str]) -> dict[str, str]:
    """By number, what the chunks of this import that were judged before say."""
    return dict(map(tuple, await tx.fetch(_SAID_BEFORE, import_id, numbers)))


_JUDGED = f"""
with judged as (
    update import_chunk set step = 'judged', numbers = $5, contents = $6 where import_id = $1 and first_line = $4
), noted as (
    {_NOTE}
)
update import set
    checked = checked + $7, rejected = rejected + $8, version = version + 1,
    accepted = accepted + case when dry_run then $9 else 0 end,
    present = present + case when dry_run then $10 else 0 end,
    working_since = coalesce(working_since, now()), worked_until = clock_timestamp()
where id = $1
returning checked = rows, rejected
"""


async def judged(
    tx: Tx, import_id: UUID, chunk: Chunk, said: dict[str, str], accepted: int, present: int, bad: Sequence[BadRow]
) -> tuple[bool, int]:
    """Note what was found of a chunk; whether it was the last, and how many rows are bad by now."""
    row = await tx.fetchrow(
        _JUDGED,
        import_id,
        *_noted(bad),
        chunk.first_line,
        list(said),
        list(said.values()),
        *(chunk.rows, len(bad), accepted, present),
    )
    assert row is not None
    return row[0], row[1]


_CLOSE = """
with done as (delete from import_chunk where import_id = $1)
update import set status = $2, version = version + 1, completed_at = $3, accepted = coalesce($4, accepted),
    present = coalesce($5, present), worked_until = clock_timestamp()
where id = $1
"""


async def close(
    tx: Tx, import_id: UUID, status: str, *, accepted: int | None = None, present: int | None = None
) -> None:
    await tx.execute(_CLOSE, import_id, status, tx.now, accepted, present)


_REFUSE = f"""
with noted as (
    {_NOTE} on conflict do nothing
)
update import set rejected = rejected + cardinality($2::int[]) where id = $1
"""


async def note_refused(tx: Tx, import_id: UUID, bad: Sequence[BadRow]) -> None:
    await tx.execute(_REFUSE, import_id, *_noted(bad))


_ALL_TOGETHER = "update import_chunk set step = 'together' where import_id = $1"


async def all_together(tx: Tx, import_id: UUID) -> None:
    await tx.execute(_ALL_TOGETHER, import_id)


_TAKE_WHOLE = f"""
select {_RUN} from import i
where i.id = (select import_id from import_chunk where step = 'together' and due_at <= $1 order by due_at limit 1)
for update of i skip locked
"""
_FIRST_LINES = "select first_line from import_chunk where import_id = $1 order by first_line"
_CHUNK = "select first_line, body, rows from import_chunk where import_id = $1 and first_line = $2"


async def take_whole(tx: Tx) -> tuple[Run, list[int]] | None:
    """An import that is to be issued as a whole, and where its chunks begin."""
    row = await tx.fetchrow(_TAKE_WHOLE, tx.now)
    if row is None:
        return None
    run = _run(tuple(row.values()))
    return run, [line[0] for line in await tx.fetch(_FIRST_LINES, run.id)]


async def chunk_at(tx: Tx, import_id: UUID, first_line: int) -> Chunk:
    row = await tx.fetchrow(_CHUNK, import_id, first_line)
    assert row is not None
    return Chunk(*row.values())


# --- read ---

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
