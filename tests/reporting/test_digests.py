"""The weekly mail of an account team: how its customers stand, and what has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.reporting.app import create_api
from services.reporting.digests import rules
from services.reporting.jobs import Resources
from services.reporting.notices import handlers as notices
from services.reporting.settings import Settings
from services.reporting.ticks import make_digests, ticks
from services.reporting.webhooks.handlers import Outlet
from shared.clock import Clock
from shared.db import Database, transaction
from shared.delivery import Received
from shared.events.reminder import PromiseMade, PromiseState
from shared.mail import MailServer, Postman
from shared.money import Money
from shared.outside import outside_client
from shared.sealing import Seals
from shared.ticks import TickContext
from tests.mailbox import Mailbox
from tests.reporting.books import Books, receive
from tests.reporting.client import Reporting, problem
from tests.service_client import app_of, calling, post

D = date
MONDAY = datetime(2021, 3, 8, 6, tzinfo=UTC)


@dataclass
class Team:
    reporting: Reporting
    resources: Resources
    smtp: Mailbox

    async def add(self, **accounts: Any) -> dict[str, Any]:
        body = {"name": "Retail", "recipients": ["eve@example.com", "sam@example.com"], "accounts": accounts}
        answer = await post(self.reporting.http, "/v1/digests", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def comes_to(self, now: datetime) -> None:
        await self.reporting.database.pool.execute("update clock set now = $1", now)
        while (due := await self.next_due()) and due <= now:
            assert await make_digests(TickContext(self.reporting.database, now, self.resources))
        real = Database(self.reporting.database.pool, Clock())
        async with transaction(real) as tx:
            taken = await notices.take_notices(tx, 60)
        sent = await notices.deliver(self.resources.office, taken)
        async with transaction(real) as tx:
            await notices.conclude(tx, sent)

    async def next_due(self) -> datetime | None:
        (due,) = [sql for name, sql, _ in ticks.jobs if name == "make_digests"]
        return await self.reporting.database.pool.fetchval(f"select ({due})")

    def text(self, place: int) -> str:
        plain = self.smtp.messages[place].get_body(("plain",))
        assert plain is not None
        return plain.get_content().replace("\r\n", "\n")


@pytest.fixture
async def team(
    reports_database: Database, settings: Settings, token: Callable[..., str], smtp: Mailbox, seals: Seals
) -> AsyncIterator[Team]:
    postman = Postman(MailServer(smtp.host, smtp.port, "receivables@dueward.local"))
    async with outside_client(20) as client:
        resources = Resources(Outlet(client, True, 20.0, seals), postman, "https://reports.example")
        app = app_of(create_api, settings, database=reports_database, resources=resources)
        async with calling(app, "reporting", token("reports:read reports:write")) as http:
            await reports_database.pool.execute("update clock set now = $1", datetime(2021, 3, 3, 9, tzinfo=UTC))
            yield Team(Reporting(http, reports_database), resources, smtp)
        await postman.close()


def a_promise(customer_id: UUID, minor: int, on: date) -> Received:
    state = PromiseState(
        id=uuid4(),
        version=1,
        entity_id="default",
        case_id=uuid4(),
        status="open",
        amount=Money(minor, "EUR"),
        paid=Money(0, "EUR"),
        items=(),
        made_on=on,
        promised_on=on + timedelta(days=7),
        grace_until=on + timedelta(days=9),
        origin="staff",
    )
    return receive(
        PromiseMade(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", promise=state)
    )


async def test_a_team_reads_on_monday_how_its_accounts_stand_and_what_the_week_brought(team: Team) -> None:
    books = Books()
    acme, blue = books.onboard("Acme GmbH", "retail"), books.onboard("Blue Ltd", "retail")
    books.onboard("Nothing here", "retail")
    books.issue(books.onboard("Not theirs", "industry"), D(2021, 3, 1), 1_00)
    old = books.issue(acme, D(2021, 2, 1), 1_500_00)
    books.overdue(old)  # On 4 March.
    books.pay(old, D(2021, 3, 5), 500_00)
    books.remind(acme, D(2021, 3, 5))
    books.issue(blue, D(2021, 3, 7), 200_00)
    books.issue(blue, D(2021, 3, 8), 999_00)  # On the day itself, which is not over.
    await team.reporting.hear([*books.received, a_promise(acme, 1_000_00, D(2021, 3, 5))])
    digest = await team.add(segment="retail")
    assert (digest["next_due_at"], digest["weekday"], digest["hour"]) == ("2021-03-08T06:00:00Z", 1, 6)
    await team.comes_to(MONDAY - timedelta(minutes=1))
    assert team.smtp.messages == []
    await team.comes_to(MONDAY)
    assert sorted(str(mail["to"]) for mail in team.smtp.messages) == ["eve@example.com", "sam@example.com"]
    assert {str(mail["subject"]) for mail in team.smtp.messages} == {"Retail: your accounts, 7 Mar 2021"}
    assert team.text(0) == (
        "This is how your accounts stand, and what happened from 1 Mar 2021 to 7 Mar 2021.\n"
        "\n"
        "Owed: €1,200.00\n"
        "Overdue: €1,000.00\n"
        "Promised: €1,000.00\n"
        "\n"
        "Acme GmbH (€1,000.00 owed, €1,000.00 overdue, €1,000.00 promised for 12 Mar 2021)\n"
        "  - 1 payment came in, €500.00\n"
        "  - 1 invoice became overdue, €1,500.00\n"
        "  - 1 reminder sent\n"
        "  - Promises €1,000.00 for 12 Mar 2021\n"
        "\n"
        "Blue Ltd (€200.00 owed)\n"
        "  - 1 invoice issued, €200.00\n"
        "\n"
        "https://reports.example/\n"
    )
    await team.comes_to(MONDAY + timedelta(days=21))
    assert "from 8 Mar 2021 to 28 Mar 2021" in team.text(2), "missed weeks come in one"
    assert "1 invoice issued, €999.00" in team.text(2)
    assert len(team.smtp.messages) == 4


async def test_a_digest_is_previewed_changed_and_removed(team: Team) -> None:
    assert await team.next_due() is None
    books = Books()
    acme = books.onboard("Acme GmbH", "retail")
    await team.reporting.hear(books)
    digest = await team.add(customer_ids=[str(acme), str(uuid4())])
    path = f"/v1/digests/{digest['id']}"
    assert await team.reporting.get(f"{path}/preview") == {"subject": None, "text": None}
    await team.comes_to(MONDAY)
    assert team.smtp.messages == [], "nothing is owed and nothing happened"
    before = len(books.events)
    books.issue(acme, D(2021, 3, 5), 100_00)
    await team.reporting.hear(books.received[before:])
    assert "Acme GmbH (€100.00 owed)" in (await team.reporting.get(f"{path}/preview"))["text"]
    changed = await team.reporting.http.patch(path, json={"weekday": 5, "hour": 14}, headers={"if-match": '"1"'})
    assert changed.json()["next_due_at"] == "2021-03-12T14:00:00Z"
    assert [each["id"] for each in await team.reporting.pages("/v1/digests")] == [digest["id"]]
    assert (await team.reporting.http.delete(path, headers={"if-match": '"2"'})).status_code == 204
    assert problem(await team.reporting.http.get(path), 404) == "digest-not-found"
    assert await team.next_due() is None


async def test_a_digest_is_of_some_accounts(team: Team) -> None:
    body = {"name": "All", "recipients": ["eve@example.com"], "accounts": {}}
    assert problem(await post(team.reporting.http, "/v1/digests", body), 422) == "whose-accounts"
    body = {"name": "All", "recipients": [], "accounts": {"segment": "retail"}}
    assert problem(await post(team.reporting.http, "/v1/digests", body), 422) == "invalid-request"


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (MONDAY - timedelta(seconds=1), MONDAY),
        (MONDAY, MONDAY + timedelta(days=7)),
        (MONDAY + timedelta(seconds=1), MONDAY + timedelta(days=7)),
        (MONDAY + timedelta(days=6, hours=23), MONDAY + timedelta(days=7)),
    ],
)
def test_the_next_digest_is_at_the_next_such_hour(after: datetime, due: datetime) -> None:
    assert rules.next_due_at(after, 1, 6) == due
