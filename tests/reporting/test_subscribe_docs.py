"""The programs in docs/subscribe.md work as they are written there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import apache_kafka
from deploy.local.embedded import free_port
from services.reporting.webhooks import handlers
from services.reporting.webhooks.handlers import Outlet, secret_of
from services.reporting.webhooks.rules import Webhook
from shared import broker as brokers
from shared.broker import Broker
from shared.delivery import Received
from shared.events.envelope import to_kafka
from shared.outside import outside_client
from shared.sealing import Seals
from tests.reporting.books import Books
from tests.reporting.test_webhooks import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "subscribe.md").read_text()
D = date


def program(name: str, folder: Path) -> Path:
    """A program of the page, as a file."""
    (code,) = re.findall(rf"```\w+\n((?:#|//) {re.escape(name)}\n.*?)```", PAGE, re.DOTALL)
    path = folder / name
    path.write_text(code)
    return path


@asynccontextmanager
async def running(path: Path, **environment: str):
    process = await asyncio.create_subprocess_exec(sys.executable, str(path), env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.1)


def balances(path: Path) -> dict[str, tuple[int, str, str]]:
    with sqlite3.connect(path) as database:
        try:
            rows = database.execute("select number, version, status, balance from invoice").fetchall()
        except sqlite3.OperationalError:
            return {}
    return {number: (version, status, balance) for number, version, status, balance in rows}


async def publish(producer: AIOKafkaProducer, topic: str, received: list[Received]) -> None:
    for one in received:
        key, value, headers = to_kafka(one.envelope)
        await producer.send_and_wait(topic, value, key=key, headers=headers)


async def test_the_python_subscriber_has_every_balance_whatever_is_repeated(
    broker: str, topic_prefix: str, tmp_path: Path
) -> None:
    books = Books()
    acme = books.onboard()
    items = [books.issue(acme, D(2021, 1, day), 100_00) for day in range(1, 9)]
    for item in items[:4]:
        books.pay(item, D(2021, 2, 1), 40_00)
        books.pay(item, D(2021, 3, 1))
    events = [r for r in books.received if r.topic == "ar.invoice"]
    path, database, topic = program("subscriber.py", tmp_path), tmp_path / "copy.db", f"{topic_prefix}ar.invoice"
    environment = {"KAFKA_BOOTSTRAP_SERVERS": broker, "TOPICS": topic, "DATABASE": str(database)}
    async with brokers.admin(Broker(broker)) as client:
        await brokers.ensure_topics(client, Broker(broker, topic_prefix=topic_prefix, partitions=2), ["ar.invoice"])
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        async with running(path, **environment):
            await publish(producer, topic, events[:8])
            await until(lambda: len(balances(database)) == 8)
            await publish(producer, topic, [*events[8:], *events[2:12]])
            expected = {item.number: (item.version, item.state().status) for item in books.items}
            await until(lambda: {number: row[:2] for number, row in balances(database).items()} == expected)
    finally:
        await producer.stop()
    assert {row[2] for row in balances(database).values()} == {"0.00", "100.00"}


async def test_the_python_receiver_takes_each_event_once_and_only_from_us(tmp_path: Path, seals: Seals) -> None:
    port, database = free_port(), tmp_path / "inbox.db"
    url, key = f"http://127.0.0.1:{port}/", b"k" * 32
    ours = Webhook(uuid4(), 1, url, "", (), (), None, "active", None, key, None, None, 0, "anna", NOW)
    theirs = replace(ours, key=b"x" * 32)
    async with (
        running(
            program("receiver.py", tmp_path),
            WEBHOOK_SECRET=secret_of(key),
            PORT=str(port),
            DATABASE=str(database),
        ),
        outside_client(20) as client,
    ):
        outlet = Outlet(client, private=True, timeout_seconds=20, seals=seals)
        async with asyncio.timeout(60):
            while await handlers.call(outlet, ours, "msg-1", b'{"type": "one"}'):
                await asyncio.sleep(0.1)
        assert await handlers.call(outlet, ours, "msg-1", b'{"type": "one"}') is None
        forged = await handlers.call(outlet, theirs, "msg-2", b'{"type": "two"}')
        assert forged is not None
        assert forged.status == 401
        assert (await client.post(url, content=b"{}")).status_code == 401
    with sqlite3.connect(database) as inbox:
        assert inbox.execute("select id, type from inbox").fetchall() == [("msg-1", "one")]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", ["subscriber.mjs", "receiver.mjs"])
def test_the_node_programs_are_well_formed(name: str, tmp_path: Path) -> None:
    checked = subprocess.run(["node", "--check", program(name, tmp_path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(os.environ.get("BROKER") != "kafka", reason="kafka-clients comes with BROKER=kafka")
def test_the_java_subscriber_compiles(tmp_path: Path) -> None:
    path = program("Subscriber.java", tmp_path)
    compiled = subprocess.run(
        ["javac", "-Xlint:all", "-cp", f"{apache_kafka.jars()}/*", "-d", tmp_path, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stderr
