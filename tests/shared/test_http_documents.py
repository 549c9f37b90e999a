"""What a service tells of itself: documents, health, metrics, operations; and its calls to others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import context, telemetry, tokens
from shared.db import Database
from shared.http.client import service_client
from shared.settings import ServiceSettings
from tests.shared.http_app import Caller, things
from tests.shared.test_http_problems import problem

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def caller(database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with things(database, tmp_path) as each:
        yield each


async def test_the_api_document_holds_the_conventions(caller: Caller):
    document = (await caller.client.get("/openapi.json")).json()
    add = document["paths"]["/v1/things"]["post"]
    assert {"name": "Idempotency-Key", "in": "header"}.items() <= add["parameters"][0].items()
    assert add["security"] == [{"bearer": ["invoices:write"]}]
    assert add["operationId"] == "http_app_add_thing"
    assert "application/problem+json" in add["responses"]["default"]["content"]
    assert "422" not in add["responses"]
    change = document["paths"]["/v1/things/{thing_id}"]["put"]
    assert [each["name"] for each in change["parameters"]] == ["thing_id", "If-Match"]
    assert "ProblemDocument" in document["components"]["schemas"]
    assert "/v1/parked-events" in document["paths"]
    ids = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


async def test_the_docs_page_loads_nothing_from_elsewhere(caller: Caller):
    page = (await caller.client.get("/docs")).text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith(("/docs/", "/favicon.ico"))
        asset = await caller.client.get(link)
        assert asset.status_code == 200
        assert len(asset.content) > 100
    problem(await caller.client.get("/docs/absent.js"), 404, "no-such-resource")


async def test_a_service_without_pages_shows_its_docs_first(caller: Caller):
    assert (await caller.client.get("/")).headers["location"] == "/docs"


async def test_health_needs_no_token(caller: Caller):
    assert (await caller.client.get("/healthz")).json() == {"status": "ok"}
    assert (await caller.client.get("/readyz")).json() == {"status": "ready"}


async def test_metrics_count_by_route_and_never_by_path(caller: Caller):
    added = await caller.add("a")
    await caller.client.get(added.headers["location"], headers=caller.headers())
    await caller.client.get("/v1/no-such-thing")
    text = (await caller.client.get("/metrics")).text
    assert 'dueward_http_request_seconds_count{method="POST",route="/v1/things",status="201"}' in text
    assert 'dueward_http_request_seconds_count{method="GET",route="/v1/things/{thing_id}",status="200"}' in text
    assert 'route="unmatched",status="404"' in text
    assert "no-such-thing" not in text


async def test_simulation_is_absent_unless_it_is_on(caller: Caller, database: Database, tmp_path: Path):
    problem(await caller.client.get("/simulation/idle", headers=caller.headers()), 404, "no-such-resource")
    async with things(database, tmp_path, simulation=True) as simulated:
        assert (await simulated.client.get("/simulation/idle", headers=simulated.headers())).status_code == 200


# Operations.


async def park(database: Database, n: int) -> list[int]:
    rows = await database.pool.fetch(
        """
        insert into parked_event (consumer, key, source, event_id, type, topic, partition, message_offset, headers,
                                  value, reason, next_retry_at)
        select 'things', gen_random_uuid(), '/dueward/invoice', gen_random_uuid(), 'dueward.invoice.issued.v1',
               'ar.invoice', 0, i, '[]', '{}', 'a bug', now() from generate_series(1, $1) i returning id
        """,
        n,
    )
    return [row["id"] for row in rows]


async def test_an_operator_sees_retries_and_skips_parked_events(caller: Caller, database: Database):
    ids = await park(database, 3)
    get, post = caller.client.get, caller.client.post
    page = (await get("/v1/parked-events?limit=2", headers=caller.headers())).json()
    assert [item["id"] for item in page["items"]] == ids[:2]
    rest = await get(f"/v1/parked-events?limit=2&cursor={page['next_cursor']}", headers=caller.headers())
    assert [item["id"] for item in rest.json()["items"]] == ids[2:]
    customer_id = page["items"][1]["customer_id"]
    one = await get(f"/v1/parked-events?customer_id={customer_id}", headers=caller.headers())
    assert [item["id"] for item in one.json()["items"]] == [ids[1]]

    assert (await post(f"/v1/parked-events/{ids[0]}/retry", headers=caller.headers("k1"))).status_code == 202
    skipped = await post(
        f"/v1/parked-events/{ids[0]}/skip", json={"reason": "made in error"}, headers=caller.headers("k2")
    )
    assert skipped.json() == {"id": ids[0], "status": "skipped"}
    kept = (await get("/v1/parked-events?status=skipped", headers=caller.headers())).json()["items"][0]
    assert (kept["closed_by"], kept["closed_reason"]) == ("tester", "made in error")

    again = await post(f"/v1/parked-events/{ids[0]}/retry", headers=caller.headers("k3"))
    problem(again, 409, "parked-event-closed")
    problem(await post("/v1/parked-events/999/retry", headers=caller.headers("k4")), 404, "parked-event-not-found")
    forbidden = await post("/v1/parked-events/1/retry", headers=caller.headers("k5", scopes="operations:read"))
    problem(forbidden, 403, "forbidden")


async def test_a_range_of_the_log_is_published_again(caller: Caller):
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    response = await caller.client.post("/v1/replays", json=span, headers=caller.headers("k"))
    assert response.status_code == 202
    assert response.json() == {"events": 0}
    backwards = {"from": span["to"], "to": span["from"]}
    refused = await caller.client.post("/v1/replays", json=backwards, headers=caller.headers("k2"))
    assert problem(refused, 422, "refused")["errors"][0]["pointer"] == "#/to"


# Correlation and traces.


async def test_a_callers_correlation_id_is_kept_and_a_bad_one_replaced(caller: Caller):
    kept = await caller.client.get("/healthz", headers={"x-correlation-id": "order-4711"})
    assert kept.headers["x-correlation-id"] == "order-4711"
    replaced = await caller.client.get("/healthz", headers={"x-correlation-id": "no blanks\tplease"})
    assert re.fullmatch(r"[0-9a-f-]{36}", replaced.headers["x-correlation-id"])


def answering(status: int, seen: list[httpx.Request]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(httpx.Request(request.method, request.url, headers=request.headers))  # As it was sent.
        return httpx.Response(status)

    return httpx.MockTransport(answer)


def settings(folder: Path) -> ServiceSettings:
    token = folder / "token"
    token.write_text("first\n")
    return ServiceSettings(
        database_url="x", kafka_bootstrap_servers="x", service_token_file=token, credit_url="http://credit.test"
    )


async def test_calls_to_other_services_carry_token_correlation_and_trace(tmp_path: Path):
    seen: list[httpx.Request] = []
    token = context.correlation.set("order-4711")
    async with service_client(settings(tmp_path), "credit", transport=answering(200, seen)) as client:
        with telemetry.span("work", traceparent=TRACEPARENT):
            await client.get("/v1/customers")
    context.correlation.reset(token)
    sent = seen[0].headers
    assert str(seen[0].url) == "http://credit.test/v1/customers"
    assert sent["authorization"] == "Bearer first"
    assert sent["x-correlation-id"] == "order-4711"
    assert sent["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]


async def test_a_renewed_token_is_read_after_a_401(tmp_path: Path):
    seen: list[httpx.Request] = []
    async with service_client(settings(tmp_path), "credit", transport=answering(401, seen)) as client:
        await client.get("/a")
        assert len(seen) == 1, "the token had not changed: no second try"
        (tmp_path / "token").write_text("second")
        await client.get("/b")
    assert [each.headers["authorization"] for each in seen] == ["Bearer first", "Bearer first", "Bearer second"]


def test_a_malformed_traceparent_costs_only_the_trace():
    all_zero = f"00-{'0' * 32}-b7ad6b7169203331-01"
    for bad in (None, "", "00-zz", all_zero, "ff" + TRACEPARENT[2:]):
        with telemetry.span("work", traceparent=bad):
            pass
        assert telemetry.parse_traceparent(bad) is None
    with telemetry.span("work", traceparent=TRACEPARENT):
        handed_on = telemetry.current_traceparent()
    assert handed_on
    assert handed_on.split("-")[1] == TRACEPARENT.split("-")[1]


async def test_a_request_is_a_span_of_its_callers_trace(caller: Caller, tracing: InMemorySpanExporter):
    await caller.client.get("/v1/things", headers={**caller.headers(), "traceparent": TRACEPARENT})
    (span,) = tracing.get_finished_spans()
    assert span.name == "GET /v1/things"
    assert span.parent
    assert format(span.parent.span_id, "016x") == TRACEPARENT.split("-")[2]
    assert span.attributes
    assert span.attributes["http.response.status_code"] == 200


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Tracing can be switched on once a process: later tests of this module are traced too, which harms nothing."""
    found = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    trace.set_tracer_provider(provider)
    return found


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


# Keys and tokens.


def test_the_commands_make_keys_tokens_and_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert tokens.main(["keys", "--dir", str(tmp_path)]) == 0
    key = (tmp_path / tokens.KEY_FILE).read_bytes()
    assert tokens.main(["keys", "--dir", str(tmp_path)]) == 0
    assert (tmp_path / tokens.KEY_FILE).read_bytes() == key, "keys that are there stay"
    assert (tmp_path / tokens.KEY_FILE).stat().st_mode & 0o077 == 0
    capsys.readouterr()

    assert tokens.main(["token", "--sub", "anna", "--scopes", "invoices:read", "--keys", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(".") == 2
    assert tokens.main(["link", "--url", "http://a.test", "--keys", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("http://a.test/sign-in/")
    assert (tmp_path / tokens.SESSION_SECRET_FILE).stat().st_mode & 0o077 == 0
    assert tokens.main(["token", "--sub", "anna", "--scopes", "invoices:raed", "--keys", str(tmp_path)]) == 1
    assert "no such scope: invoices:raed" in capsys.readouterr().err
