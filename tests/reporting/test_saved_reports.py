"""Reports that were saved, and come by mail on their day, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from services.reporting.app import create_api
from services.reporting.jobs import Resources
from services.reporting.notices import handlers as notices
from services.reporting.saved_reports import rules
from services.reporting.saved_reports.rules import Schedule
from services.reporting.settings import Settings
from services.reporting.ticks import send_saved_reports, ticks
from services.reporting.webhooks.handlers import Outlet
from shared.clock import Clock
from shared.db import Database, transaction
from shared.mail import MailServer, Postman
from shared.outside import outside_client
from shared.sealing import Seals
from shared.ticks import TickContext
from tests.mailbox import Mailbox
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem
from tests.service_client import app_of, calling, post

D = date
NOW = datetime(2021, 3, 3, 9, tzinfo=UTC)
MONTHLY = {"every": "month", "day": 1, "hour": 7, "country": "DE"}


@dataclass
class Desk:
    reporting: Reporting
    resources: Resources
    smtp: Mailbox

    async def save(self, **more: Any) -> dict[str, Any]:
        body = {
            "name": "For the board",
            "report": "ageing",
            "format": "xlsx",
            "recipients": ["eve@example.com"],
            **more,
        }
        answer = await post(self.reporting.http, "/v1/saved-reports", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def next_due(self) -> datetime | None:
        (due,) = [sql for name, sql, _ in ticks.jobs if name == "send_saved_reports"]
        return await self.reporting.database.pool.fetchval(f"select ({due})")

    async def comes_to(self, now: datetime) -> None:
        await self.reporting.database.pool.execute("update clock set now = $1", now)
        context = TickContext(self.reporting.database, now, self.resources)
        while (due := await self.next_due()) and due <= now:
            assert await send_saved_reports(context)
        assert not await send_saved_reports(context)
        await self.send_notices()

    async def send_notices(self) -> None:
        real = Database(self.reporting.database.pool, Clock())
        async with transaction(real) as tx:
            taken = await notices.take_notices(tx, 60)
        sent = await notices.deliver(self.resources.office, taken)
        async with transaction(real) as tx:
            await notices.conclude(tx, sent)

    async def runs(self, saved: dict[str, Any]) -> list[dict[str, Any]]:
        return await self.reporting.pages(f"/v1/saved-reports/{saved['id']}/runs", limit=1)


@pytest.fixture
async def desk(
    reports_database: Database, settings: Settings, token: Callable[..., str], smtp: Mailbox, seals: Seals
) -> AsyncIterator[Desk]:
    postman = Postman(MailServer(smtp.host, smtp.port, "receivables@dueward.local"))
    async with outside_client(20) as client:
        resources = Resources(Outlet(client, True, 20.0, seals), postman, "https://reports.example")
        app = app_of(create_api, settings, database=reports_database, resources=resources)
        async with calling(app, "reporting", token("reports:read reports:write")) as http:
            await reports_database.pool.execute("update clock set now = $1", NOW)
            yield Desk(Reporting(http, reports_database), resources, smtp)
        await postman.close()


def a_ledger() -> Books:
    books = Books()
    item = books.issue(books.onboard("Acme"), D(2021, 2, 20), 500_00)
    books.pay(item, D(2021, 4, 6), 100_00)
    return books


async def test_the_board_gets_last_months_ageing_on_the_first_business_day_once(desk: Desk) -> None:
    await desk.reporting.hear(a_ledger())
    saved = await desk.save(
        parameters={"as_of": "end_of_last_month", "group_by": "customer"},
        schedule=MONTHLY,
        recipients=["eve@example.com", "sam@example.com"],
    )
    assert (saved["next_due_at"], saved["parameters"]) == (
        "2021-04-01T07:00:00Z",
        {"as_of": "end_of_last_month", "group_by": "customer"},
    )
    due = datetime(2021, 4, 1, 7, tzinfo=UTC)
    assert await desk.next_due() == due
    await desk.comes_to(due - timedelta(seconds=1))
    assert desk.smtp.messages == []
    await desk.comes_to(due)
    await desk.comes_to(due + timedelta(days=1))
    assert sorted(mail["To"] for mail in desk.smtp.messages) == ["eve@example.com", "sam@example.com"]
    (file,) = desk.smtp.messages[0].iter_attachments()
    assert (file.get_filename(), desk.smtp.messages[0]["Subject"]) == (
        "ageing-2021-03-31.xlsx",
        "For the board, 31 Mar 2021",
    )
    sheet = openpyxl.load_workbook(BytesIO(file.get_content())).worksheets[0]
    assert [cell.value for cell in sheet[2]][2:5] == ["Acme", 0, 500]
    (run,) = await desk.runs(saved)
    assert (run["due_at"], run["as_of"], run["made_by"], run["fault"]) == (
        "2021-04-01T07:00:00Z",
        "2021-03-31",
        "schedule",
        None,
    )
    # The first of May is a holiday, and a Saturday.
    assert await desk.next_due() == datetime(2021, 5, 3, 7, tzinfo=UTC)
    assert await desk.reporting.database.pool.fetchval("select count(*) from notice_attachment") == 0


async def test_a_saved_report_may_come_in_columns(desk: Desk) -> None:
    await desk.reporting.hear(a_ledger())
    saved = await desk.save(format="parquet")
    assert (await post(desk.reporting.http, f"/v1/saved-reports/{saved['id']}/runs", None)).status_code == 201
    await desk.send_notices()
    (file,) = desk.smtp.messages[0].iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (
        "ageing-2021-03-03.parquet",
        "application/vnd.apache.parquet",
    )
    assert (file.get_content()[:4], file.get_content()[-4:]) == (b"PAR1", b"PAR1")


async def test_a_killed_senders_file_does_not_outlive_its_mails(desk: Desk) -> None:
    """One mail was under way when its sender was killed, the other had not begun."""
    await desk.reporting.hear(a_ledger())
    saved = await desk.save(recipients=["eve@example.com", "sam@example.com"])
    assert (await post(desk.reporting.http, f"/v1/saved-reports/{saved['id']}/runs", None)).status_code == 201
    pool, real = desk.reporting.database.pool, Database(desk.reporting.database.pool, Clock())
    async with transaction(real) as tx:
        assert len(await notices.take_notices(tx, -1)) == 2
    await pool.execute(
        "update notice set status = 'planned', lease_until = null where id = (select max(id::text)::uuid from notice)"
    )
    await desk.send_notices()
    statuses = await pool.fetch("select status from notice order by id::text")
    assert [row["status"] for row in statuses] == ["unknown", "sent"]
    (mail,) = desk.smtp.messages
    assert len(list(mail.iter_attachments())) == 1, "it still had its file"
    assert await pool.fetchval("select count(*) from notice_attachment") == 0


async def test_a_file_left_by_two_that_ended_at_once_is_dropped_at_the_next_look(desk: Desk) -> None:
    await desk.reporting.hear(a_ledger())
    saved = await desk.save()
    assert (await post(desk.reporting.http, f"/v1/saved-reports/{saved['id']}/runs", None)).status_code == 201
    await desk.reporting.database.pool.execute("update notice set status = 'sent'")
    async with transaction(Database(desk.reporting.database.pool, Clock())) as tx:
        assert await notices.take_notices(tx, 60) == []
    assert await desk.reporting.database.pool.fetchval("select count(*) from notice_attachment") == 0


async def test_what_cannot_be_made_says_so_and_holds_up_nothing_else(desk: Desk) -> None:
    bad = await desk.save(report="management", format="pdf", schedule=MONTHLY)  # Nothing was ever owed.
    good = await desk.save(name="Good", schedule=MONTHLY)
    await desk.comes_to(datetime(2021, 4, 1, 7, tzinfo=UTC))
    assert [mail["Subject"] for mail in desk.smtp.messages] == ["Good, 1 Apr 2021"]
    assert [run["fault"] for run in await desk.runs(bad)] == ["nothing was ever owed"]
    assert [run["fault"] for run in await desk.runs(good)] == [None]


async def test_a_report_is_sent_when_somebody_wants_it_and_once_a_request(desk: Desk) -> None:
    await desk.reporting.hear(a_ledger())
    saved = await desk.save(report="management", format="pdf")
    assert await desk.next_due() is None  # Without a schedule nothing is ever due.
    for _ in range(2):
        answer = await post(desk.reporting.http, f"/v1/saved-reports/{saved['id']}/runs", None, key="again-and-again")
        assert answer.status_code == 201, answer.text
    await desk.send_notices()
    (mail,) = desk.smtp.messages
    (file,) = mail.iter_attachments()
    assert (file.get_content_type(), file.get_content()[:5]) == ("application/pdf", b"%PDF-")
    assert [(run["made_by"], run["due_at"]) for run in await desk.runs(saved)] == [("anna", None)]
    shown = await desk.reporting.http.get(f"/v1/saved-reports/{saved['id']}/file")
    assert shown.content[:5] == b"%PDF-"


async def test_a_saved_report_is_changed_switched_off_and_removed(desk: Desk) -> None:
    http, saved = desk.reporting.http, await desk.save(schedule=MONTHLY)
    path = f"/v1/saved-reports/{saved['id']}"
    changed = await http.patch(path, json={"schedule": {"every": "week", "day": 5}}, headers={"if-match": '"1"'})
    assert changed.json()["next_due_at"] == "2021-03-05T06:00:00Z"
    assert problem(await http.patch(path, json={"active": False}, headers={"if-match": '"1"'}), 412)
    off = await http.patch(path, json={"active": False}, headers={"if-match": '"2"'})
    assert (off.json()["next_due_at"], await desk.next_due()) == (None, None)
    assert [each["id"] for each in await desk.reporting.pages("/v1/saved-reports")] == [saved["id"]]
    by_hand = await http.patch(path, json={"schedule": None, "name": None}, headers={"if-match": '"3"'})
    assert (by_hand.json()["schedule"], by_hand.json()["name"]) == (None, saved["name"])
    assert (await http.delete(path, headers={"if-match": '"4"'})).status_code == 204
    assert problem(await http.get(path), 404) == "saved-report-not-found"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"format": "pdf"}, "not-in-this-form"),
        ({"report": "management"}, "not-in-this-form"),
        ({"report": "management", "format": "pdf", "parameters": {"weeks": 2}}, "not-asked-of-this-report"),
        ({"parameters": {"weeks": 2}}, "not-asked-of-this-report"),
        ({"schedule": {"every": "week", "day": 8}}, "invalid-request"),
        ({"schedule": MONTHLY, "recipients": []}, "nobody-to-send-to"),
        ({"parameters": {"as_of": "tomorrow"}}, "invalid-request"),
    ],
)
async def test_what_makes_no_sense_is_refused(desk: Desk, wrong: dict[str, Any], kind: str) -> None:
    body = {"name": "x", "report": "ageing", "format": "csv", "recipients": ["eve@example.com"], **wrong}
    assert problem(await post(desk.reporting.http, "/v1/saved-reports", body), 422) == kind


@pytest.mark.parametrize(
    ("after", "schedule", "due"),
    [
        (datetime(2021, 3, 31, 23, tzinfo=UTC), Schedule("month", 1, 7), datetime(2021, 4, 1, 7, tzinfo=UTC)),
        (datetime(2021, 4, 1, 6, 59, tzinfo=UTC), Schedule("month", 1, 7), datetime(2021, 4, 1, 7, tzinfo=UTC)),
        (datetime(2021, 4, 1, 7, tzinfo=UTC), Schedule("month", 1, 7), datetime(2021, 5, 3, 7, tzinfo=UTC)),
        (datetime(2021, 5, 2, 7, tzinfo=UTC), Schedule("month", 1, 7), datetime(2021, 5, 3, 7, tzinfo=UTC)),
        (datetime(2021, 2, 27, 7, tzinfo=UTC), Schedule("month", 28, 7), datetime(2021, 3, 1, 7, tzinfo=UTC)),
        (datetime(2021, 3, 1, 6, tzinfo=UTC), Schedule("month", 28, 7), datetime(2021, 3, 1, 7, tzinfo=UTC)),
        (datetime(2021, 3, 1, 7, tzinfo=UTC), Schedule("month", 28, 7), datetime(2021, 3, 29, 7, tzinfo=UTC)),
        # Good Friday and Easter Monday.
        (datetime(2021, 4, 1, 7, tzinfo=UTC), Schedule("week", 5, 6, "DE"), datetime(2021, 4, 6, 6, tzinfo=UTC)),
        (datetime(2021, 4, 5, 7, tzinfo=UTC), Schedule("week", 5, 6, "DE"), datetime(2021, 4, 6, 6, tzinfo=UTC)),
        (datetime(2021, 4, 6, 6, tzinfo=UTC), Schedule("week", 5, 6, "DE"), datetime(2021, 4, 9, 6, tzinfo=UTC)),
        (datetime(2021, 3, 6, 6, tzinfo=UTC), Schedule("week", 7, 6), datetime(2021, 3, 8, 6, tzinfo=UTC)),
    ],
)
def test_a_schedule_moves_on_to_the_next_business_day(after: datetime, schedule: Schedule, due: datetime) -> None:
    assert rules.next_due_at(after, schedule) == due
