"""Every error is a problem document that says what is wrong, and nothing of how the house is built."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from shared.db import Database
from shared.http.problems import MEDIA_TYPE, TYPE_PREFIX
from tests.shared.http_app import Caller, things


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


def problem(response: httpx.Response, status: int, slug: str) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    document = response.json()
    assert document["type"] == TYPE_PREFIX + slug
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["correlation_id"] == response.headers["x-correlation-id"]
    return document


async def test_an_unknown_address_is_a_problem(caller: Caller):
    found = problem(await caller.client.get("/v1/nothing"), 404, "no-such-resource")
    assert found["instance"] == "/v1/nothing"
    assert "/docs" in found["detail"]


async def test_a_browser_at_an_unknown_page_reads_a_page(caller: Caller):
    response = await caller.client.get("/nothing", headers={"accept": "text/html,*/*"})
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "nothing answers /nothing here" in response.text


async def test_a_wrong_method_names_the_right_ones(caller: Caller):
    response = await caller.client.delete("/v1/things")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"]


async def test_a_bug_tells_nothing_but_its_correlation_id(caller: Caller):
    with capture_logs() as logs:
        response = await caller.client.post("/v1/broken?kind=bug", headers={"x-correlation-id": "my-request-7"})
    found = problem(response, 500, "internal-error")
    assert found["correlation_id"] == "my-request-7"
    assert "1234" not in response.text
    assert "Traceback" not in response.text
    assert any(line["event"] == "request_failed" for line in logs)


@pytest.mark.parametrize(("kind", "slug"), [("database", "unavailable"), ("upstream", "upstream-unavailable")])
async def test_a_part_that_is_away_says_when_to_come_back(caller: Caller, kind: str, slug: str):
    response = await caller.client.post(f"/v1/broken?kind={kind}")
    problem(response, 503, slug)
    assert response.headers["retry-after"] == "1"


async def test_a_database_that_cannot_be_reached_is_503_and_not_ready(caller: Caller, tmp_path: Path):
    nowhere = await Database.open(f"postgres://nobody@127.0.0.1:1/none?host={tmp_path}", pool_min=0)
    caller.app.state.database = nowhere
    problem(await caller.client.get("/v1/things", headers=caller.headers()), 503, "unavailable")
    problem(await caller.client.get("/readyz"), 503, "not-ready")
    await nowhere.close()


async def test_each_field_that_does_not_fit_is_named(caller: Caller):
    body = {
        "name": "",
        "colour": "red",
        "lines": [{"price": {"amount": "1.00", "currency": "EUR"}}, {"price": {"amount": "1.005", "currency": "EUR"}}],
    }
    response = await caller.client.post("/v1/things", json=body, headers=caller.headers("k"))
    found = problem(response, 422, "invalid-request")
    by_pointer = {each["pointer"]: each["detail"] for each in found["errors"]}
    assert by_pointer == {
        "#/name": "string should have at least 1 character",
        "#/colour": "is not a field of this request",
        "#/lines/1/price": "EUR has 2 decimals, 1.005 has more",
    }


@pytest.mark.parametrize(
    ("price", "pointer", "words"),
    [
        ({"amount": "1.00", "currency": "XXA"}, "#/lines/0/price", "XXA"),
        ({"amount": 1.5, "currency": "EUR"}, "#/lines/0/price/amount", "string"),
        ({"amount": "1.00"}, "#/lines/0/price/currency", "required"),
        ({"amount": "1.00", "currency": "EUR", "x": 1}, "#/lines/0/price/x", "not a field"),
        ("1.00 EUR", "#/lines/0/price", "dictionary"),
    ],
)
async def test_money_that_does_not_fit_is_named(caller: Caller, price: object, pointer: str, words: str):
    body = {"name": "a", "lines": [{"price": price}]}
    found = problem(
        await caller.client.post("/v1/things", json=body, headers=caller.headers("k")), 422, "invalid-request"
    )
    assert [each["pointer"] for each in found["errors"]] == [pointer]
    assert words in found["errors"][0]["detail"]
    assert pointer in found["detail"]


async def test_parameters_that_do_not_fit_are_named(caller: Caller):
    get = caller.client.get
    found = problem(await get("/v1/things?limit=501", headers=caller.headers()), 422, "invalid-request")
    assert found["errors"] == [{"pointer": "query.limit", "detail": "must be less than or equal to 500"}]
    found = problem(await get("/v1/things/7", headers=caller.headers()), 422, "invalid-request")
    assert found["errors"][0]["pointer"] == "path.thing_id"
    found = problem(await get("/v1/things?nmae=a", headers=caller.headers()), 422, "unknown-parameter")
    assert found["errors"][0]["pointer"] == "query.nmae"


async def test_a_domain_error_keeps_its_own_words(caller: Caller):
    await caller.add("a")
    found = problem(await caller.add("a", key="another"), 409, "duplicate-name")
    assert found["title"] == "The name is taken"
    assert found["errors"] == [{"pointer": "#/name", "detail": "there is a thing named a"}]
    assert found["name"] == "a"


async def test_a_body_that_is_not_json_is_400(caller: Caller):
    headers = {**caller.headers("k"), "content-type": "application/json"}
    found = problem(await caller.client.post("/v1/things", content=b'{"name":', headers=headers), 400, "malformed-json")
    assert "not JSON" in found["detail"]
    problem(await caller.client.post("/v1/things", content=b'{"name": NaN}', headers=headers), 400, "malformed-json")
    problem(await caller.client.post("/v1/things", content=b'"\xff"', headers=headers), 400, "malformed-json")


async def test_a_body_of_another_type_is_415(caller: Caller):
    headers = {**caller.headers("k"), "content-type": "text/plain"}
    problem(await caller.client.post("/v1/things", content=b"{}", headers=headers), 415, "unsupported-media-type")


async def test_an_empty_body_is_named_as_missing(caller: Caller):
    headers = {**caller.headers("k"), "content-type": "application/json"}
    found = problem(await caller.client.post("/v1/things", content=b"", headers=headers), 422, "invalid-request")
    assert found["errors"] == [{"pointer": "#", "detail": "is required"}]


async def test_characters_that_cannot_be_kept_are_refused(caller: Caller):
    problem(
        await caller.client.post("/v1/things", json={"name": "a\0"}, headers=caller.headers("k")),
        400,
        "malformed-request",
    )
    problem(await caller.client.get("/v1/things?name=%00", headers=caller.headers()), 400, "malformed-request")


async def test_a_number_beyond_the_column_is_refused(caller: Caller):
    response = await caller.client.get("/v1/number?number=99999999999999999999", headers=caller.headers())
    problem(response, 422, "value-out-of-range")


async def test_an_oversized_body_is_413_and_changes_nothing(caller: Caller):
    big = {"name": "x" * 2_000}
    response = await caller.client.post("/v1/things", json=big, headers=caller.headers("k"))
    found = problem(response, 413, "body-too-large")
    assert found["bytes_max"] == 1_000

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    headers = {**caller.headers("k"), "content-type": "application/json"}
    problem(await caller.client.post("/v1/things", content=chunks(), headers=headers), 413, "body-too-large")


async def test_a_route_may_take_larger_bodies(caller: Caller):
    many = [{"name": f"thing number {n:05}"} for n in range(60)]
    response = await caller.client.post("/v1/imports", json=many, headers=caller.headers("k1"))
    assert response.json() == {"imported": 60}
    problem(await caller.client.post("/v1/imports", json=many * 3, headers=caller.headers("k2")), 413, "body-too-large")
