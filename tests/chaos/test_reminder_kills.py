"""The reminder service's worker is killed at every point of a send, and nothing is sent twice or silently dropped.

Its neighbours stop at a named point and say that the worker is there; or another transaction holds what the worker
locks next. Then it is killed with SIGKILL, and another one goes on. `make chaos` does it two hundred times.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.local import embedded
from services.reminder.app import create_api, resources
from services.reminder.settings import Settings
from shared import tokens
from shared.db import Database
from shared.ticks import CLOCK_CHANNEL
from tests.chaos.neighbours import COLLEAGUE, Gate, MailSink, Web
from tests.mailbox import Mailbox
from tests.reminder.books import ADA
from tests.reminder.desk import Desk, InvoiceService
from tests.reminder.gateways import ACCOUNT, SENDER, SMS_CALLBACK_URL, TOKEN
from tests.service_client import calling, settings_of

ROOT = Path(__file__).parents[2]
FIRST_DAY = date(2026, 3, 2)
MORNING, OPENING = 8, 9
SEEDS = [int(seed) for seed in (os.environ.get("SEEDS") or "1 2 3 4").split()]
KILLS_A_SEED = 50
PATIENCE_S = 120.0
SENDERS_WORD_S = 3.0
"""How long the worker waits for a word of the mail server; four times as long, it holds what it sends."""
ON_THE_WIRE_AT_ONCE = 4
"""Of each channel: the mail server's connections, the gateway's calls."""

LADDER = """\
name: default
title: Every way to send
steps:
  - {name: ask, days_from_due: 1, channels: [email, sms], tone: friendly, template: first-reminder,
     attachments: [invoices]}
  - {name: tell, days_from_due: 6, channels: [email, sms], tone: firm, template: second-reminder}
  - {name: end, days_from_due: 12, channel: email, tone: formal, template: final-notice}
"""
AGENCY = {"name": "Northern", "commission": [{"days_from": 0, "percent": "15"}]}
EVERY_MESSAGE = (("ask", "email"), ("ask", "sms"), ("tell", "email"), ("tell", "sms"), ("end", "email"))
UNTIL_ALL_IS_SAID_DAYS = 20
"""The last step's days, and some for those whose doubt about a message put off the next."""

IN_THE_MORNING = (
    *("digest.recipient", "digest.data", "digest.half", "digest.taken", "digest.answered", "digest locked"),
    *("agency.balance", "agency.document", "agency locked"),
)
AT_THE_OPENING = (
    *("planning locked", "mail.balance", "confirming locked", "mail.document"),
    *("mail.connected", "mail.from", "mail.recipient", "mail.data", "mail.half", "mail.taken", "mail.answered"),
    *("sms.asked", "sms.taken", "sms.answered", "mail locked", "sms locked"),
)
POINTS = (*AT_THE_OPENING, *IN_THE_MORNING)
"""`... locked`: within the transaction that follows, which waits for somebody else's lock."""
STOPS_BEFORE = {
    "confirming locked": "mail.balance",
    "mail locked": "mail.taken",
    "sms locked": "sms.taken",
    "digest locked": "digest.taken",
    "agency locked": "agency.document",
}


class Siege:
    """A reminder service whose worker is killed again and again, day after day of simulated time."""

    def __init__(self, desk: Desk, sink: MailSink, web: Web, gate: Gate, environment: dict[str, str], log: Path):
        self.desk, self.sink, self.web, self.gate = desk, sink, web, gate
        self.environment, self.log = environment, log
        self.day = FIRST_DAY
        self.customers: list[UUID] = []
        self.placements: list[str] = []
        self.followed: UUID | None = None
        self.leaving: set[UUID] = set()
        """What the books said was leaving when a worker died."""
        self.in_hand = 0
        """How often a message was in a dying worker's hands and had not left."""
        self.worker: subprocess.Popen[bytes] | None = None

    async def succeed(self) -> None:
        """Another worker takes over from the one that was killed; of no more can be doubt than was on the wire."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.desk.database.pool.fetchval(_STILL_BUSY):
                await asyncio.sleep(0.01)
        rows = await self.desk.database.pool.fetch("select id, leaving from contact where status = 'sending'")
        leaving = {row["id"] for row in rows if row["leaving"]}
        self.leaving |= leaving
        self.in_hand += len(rows) - len(leaving)
        assert len(leaving - {*self.sink.reminders, *self.web.texts}) <= 2 * ON_THE_WIRE_AT_ONCE
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "services.reminder", "worker"],
                cwd=ROOT,
                env={**os.environ, **self.environment, "WORKER_PORT": str(embedded.free_port())},
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        assert self.worker is not None
        assert self.worker.poll() is None, f"it died by itself: {self.log.read_text()[-2000:]}"
        self.worker.kill()
        self.worker.wait()

    async def set_clock(self, hour: int) -> None:
        now = datetime(self.day.year, self.day.month, self.day.day, hour, tzinfo=UTC)
        self.desk.invoice_service.now = now
        await self.desk.database.pool.execute(_SET_CLOCK, now, CLOCK_CHANNEL)

    async def kill_at(self, point: str, chance: random.Random, bert: dict[str, str]) -> None:
        """One day with its new customers, on which the worker dies at that point."""
        if self.followed:
            await self._post(f"/v1/cases/{self.followed}/notes", {"body": "They change their bank"})
        self.day += timedelta(days=1)
        early = point in IN_THE_MORNING
        if early:
            self.gate.arm(STOPS_BEFORE.get(point, point))
        await self.desk.hear(*self._become_overdue())
        await self._onboard(chance.randint(1, 3))
        if point.startswith("agency"):
            await self._place(bert)
        await self.set_clock(MORNING)
        if early:
            await self._kill_at(point, chance)
        await self._open_the_day(None if early else point, chance)

    async def _open_the_day(self, point: str | None, chance: random.Random) -> None:
        if point == "planning locked":
            async with self._locked("account"):
                await self.set_clock(OPENING)
                await self._is_waiting()
                self.kill()
            await self.succeed()
            return
        if point:
            self.gate.arm(STOPS_BEFORE.get(point, point))
        await self.set_clock(OPENING)
        if point:
            await self._kill_at(point, chance)

    async def _kill_at(self, point: str, chance: random.Random) -> None:
        await self.gate.reached(PATIENCE_S)
        if point in STOPS_BEFORE:
            async with self._locked("digest" if point.startswith("digest") else "account"):
                self.gate.open()
                await self._is_waiting()
                self.kill()
        elif point.endswith(".answered"):
            self.gate.open()
            await asyncio.sleep(chance.uniform(0, 0.05))  # Before, while or after it records what it was told.
            self.kill()
        else:
            self.kill()
            self.gate.open()
        await self.succeed()

    @asynccontextmanager
    async def _locked(self, table: str) -> AsyncIterator[None]:
        """Somebody else's transaction, which has all rows of a table locked."""
        connection = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            async with connection.transaction():
                await connection.execute(f"select from {table} for update")
                yield
        finally:
            await connection.close()

    async def _is_waiting(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await self.desk.database.pool.fetchval(_WAITS):
                await asyncio.sleep(0.005)

    async def _onboard(self, count: int) -> None:
        """The last of them is followed by a colleague, whose digest tells of the note that is made there later."""
        fresh = []
        for _ in range(count):
            person = ADA.model_copy(update={"phone": "+491701234567"})
            customer = await self.desk.onboard(contacts=(person,))
            fresh.append(customer.id)
            await self.desk.issue(customer, self.day - timedelta(days=1), f"R-{len(self.customers)}-{len(fresh)}")
        await self.desk.hear(*self._become_overdue())
        self.customers += fresh
        self.followed = fresh[-1]
        await self._post(f"/v1/cases/{self.followed}/followers", {"subject": "sam"})

    def _become_overdue(self) -> list[Any]:
        return [
            invoice.become_overdue()
            for invoice in self.desk.invoice_service.invoices
            if invoice.due_on < self.day and invoice.overdue_since is None
        ]

    async def _place(self, bert: dict[str, str]) -> None:
        customer = await self.desk.onboard(name="An old debtor")
        self.web.placing.add(customer.id)
        await self.desk.issue(customer, self.day - timedelta(days=100), f"O-{len(self.placements)}")
        await self.desk.hear(*self._become_overdue())
        placement = await self._post(f"/v1/cases/{customer.id}/placements", {"agency_id": "northern"})
        await self._post(f"/v1/placements/{placement['id']}/approval", {}, bert)
        self.placements.append(placement["id"])

    async def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        answer = await self.desk.http.post(
            path, json=body, headers={"idempotency-key": str(uuid4()), **(headers or {})}
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def go_on_in_peace(self) -> None:
        """Until everybody has been told everything, with nobody dying any more."""
        for _ in range(UNTIL_ALL_IS_SAID_DAYS):
            self.day += timedelta(days=1)
            for hour in (MORNING, OPENING):
                await self.set_clock(hour)
                async with asyncio.timeout(PATIENCE_S):
                    while await self.desk.database.pool.fetchval(_UNDER_WAY):
                        await asyncio.sleep(0.02)


_SET_CLOCK = """
with moved as (
    insert into clock (now) values ($1) on conflict (singleton) do update set now = excluded.now returning now
)
select now from moved, pg_notify($2, '')
"""
_WAITS = """
select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""
_STILL_BUSY = """
select count(*) > 0 from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')
"""
_UNDER_WAY = """
select (select ticked is distinct from now from clock)
    or exists (select from contact, clock where status in ('planned', 'sending') and due_at <= now)
    or exists (select from digest where status in ('planned', 'sending'))
    or exists (select from placement where status = 'approved')
"""


@pytest.fixture
def besieged(
    open_database: Callable[..., Awaitable[Database]],
    database_url: Callable[[str], str],
    broker: str,
    topic_prefix: str,
    keys_folder: Path,
    token: Callable[..., str],
    tmp_path: Path,
) -> Callable[[], Any]:
    @asynccontextmanager
    async def begin() -> AsyncIterator[Siege]:
        gate, book = Gate(), InvoiceService()
        database = await open_database("reminder", simulated=True)
        async with MailSink(gate).serving() as sink, Web(gate, book).serving() as web:
            environment = {
                "DATABASE_URL": database_url("reminder"),
                "KAFKA_BOOTSTRAP_SERVERS": broker,
                "KAFKA_IDEMPOTENCE": "false",
                "KAFKA_LEAVES_GROUPS": "false",
                "KAFKA_SESSION_TIMEOUT_MS": "1000",
                "TOPIC_PREFIX": topic_prefix,
                "TOPIC_PARTITIONS": "1",
                "TOPIC_REPLICATION_FACTOR": "1",
                "SIMULATION": "1",
                "INVOICE_URL": web.url,
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(sink.port),
                "SMTP_TIMEOUT_SECONDS": str(SENDERS_WORD_S),
                "GATEWAY_TIMEOUT_SECONDS": str(SENDERS_WORD_S),
                "MAIL_FROM": "receivables@northwind.example",
                "SMS_URL": web.url,
                "SMS_ACCOUNT": ACCOUNT,
                "SMS_TOKEN": TOKEN,
                "SMS_SENDER": SENDER,
                "SMS_CALLBACK_URL": SMS_CALLBACK_URL,
                "JWKS_FILE": str(keys_folder / tokens.KEY_SET_FILE),
                "SESSION_SECRET": tokens.session_secret(keys_folder),
            }
            settings = settings_of(Settings, keys_folder, simulation=True, invoice_url=web.url)
            app = create_api(settings, database=database)
            async with calling(app, "reminder", token()) as http, resources(settings) as opened:
                app.state.resources = opened
                desk = Desk(http, database, opened, book, Mailbox(), app)
                siege = Siege(desk, sink, web, gate, environment, tmp_path / "worker.log")
                await siege.set_clock(MORNING)
                try:
                    yield siege
                finally:
                    if siege.worker:
                        siege.worker.kill()
                        siege.worker.wait()

    return begin


async def prepare(siege: Siege) -> None:
    """The strategy, somebody who follows accounts, and an agency."""
    http = siege.desk.http
    for path, body, header in (
        ("/v1/strategies/default", LADDER, {"if-match": '"1"'}),
        ("/v1/team/sam", {"name": "Sam", "email": COLLEAGUE}, {"if-none-match": "*"}),
        ("/v1/agencies/northern", AGENCY, {"if-none-match": "*"}),
    ):
        content: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
        answer = await http.put(path, headers=header, **content)
        assert answer.is_success, answer.text


def points(count: int, chance: random.Random) -> list[str]:
    """Every point about equally often, in an order by chance. The first day has no digest yet."""
    chosen: list[str] = []
    while len(chosen) < count:
        chosen += chance.sample(POINTS, len(POINTS))
    chosen = chosen[:count]
    first = next(n for n, point in enumerate(chosen) if point in AT_THE_OPENING)
    chosen[0], chosen[first] = chosen[first], chosen[0]
    return chosen


async def besiege(siege: Siege, order: list[str], seed: str, bert: dict[str, str]) -> None:
    chance, begun_at = random.Random(seed), time.monotonic()
    await prepare(siege)
    siege.start()
    for point in order:
        try:
            await siege.kill_at(point, chance, bert)
        except TimeoutError:
            pytest.fail(f"on {siege.day} nobody came to {point!r}: {siege.log.read_text()[-3000:]}")
    await siege.go_on_in_peace()
    took = time.monotonic() - begun_at
    await nothing_is_there_twice_or_lost(siege)
    await doubts_stand_in_the_worklist(siege)
    await digests_and_placements_are_there_once(siege)
    ended = await siege.desk.database.pool.fetch("select status, reason from contact")
    fates = Counter(c["reason"] if c["status"] == "suppressed" else c["status"] for c in ended)
    print(f"{seed}: {len(order)} kills in {took:.0f} s; {len(siege.sink.taken)} mails, {len(siege.web.texts)} texts")
    print(f"contacts: {dict(fates)}; {siege.in_hand} times one was in a dying worker's hands and had not left")


async def nothing_is_there_twice_or_lost(siege: Siege) -> None:
    rows = await siege.desk.database.pool.fetch("select * from contact")
    contacts = {row["id"]: row for row in rows}
    taken = [*siege.sink.reminders, *siege.web.texts]
    assert taken, "nothing was sent at all"
    assert _doubles(taken) == []
    assert _doubles(mail["Message-ID"] for mail in siege.sink.taken) == []
    assert (
        _doubles((c["customer_id"], c["episode"], c["step"], c["channel"]) for c in map(contacts.__getitem__, taken))
        == []
    )

    # The books say what was sent, apart from what they say is in doubt.
    for id, contact in contacts.items():
        match contact["status"]:
            case "sent":
                assert id in taken, f"{dict(contact)} stands as sent, and never was"
            case "unknown":
                assert contact["reason"]
            case "suppressed" | "failed":
                assert id not in taken, f"{dict(contact)} was sent"
                assert contact["reason"]
            case other:
                pytest.fail(f"still {other}: {dict(contact)}")
    assert {c["status"] for id, c in contacts.items() if id in taken} <= {"sent", "unknown"}
    assert {id for id, c in contacts.items() if c["status"] == "unknown"} <= siege.leaving

    there = {(c["customer_id"], c["step"], c["channel"]) for c in rows}
    everything = {(customer_id, *each) for customer_id in siege.customers for each in EVERY_MESSAGE}
    assert everything - there == set()


async def doubts_stand_in_the_worklist(siege: Siege) -> None:
    pool = siege.desk.database.pool
    doubtful = {str(row["id"]) for row in await pool.fetch("select id from contact where status = 'unknown'")}
    tasks = await pool.fetch("select occasion, customer_id from task where kind = 'fate_unknown' and status = 'open'")
    assert {task["occasion"] for task in tasks} == doubtful
    listed: set[str] = set()
    page = await siege.desk.get("/v1/worklist", limit=200)
    while True:
        listed |= {entry["customer_id"] for entry in page["items"]}
        if not page["next_cursor"]:
            break
        page = await siege.desk.get("/v1/worklist", limit=200, cursor=page["next_cursor"])
    assert {str(task["customer_id"]) for task in tasks} <= listed


async def digests_and_placements_are_there_once(siege: Siege) -> None:
    pool = siege.desk.database.pool
    digests = {f"<{row['id']}@northwind.example>": row["status"] for row in await pool.fetch("select * from digest")}
    sent = [mail["Message-ID"] for mail in siege.sink.taken if not mail["X-Dueward-Contact"]]
    assert set(sent) <= digests.keys()
    assert set(digests.values()) <= {"sent", "unknown"}
    assert {id for id, status in digests.items() if status == "sent"} <= set(sent)

    made = await pool.fetch("select subject from event_log where type = 'dueward.placement.made.v1'")
    assert sorted(str(row["subject"]) for row in made) == sorted(siege.placements)
    files = await pool.fetch("select placement_id from placement_file")
    assert sorted(str(row["placement_id"]) for row in files) == sorted(siege.placements)
    assert not await pool.fetchval(
        "select count(*) from contact where customer_id = any($1) and status in ('sent', 'unknown')", siege.web.placing
    )


def _doubles(of: Any) -> list[Any]:
    return [each for each, times in Counter(of).items() if times > 1]


@pytest.fixture
def bert(token: Callable[..., str]) -> dict[str, str]:
    """The headers of a second person."""
    return {"authorization": f"Bearer {token(subject='bert')}"}


@pytest.mark.timeout(600)
async def test_a_worker_killed_at_a_dozen_points_sends_nothing_twice_and_loses_nothing(
    besieged: Callable[[], Any], bert: dict[str, str]
) -> None:
    order = [
        *("mail.taken", "digest.taken", "sms.taken", "mail locked", "agency locked", "mail.data"),
        *("planning locked", "confirming locked", "sms locked", "mail.half", "digest locked", "mail.answered"),
    ]
    async with besieged() as siege:
        await besiege(siege, order, "short", bert)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_workers_on_the_same_books_send_everything_once(besieged: Callable[[], Any]) -> None:
    async with besieged() as siege:
        await prepare(siege)
        siege.start()
        first = siege.worker
        siege.start()
        try:
            for _ in range(3):
                siege.day += timedelta(days=1)
                await siege._onboard(10)
                await siege.set_clock(MORNING)
                await siege.set_clock(OPENING)
            await siege.go_on_in_peace()
        finally:
            assert first
            first.kill()
            first.wait()
        await nothing_is_there_twice_or_lost(siege)
        assert await siege.desk.database.pool.fetchval("select count(*) from contact where status = 'unknown'") == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_worker_killed_at_every_point_sends_nothing_twice_and_loses_nothing(
    besieged: Callable[[], Any], bert: dict[str, str], seed: int
) -> None:
    async with besieged() as siege:
        await besiege(siege, points(KILLS_A_SEED, random.Random(seed)), f"seed {seed}", bert)
