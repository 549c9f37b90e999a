"""The embedded parts that every other test stands on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import aiosmtplib
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local import embedded
from deploy.local.embedded import sweep_programs
from shared.broker import Broker, admin, ensure_topics
from shared.db import Database, reading
from shared.migrate import SERVICES
from tests.mailbox import Mailbox


async def test_each_service_gets_a_migrated_database_of_the_tests_own(database_url: Callable[[str], str]) -> None:
    urls = {service: database_url(service) for service in SERVICES}
    assert len(set(urls.values())) == len(SERVICES)
    for url in urls.values():
        database = await Database.open(url)
        async with reading(database) as tx:
            assert await tx.fetchval("select count(*) from outbox") == 0
        await database.close()


async def test_the_plumbing_database_is_open_and_empty(database: Database) -> None:
    async with reading(database) as tx:
        assert await tx.fetchval("select count(*) from event_log") == 0


async def test_the_broker_gives_back_what_it_was_sent(broker: str, topic_prefix: str) -> None:
    house = Broker(broker, topic_prefix=topic_prefix, partitions=4)
    async with admin(house) as client:
        await ensure_topics(client, house, ["ar.invoice"])
    topic = house.wire_name("ar.invoice")
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        await producer.send_and_wait(topic, b"value", key=b"key", headers=[("ce_id", b"1")])
    async with AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest") as consumer:
        message = await consumer.getone()
    assert (message.key, message.value, message.headers) == (b"key", b"value", (("ce_id", b"1"),))


async def test_a_mail_sent_over_smtp_arrives_whole(smtp: Mailbox) -> None:
    mail = "From: a@example.com\r\nTo: b@example.com\r\nSubject: Überfällig\r\n\r\nHello\r\n".encode()
    await aiosmtplib.send(
        mail, sender="a@example.com", recipients=["b@example.com"], hostname=smtp.host, port=smtp.port
    )
    assert [m.get_content().strip() for m in smtp.messages] == ["Hello"]


def test_copies_of_the_programs_go_when_no_stack_has_used_them_for_an_hour(tmp_path: Path) -> None:
    old, used, recent = (tmp_path / f"programs-{name}" for name in ("old", "used", "recent"))
    for copy in (old, used, recent):
        copy.mkdir()
        shutil.copy2(shutil.which("sleep") or "/bin/sleep", copy / "postgres")
    two_hours_ago = time.time() - 7200
    for copy in (old, used):
        os.utime(copy, (two_hours_ago, two_hours_ago))
    server = subprocess.Popen([used / "postgres", "60"])
    try:
        assert sweep_programs(tmp_path) == [old]
        assert sorted(tmp_path.iterdir()) == [recent, used]
    finally:
        server.kill()
        server.wait()


def test_data_in_memory_go_with_the_server(tmp_path: Path) -> None:
    server = embedded.Postgres(tmp_path / "postgres", embedded.free_port(), in_memory=True)
    with embedded.running(server, tmp_path / "log"):
        home = server.data.parent
        assert (home / "data" / "PG_VERSION").exists()
        roomy = embedded.MEMORY.is_dir() and shutil.disk_usage(embedded.MEMORY).free >= embedded.MEMORY_FREE_BYTES_MIN
        assert home.is_relative_to(embedded.MEMORY) == roomy
    assert not home.exists()
    assert not server.directory.exists()


def test_data_in_memory_that_nobody_runs_on_are_swept_by_the_next_to_come(tmp_path: Path) -> None:
    killed, running, young, coming = (
        embedded.Postgres(tmp_path / name, embedded.free_port(), in_memory=True)
        for name in ("killed", "running", "young", "coming")
    )
    with embedded.running(running, tmp_path / "log"):
        for server in (killed, young):
            server.prepare()
        an_hour_ago = time.time() - 3600
        for server in (killed, running):
            os.utime(server.data.parent, (an_hour_ago, an_hour_ago))
        in_memory = killed.data.is_relative_to(embedded.MEMORY)
        coming.prepare()
        assert [each.data.exists() for each in (killed, running, young)] == [not in_memory, True, True]
    for server in (killed, young, coming):
        server.destroy()
