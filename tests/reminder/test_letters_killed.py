"""The process that closes and posts batches of letters is killed on the way: asked again, each letter goes out once."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from deploy.local import embedded
from shared import tokens
from tests.reminder.desk import Desk
from tests.reminder.test_letters import HAMBURG, LADDER

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
FIRST_DUE = date(2026, 2, 1)
POINTS = ("balances asked", "closing locked", "closing", "posting locked", "posting")


class Office:
    """The API as a process of its own, and the person who asks it for batches."""

    def __init__(self, desk: Desk, environment: dict[str, str], log: Path, token: str) -> None:
        self.desk, self.environment, self.log = desk, environment, log
        self.headers = {"authorization": f"Bearer {token}"}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    async def start(self) -> None:
        self._spawn(embedded.free_port())
        async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as http:
            while True:
                try:
                    if (await http.get(f"{self.url}/healthz")).is_success:
                        return
                except httpx.TransportError:
                    if self.process is None or self.process.poll() is not None:
                        pytest.fail(f"it did not start: {self.log.read_text()[-2000:]}")
                await asyncio.sleep(0.05)

    def _spawn(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.reminder", "api"],
                cwd=ROOT,
                env={**os.environ, **self.environment, "HTTP_PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def ask(self, path: str, key: str) -> httpx.Response | None:
        """None when nobody lives to answer."""
        async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
            try:
                headers = {**self.headers, "idempotency-key": key}
                return await http.post(f"{self.url}{path}", json={}, headers=headers)
            except httpx.TransportError:
                return None

    async def ask_and_die(self, point: str, path: str, key: str, chance: random.Random) -> None:
        if point.endswith("locked"):
            connection = await asyncpg.connect(self.environment["DATABASE_URL"])
            async with connection.transaction():
                await connection.execute("select from account for update")
                asking = asyncio.create_task(self.ask(path, key))
                async with asyncio.timeout(PATIENCE_S):
                    while not await self.desk.database.pool.fetchval(_WAITS):
                        await asyncio.sleep(0.005)
                self.kill()
            await connection.close()
        elif point == "balances asked":
            there, go_on = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                there.set()
                await go_on.wait()

            self.desk.invoice_service.meanwhile = hold
            asking = asyncio.create_task(self.ask(path, key))
            async with asyncio.timeout(PATIENCE_S):
                await there.wait()
            self.kill()
            go_on.set()
        else:
            asking = asyncio.create_task(self.ask(path, key))
            await asyncio.sleep(chance.uniform(0.005, 0.1))  # Before, while or after it commits.
            self.kill()
        await asking
        await self.start()


_WAITS = """
select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""


@pytest.fixture
async def office(
    desk: Desk,
    database_url: Callable[[str], str],
    keys_folder: Path,
    token: Callable[..., str],
    tmp_path: Path,
) -> AsyncIterator[Office]:
    environment = {
        "DATABASE_URL": database_url("reminder"),
        "KAFKA_BOOTSTRAP_SERVERS": "unused:9092",
        "SIMULATION": "1",
        "INVOICE_URL": str(desk.resources.invoice.base_url),
        "JWKS_FILE": str(keys_folder / tokens.KEY_SET_FILE),
        "SESSION_SECRET": tokens.session_secret(keys_folder),
    }
    office = Office(desk, environment, tmp_path / "api.log", token())
    await office.start()
    yield office
    office.kill()


async def kill_at(office: Office, order: list[str], seed: str) -> None:
    """For each point a batch of letters whose process is killed there once; whoever asked asks again."""
    desk, chance, begun_at = office.desk, random.Random(seed), time.monotonic()
    document = LADDER.format(attachments="[]")
    published = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert published.status_code == 200, published.text
    for day, point in enumerate(order):
        due_on = FIRST_DUE + timedelta(days=day)
        for n in range(chance.randint(1, 4)):
            customer = await desk.onboard(name=f"Customer {day}-{n}", address=HAMBURG)
            await desk.issue(customer, due_on, f"R-{day}-{n}")
        await desk.until(due_on + timedelta(days=1))
        closing, posting = str(uuid4()), str(uuid4())
        if point in ("balances asked", "closing locked", "closing"):
            await office.ask_and_die(point, "/v1/letter-batches", closing, chance)
        closed = await office.ask("/v1/letter-batches", closing)
        assert closed is not None
        assert closed.status_code == 201, closed.text
        path = f"/v1/letter-batches/{closed.json()['id']}/posting"
        if point.startswith("posting"):
            await office.ask_and_die(point, path, posting, chance)
        posted = await office.ask(path, posting)
        assert posted is not None
        assert posted.status_code == 200, posted.text
    print(f"{seed}: {len(order)} kills in {time.monotonic() - begun_at:.0f} s")
    await each_letter_went_out_once(desk)


async def each_letter_went_out_once(desk: Desk) -> None:
    contacts = await desk.contacts()
    assert contacts
    assert {contact["status"] for contact in contacts} == {"sent"}
    assert max(Counter((c["customer_id"], c["step"]) for c in contacts).values()) == 1
    letters = await desk.database.pool.fetch(_POSTED)
    assert sorted(str(row["contact_id"]) for row in letters) == sorted(contact["id"] for contact in contacts)
    told: list[Any] = await desk.published()
    for kind in ("reminder.planned", "reminder.sent", "case.escalated"):
        assert len([event for event in told if event["type"] == kind]) == len(contacts), kind


_POSTED = """
select contact_id from letter join letter_batch b on b.id = letter.batch_id where b.status = 'posted' and not withdrawn
"""


async def test_letters_whose_process_dies_twice_are_posted_once(office: Office) -> None:
    await kill_at(office, ["closing locked", "posting locked"], "short")


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_letters_whose_process_dies_twenty_times_are_posted_once(office: Office) -> None:
    await kill_at(office, [*POINTS] * 4, "letters")


async def test_two_people_who_close_and_post_at_the_same_moment_post_each_letter_once(desk: Desk) -> None:
    document = LADDER.format(attachments="[]")
    await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    for n in range(5):
        customer = await desk.onboard(name=f"Customer {n}", address=HAMBURG)
        await desk.issue(customer, FIRST_DUE, f"R-{n}")
    await desk.until(FIRST_DUE + timedelta(days=1))

    async def ask(path: str) -> httpx.Response:
        return await desk.http.post(path, json={}, headers={"idempotency-key": str(uuid4())})

    closed = await asyncio.gather(*(ask("/v1/letter-batches") for _ in range(4)))
    batches = [each.json() for each in closed if each.status_code == 201]
    assert sum(batch["letters"] for batch in batches) == 5
    (full,) = [batch for batch in batches if batch["letters"]]
    posted = await asyncio.gather(*(ask(f"/v1/letter-batches/{full['id']}/posting") for _ in range(4)))
    assert sorted(each.status_code for each in posted) == [200, 409, 409, 409]
    await each_letter_went_out_once(desk)


async def test_a_batch_is_posted_or_withdrawn_and_never_both(desk: Desk) -> None:
    document = LADDER.format(attachments="[]")
    await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    customer = await desk.onboard(name="Acme GmbH", address=HAMBURG)
    await desk.issue(customer, FIRST_DUE)
    await desk.until(FIRST_DUE + timedelta(days=1))

    async def ask(path: str) -> httpx.Response:
        return await desk.http.post(path, json={}, headers={"idempotency-key": str(uuid4())})

    path = f"/v1/letter-batches/{(await ask('/v1/letter-batches')).json()['id']}"
    posted, withdrawn = await asyncio.gather(ask(f"{path}/posting"), ask(f"{path}/withdrawal"))
    assert sorted((posted.status_code, withdrawn.status_code)) == [200, 409]
    (contact,) = await desk.contacts()
    assert contact["status"] == ("sent" if posted.status_code == 200 else "planned")
