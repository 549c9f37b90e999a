"""Reports that were saved: kept, made, and mailed when they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from services.reporting.exports import handlers as exports
from services.reporting.exports import rules as export_rules
from services.reporting.management_report import handlers as management_report
from services.reporting.notices import handlers as notices
from services.reporting.notices.rules import File, Target
from services.reporting.report_tables import handlers as report_tables
from services.reporting.report_tables import rules as report_rules
from services.reporting.report_tables.rules import Parameters
from services.reporting.saved_reports import rules, store
from services.reporting.saved_reports.rules import (
    FILE_BYTES_MAX,
    Form,
    NobodyToSendTo,
    Report,
    Run,
    SavedReport,
    SavedReportNotFound,
    Schedule,
)
from shared import log
from shared.calendar import local_date
from shared.db import INFRASTRUCTURE_ERRORS, Tx
from shared.http.preconditions import check_version
from shared.ids import new_id

logger = log.get(__name__)

NEXT_DUE = store.NEXT_DUE


@dataclass(frozen=True, slots=True)
class SaveReport:
    name: str
    report: Report
    format: Form
    parameters: Parameters
    recipients: tuple[str, ...]
    schedule: Schedule | None
    by: str


async def save_report(tx: Tx, command: SaveReport) -> SavedReport:
    """Raises NotInThisForm, NotAsked, NobodyToSendTo."""
    saved = SavedReport(
        id=new_id(),
        version=1,
        name=command.name,
        report=command.report,
        format=command.format,
        parameters=command.parameters,
        recipients=command.recipients,
        schedule=command.schedule,
        active=True,
        created_by=command.by,
        created_at=tx.now,
        next_due_at=rules.next_due_at(tx.now, command.schedule),
    )
    saved.check()
    await store.put(tx, saved)
    return saved


async def change_saved(tx: Tx, saved_report_id: UUID, version: int, changes: Mapping[str, Any]) -> SavedReport:
    """`changes` are fields of a SavedReport that people set. Raises SavedReportNotFound, PreconditionFailed, and as
    `save_report`."""
    saved = await find_saved(tx, saved_report_id, lock=True)
    check_version(version, saved.version)
    changed = replace(saved, version=saved.version + 1, **changes)
    changed = replace(changed, next_due_at=rules.next_due_at(tx.now, changed.schedule))
    changed.check()
    await store.put(tx, changed)
    return changed


async def remove_saved(tx: Tx, saved_report_id: UUID, version: int) -> None:
    """With its history. Raises SavedReportNotFound, PreconditionFailed."""
    check_version(version, (await find_saved(tx, saved_report_id, lock=True)).version)
    await store.remove(tx, saved_report_id)


async def find_saved(tx: Tx, saved_report_id: UUID, *, lock: bool = False) -> SavedReport:
    """Raises SavedReportNotFound."""
    saved = await store.read(tx, saved_report_id, lock=lock)
    if saved is None:
        raise SavedReportNotFound(saved_report_id)
    return saved


async def list_saved(tx: Tx, after: UUID | None, limit: int) -> Sequence[SavedReport]:
    return await store.page(tx, after, limit)


async def list_runs(tx: Tx, saved_report_id: UUID, before: UUID | None, limit: int) -> Sequence[Run]:
    """Raises SavedReportNotFound."""
    await find_saved(tx, saved_report_id)
    return await store.runs(tx, saved_report_id, before, limit)


async def make_file(tx: Tx, saved: SavedReport) -> File:
    """The report as it is now. Raises what its report does, such as NothingToReport."""
    as_of = _as_of(tx, saved)
    if saved.report == "management":
        gathered = await management_report.gather(tx, as_of, saved.parameters.currency)
        content = await asyncio.to_thread(management_report.set_report, gathered)
        return File(export_rules.file_name("receivables", as_of, "pdf"), "application/pdf", content)
    assert saved.format != "pdf"
    table = await report_tables.tabulate(tx, saved.report, saved.parameters)
    content = await exports.export_whole(table, saved.format)
    name = export_rules.file_name(saved.report, as_of, saved.format)
    return File(name, export_rules.MEDIA_TYPES[saved.format].partition(";")[0], content)


async def send_now(tx: Tx, saved_report_id: UUID, by: str, address: str) -> Run:
    """Mail it to everybody who gets it. Raises SavedReportNotFound, NobodyToSendTo."""
    saved = await find_saved(tx, saved_report_id, lock=True)
    if not saved.recipients:
        raise NobodyToSendTo("it is not mailed to anybody")
    return await _run(tx, saved, by, address, is_scheduled=False)


async def send_next(tx: Tx, address: str) -> bool:
    """Make one report that is due and plan its mails; False when none is. Moments that were missed come in one."""
    saved = await store.take_due(tx, tx.now)
    if saved is None:
        return False
    await _run(tx, saved, "schedule", address, is_scheduled=True)
    await store.put(tx, replace(saved, next_due_at=rules.next_due_at(tx.now, saved.schedule)))
    return True


async def _run(tx: Tx, saved: SavedReport, by: str, address: str, *, is_scheduled: bool) -> Run:
    """One report that cannot be made holds up none of the others: its history says why."""
    file, fault = None, None
    try:
        async with tx.savepoint():
            file = await make_file(tx, saved)
    except INFRASTRUCTURE_ERRORS:
        raise
    except Exception as error:
        logger.warning("saved_report_failed", saved_report=str(saved.id), error=repr(error))
        fault = str(error) or type(error).__name__
    if file and len(file.content) > FILE_BYTES_MAX:
        file, fault = None, f"the file of {len(file.content)} bytes is too large for a mail"
    as_of = _as_of(tx, saved)
    run = Run(
        id=new_id(),
        saved_report_id=saved.id,
        due_at=saved.next_due_at if is_scheduled else None,
        made_at=tx.now,
        made_by=by,
        as_of=as_of,
        file_name=file.name if file else None,
        bytes=len(file.content) if file else None,
        recipients=saved.recipients,
        fault=fault,
    )
    await store.add_run(tx, run)
    if file:
        content = rules.mail_of(saved, as_of, file.name, address)
        await notices.plan(tx, [Target("email", to) for to in saved.recipients], content, file)
    return run


def _as_of(tx: Tx, saved: SavedReport) -> date:
    return report_rules.day_of(saved.parameters.as_of, local_date(tx.now, "UTC"))
