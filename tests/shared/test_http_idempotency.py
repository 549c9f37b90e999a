"""One key, one effect, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.clock import real_now
from shared.db import Database, transaction
from shared.http.idempotency import forget_answers
from tests.shared.http_app import Caller, Gate, gates, things
from tests.shared.test_http_problems import problem


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


async def count(database: Database) -> int:
    return await database.pool.fetchval("select count(*) from thing")


async def test_a_repeated_request_gets_the_stored_answer_and_has_one_effect(caller: Caller, database: Database):
    first = await caller.add("a", key="k")
    again = await caller.add("a", key="k")
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"] == '"1"'
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == "application/json"
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await count(database) == 1


async def test_a_changed_body_under_a_used_key_is_refused(caller: Caller, database: Database):
    await caller.add("a", key="k")
    found = problem(await caller.add("b", key="k"), 422, "idempotency-key-reused")
    assert found["errors"][0]["pointer"] == "header.Idempotency-Key"
    assert await count(database) == 1


async def test_a_used_key_at_another_address_is_refused(caller: Caller):
    await caller.add("a", key="k")
    response = await caller.client.post("/v1/imports", json=[{"name": "a"}], headers=caller.headers("k"))
    problem(response, 422, "idempotency-key-reused")


async def test_without_a_key_nothing_is_done(caller: Caller, database: Database):
    response = await caller.client.post("/v1/things", json={"name": "a"}, headers=caller.headers())
    found = problem(response, 400, "idempotency-key-missing")
    assert found["errors"][0]["pointer"] == "header.Idempotency-Key"
    assert await count(database) == 0


async def test_a_key_longer_than_255_characters_is_refused(caller: Caller):
    assert (await caller.add("a", key="k" * 255)).status_code == 201
    problem(await caller.add("b", key="k" * 256), 400, "malformed-request")


async def test_a_request_still_at_work_is_409_and_later_answered(caller: Caller, database: Database):
    gates["slow"] = gate = Gate()
    first = asyncio.create_task(caller.add("slow", key="k"))
    await gate.reached.wait()
    response = await caller.add("slow", key="k")
    problem(response, 409, "request-in-flight")
    assert response.headers["retry-after"] == "1"
    gate.open.set()
    assert (await first).status_code == 201
    again = await caller.add("slow", key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert await count(database) == 1


async def test_many_at_once_have_one_effect(caller: Caller, database: Database):
    answers = await asyncio.gather(*(caller.add("a", key="k") for _ in range(30)))
    assert {each.status_code for each in answers} <= {201, 409}
    assert await count(database) == 1


async def test_a_refused_request_may_be_repeated_under_its_key(caller: Caller, database: Database):
    await caller.add("a", key="k1")
    problem(await caller.add("a", key="k2"), 409, "duplicate-name")
    await database.pool.execute("delete from thing")
    assert (await caller.add("a", key="k2")).status_code == 201


async def test_keys_belong_to_their_callers(caller: Caller, database: Database):
    await caller.add("a", key="k", subject="anna")
    assert (await caller.add("b", key="k", subject="ben")).status_code == 201
    assert await count(database) == 2


async def test_old_answers_are_forgotten(caller: Caller, database: Database):
    await caller.add("a", key="k")
    async with transaction(database) as tx:
        assert await forget_answers(tx, real_now()) == 1
    problem(await caller.add("a", key="k"), 409, "duplicate-name")
