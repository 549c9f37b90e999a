"""What credit says a customer owes is what the invoice service says, part by part, whatever the events go through:
repeats, old versions after new ones, the whole history again, and a worker that is killed again and again."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import embedded
from shared import broker as brokers
from shared import event_log, tokens
from shared.broker import DEAD_LETTER_TOPIC, Broker
from shared.db import Database, transaction
from shared.events.envelope import Envelope, to_kafka
from shared.relay import Relay
from tests.credit.client import Credit
from tests.credit.conftest import calling
from tests.invoice.client import Receivables
from tests.invoice.conftest import serving
from tests.shared.ledger_of_notes import eventually, running

ROOT = Path(__file__).parents[2]
FIRST_DAY = date(2024, 3, 1)
PATIENCE_S = 120.0
DEEDS = ("issue", "issue", "issue", "pay", "pay part", "reverse", "dispute", "dispute", "plan")
PARTS = ("open", "overdue", "disputed", "on_plan")


@dataclass
class Worker:
    """Credit's own worker, a process that can be killed."""

    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.credit", "worker"],
                cwd=ROOT,
                env={**os.environ, **self.environment, "WORKER_PORT": str(embedded.free_port())},
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        assert self.process
        assert self.process.poll() is None, f"it ended by itself: {self.log.read_text()[-2000:]}"
        self.process.kill()
        self.process.wait()


@dataclass
class Trade:
    """Both services on the same customers, and what becomes of their invoices."""

    books: Receivables
    credit: Credit
    kafka: Broker
    chance: random.Random
    today: date = FIRST_DAY
    customers: list[str] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    strays: int = 0

    async def begin(self, count: int) -> None:
        for _ in range(count):
            customer = await self.credit.onboard()
            await self.books.customer(id=customer["id"])
            self.customers.append(customer["id"])

    async def day(self, deeds: int, days: int = 12) -> None:
        self.today += timedelta(days=days)
        for database in (self.books.database, self.credit.database):
            await database.pool.execute("update clock set now = $1::date + interval '8 hours'", self.today)
        await self.books.tick()
        for _ in range(deeds):
            await self._deed()

    async def _deed(self) -> None:
        what = self.chance.choice(DEEDS)
        if what == "issue" or not self.invoices:
            amount, currency = f"{self.chance.randint(300, 90_000)}.00", self.chance.choice(["EUR", "USD", "JPY"])
            amount = amount[:-3] if currency == "JPY" else amount
            issued = await self.books.issue(self.chance.choice(self.customers), amount, currency)
            self.invoices.append(issued["id"])
            self.done["issue"] += 1
            return
        if what == "reverse":
            if self.payments:
                answer = await self.books.reverse(self.payments.pop(self.chance.randrange(len(self.payments))))
                self.done[what] += answer.is_success
            return
        about = await self.books.invoice(self.chance.choice(self.invoices))
        balance, currency = Decimal(about["balance"]["amount"]), about["balance"]["currency"]
        if not balance:
            return
        if what == "dispute":
            answer = await self.books.dispute(about["id"], _money(balance / 2, currency), currency)
        elif what == "plan":
            first_on = self.today + timedelta(days=90)
            answer = await self.books.post(f"/v1/invoices/{about['id']}/plans", {"count": 3, "first_on": str(first_on)})
        else:
            amount = _money(balance if what == "pay" else balance / 3, currency)
            body = {"amount": {"amount": amount, "currency": currency}, "reference": about["number"]}
            answer = await self.books.post("/v1/payments", body)
            if answer.is_success:
                self.payments.append(answer.json()["id"])
        self.done[what] += answer.is_success

    async def send_strays(self, share: float) -> None:
        """Some of what was published before, in any order and under new ids: old versions that come after new ones."""
        rows = await self.books.database.pool.fetch(
            "select type, subject, time, version, key, data::text as data from event_log where topic = 'ar.invoice'"
        )
        sample = [row for row in rows if self.chance.random() < share] or rows[:1]
        self.chance.shuffle(sample)
        self.strays += len(sample)
        producer = AIOKafkaProducer(**self.kafka.connection())
        await producer.start()
        try:
            for row in sample:
                key, value, headers = to_kafka(
                    Envelope(
                        id=uuid4(),
                        source="/dueward/invoice",
                        correlation_id=None,
                        causation_id=None,
                        traceparent=None,
                        **{name: row[name] for name in ("type", "subject", "time", "version", "key")},
                        data=row["data"].encode(),
                    )
                )
                topic = self.kafka.wire_name("ar.invoice")
                await producer.send_and_wait(topic, value, key=key, headers=list(headers))
        finally:
            await producer.stop()

    async def publish_all_again(self) -> None:
        async with transaction(self.books.database) as tx:
            await event_log.replay(tx, BEFORE_ALL, AFTER_ALL, "ar.invoice")

    async def all_heard(self) -> bool:
        """Nothing to publish, and as much applied as was published, with every stray; in a topic of one partition the
        last of them stands behind all repeats."""
        waiting = await self.books.database.pool.fetchval("select count(*) from outbox")
        said = await self.books.database.pool.fetchval("select count(*) from event_log where topic = 'ar.invoice'")
        heard = await self.credit.database.pool.fetchval(
            "select coalesce(sum(n), 0) from consumer_progress where topic = 'ar.invoice'"
        )
        return waiting == 0 and heard == said + self.strays

    async def said_by_invoice(self, customer_id: str) -> dict[str, tuple[Decimal, ...]]:
        found: dict[str, list[Decimal]] = {}
        cursor = None
        while True:
            page = await self.books.get("/v1/invoices", customer_id=customer_id, limit=500, cursor=cursor)
            for each in page["items"]:
                parts = [each["balance"], *(each[part] for part in PARTS[1:])]
                sums = found.setdefault(each["balance"]["currency"], [Decimal(0)] * len(PARTS))
                for n, part in enumerate(parts):
                    sums[n] += Decimal(part["amount"])
            if not (cursor := page["next_cursor"]):
                return {currency: tuple(sums) for currency, sums in found.items() if sums[0]}

    async def said_by_credit(self, customer_id: str) -> dict[str, tuple[Decimal, ...]]:
        components = (await self.credit.get(f"/v1/customers/{customer_id}/credit"))["exposure"]["components"]
        return {each["open"]["currency"]: tuple(Decimal(each[part]["amount"]) for part in PARTS) for each in components}


def _money(amount: Decimal, currency: str) -> str:
    return str(amount.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01")))


BEFORE_ALL, AFTER_ALL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def environment(
    database_url: Callable[[str], str], broker: str, topic_prefix: str, keys_folder: Path
) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url("credit"),
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_IDEMPOTENCE": "false",
        "KAFKA_LEAVES_GROUPS": "false",
        "KAFKA_SESSION_TIMEOUT_MS": "1000",
        "TOPIC_PREFIX": topic_prefix,
        "TOPIC_PARTITIONS": "1",
        "TOPIC_REPLICATION_FACTOR": "1",
        "SIMULATION": "1",
        "JWKS_FILE": str(keys_folder / tokens.KEY_SET_FILE),
        "SESSION_SECRET": tokens.session_secret(keys_folder),
    }


@pytest.fixture
async def trade(
    open_database: Callable[..., Awaitable[Database]],
    broker: str,
    topic_prefix: str,
    keys_folder: Path,
    token: Callable[..., str],
) -> AsyncIterator[Trade]:
    """Both services' doors and the invoice service's relay; credit's worker is the test's to start and to kill."""
    owed, owing = [await open_database(name, simulated=True) for name in ("credit", "invoice")]
    for database in (owed, owing):
        await database.pool.execute("insert into clock (now) values ($1::date + interval '8 hours')", FIRST_DAY)
    kafka = Broker(broker, topic_prefix=topic_prefix, partitions=1, replication_factor=1, idempotence=False)
    async with brokers.admin(kafka) as client:
        await brokers.ensure_topics(client, kafka, ["ar.invoice", "ar.payment", "ar.overdue", DEAD_LETTER_TOPIC])
    async with (
        serving(owing, keys_folder, token()) as books,
        calling(owed, keys_folder, token()) as credit,
        running(Relay(owing, kafka, "/dueward/invoice").run),
    ):
        yield Trade(books, credit, kafka, random.Random(0))


async def trade_under_fire(trade: Trade, worker: Worker, kills: int) -> None:
    """Days of trade, each with repeats and strays, and the worker killed while it hears of them."""
    await trade.begin(5)
    worker.start()
    try:
        for n in range(kills):
            await trade.day(deeds=30)
            await trade.send_strays(0.3)
            if n % 2:
                await trade.publish_all_again()
            before = await _heard(trade.credit.database)
            await eventually(partial(_has_gone_on, trade.credit.database, before), PATIENCE_S)
            await asyncio.sleep(trade.chance.random() * 0.1)  # Anywhere within a batch, or between two.
            worker.kill()
            worker.start()
        await trade.day(deeds=0, days=40)  # By now something is overdue.
        await trade.publish_all_again()
        await eventually(lambda: _outbox_is_empty(trade.books.database), PATIENCE_S)
        await trade.send_strays(0.5)
        await eventually(trade.all_heard, PATIENCE_S)
    finally:
        worker.kill()


async def _heard(database: Database) -> int:
    return await database.pool.fetchval("select coalesce(sum(n), 0) from consumer_progress")


async def _has_gone_on(database: Database, before: int) -> bool:
    return await _heard(database) > before


async def _outbox_is_empty(database: Database) -> bool:
    return not await database.pool.fetchval("select count(*) from outbox")


async def assert_both_say_the_same(trade: Trade) -> None:
    seen: Counter[str] = Counter()
    for customer_id in trade.customers:
        said = await trade.said_by_invoice(customer_id)
        assert await trade.said_by_credit(customer_id) == said
        for sums in said.values():
            seen.update(part for part, amount in zip(PARTS, sums, strict=True) if amount)
    assert set(seen) == set(PARTS), f"every component has to be worth comparing, after {trade.done}"
    assert await trade.credit.database.pool.fetchval("select count(*) from parked_event") == 0


@pytest.mark.timeout(300)
async def test_after_two_kills_repeats_and_strays_each_part_of_what_is_owed_is_the_invoice_services(
    trade: Trade, environment: dict[str, str], tmp_path: Path
) -> None:
    await trade_under_fire(trade, Worker(environment, tmp_path / "worker.log"), kills=2)
    await assert_both_say_the_same(trade)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [int(seed) for seed in (os.environ.get("SEEDS") or "1 2 3").split()])
async def test_after_twenty_kills_each_part_of_what_is_owed_is_the_invoice_services(
    seed: int, trade: Trade, environment: dict[str, str], tmp_path: Path
) -> None:
    trade.chance.seed(seed)
    await trade_under_fire(trade, Worker(environment, tmp_path / "worker.log"), kills=20)
    await assert_both_say_the_same(trade)
    print(f"seed {seed}: {dict(trade.done)}, {trade.strays} strays")


async def test_a_worker_that_begins_with_nothing_and_hears_the_history_twice_says_the_same(
    trade: Trade, environment: dict[str, str], tmp_path: Path
) -> None:
    await trade.begin(3)
    for _ in range(4):
        await trade.day(deeds=15)
    await trade.send_strays(1.0)
    await trade.publish_all_again()
    await eventually(lambda: _outbox_is_empty(trade.books.database), PATIENCE_S)
    await trade.send_strays(0.1)
    worker = Worker(environment, tmp_path / "worker.log")
    worker.start()
    try:
        await eventually(trade.all_heard, PATIENCE_S)
    finally:
        worker.kill()
    await assert_both_say_the_same(trade)
