"""What a simulation is asked over HTTP, and what it refuses; one at a time, and none for somebody who has gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.reminder.simulations.rules import SimulationRunning
from services.reminder.simulator import Simulator
from tests.reminder.desk import Desk
from tests.service_client import problem

PATH = "/v1/strategies/default/simulations"
DOCUMENT = """
name: default
title: One step
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
"""


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"version": 2}, 404, "strategy-not-found"),
        ({"compare_with": 7}, 404, "strategy-not-found"),
        ({"document": DOCUMENT.replace("default", "other")}, 409, "strategy-name-differs"),
        ({"document": DOCUMENT.replace("days_from_due", "days")}, 422, "invalid-strategy"),
        ({"compare_with": "no strategy"}, 422, "invalid-strategy"),
        ({"document": DOCUMENT, "version": 1}, 422, "invalid-request"),
        ({"days": 0}, 422, "invalid-request"),
        ({"days": 121}, 422, "invalid-request"),
        ({"currency": "XXQ"}, 422, "invalid-request"),
        ({"prices": {"pigeon": "1"}}, 422, "invalid-request"),
        ({"prices": {"sms": "-1"}}, 422, "invalid-request"),
        ({"past": {"from": "2025-12-02", "to": "2025-12-01"}}, 422, "invalid-request"),
        ({"past": {"from": "2025-08-01", "to": "2025-12-01"}}, 422, "invalid-request"),
        ({"past": {"from": "2025-12-31", "to": "2026-01-01"}}, 422, "simulation-period-refused"),
        ({"policy": {"opens": "19:00"}}, 422, "invalid-request"),
    ],
)
async def test_what_cannot_be_simulated_is_refused(desk: Desk, body: dict[str, Any], status: int, slug: str) -> None:
    assert problem(await desk.http.post(PATH, json=body), status) == slug


async def test_a_document_that_nobody_published_is_tried_under_a_name_of_its_own(desk: Desk) -> None:
    await desk.set_clock(datetime(2026, 1, 10, 6, tzinfo=UTC))
    customer = await desk.onboard(segment="vip")
    await desk.issue(customer, date(2026, 1, 9))
    document = DOCUMENT.replace("name: default", "name: vip") + "fits: {segments: [vip]}\n"
    body = {"days": 3, "document": document}
    answer = await desk.http.post("/v1/strategies/vip/simulations", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    tried = answer.json()["simulated"]
    assert (tried["version"], tried["is_published"], tried["contacts"], tried["accounts"]) == (1, False, 1, 1)
    assert tried["other_strategies"] == []
    assert [each["count"] for each in tried["episodes"] if each["what"] == "opened"] == [1]


async def test_one_simulation_runs_at_a_time_and_one_that_nobody_waits_for_makes_room(desk: Desk) -> None:
    simulator: Simulator = desk.app.state.simulator
    first = asyncio.create_task(desk.http.post(PATH, json={}))
    while not simulator.is_running:
        await asyncio.sleep(0.01)
    assert problem(await desk.http.post(PATH, json={}), 409) == SimulationRunning.slug
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert not simulator.is_running
    assert (await desk.http.post(PATH, json={}, timeout=60)).status_code == 200


async def test_a_simulation_is_stopped_when_its_client_goes_away(desk: Desk) -> None:
    simulator: Simulator = desk.app.state.simulator
    said: list[Any] = []
    parts = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Any:
        if parts:
            return parts.pop()
        while not simulator.is_running:
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    sent = desk.http.build_request("POST", PATH, json={})
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(name.lower(), value) for name, value in sent.headers.raw if name.lower() != b"content-length"],
    }
    await desk.app(scope, receive, send)
    assert said[0]["status"] == 499
    assert not simulator.is_running


async def test_only_readers_of_reminders_may_simulate(desk: Desk, token: Any) -> None:
    headers = {"authorization": f"Bearer {token('invoices:read')}"}
    assert (await desk.http.post(PATH, json={}, headers=headers)).status_code == 403
