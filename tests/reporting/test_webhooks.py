"""Webhooks: subscribed over HTTP, sent to a real receiver that does what receivers do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting import commands
from services.reporting.app import create_api
from services.reporting.jobs import Resources, measure_webhooks, send_webhooks
from services.reporting.settings import Settings
from services.reporting.webhook_deliveries import handlers, rules
from services.reporting.webhook_deliveries.rules import Lane, Outcome, Round, Run
from services.reporting.webhooks.handlers import Outlet
from services.reporting.webhooks.rules import Failure
from shared import telemetry
from shared.clock import Clock, real_now
from shared.db import Database, transaction
from shared.delivery import Received
from shared.mail import MailServer, Postman
from shared.outside import outside_client
from shared.sealing import Seals, read_keys
from shared.webhooks import key_of
from tests.reporting.books import Books, unknown
from tests.reporting.client import Reporting, problem
from tests.reporting.receiver import BAD, GOOD, HANGING, PATIENCE_S, WITHOUT_ANSWER, Answer, Receiver, receiving
from tests.service_client import app_of, calling, post

D = date
NEVER = asyncio.Event()
POSTMAN = Postman(MailServer("127.0.0.1", 9, "receivables@dueward.local"))
"""No mail is sent here."""


@dataclass
class Sender:
    """The service, the sender of its worker, and a receiver."""

    reporting: Reporting
    outlet: Outlet
    receiver: Receiver

    @property
    def database(self) -> Database:
        return Database(self.reporting.database.pool, Clock())

    async def subscribe(self, **body: Any) -> dict[str, Any]:
        answer = await post(self.reporting.http, "/v1/webhooks", {"url": self.receiver.url, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def round(self, lease_seconds: float | None = None) -> bool:
        """One round of every webhook that has something to do; whether there was one."""
        seconds = self.outlet.lease_seconds if lease_seconds is None else lease_seconds
        async with transaction(self.database) as tx:
            rounds = await handlers.take_rounds(tx, seconds, 8)
        for one in rounds:
            outcomes = await handlers.make_calls(self.outlet, one, NEVER)
            async with transaction(self.database) as tx:
                await handlers.settle_round(tx, one, outcomes)
        return bool(rounds)

    async def send_all(self) -> None:
        async with asyncio.timeout(60):
            while await self.round():
                pass

    async def retry_now(self, webhook: dict[str, Any], event_id: UUID | None = None) -> httpx.Response:
        body = {"event_id": str(event_id)} if event_id else {}
        return await post(self.reporting.http, f"/v1/webhooks/{webhook['id']}/retries", body)

    async def get(self, webhook: dict[str, Any], what: str) -> Any:
        return await self.reporting.get(f"/v1/webhooks/{webhook['id']}/{what}")

    async def hear(self, *customers: UUID) -> list[Received]:
        """An event of each of these customers, in this order."""
        received = [unknown(customer) for customer in customers]
        await self.reporting.hear(received)
        return received


@pytest.fixture
async def sender(
    reports_database: Database, settings: Settings, token: Callable[..., str], seals: Seals
) -> AsyncIterator[Sender]:
    async with outside_client(PATIENCE_S) as client, receiving() as receiver:
        outlet = Outlet(client, private=True, timeout_seconds=PATIENCE_S, seals=seals)
        app = app_of(
            create_api, settings, database=reports_database, resources=Resources(outlet, POSTMAN, "http://reports")
        )
        async with calling(app, "reporting", token("reports:read webhooks:write")) as http:
            yield Sender(Reporting(http, reports_database), outlet, receiver)


def ids(received: list[Received]) -> list[UUID]:
    return [r.envelope.id for r in received]


async def test_events_are_sent_in_order_signed_for_the_published_library(sender: Sender) -> None:
    await sender.hear(uuid4())
    webhook = await sender.subscribe(description="ERP")
    books = Books()
    acme = books.onboard("Acme GmbH")
    books.pay(books.issue(acme, D(2021, 1, 1), 100_00), D(2021, 1, 9))
    await sender.reporting.hear(books)
    await sender.send_all()

    fed = (await sender.reporting.get("/v1/events", customer_id=str(acme)))["items"]
    assert [str(call.id) for call in sender.receiver.calls] == [event["id"] for event in fed]
    for call, event in zip(sender.receiver.calls, fed, strict=True):
        assert call.is_signed_with(webhook["secret"])
        assert not call.is_signed_with("whsec_" + "A" * 44)
        assert call.headers["content-type"] == "application/json"
        message = call.message
        assert message.keys() == {"type", "timestamp", "data"}
        assert message["type"] == event["type"]
        assert message["data"]["data"] == event["data"]
        assert message["data"].keys() == event.keys()
    state = await sender.get(webhook, "state")
    assert (state["up_to_date"], state["delivered"], state["waiting_customers"]) == (True, 5, 0)
    assert not await sender.round()


async def test_a_webhook_gets_only_the_types_and_customers_it_asked_for_and_may_begin_earlier(sender: Sender) -> None:
    books = Books()
    one, other = books.onboard("One"), books.onboard("Other")
    day = D(2021, 1, 1)
    books.issue(one, day, 1)
    books.issue(other, day, 2)
    received = books.received
    await sender.reporting.hear(received)
    issued = ["dueward.invoice.issued.v1"]
    await sender.subscribe(types=issued, customer_ids=[str(other)], start_after=str(received[0].envelope.id))
    await sender.send_all()
    assert sender.receiver.ids == [received[3].envelope.id]


async def test_a_customer_whose_event_fails_waits_and_the_others_go_on(sender: Sender) -> None:
    webhook = await sender.subscribe()
    bad, good = uuid4(), uuid4()
    sender.receiver.behave = lambda call: BAD if call.customer == str(bad) else GOOD
    first = await sender.hear(good, bad, bad, good)
    await sender.send_all()
    later = await sender.hear(bad, good)
    await sender.send_all()
    assert sender.receiver.ids == ids([first[0], first[3], later[1]])
    assert len(sender.receiver.calls) == 4, "the second event of the customer in trouble waits behind the first"
    (waiting,) = (await sender.get(webhook, "waiting"))["items"]
    assert (waiting["customer_id"], waiting["event_id"]) == (str(bad), str(first[1].envelope.id))
    assert (waiting["attempts"], waiting["reason"]) == (1, "the receiver answers 500: no luck")
    state = await sender.get(webhook, "state")
    assert (state["waiting_customers"], state["up_to_date"]) == (1, False)

    sender.receiver.behave = lambda _: GOOD
    assert (await sender.retry_now(webhook)).json() == {"retried": 1}
    await sender.send_all()
    assert (await sender.get(webhook, "state"))["up_to_date"]
    assert [call.id for call in sender.receiver.taken if call.customer == str(bad)] == ids(
        [first[1], first[2], later[0]]
    )
    assert (await sender.get(webhook, "waiting"))["items"] == []
    later = await sender.hear(bad)
    await sender.send_all()
    assert sender.receiver.taken[-1].id == later[0].envelope.id


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HANGING, "there was no answer in time"),
        (Answer(302, (("location", "http://127.0.0.1:1/"),)), "the receiver answers 302"),
        (Answer(404), "the receiver answers 404"),
        (BAD, "the receiver answers 500: no luck"),
    ],
)
async def test_what_is_no_success_is_tried_again_with_the_same_id_and_body(
    sender: Sender, answer: Answer, reason: str
) -> None:
    webhook = await sender.subscribe()
    sender.receiver.behave = lambda _: answer
    if answer.hangs:
        sender.outlet.client.timeout = WITHOUT_ANSWER
    await sender.hear(uuid4())
    await sender.send_all()
    (waiting,) = (await sender.get(webhook, "waiting"))["items"]
    assert waiting["reason"] == reason
    sender.receiver.behave = lambda _: GOOD
    sender.outlet.client.timeout = httpx.Timeout(PATIENCE_S)
    await sender.retry_now(webhook)
    await sender.send_all()
    first, second = sender.receiver.calls
    assert (first.id, first.body) == (second.id, second.body)
    assert (await sender.get(webhook, "state"))["failing_since"] is None


async def test_a_receiver_that_asks_for_rest_is_left_alone(sender: Sender) -> None:
    webhook = await sender.subscribe()
    sender.receiver.behave = lambda _: Answer(429, (("retry-after", "900"),))
    await sender.hear(*(uuid4() for _ in range(30)))
    await sender.send_all()
    assert len(sender.receiver.calls) <= handlers.CALLS_AT_ONCE
    state = await sender.get(webhook, "state")
    assert datetime.fromisoformat(state["resting_until"]) > real_now() + timedelta(seconds=800)
    sender.receiver.behave = lambda _: GOOD
    await sender.retry_now(webhook)
    await sender.send_all()
    assert len(sender.receiver.ids) == 30


async def test_when_a_receiver_is_back_all_that_waits_is_tried_soon(sender: Sender) -> None:
    webhook = await sender.subscribe()
    sender.receiver.behave = lambda _: BAD
    await sender.hear(uuid4(), uuid4(), uuid4())
    await sender.send_all()
    assert (await sender.get(webhook, "state"))["failing_since"]
    pool, later = sender.database.pool, real_now() + timedelta(hours=8)
    await pool.execute("update webhook_lane set retry_at = $1", later)
    await pool.execute("update webhook_run set rest_until = null")
    sender.receiver.behave = lambda _: GOOD
    await sender.hear(uuid4())
    await sender.send_all()
    soon = real_now() + timedelta(minutes=1, seconds=1)
    waiting = (await sender.get(webhook, "waiting"))["items"]
    assert all(datetime.fromisoformat(lane["retry_at"]) < soon for lane in waiting)
    assert (await sender.get(webhook, "state"))["failing_since"] is None


async def test_a_receiver_that_is_gone_is_called_no_more_until_somebody_says_so(sender: Sender) -> None:
    webhook = await sender.subscribe(notify="erp-team@example.com")
    path = f"/v1/webhooks/{webhook['id']}"
    sender.receiver.behave = lambda _: Answer(410)
    received = await sender.hear(uuid4(), uuid4())
    await sender.send_all()
    seen = await sender.reporting.http.get(path)
    assert (seen.json()["status"], seen.headers["etag"]) == ("disabled", '"2"')
    assert "410" in seen.json()["disabled_because"]
    (told,) = await sender.database.pool.fetch("select channel, target, content from notice")
    assert (told["channel"], told["target"]) == ("email", "erp-team@example.com")
    assert told["content"]["title"] == "A webhook was disabled"
    received += await sender.hear(uuid4())
    assert not await sender.round()
    sender.receiver.behave = lambda _: GOOD
    again = await sender.reporting.http.patch(path, json={"status": "active"}, headers={"if-match": '"2"'})
    assert (again.json()["status"], again.json()["disabled_because"]) == ("active", None)
    await sender.send_all()
    assert set(sender.receiver.ids) == set(ids(received))


async def test_while_a_secret_is_rotated_two_signatures_are_sent(sender: Sender) -> None:
    webhook = await sender.subscribe()
    path = f"/v1/webhooks/{webhook['id']}/secret"
    overlapping = (await post(sender.reporting.http, path, {})).json()
    assert overlapping["two_secrets_until"]
    await sender.hear(uuid4())
    await sender.send_all()
    at_once = (await post(sender.reporting.http, path, {"overlap_hours": 0})).json()
    assert at_once["two_secrets_until"] is None
    await sender.hear(uuid4())
    await sender.send_all()
    secrets = [each["secret"] for each in (webhook, overlapping, at_once)]
    signed = [[call.is_signed_with(secret) for secret in secrets] for call in sender.receiver.calls]
    assert signed == [[True, True, False], [False, False, True]]
    assert "secret" not in (await sender.reporting.get(f"/v1/webhooks/{webhook['id']}"))


async def kept(database: Database) -> str:
    """All that stands in the tables that secrets pass through, bytes in hexadecimal digits."""
    tables = ("webhook", "idempotency", "alert_rule", "notice")
    rows = [await database.pool.fetch(f"select t::text as row from {table} t") for table in tables]
    return "\n".join(row["row"] for found in rows for row in found)


def written(secret: str) -> list[str]:
    """A signing secret as it could stand in a dump: as it is told, or as its bytes."""
    return [secret, secret.encode().hex(), key_of(secret).hex()]


async def test_no_secret_can_be_read_in_the_database_and_a_repeated_request_is_told_the_same(sender: Sender) -> None:
    http, key = sender.reporting.http, "again"
    first, second = [await post(http, "/v1/webhooks", {"url": sender.receiver.url}, key) for _ in range(2)]
    assert (second.json(), second.headers["idempotency-replayed"]) == (first.json(), "true")
    rotated = (await post(http, f"/v1/webhooks/{first.json()['id']}/secret", {}, "rotated")).json()
    everything = await kept(sender.database)
    assert str(first.json()["id"]) in everything
    for secret in (first.json()["secret"], rotated["secret"]):
        assert [form for form in written(secret) if form in everything] == []
    await sender.hear(uuid4())
    await sender.send_all()
    (call,) = sender.receiver.calls
    assert call.is_signed_with(first.json()["secret"])
    assert call.is_signed_with(rotated["secret"])


async def test_a_key_copied_into_another_webhook_or_sealed_under_a_lost_key_signs_nothing(sender: Sender) -> None:
    mine, other = await sender.subscribe(), await sender.subscribe()
    pool = sender.database.pool
    await pool.execute(
        "update webhook set key = (select key from webhook where id = $1) where id = $2",
        UUID(mine["id"]),
        UUID(other["id"]),
    )
    tried = (await post(sender.reporting.http, f"/v1/webhooks/{other['id']}/test", {})).json()
    assert (tried["delivered"], sender.receiver.calls) == (False, [])
    assert tried["reason"] == f"the secret of webhook {other['id']} was changed, or is another row's"
    sender.outlet = replace(sender.outlet, seals=Seals([b"n" * 32]))
    await sender.hear(uuid4())
    await sender.send_all()
    (waiting,) = (await sender.get(mine, "waiting"))["items"]
    assert waiting["reason"].startswith("SECRETS_KEY has no more the key")


async def test_what_was_bare_or_under_an_older_key_is_sealed_under_the_newest(
    sender: Sender, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a release before the seals left it; then with a key put before the one in use; then without that one. By the
    command of operators."""
    bare = await sender.subscribe()
    await sender.database.pool.execute("update webhook set key = $1", key_of(bare["secret"]))
    sealed = await sender.subscribe()
    newest = b"n" * 32
    newer, both = Seals([newest]), Seals([newest, *read_keys(settings.secrets_key.get_secret_value())])
    for count in (2, 0):
        await commands.seal(sender.reporting.database.url, both)
        assert capsys.readouterr().out.splitlines()[-1] == f"{count} webhooks, 0 alert rules, 0 notices sealed anew"
    rows = await sender.database.pool.fetch("select key from webhook")
    assert all(newer.is_current(row["key"]) for row in rows)
    sender.outlet = replace(sender.outlet, seals=newer)
    await sender.hear(uuid4())
    await sender.send_all()
    for webhook in (bare, sealed):
        assert sum(call.is_signed_with(webhook["secret"]) for call in sender.receiver.calls) == 1


async def test_an_operator_sees_what_waits_for_how_long_and_what_is_dead(sender: Sender) -> None:
    def gauged() -> tuple[float, ...]:
        gauges = (telemetry.WEBHOOK_WAITING, telemetry.WEBHOOK_DEAD, telemetry.WEBHOOKS_DISABLED)
        return tuple(gauge._value.get() for gauge in gauges)

    def oldest() -> float:
        return telemetry.WEBHOOK_OLDEST_AGE_SECONDS._value.get()

    pool, bad = sender.database.pool, uuid4()
    await sender.subscribe()
    await measure_webhooks(sender.database)
    assert (gauged(), oldest()) == ((0, 0, 0), 0)
    await sender.hear(uuid4(), bad)
    await pool.execute("update event set kept_at = kept_at - interval '1 hour'")
    await measure_webhooks(sender.database)
    assert 3_600 <= oldest() < 3_900
    sender.receiver.behave = lambda call: BAD if call.customer == str(bad) else GOOD
    await sender.send_all()
    await measure_webhooks(sender.database)
    assert gauged() == (1, 0, 0)
    assert 3_600 <= oldest() < 3_900
    long_ago = real_now() - rules.DEAD_AFTER
    await pool.execute("update webhook_lane set failing_since = $1, retry_at = $1", long_ago)
    await sender.send_all()
    await measure_webhooks(sender.database)
    assert (gauged(), oldest()) == ((0, 1, 0), 0)
    sender.receiver.behave = lambda _: Answer(410)
    await sender.hear(uuid4())
    await sender.send_all()
    await measure_webhooks(sender.database)
    assert (gauged(), oldest()) == ((1, 1, 1), 0), "nobody waits for one that is disabled"


async def test_the_test_button_says_what_came_of_it(sender: Sender) -> None:
    webhook = await sender.subscribe()
    path = f"/v1/webhooks/{webhook['id']}/test"
    tried = (await post(sender.reporting.http, path, {})).json()
    assert (tried["delivered"], tried["status"], tried["reason"]) == (True, None, None)
    (call,) = sender.receiver.calls
    assert call.message["type"] == "dueward.webhook.test.v1"
    assert call.is_signed_with(webhook["secret"])
    sender.receiver.behave = lambda _: BAD
    tried = (await post(sender.reporting.http, path, {})).json()
    assert (tried["delivered"], tried["status"]) == (False, 500)


async def test_a_range_of_time_is_sent_once_more(sender: Sender) -> None:
    webhook = await sender.subscribe()
    books = Books()
    acme = books.onboard(on=D(2021, 1, 1))
    for month in (2, 3, 4):
        books.issue(acme, D(2021, month, 1), 1_00)
    received = books.received
    await sender.reporting.hear(received)
    await sender.send_all()
    path = f"/v1/webhooks/{webhook['id']}/replays"
    body = {"since": "2021-02-01T00:00:00Z", "until": "2021-04-01T00:00:00Z"}
    answer = await post(sender.reporting.http, path, body)
    assert (answer.status_code, answer.json()["finished_at"]) == (201, None)
    await sender.send_all()
    assert [call.id for call in sender.receiver.calls[4:]] == ids(received[1:3])
    (done,) = (await sender.get(webhook, "replays"))["items"]
    assert (done["delivered"], done["finished_at"] is not None) == (2, True)
    assert not await sender.round()
    answer = await post(sender.reporting.http, path, {"since": body["until"], "until": body["since"]})
    assert problem(answer, 422) == "empty-range"


async def test_a_dead_delivery_is_tried_again_by_hand(sender: Sender) -> None:
    """Failing for longer than three days: the row says so, nobody waits for it here."""
    webhook = await sender.subscribe()
    bad = uuid4()
    sender.receiver.behave = lambda _: BAD
    dead, after = await sender.hear(bad, bad)
    await sender.send_all()
    long_ago = real_now() - rules.DEAD_AFTER
    await sender.database.pool.execute("update webhook_lane set failing_since = $1, retry_at = $1", long_ago)
    await sender.round()
    (buried,) = (await sender.get(webhook, "dead-deliveries"))["items"]
    assert (buried["event_id"], buried["attempts"]) == (str(dead.envelope.id), 2)
    sender.receiver.behave = lambda _: GOOD
    await sender.retry_now(webhook, after.envelope.id)
    await sender.send_all()
    assert sender.receiver.ids == [after.envelope.id], "the customer's next event goes on"
    assert problem(await sender.retry_now(webhook, uuid4()), 404) == "nothing-to-retry"
    await sender.retry_now(webhook, dead.envelope.id)
    await sender.send_all()
    assert sender.receiver.ids == ids([after, dead])
    assert (await sender.get(webhook, "dead-deliveries"))["items"] == []


async def test_a_paused_or_removed_webhook_is_not_called(sender: Sender) -> None:
    webhook = await sender.subscribe()
    path = f"/v1/webhooks/{webhook['id']}"
    answer = await sender.reporting.http.patch(path, json={"status": "paused"}, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    received = await sender.hear(uuid4())
    assert not await sender.round()
    await sender.reporting.http.patch(path, json={"status": "active"}, headers={"if-match": '"2"'})
    await sender.send_all()
    assert sender.receiver.ids == ids(received)
    assert (await sender.reporting.http.delete(path, headers={"if-match": '"2"'})).status_code == 412
    assert (await sender.reporting.http.delete(path, headers={"if-match": '"3"'})).status_code == 204
    await sender.hear(uuid4())
    assert not await sender.round()
    assert problem(await sender.reporting.http.get(path), 404) == "webhook-not-found"


UNUSABLE: list[tuple[dict[str, Any], str, str]] = [
    ({"types": ["dueward.invoice.isued.v1"]}, "unknown-event-type", "#/types/0"),
    ({"url": "ftp://erp.example/hooks"}, "unusable-address", "#/url"),
    ({"url": "https://user:word@erp.example/hooks"}, "unusable-address", "#/url"),
    ({"start_after": str(uuid4())}, "event-not-found", "#/start_after"),
    ({"notify": "nobody"}, "invalid-request", "#/notify"),
]


async def test_what_cannot_be_subscribed_is_refused(sender: Sender) -> None:
    for change, slug, field in UNUSABLE:
        answer = await post(sender.reporting.http, "/v1/webhooks", {"url": "https://erp.example/hooks", **change})
        assert problem(answer, answer.status_code) == slug
        assert [each["pointer"] for each in answer.json()["errors"]] == [field]


async def test_nobody_reaches_the_inside_by_a_webhook_unless_the_operator_allows_it(
    sender: Sender, settings: Settings, token: Callable[..., str]
) -> None:
    outlet = replace(sender.outlet, private=False)
    app = app_of(
        create_api, settings, database=sender.reporting.database, resources=Resources(outlet, POSTMAN, "http://reports")
    )
    async with calling(app, "reporting", token("webhooks:write")) as http:
        assert problem(await post(http, "/v1/webhooks", {"url": sender.receiver.url}), 422) == "unusable-address"
        port = sender.receiver.url.split(":")[2]
        made = (await post(http, "/v1/webhooks", {"url": f"https://localhost:{port}"})).json()
        tried = (await post(http, f"/v1/webhooks/{made['id']}/test", {})).json()
    assert not tried["delivered"]
    assert "not a public address" in tried["reason"]
    assert sender.receiver.calls == []


async def test_the_worker_sends_until_it_is_told_to_stop_and_works_at_one_webhook_beside_the_other(
    sender: Sender,
) -> None:
    async with receiving() as stuck:
        stuck.behave = lambda _: HANGING
        answer = await post(sender.reporting.http, "/v1/webhooks", {"url": stuck.url})
        assert answer.status_code == 201
        await sender.subscribe()
        stop = asyncio.Event()
        working = asyncio.create_task(
            send_webhooks(stop, sender.reporting.database, Resources(sender.outlet, POSTMAN, "http://reports"))
        )
        received = await sender.hear(*[uuid4()] * 5)
        counted = telemetry.WEBHOOK_CALLS.labels("delivered")._value.get()
        async with asyncio.timeout(60):
            while sender.receiver.ids != ids(received):
                await asyncio.sleep(0.05)
        stop.set()
        stuck.released.set()
        await working
        assert stuck.taken == []
        assert telemetry.WEBHOOK_CALLS.labels("delivered")._value.get() == counted + 5


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), customers=st.integers(1, 4), count=st.integers(1, 40))
async def test_every_event_arrives_in_order_per_customer_whatever_fails_and_whoever_is_killed(
    sender: Sender, seed: int, customers: int, count: int
) -> None:
    """Calls fail at random, senders are killed before they write down what they did or in the middle of their calls,
    and another takes over while the killed one's calls are still under way."""
    chance = random.Random(seed)
    receiver = sender.receiver
    receiver.taken.clear()
    receiver.behave = lambda _: BAD if chance.random() < 0.3 else GOOD
    webhook = await sender.subscribe()
    people = [uuid4() for _ in range(customers)]
    received: list[Received] = []
    while len(received) < count:
        received += await sender.hear(*chance.choices(people, k=chance.randint(1, 8)))
        match chance.choice(["round", "killed after", "killed amid", "retry"]):
            case "round":
                await sender.round()
            case "killed after":
                async with transaction(sender.database) as tx:
                    rounds = await handlers.take_rounds(tx, -1, 8)
                for one in rounds:
                    await handlers.make_calls(sender.outlet, one, NEVER)
            case "killed amid":
                with suppress(TimeoutError):
                    async with asyncio.timeout(chance.random() * 0.05):
                        await sender.round(lease_seconds=-1)
            case _:
                await sender.retry_now(webhook)
    receiver.behave = lambda _: GOOD
    for _ in range(len(people) + 2):
        await sender.retry_now(webhook)
        await sender.send_all()
    assert set(receiver.ids) == set(ids(received))
    for customer in people:
        expected = [r.envelope.id for r in received if r.envelope.key == customer]
        assert [id for id in receiver.ids if id in set(expected)] == expected
    assert (await sender.get(webhook, "state"))["waiting_customers"] == 0
    await sender.reporting.http.delete(f"/v1/webhooks/{webhook['id']}", headers={"if-match": '"1"'})


NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RUN = Run(uuid4(), uuid4(), "live", None, None, 0, None, 0, None, None)


def event_of(customer: UUID, seq: int) -> dict[str, Any]:
    return {"id": uuid4(), "seq": seq, "customer_id": customer, "type": "dueward.invoice.issued.v1"}


def a_round(*lanes: Lane, run: Run = RUN) -> Round:
    return Round(run, None, 100, lanes)  # pyright: ignore[reportArgumentType]  # Settling looks at the run alone.


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (9, 28_800), (30, 28_800)]
)
def test_retries_wait_longer_each_time_and_not_all_together(attempts: int, seconds: float) -> None:
    assert rules.backoff(attempts, lambda: 0.0).total_seconds() == pytest.approx(seconds * 0.8)
    assert rules.backoff(attempts, lambda: 0.5).total_seconds() == pytest.approx(seconds)
    assert rules.backoff(attempts, lambda: 0.999).total_seconds() == pytest.approx(seconds * 1.2, rel=0.01)


@pytest.mark.parametrize(
    ("failing_for", "dead"),
    [(rules.DEAD_AFTER - timedelta(seconds=1), False), (rules.DEAD_AFTER, True)],
)
def test_an_event_is_dead_after_three_days_and_the_next_has_its_own(failing_for: timedelta, dead: bool) -> None:
    customer = uuid4()
    head, following = event_of(customer, 7), event_of(customer, 9)
    lane = Lane(customer, [head, following], attempts=12, failing_since=NOW - failing_for, kept=True)
    settled = rules.settle(a_round(lane), [(lane, Outcome(0, Failure("no")))], NOW, lambda: 0.5)
    assert [each.event_id for each in settled.dead] == ([head["id"]] if dead else [])
    (row,) = settled.lanes
    assert (row.place, row.attempts) == ((7, 0) if dead else (6, 13))


def test_a_receiver_that_fails_for_several_rests_and_one_customer_alone_rests_nobody() -> None:
    lanes = [Lane(uuid4(), [event_of(uuid4(), n)]) for n in (1, 2)]
    failed = Outcome(0, Failure("no"))
    alone = rules.settle(a_round(lanes[0]), [(lanes[0], failed)], NOW, lambda: 0.5)
    assert (alone.rest_until, alone.failures, alone.failing_since) == (None, 1, NOW)
    both = rules.settle(a_round(*lanes), [(lane, failed) for lane in lanes], NOW, lambda: 0.5)
    assert both.rest_until == NOW + timedelta(seconds=5)
    long = replace(RUN, failures=40, failing_since=NOW - timedelta(days=1))
    later = rules.settle(a_round(*lanes, run=long), [(lane, failed) for lane in lanes], NOW, lambda: 0.5)
    assert later.rest_until == NOW + timedelta(seconds=300)
    one_good = rules.settle(a_round(*lanes, run=long), [(lanes[0], failed), (lanes[1], Outcome(1))], NOW, lambda: 0.5)
    assert (one_good.failures, one_good.failing_since, one_good.recovered) == (0, None, True)


@pytest.mark.parametrize(
    ("failing_for", "disabled"),
    [(rules.DISABLED_AFTER - timedelta(seconds=1), False), (rules.DISABLED_AFTER, True)],
)
def test_a_webhook_is_disabled_after_five_days_without_a_success(failing_for: timedelta, disabled: bool) -> None:
    run = replace(RUN, failures=99, failing_since=NOW - failing_for)
    lane = Lane(uuid4(), [event_of(uuid4(), 1)])
    settled = rules.settle(a_round(lane, run=run), [(lane, Outcome(0, Failure("no")))], NOW, lambda: 0.5)
    assert (settled.disable_because is not None) is disabled
    assert (settled.failures, settled.failing_since) == ((0, None) if disabled else (100, run.failing_since))


def test_what_was_not_begun_waits_without_blame() -> None:
    customer = uuid4()
    lane = Lane(customer, [event_of(customer, 3), event_of(customer, 5)])
    (row,) = rules.settle(a_round(lane), [(lane, Outcome(1))], NOW, lambda: 0.5).lanes
    assert (row.place, row.attempts, row.failing_since, row.retry_at) == (4, 0, None, NOW)


def test_a_call_of_a_page_is_read_by_customer() -> None:
    a, b = uuid4(), uuid4()
    page = [event_of(a, 1), event_of(b, 2), event_of(a, 3)]
    lanes = rules.lanes_of_page(page, frozenset())
    assert [(lane.customer_id, [event["seq"] for event in lane.events]) for lane in lanes] == [(a, [1, 3]), (b, [2])]
    assert [lane.customer_id for lane in rules.lanes_of_page(page, frozenset({a}))] == [b]
