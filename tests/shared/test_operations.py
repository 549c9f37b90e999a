"""What an operator does about parked events, over HTTP and from a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.clock import real_now
from shared.db import Database
from shared.delivery import deliver, retry_parked
from shared.events.invoice import InvoiceBalanceChanged
from tests.shared.http_app import Caller, things
from tests.shared.ledger_of_notes import POISON, as_received, event, make_table, notes, publish, subscriptions


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


async def park_two(database: Database) -> InvoiceBalanceChanged:
    """A poison event and a good one of the same customer behind it."""
    await make_table(database)
    person = uuid4()
    poison, good = event(person, person, 1, POISON), event(person, person, 2)
    await deliver(database, subscriptions(), [as_received(poison)])
    await deliver(database, subscriptions(), [as_received(good)])
    return good


async def test_an_operator_sees_skips_and_retries_parked_events_over_http(caller: Caller, database: Database) -> None:
    good = await park_two(database)
    parked = (await caller.get("/v1/parked-events")).json()["items"]
    assert [one["reason"] for one in parked] == [
        "ValueError: this invoice cannot be noted",
        "an earlier event of this customer is parked",
    ]
    first, second = (one["id"] for one in parked)
    assert (await caller.post(f"/v1/parked-events/{first}/retry", key="again")).status_code == 202
    assert await retry_parked(database, subscriptions())
    assert (await caller.get("/v1/parked-events")).json()["items"][0]["attempts"] == 1

    skipped = await caller.post(f"/v1/parked-events/{first}/skip", {"reason": "wrong amount"}, key="skip")
    assert skipped.json() == {"id": first, "status": "skipped"}
    assert (await caller.post(f"/v1/parked-events/{first}/retry", key="late")).status_code == 409
    assert (await caller.post("/v1/parked-events/999999/retry", key="none")).status_code == 404
    assert await retry_parked(database, subscriptions())
    assert await notes(database) == [(good.customer_id, good.invoice.id, 2)]
    [given_up] = (await caller.get("/v1/parked-events?status=skipped")).json()["items"]
    assert given_up["closed_reason"] == "wrong amount"
    [applied] = (await caller.get("/v1/parked-events?status=applied")).json()["items"]
    assert applied["id"] == second


async def test_a_range_of_the_log_is_published_again_over_http(caller: Caller, database: Database) -> None:
    await publish(database, event(uuid4(), uuid4(), 1))
    await database.pool.execute("delete from outbox")
    now = real_now()
    body = {"from": (now - timedelta(minutes=1)).isoformat(), "to": (now + timedelta(minutes=1)).isoformat()}
    assert (await caller.post("/v1/replays", body, key="replay")).json() == {"events": 1}
    assert (await caller.post("/v1/replays", body | {"to": body["from"]}, key="empty")).status_code == 422
    nonsense = await caller.post("/v1/replays", body | {"topic": "ar.nonsense"}, key="nonsense")
    assert (nonsense.status_code, nonsense.json()["errors"][0]["pointer"]) == (422, "#/topic")


async def test_the_same_from_a_terminal(database_url: Callable[[str], str], database: Database) -> None:
    await park_two(database)
    url = database_url("plumbing")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.credit", *arguments],
            env={**os.environ, "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    listed = run("parked", "list")
    assert "cannot be noted" in listed.stdout, listed.stderr
    first = await database.pool.fetchval("select min(id) from parked_event")
    assert "tried again at once" in run("parked", "retry", str(first)).stdout
    assert "is skipped" in run("parked", "skip", str(first), "--reason", "wrong amount").stdout
    again = run("parked", "skip", str(first), "--reason", "wrong amount")
    assert again.returncode == 1
    assert again.stderr.strip() == f"event {first} was skipped already"
    replayed = run("replay", "2020-01-01", "2020-01-02")
    assert replayed.stdout.strip() == "0 events are published again"
    refused = run("replay", "2020-01-01", "2020-01-02", "--topic", "ar.nonsense")
    assert (refused.returncode, refused.stderr.split(";")[0]) == (1, "there is no topic ar.nonsense")


def test_what_a_service_alone_can_do_is_told_beside_what_all_can() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "services.reporting", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(f" {command} " in told for command in ("migrate", "replay", "parked", "rebuild", "seal"))


@pytest.mark.parametrize("command", ["api", "worker", "seal"])
def test_settings_that_are_missing_are_named_as_the_environment_has_them(command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ended = subprocess.run(
        [sys.executable, "-m", "services.reporting", command],
        env=environment | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "SECRETS_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    named = [line.split(":")[0] for line in ended.stderr.splitlines()]
    assert (ended.returncode, named) == (1, ["DATABASE_URL", "SECRETS_KEY"]), ended.stderr
