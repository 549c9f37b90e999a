"""Pages of lists by opaque cursors; changes only by those who saw the latest version."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.db import Database
from tests.shared.http_app import Caller, things
from tests.shared.test_http_problems import problem


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


async def test_pages_follow_each_other_to_the_end(caller: Caller):
    for n in range(5):
        await caller.add(f"thing {n}")
    seen, query, pages = [], "", 0
    while True:
        page = (await caller.client.get(f"/v1/things?limit=2{query}", headers=caller.headers())).json()
        seen += [item["name"] for item in page["items"]]
        pages += 1
        if page["next_cursor"] is None:
            break
        query = f"&cursor={page['next_cursor']}"
    assert seen == [f"thing {n}" for n in range(5)]
    assert pages == 3


async def test_a_page_that_is_just_full_is_the_last(caller: Caller):
    await caller.add("a")
    await caller.add("b")
    page = (await caller.client.get("/v1/things?limit=2", headers=caller.headers())).json()
    assert len(page["items"]) == 2
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor",
    ["garbage", "%%%", "é", "a" * 1_999, base64.urlsafe_b64encode(b"0" * 12 + b'["x"]').decode(), "WyJ4Il0"],
)
async def test_an_invented_cursor_is_refused(caller: Caller, cursor: str):
    response = await caller.client.get("/v1/things", params={"cursor": cursor}, headers=caller.headers())
    found = problem(response, 400, "bad-cursor")
    assert found["errors"][0]["pointer"] == "query.cursor"


async def test_a_cursor_belongs_to_its_list_and_filters(caller: Caller):
    for n in range(3):
        await caller.add(f"thing {n}")
    page = (await caller.client.get("/v1/things?limit=1", headers=caller.headers())).json()
    cursor = {"cursor": page["next_cursor"]}
    problem(await caller.client.get("/v1/other-things", params=cursor, headers=caller.headers()), 400, "bad-cursor")
    filtered = await caller.client.get("/v1/things", params={**cursor, "name": "a"}, headers=caller.headers())
    problem(filtered, 400, "bad-cursor")
    other_limit = await caller.client.get("/v1/things", params={**cursor, "limit": 2}, headers=caller.headers())
    assert len(other_limit.json()["items"]) == 2


async def test_a_change_needs_the_version_seen(caller: Caller):
    added = await caller.add("a")
    url = added.headers["location"]
    put, headers = caller.client.put, caller.headers()
    problem(await put(url, json={"name": "b"}, headers=headers), 428, "precondition-required")

    changed = await put(url, json={"name": "b"}, headers={**headers, "if-match": added.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'

    stale = await put(url, json={"name": "c"}, headers={**headers, "if-match": '"1"'})
    assert problem(stale, 412, "stale-version")["current_version"] == 2
    assert (await caller.client.get(url, headers=headers)).json()["name"] == "b"

    weakened = await put(url, json={"name": "c"}, headers={**headers, "if-match": 'W/"2"'})
    assert weakened.status_code == 200


@pytest.mark.parametrize("tag", ["*", "2", '"a"', '"1", "2"'])
async def test_a_malformed_if_match_is_400(caller: Caller, tag: str):
    url = (await caller.add("a")).headers["location"]
    response = await caller.client.put(url, json={"name": "b"}, headers={**caller.headers(), "if-match": tag})
    problem(response, 400, "malformed-request")


async def test_an_unchanged_thing_is_not_sent_again(caller: Caller):
    url = (await caller.add("a")).headers["location"]
    headers = caller.headers()
    first = await caller.client.get(url, headers=headers)
    again = await caller.client.get(url, headers={**headers, "if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
