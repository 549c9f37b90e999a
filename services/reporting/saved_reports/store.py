"""Tables: saved_report, saved_report_run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reporting.report_tables.rules import Parameters
from services.reporting.saved_reports.rules import Run, SavedReport, read_schedule
from shared.db import Tx

NEXT_DUE = "select min(next_due_at) from saved_report where active and next_due_at is not null"

_COLUMNS = """id, version, name, report, format, parameters, recipients, schedule, active, created_by, created_at,
next_due_at"""
_RUN = "id, saved_report_id, due_at, made_at, made_by, as_of, file_name, bytes, recipients, fault"


async def put(tx: Tx, saved: SavedReport) -> None:
    values: dict[str, Any] = {name: getattr(saved, name) for name in SavedReport.__slots__}
    values["parameters"] = saved.parameters.given()
    values["schedule"] = asdict(saved.schedule) if saved.schedule else None
    await tx.execute(_PUT, *values.values())


_PUT = f"""
insert into saved_report ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (id) do update
set version = excluded.version, name = excluded.name, report = excluded.report, format = excluded.format,
    parameters = excluded.parameters, recipients = excluded.recipients, schedule = excluded.schedule,
    active = excluded.active, next_due_at = excluded.next_due_at
"""


async def read(tx: Tx, saved_report_id: UUID, *, lock: bool = False) -> SavedReport | None:
    row = await tx.fetchrow(
        f"select {_COLUMNS} from saved_report where id = $1{' for update' if lock else ''}", saved_report_id
    )
    return _saved(row) if row else None


async def page(tx: Tx, after: UUID | None, limit: int) -> list[SavedReport]:
    return [_saved(row) for row in await tx.fetch(_PAGE, after, limit)]


_PAGE = f"select {_COLUMNS} from saved_report where $1::uuid is null or id > $1 order by id limit $2"


async def take_due(tx: Tx, now: datetime) -> SavedReport | None:
    row = await tx.fetchrow(_TAKE_DUE, now)
    return _saved(row) if row else None


_TAKE_DUE = f"""
select {_COLUMNS} from saved_report where active and next_due_at <= $1 order by next_due_at, id limit 1
for update skip locked
"""


async def remove(tx: Tx, saved_report_id: UUID) -> None:
    await tx.execute("delete from saved_report where id = $1", saved_report_id)


async def add_run(tx: Tx, run: Run) -> None:
    await tx.execute(_ADD_RUN, *(getattr(run, name) for name in Run.__slots__))


_ADD_RUN = f"insert into saved_report_run ({_RUN}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"


async def runs(tx: Tx, saved_report_id: UUID, before: UUID | None, limit: int) -> list[Run]:
    """The newest first."""
    rows = await tx.fetch(_RUNS, saved_report_id, before, limit)
    return [Run(**{**row, "recipients": tuple(row["recipients"])}) for row in rows]


_RUNS = f"""
select {_RUN} from saved_report_run where saved_report_id = $1 and ($2::uuid is null or id < $2)
order by id desc limit $3
"""


def _saved(row: Any) -> SavedReport:
    return SavedReport(
        **{
            **row,
            "parameters": Parameters.model_validate(row["parameters"]),
            "recipients": tuple(row["recipients"]),
            "schedule": read_schedule(row["schedule"]),
        }
    )
