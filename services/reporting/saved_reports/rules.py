"""A report that was saved: what is asked, in which form, who gets it, and when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from services.reporting.notices.rules import Content
from services.reporting.report_tables import rules as report_tables
from services.reporting.report_tables.rules import Parameters, ReportName
from shared.calendar import add_months, month_start, next_business_day
from shared.errors import NotFound, Refused
from shared.words import day_words

Form = Literal["csv", "xlsx", "parquet", "pdf"]
Every = Literal["week", "month"]
Report = ReportName | Literal["management"]

FILE_BYTES_MAX = 8 * 1024 * 1024
"""Of a file that is mailed: few mail servers take more than ten megabytes, and a file grows by a third on its way."""
NOBODYS_HOLIDAYS = ""
"""In place of a country: business days are Monday to Friday."""


class SavedReportNotFound(NotFound):
    slug = "saved-report-not-found"
    title = "There is no such saved report"

    def __init__(self, saved_report_id: UUID) -> None:
        super().__init__(f"No saved report has the id {saved_report_id}.")


class NotInThisForm(Refused):
    slug = "not-in-this-form"
    title = "The report does not come in this form"


class NobodyToSendTo(Refused):
    slug = "nobody-to-send-to"
    title = "Nobody would get it"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`day` counts from Monday, 1 to 7, or is the day of the month, 1 to 28; where that is no business day, the next
    one is meant. `hour` is of UTC."""

    every: Every
    day: int
    hour: int
    country: str | None = None


@dataclass(frozen=True, slots=True)
class SavedReport:
    id: UUID
    version: int
    name: str
    report: Report
    format: Form
    parameters: Parameters
    recipients: tuple[str, ...]
    schedule: Schedule | None
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime | None

    def check(self) -> None:
        """Raises NotInThisForm, NotAsked, NobodyToSendTo."""
        if (self.report == "management") != (self.format == "pdf"):
            raise NotInThisForm("the management report is a PDF, every other one CSV, XLSX or Parquet", field="/format")
        if self.report == "management":
            unknown = sorted(self.parameters.given().keys() - {"as_of", "currency"})
            if unknown:
                raise report_tables.NotAsked(
                    f"the management report has no {unknown[0]}", field=f"/parameters/{unknown[0]}"
                )
        else:
            report_tables.check(self.report, self.parameters)
        if self.schedule and not self.recipients:
            raise NobodyToSendTo("a schedule needs somebody who gets the report", field="/recipients")


@dataclass(frozen=True, slots=True)
class Run:
    """`fault` is why there is no file."""

    id: UUID
    saved_report_id: UUID
    due_at: datetime | None
    made_at: datetime
    made_by: str
    as_of: date
    file_name: str | None
    bytes: int | None
    recipients: tuple[str, ...]
    fault: str | None


def next_due_at(after: datetime, schedule: Schedule | None) -> datetime | None:
    """The first moment of a schedule after another."""
    if schedule is None:
        return None
    today = after.astimezone(UTC).date()
    # A day that is put off over holidays may be one of the period before.
    for back in range(-1, 3):
        if schedule.every == "week":
            day = today - timedelta(days=today.isoweekday() - schedule.day) + timedelta(weeks=back)
        else:
            day = add_months(month_start(today), back) + timedelta(days=schedule.day - 1)
        day = next_business_day(day, schedule.country or NOBODYS_HOLIDAYS)
        due = datetime.combine(day, time(schedule.hour, tzinfo=UTC))
        if due > after:
            return due
    raise AssertionError("a schedule has a moment in each of its periods")


def mail_of(saved: SavedReport, as_of: date, file_name: str, address: str) -> Content:
    title = f"{saved.name}, {day_words(as_of)}"
    return Content(
        kind="saved_report",
        title=title,
        intro=f"{title}: the file is attached.",
        facts=(("At the end of", day_words(as_of)), ("File", file_name)),
        link=address,
        data={"saved_report_id": str(saved.id), "as_of": as_of.isoformat()},
    )


def read_schedule(kept: Mapping[str, Any] | None) -> Schedule | None:
    return None if kept is None else Schedule(**kept)
