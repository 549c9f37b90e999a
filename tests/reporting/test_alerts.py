"""Alerts: told once when a figure passes a bound or is unlike its past, and once when it is back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from services.reporting.alerts import handlers as alerts
from services.reporting.alerts import rules
from services.reporting.alerts.rules import Anomaly, MeaninglessRule, Reading, Threshold
from services.reporting.app import create_api
from services.reporting.jobs import Resources
from services.reporting.notices import handlers as notices
from services.reporting.notices.rules import conclude
from services.reporting.settings import Settings
from services.reporting.ticks import evaluate_alerts, ticks
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
from tests.reporting.receiver import GOOD, Answer, Receiver, receiving
from tests.service_client import app_of, calling, post

D = date
MAIL = {"channel": "email", "to": "cfo@example.com"}


@dataclass
class Watch:
    """The service, its clock, and where alerts go."""

    reporting: Reporting
    resources: Resources
    smtp: Mailbox
    receiver: Receiver

    async def add(self, **body: Any) -> dict[str, Any]:
        answer = await post(self.reporting.http, "/v1/alert-rules", {"currency": "EUR", "targets": [MAIL], **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def morning(self, day: date) -> None:
        """The clock comes to the morning of a day, everything due is done, and what was decided is sent."""
        now = datetime.combine(day, rules.EVALUATED_AT)
        await self.set_clock(now)
        while await evaluate_alerts(TickContext(self.reporting.database, now, self.resources)):
            pass
        await self.send()

    async def set_clock(self, now: datetime) -> None:
        await self.reporting.database.pool.execute("update clock set now = $1", now)

    async def send(self) -> None:
        real = Database(self.reporting.database.pool, Clock())
        while True:
            async with transaction(real) as tx:
                taken = await notices.take_notices(tx, 60)
            if not taken:
                return
            sent = await notices.deliver(self.resources.office, taken)
            async with transaction(real) as tx:
                await notices.conclude(tx, sent)

    async def next_due(self) -> datetime | None:
        (due,) = [sql for name, sql, _ in ticks.jobs if name == "evaluate_alerts"]
        return await self.reporting.database.pool.fetchval(f"select ({due})")

    async def alerts(self, **query: str) -> list[dict[str, Any]]:
        return (await self.reporting.get("/v1/alerts", **query))["items"]

    async def bare(self, secret: str) -> list[str]:
        """The tables in which it can be read."""
        tables = ("alert_rule", "idempotency", "notice")
        pool = self.reporting.database.pool
        forms = [f"%{secret}%", f"%{secret.encode().hex()}%"]
        return [
            table
            for table in tables
            if await pool.fetchval(f"select count(*) from {table} t where t::text like any($1)", forms)
        ]

    @property
    def subjects(self) -> list[str]:
        return [str(message["subject"]) for message in self.smtp.messages]


@pytest.fixture
async def watch(
    reports_database: Database, settings: Settings, token: Callable[..., str], smtp: Mailbox, seals: Seals
) -> AsyncIterator[Watch]:
    postman = Postman(MailServer(smtp.host, smtp.port, "receivables@dueward.local"))
    async with outside_client(20) as client, receiving() as receiver:
        resources = Resources(Outlet(client, True, 20.0, seals), postman, "https://reports.example")
        app = app_of(create_api, settings, database=reports_database, resources=resources)
        async with calling(app, "reporting", token("reports:read reports:write webhooks:write")) as http:
            watch = Watch(Reporting(http, reports_database), resources, smtp, receiver)
            await reports_database.pool.execute("update clock set now = $1", datetime(2021, 3, 1, 9, tzinfo=UTC))
            yield watch
        await postman.close()


def above(bound: str, clear_at: str | None = None) -> dict[str, Any]:
    return {"kind": "threshold", "direction": "above", "bound": bound, "clear_at": clear_at}


async def test_a_share_that_passes_its_bound_is_told_once_and_once_when_it_is_back(watch: Watch) -> None:
    books = Books()
    acme = books.onboard("Acme GmbH")
    late = books.issue(acme, D(2021, 2, 1), 600_00)  # Due on 3 March.
    books.issue(acme, D(2021, 2, 1), 400_00, net_days=60)
    await watch.reporting.hear(books)
    rule = await watch.add(name="Overdue EUR", metric="overdue_share", condition=above("50", "30"))
    assert (rule["condition"], rule["next_due_at"]) == (
        {**above("50", "30"), "score": None, "days": None},
        "2021-03-02T06:00:00Z",
    )
    for day in (2, 3, 4):  # Up to the end of 3 March nothing is overdue.
        await watch.morning(D(2021, 3, day))
    assert watch.subjects == []
    for day in (5, 8, 9):
        await watch.morning(D(2021, 3, day))
    assert watch.subjects == ["EUR: Share overdue is 60.00 %"]
    heard = len(books.events)
    books.pay(late, D(2021, 3, 9), 300_00)  # 300 of 700: better, and not yet good.
    await watch.reporting.hear(books.received[heard:])
    await watch.morning(D(2021, 3, 10))
    (alert,) = await watch.alerts(status="open")
    assert (alert["value"], alert["opened_on"], alert["cleared_on"]) == ("60.00", "2021-03-04", None)
    heard = len(books.events)
    books.pay(late, D(2021, 3, 10), 200_00)
    await watch.reporting.hear(books.received[heard:])
    await watch.morning(D(2021, 3, 11))
    assert watch.subjects[1:] == ["Over: EUR: Share overdue is back at 20.00 %"]
    assert await watch.alerts(status="open") == []
    (alert,) = await watch.alerts(rule_id=rule["id"], status="over")
    assert (alert["cleared_on"], alert["cleared_value"]) == ("2021-03-10", "20.00")
    readings = (await watch.reporting.get(f"/v1/alert-rules/{rule['id']}/readings"))["items"]
    assert [reading["value"] for reading in readings[:3]] == ["20.00", "42.86", "60.00"]
    plain = watch.smtp.messages[0].get_body(("plain",))
    assert plain is not None
    text = plain.get_content()
    assert "Rule: Overdue EUR" in text
    assert "Told: above 50 %" in text
    assert "https://reports.example/" in text


async def test_each_customer_has_an_episode_of_its_own(watch: Watch) -> None:
    books = Books()
    acme, other = books.onboard("Acme GmbH"), books.onboard("Other Ltd")
    first = books.issue(acme, D(2021, 1, 1), 1_500_00, net_days=10)
    books.issue(other, D(2021, 1, 1), 1_000_00, net_days=10)
    await watch.reporting.hear(books)
    await watch.add(name="Large debts", metric="customer_overdue", condition=above("1000"))
    await watch.morning(D(2021, 3, 2))
    assert watch.subjects == ["Acme GmbH: Overdue is €1,500.00"], "a bound that is reached is not passed"
    heard = len(books.events)
    books.pay(first, D(2021, 3, 2))
    books.issue(other, D(2021, 2, 1), 50_00, net_days=10)
    await watch.reporting.hear(books.received[heard:])
    await watch.morning(D(2021, 3, 3))
    assert sorted(watch.subjects[1:]) == [
        "Other Ltd: Overdue is €1,050.00",
        "Over: Acme GmbH: Overdue is back at €0.00",
    ]
    (alert,) = await watch.alerts(status="open")
    assert (alert["customer_id"], alert["customer_name"]) == (str(other), "Other Ltd")


async def test_a_figure_that_is_unlike_its_past_is_told(watch: Watch) -> None:
    books, chance = Books(), random.Random(5)
    acme = books.onboard("Acme GmbH")
    for back in range(120):
        day = D(2021, 3, 2) - timedelta(days=back)
        item = books.issue(acme, day, chance.randint(90, 110) * 1_00, net_days=10)
        if back > 15:
            books.pay(item, day + timedelta(days=15))
    await watch.reporting.hear(books)
    condition = {"kind": "anomaly", "direction": "above", "days": 20}
    rule = await watch.add(name="Anything odd", metric="receivables", condition=condition)
    await watch.morning(D(2021, 3, 2))
    assert watch.subjects == []
    heard = len(books.events)
    books.issue(acme, D(2021, 3, 2), 9_000_00)
    await watch.reporting.hear(books.received[heard:])
    await watch.morning(D(2021, 3, 3))
    (alert,) = await watch.alerts()
    assert Decimal(alert["score"]) > 10
    assert len(watch.subjects) == 1
    assert watch.subjects[0].startswith("EUR: Receivables is €10,")
    readings = await watch.reporting.pages(f"/v1/alert-rules/{rule['id']}/readings", limit=7)
    assert len(readings) == 22, "the past is measured once, and kept"


async def test_a_week_that_brings_less_than_was_forecast_is_told(watch: Watch) -> None:
    books = Books()
    acme = books.onboard("Acme GmbH")
    for week in range(40):
        day = D(2020, 5, 4) + timedelta(days=7 * week)
        item = books.issue(acme, day, 1_000_00, net_days=14)
        if day + timedelta(days=16) < D(2021, 3, 1):  # Two days late, without fail; then nothing more.
            books.pay(item, day + timedelta(days=16))
    books.issue(acme, D(2021, 2, 16), 1_000_00, net_days=14)
    books.issue(acme, D(2021, 2, 17), 1_000_00, net_days=14)
    await watch.reporting.hear(books)
    await watch.add(name="Forecast", metric="forecast_miss", condition=above("50"))
    await watch.morning(D(2021, 3, 2))
    assert watch.subjects == []
    await watch.morning(D(2021, 3, 8))
    assert watch.subjects == ["EUR: Shortfall against the week's forecast is 100.00 %"]


async def test_an_alert_reaches_mail_chats_and_programs(watch: Watch) -> None:
    webhook = (await post(watch.reporting.http, "/v1/webhooks", {"url": watch.receiver.url})).json()
    books = Books()
    books.issue(books.onboard("Acme GmbH"), D(2021, 1, 1), 100_00, net_days=10)
    await watch.reporting.hear(books)
    slack, teams = f"{watch.receiver.url}/T0/secret", f"{watch.receiver.url}/teams"
    targets = [
        MAIL,
        {"channel": "slack", "to": slack},
        {"channel": "teams", "to": teams},
        {"channel": "webhook", "to": webhook["id"]},
    ]
    rule = await watch.add(name="All of it", metric="overdue", condition=above("99.99"), targets=targets)
    assert "secret" not in str(rule["targets"])
    assert await watch.bare("T0/secret") == []
    await watch.morning(D(2021, 3, 2))
    assert await watch.bare("T0/secret") == []
    assert len(watch.subjects) == 1
    bodies = [call.message for call in watch.receiver.calls]
    (in_slack,) = [body for body in bodies if "blocks" in body]
    (in_teams,) = [body for body in bodies if "attachments" in body]
    assert in_slack["text"] == "EUR: Overdue is €100.00"
    assert in_teams["attachments"][0]["content"]["actions"][0]["url"] == "https://reports.example/"
    (call,) = [call for call in watch.receiver.calls if "webhook-id" in call.headers]
    assert call.is_signed_with(webhook["secret"])
    assert call.message["type"] == "dueward.alert.raised.v1"
    assert call.message["data"]["value"] == "100.00"
    assert call.message["data"]["rule_id"] == rule["id"]


async def test_addresses_of_chats_that_a_release_before_kept_bare_are_told_all_the_same_and_then_sealed(
    watch: Watch, seals: Seals
) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 1, 1), 100_00, net_days=10)
    await watch.reporting.hear(books)
    url = f"{watch.receiver.url}/T0/secret"
    rule = await watch.add(
        name="Chat", metric="overdue", condition=above("1"), targets=[{"channel": "slack", "to": url}]
    )
    pool = watch.reporting.database.pool
    await pool.execute("update alert_rule set targets = $1", [{"channel": "slack", "to": url}])
    assert "secret" not in str(await watch.reporting.get(f"/v1/alert-rules/{rule['id']}"))
    await watch.morning(D(2021, 3, 2))
    assert len(watch.receiver.calls) == 1
    await pool.execute("update notice set target = $1, sealed = null", url)
    assert await watch.bare("T0/secret") == ["alert_rule", "notice"]
    for count in (1, 0):
        async with transaction(watch.reporting.database) as tx:
            assert await alerts.renew_seals(tx, seals) == count
            assert await notices.renew_seals(tx, seals) == count
    assert await watch.bare("T0/secret") == []


async def test_a_notice_that_may_have_left_is_not_sent_again_and_one_that_has_not_is(watch: Watch) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 1, 1), 100_00, net_days=10)
    await watch.reporting.hear(books)
    answers = [Answer(503), GOOD]
    watch.receiver.behave = lambda _: answers.pop(0)
    target = {"channel": "slack", "to": f"{watch.receiver.url}/hook"}
    await watch.add(name="Chat", metric="overdue", condition=above("1"), targets=[target])
    await watch.morning(D(2021, 3, 2))
    pool = watch.reporting.database.pool
    assert await pool.fetchval("select status from notice") == "planned"
    await pool.execute("update notice set retry_at = now()")
    await watch.send()
    assert await pool.fetchval("select status from notice") == "sent"
    assert conclude(0, "doubtful", "no answer", None, datetime(2021, 1, 1, tzinfo=UTC)).status == "unknown"


async def test_an_alert_is_acknowledged_once(watch: Watch) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 1, 1), 100_00, net_days=10)
    await watch.reporting.hear(books)
    await watch.add(name="Overdue", metric="overdue", condition=above("1"))
    await watch.morning(D(2021, 3, 2))
    (alert,) = await watch.alerts()
    path = f"/v1/alerts/{alert['id']}/acknowledgement"
    seen = (await post(watch.reporting.http, path, {"note": "Anna calls them"})).json()
    assert (seen["acknowledged_by"], seen["note"], seen["version"]) == ("anna", "Anna calls them", 2)
    assert problem(await post(watch.reporting.http, path, {}), 409) == "already-acknowledged"
    assert (
        problem(await post(watch.reporting.http, f"/v1/alerts/{uuid4()}/acknowledgement", {}), 404) == "alert-not-found"
    )


async def test_nothing_is_due_without_rules_and_mornings_that_were_missed_come_to_one(watch: Watch) -> None:
    assert await watch.next_due() is None
    rule = await watch.add(name="Overdue", metric="overdue", condition=above("1"))
    assert await watch.next_due() == datetime(2021, 3, 2, 6, tzinfo=UTC)
    await watch.morning(D(2021, 3, 20))
    assert await watch.next_due() == datetime(2021, 3, 22, 6, tzinfo=UTC)
    readings = (await watch.reporting.get(f"/v1/alert-rules/{rule['id']}/readings"))["items"]
    assert [reading["on"] for reading in readings] == ["2021-03-19"]
    path = f"/v1/alert-rules/{rule['id']}"
    off = await watch.reporting.http.patch(path, json={"active": False}, headers={"if-match": '"1"'})
    assert off.json()["active"] is False
    assert await watch.next_due() is None
    changes = {"active": True, "condition": above("5"), "name": "Five"}
    on = await watch.reporting.http.patch(path, json=changes, headers={"if-match": '"2"'})
    assert (on.json()["name"], on.json()["condition"]["bound"]) == ("Five", "5")
    assert (await watch.reporting.http.delete(path, headers={"if-match": '"3"'})).status_code == 204
    assert await watch.next_due() is None


MEANINGLESS: list[tuple[dict[str, Any], str, str]] = [
    ({"metric": "dso", "condition": above("60", "70")}, "meaningless-rule", "#/condition/clear_at"),
    ({"metric": "dso", "customer_id": str(uuid4()), "condition": above("60")}, "meaningless-rule", "#/customer_id"),
    ({"metric": "customer_balance", "condition": {"kind": "anomaly"}}, "meaningless-rule", "#/customer_id"),
    ({"metric": "forecast_miss", "condition": {"kind": "anomaly"}}, "meaningless-rule", "#/condition/kind"),
    ({"metric": "overdue", "condition": above("1.005")}, "meaningless-rule", "#/condition/bound"),
    (
        {"metric": "dso", "condition": above("60"), "targets": [{"channel": "email", "to": "nobody"}]},
        "unusable-target",
        "#/targets/0/to",
    ),
    (
        {"metric": "dso", "condition": above("60"), "targets": [MAIL, {"channel": "webhook", "to": str(uuid4())}]},
        "unusable-target",
        "#/targets/1/to",
    ),
]


async def test_what_makes_no_sense_is_refused(watch: Watch) -> None:
    for body, slug, field in MEANINGLESS:
        answer = await post(watch.reporting.http, "/v1/alert-rules", {"name": "x", "currency": "EUR", **body})
        assert problem(answer, 422) == slug
        assert [each["pointer"] for each in answer.json()["errors"]] == [field]


ABOVE, BELOW = Threshold("above", Decimal(60), Decimal(57)), Threshold("below", Decimal(80), Decimal(84))


@pytest.mark.parametrize(
    ("condition", "value", "is_open", "verdict"),
    [
        (ABOVE, "60.00", False, "unchanged"),
        (ABOVE, "60.01", False, "raised"),
        (ABOVE, "60.01", True, "unchanged"),
        (ABOVE, "57.01", True, "unchanged"),
        (ABOVE, "57.00", True, "cleared"),
        (ABOVE, "57.00", False, "unchanged"),
        (ABOVE, None, True, "unchanged"),
        (BELOW, "80.00", False, "unchanged"),
        (BELOW, "79.99", False, "raised"),
        (BELOW, "83.99", True, "unchanged"),
        (BELOW, "84.00", True, "cleared"),
    ],
)
def test_an_episode_begins_beyond_the_bound_and_ends_well_inside_it(
    condition: Threshold, value: str | None, is_open: bool, verdict: str
) -> None:
    reading = Reading("", None, Decimal(value) if value else None)
    assert rules.judge(condition, reading, is_open=is_open) == verdict


@pytest.mark.parametrize(
    ("direction", "score", "is_open", "verdict"),
    [
        ("either", "-3.50", False, "raised"),
        ("either", "3.49", False, "unchanged"),
        ("above", "-9.00", False, "unchanged"),
        ("below", "-3.50", False, "raised"),
        ("above", "1.75", True, "unchanged"),
        ("above", "1.74", True, "cleared"),
        ("above", None, True, "unchanged"),
    ],
)
def test_an_anomaly_begins_at_its_score_and_ends_below_half_of_it(
    direction: Any, score: str | None, is_open: bool, verdict: str
) -> None:
    reading = Reading("", None, Decimal(1), Decimal(score) if score else None)
    assert rules.judge(Anomaly(direction, Decimal("3.5"), 60), reading, is_open=is_open) == verdict


def numbers(*values: float) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


@pytest.mark.parametrize(
    ("value", "past", "score"),
    [
        # Median 5.5, median absolute deviation 2.5: 0.6745 * (20 - 5.5) / 2.5.
        (20, numbers(*range(1, 11)), "3.91"),
        (5.5, numbers(*range(1, 11)), "0.00"),
        # Most values are alike: their mean absolute deviation is (1 + 3) / 10; 2 / (1.253314 * 0.4).
        (7, numbers(5, 5, 5, 5, 5, 5, 5, 5, 6, 8), "3.99"),
        (5, numbers(*[5] * 10), "0.00"),
        (5.01, numbers(*[5] * 10), "99.99"),
        (20, numbers(*range(1, 10)), None),
    ],
)
def test_a_robust_score_is_not_moved_by_the_odd_value_in_the_past(
    value: float, past: list[Decimal], score: str | None
) -> None:
    found = rules.robust_score(Decimal(str(value)), past)
    assert found == (Decimal(score) if score else None)


@pytest.mark.parametrize(
    ("after", "country", "due"),
    [
        (datetime(2021, 3, 1, 5, 59, tzinfo=UTC), None, D(2021, 3, 1)),
        (datetime(2021, 3, 1, 6, tzinfo=UTC), None, D(2021, 3, 2)),
        (datetime(2021, 3, 5, 7, tzinfo=UTC), None, D(2021, 3, 8)),
        (datetime(2021, 4, 1, 7, tzinfo=UTC), None, D(2021, 4, 2)),
        (datetime(2021, 4, 1, 7, tzinfo=UTC), "DE", D(2021, 4, 6)),
    ],
)
def test_rules_are_looked_at_on_business_mornings(after: datetime, country: str | None, due: date) -> None:
    assert rules.next_due_at(after, country) == datetime.combine(due, rules.EVALUATED_AT)


def test_a_bound_is_left_by_a_twentieth_of_itself_where_nothing_else_is_said() -> None:
    assert rules.threshold("above", Decimal(60), None).clear_at == 57
    assert rules.threshold("below", Decimal(60), None).clear_at == 63
    assert rules.threshold("above", Decimal(-60), None).clear_at == -63
    assert rules.threshold("above", Decimal(60), Decimal(60)).clear_at == 60
    with pytest.raises(MeaninglessRule):
        rules.threshold("below", Decimal(60), Decimal(59))
