"""Strategies as documents: what is shipped, what is refused and where, and how versions come about."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from services.reminder.publishing.rules import json_schema, unknown_templates
from services.reminder.strategies.rules import InvalidStrategy, parse
from services.reminder.wordings.rules import SHIPPED as WORDINGS
from tests.reminder.desk import Desk
from tests.reminder.facts import DOCUMENT

SHIPPED = {path.stem: path.read_text() for path in Path("services/reminder/strategies").glob("*.yaml")}

SHORT = """\
name: short
title: Two letters
steps:
  - name: ask
    days_from_due: 3
    channel: email
    tone: friendly
    template: first-reminder
  - name: insist
    days_from_due: 10
    channel: email
    tone: formal
    template: final-notice
"""


def faults(document: str) -> list[tuple[int, str]]:
    """(line, reason) of each."""
    with pytest.raises(InvalidStrategy) as caught:
        parse(document)
    return [(fault.line, fault.detail) for fault in caught.value.faults]


def test_the_shipped_strategy_goes_from_friendly_to_agency() -> None:
    strategy = parse(DOCUMENT)
    assert [(step.days_from_due, step.tone) for step in strategy.steps] == [
        (-7, "friendly"),
        (1, "friendly"),
        (7, "friendly"),
        (15, "firm"),
        (30, "firm"),
        (60, "formal"),
        (91, None),
    ]
    assert strategy.steps[-1].actions == ("agency_referral",)


async def test_the_shipped_documents_are_what_a_new_database_has(desk: Desk) -> None:
    stored = (await desk.get("/v1/strategies"))["items"]
    assert {each["name"]: (each["version"], each["document"]) for each in stored} == {
        name: (1, document) for name, document in SHIPPED.items()
    }


def test_only_the_default_strategy_is_switched_on_as_it_comes() -> None:
    assert [name for name, document in SHIPPED.items() if parse(document).active] == ["default"]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_strategy_uses_templates_that_come_with_it(name: str) -> None:
    assert parse(SHIPPED[name]).name == name
    assert unknown_templates(SHIPPED[name], WORDINGS) == []


def test_the_published_schema_takes_what_the_service_takes() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    for document in (DOCUMENT, SHORT):
        validator.validate(yaml.safe_load(document))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"name": "x", "title": "X", "steps": [{"name": "a", "days_from_due": "soon"}]})


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("days_from_due: 3", "days_from_due: soon"), 5, "steps.0.days_from_due: input should be a valid integer"),
        (("tone: formal", "tone: rude"), 12, "steps.1.tone: input should be 'friendly', 'firm' or 'formal'"),
        (("    template: final-notice\n", ""), 9, "steps.1: a step with a channel needs a tone and a template"),
        (
            ("days_from_due: 10", "days_from_due: 2"),
            10,
            "steps.1.days_from_due: step 'insist' is on day 2 but follows 'ask' on day 3",
        ),
        (("name: insist", "name: ask"), 9, "steps.1.name: two steps are called 'ask'"),
        (("title: Two letters", "titel: Two letters"), 2, "titel: extra inputs are not permitted"),
        (("title: Two letters\n", ""), 1, "title: field required"),
        (("channel: email", "channel: pigeon"), 6, "steps.0.channel: input should be 'email', 'sms'"),
        (("name: short", "name: Kurz & gut"), 1, "name: string should match pattern"),
        (("title: Two letters", "title: A\ntitle: B"), 3, "'title' is given twice"),
        (("tone: friendly", "tone: [friendly"), 8, "not YAML"),
        (("title: Two letters", "title: &a x\ndescription: *a"), 3, "aliases (*name) are not allowed"),
        (("tone: formal", "actions: [fine]\n    tone: formal"), 12, "steps.1.actions.0: input should be"),
        (
            ("tone: formal", "actions: [fee, fee]\n    tone: formal"),
            12,
            "steps.1.actions: the action 'fee' is given twice",
        ),
        (
            ("days_from_due: 3", "days_from_due: 0\n    actions: [fee]"),
            6,
            "steps.0.actions: a step before the due date sends",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_and_reason(change: tuple[str, str], line: int, reason: str) -> None:
    found = faults(SHORT.replace(*change, 1))
    assert any(at == line and detail.startswith(reason) for at, detail in found), found


@pytest.mark.parametrize(
    "document", ["", "just words", "[1, 2]", "{", "\x00", "- a\n- b", "a: " + "[" * 5000, "x" * 70_000]
)
def test_what_is_no_strategy_at_all_is_refused_in_words(document: str) -> None:
    assert faults(document)


def test_all_faults_are_named_at_once() -> None:
    found = faults(SHORT.replace("tone: formal", "tone: rude").replace("days_from_due: 3", "days_from_due: soon"))
    assert {line for line, _ in found} == {5, 12}


def test_the_first_step_after_due_must_be_a_message() -> None:
    document = "name: a\ntitle: A\nsteps:\n  - {name: b, days_from_due: 1, actions: [agency_referral]}\n"
    assert faults(document)[0][1].startswith("steps.0: the first step after the due date must be a message")


async def put(desk: Desk, name: str, document: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.http.put(f"/v1/strategies/{name}", content=document, headers=named)


async def test_publishing_makes_the_next_version_and_keeps_the_earlier_ones(desk: Desk) -> None:
    made = await put(desk, "short", SHORT, if_none_match="*")
    assert (made.status_code, made.json()["version"], made.headers["etag"]) == (201, 1, '"1"')
    changed = SHORT.replace("days_from_due: 3", "days_from_due: 4")
    again = await put(desk, "short", changed, if_match='"1"')
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert (await put(desk, "short", changed, if_match='"2"')).json()["version"] == 2, (
        "the same words are no new version"
    )
    assert (await desk.get("/v1/strategies/short", version=1))["document"] == SHORT
    assert [s["name"] for s in (await desk.get("/v1/strategies"))["items"]] == [
        "default",
        "new-or-risky",
        "public-sector",
        "short",
        "small",
        "strategic",
    ]


async def test_publishing_is_refused_without_or_with_a_stale_version(desk: Desk) -> None:
    document = DOCUMENT.replace("Standard collection", "Ours")
    assert (await put(desk, "default", document)).status_code == 428
    assert (await put(desk, "default", document, if_match='"7"')).status_code == 412
    assert (await put(desk, "default", document, if_none_match="*")).status_code == 412
    other = await put(desk, "other", document, if_none_match="*")
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (409, "strategy-name-differs")
    missing = await desk.http.get("/v1/strategies/none")
    assert (missing.status_code, missing.json()["type"].rpartition("/")[2]) == (404, "strategy-not-found")
    assert (await desk.get("/v1/strategies/default"))["version"] == 1


async def test_a_faulty_document_is_answered_with_every_line(desk: Desk) -> None:
    answer = await put(desk, "short", SHORT.replace("tone: formal", "tone: rude"), if_none_match="*")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert problem["type"].rpartition("/")[2] == "invalid-strategy"
    assert [(error["pointer"], error["line"]) for error in problem["errors"]] == [("#/steps/1/tone", 12)]
    assert (await desk.http.get("/v1/strategies/short")).status_code == 404
    not_text = await desk.http.put("/v1/strategies/short", content=b"\xff\xfe", headers={"if-none-match": "*"})
    assert not_text.status_code == 422


async def test_a_running_case_keeps_its_version_and_the_next_episode_takes_the_new_one(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, date(2026, 2, 1))
    await desk.until(date(2026, 2, 3))
    faster = DOCUMENT.replace("days_from_due: 7\n", "days_from_due: 3\n")
    assert (await put(desk, "default", faster, if_match='"1"')).status_code == 200
    await desk.until(date(2026, 2, 9))
    assert (await desk.sent())[-1] == ("2026-02-08", "second-reminder")
    await desk.hear(*invoice.pay())
    await desk.issue(customer, date(2026, 2, 20), "R-2", issued_on=date(2026, 2, 9))
    await desk.until(date(2026, 3, 1))
    assert [(c["strategy_version"], c["sent_at"][:10], c["step"]) for c in (await desk.contacts())[3:]] == [
        (2, "2026-02-13", "due-soon"),
        (2, "2026-02-21", "first-reminder"),
        (2, "2026-02-26", "second-reminder"),
    ]
