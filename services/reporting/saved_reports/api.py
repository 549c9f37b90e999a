"""Saved reports over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, model_validator

from services.reporting.report_tables.rules import Parameters
from services.reporting.saved_reports import handlers
from services.reporting.saved_reports.handlers import SaveReport
from services.reporting.saved_reports.rules import Every, Form, Report, Run, SavedReport, Schedule
from shared.db import reading, snapshot, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import document, respond
from shared.http.security import scope
from shared.mail_address import MailAddress

router = APIRouter(prefix="/saved-reports", tags=["saved reports"])

Name = Annotated[str, Field(min_length=1, max_length=120)]
Recipients = Annotated[tuple[MailAddress, ...], Field(max_length=20)]


class ScheduleIn(Body):
    """`day` is 1 (Monday) to 7 of a week, or 1 to 28 of a month; when that is no business day of `country` (without
    one: Monday to Friday), the report comes on the next."""

    every: Every
    day: Annotated[int, Field(ge=1, le=28)] = 1
    hour: Annotated[int, Field(ge=0, le=23, description="UTC")] = 6
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None

    @model_validator(mode="after")
    def _a_week_has_seven_days(self) -> "ScheduleIn":
        if self.every == "week" and self.day > 7:
            raise ValueError("a week has the days 1 to 7")
        return self

    def read(self) -> Schedule:
        return Schedule(self.every, self.day, self.hour, self.country)


class SavedReportIn(Body):
    name: Name
    report: Report
    format: Form
    parameters: Parameters = Parameters()
    recipients: Recipients = ()
    schedule: ScheduleIn | None = None


class SavedReportPatch(Body):
    """`schedule` may be null: then it is mailed no more by itself."""

    name: Name | None = None
    format: Form | None = None
    parameters: Parameters | None = None
    recipients: Recipients | None = None
    schedule: ScheduleIn | None = None
    active: bool | None = None


class ScheduleOut(BaseModel):
    every: Every
    day: int
    hour: int
    country: str | None


class SavedReportOut(BaseModel):
    id: UUID
    version: int
    name: str
    report: Report
    format: Form
    parameters: dict[str, Any]
    recipients: list[str]
    schedule: ScheduleOut | None
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime | None

    @classmethod
    def of(cls, s: SavedReport) -> "SavedReportOut":
        as_kept = {name: getattr(s, name) for name in cls.model_fields}
        shown = {"parameters": s.parameters.given(), "next_due_at": s.next_due_at if s.active else None}
        return cls.model_validate(as_kept | shown, from_attributes=True)


class RunOut(BaseModel):
    """A time it was mailed; where `fault` says why not, there was no file. `due_at` is null when somebody had it
    sent."""

    id: UUID
    due_at: datetime | None
    made_at: datetime
    made_by: str
    as_of: date
    file_name: str | None
    bytes: int | None
    recipients: list[str]
    fault: str | None

    @classmethod
    def of(cls, r: Run) -> "RunOut":
        return cls.model_validate(r, from_attributes=True)


@router.post("", status_code=201, response_model=SavedReportOut, dependencies=[scope("reports:write")])
async def save_report(body: SavedReportIn, once: Once, principal: PrincipalDep) -> Response:
    """Save a report with what is asked of it, and have it mailed by a schedule."""
    command = SaveReport(
        name=body.name,
        report=body.report,
        format=body.format,
        parameters=body.parameters,
        recipients=body.recipients,
        schedule=body.schedule.read() if body.schedule else None,
        by=principal.subject,
    )
    async with once as tx:
        saved = await handlers.save_report(tx, command)
        location = f"/v1/saved-reports/{saved.id}"
        return once.answer(201, SavedReportOut.of(saved), etag=saved.version, location=location)


@router.get("", response_model=Page[SavedReportOut], dependencies=[scope("reports:read")])
async def list_saved(database: DatabaseDep, page: PageParams) -> Page[SavedReportOut]:
    """In the order in which they were saved."""
    async with reading(database) as tx:
        found = await handlers.list_saved(tx, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda saved: [str(saved.id)])
    return Page[SavedReportOut](items=[SavedReportOut.of(saved) for saved in shown], next_cursor=more)


@router.get("/{saved_report_id}", response_model=SavedReportOut, dependencies=[scope("reports:read")])
async def show_saved(saved_report_id: UUID, database: DatabaseDep) -> Response:
    """One saved report; its ETag is what changing it needs."""
    async with reading(database) as tx:
        saved = await handlers.find_saved(tx, saved_report_id)
    return respond(SavedReportOut.of(saved), etag=saved.version)


@router.get("/{saved_report_id}/file", response_class=Response, dependencies=[scope("reports:read")])
async def download(saved_report_id: UUID, database: DatabaseDep) -> Response:
    """The report as it would be sent now."""
    async with snapshot(database) as (tx, _):
        file = await handlers.make_file(tx, await handlers.find_saved(tx, saved_report_id))
    return document(file.content, file.media_type, file.name)


@router.get("/{saved_report_id}/runs", response_model=Page[RunOut], dependencies=[scope("reports:read")])
async def list_runs(saved_report_id: UUID, database: DatabaseDep, page: PageParams) -> Page[RunOut]:
    """When it was mailed to whom, or why not; the newest first."""
    async with reading(database) as tx:
        found = await handlers.list_runs(tx, saved_report_id, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda run: [str(run.id)])
    return Page[RunOut](items=[RunOut.of(run) for run in shown], next_cursor=more)


@router.post("/{saved_report_id}/runs", status_code=201, response_model=RunOut, dependencies=[scope("reports:write")])
async def send_now(saved_report_id: UUID, once: Once, principal: PrincipalDep, resources: ResourcesDep) -> Response:
    """Mail it now to everybody who gets it."""
    async with once as tx:
        run = await handlers.send_now(tx, saved_report_id, principal.subject, resources.address)
        return once.answer(201, RunOut.of(run))


@router.patch("/{saved_report_id}", response_model=SavedReportOut, dependencies=[scope("reports:write")])
async def change_saved(
    saved_report_id: UUID, body: SavedReportPatch, version: IfMatch, database: DatabaseDep
) -> Response:
    """Change what is asked, who gets it, and when; or switch it off and on."""
    changes = body.given("schedule")
    if body.schedule:
        changes["schedule"] = body.schedule.read()
    async with transaction(database) as tx:
        saved = await handlers.change_saved(tx, saved_report_id, version, changes)
    return respond(SavedReportOut.of(saved), etag=saved.version)


@router.delete("/{saved_report_id}", status_code=204, dependencies=[scope("reports:write")])
async def remove_saved(saved_report_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """It is mailed no more, and its history goes with it."""
    async with transaction(database) as tx:
        await handlers.remove_saved(tx, saved_report_id, version)
    return Response(status_code=204)
