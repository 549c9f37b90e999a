"""Strategies as documents: what is shipped, what is refused and where, and how versions come about."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.publishing.rules import json_schema, unknown_templates
from services.reminder.strategies.rules import InvalidStrategy, parse
from services.reminder.wordings.rules import SHIPPED as WORDINGS
from shared.documents import Fault
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


FULL = """\
name: full
title: Everything there is
active: true
fits:
  segments: [mid]
  countries: [NO]
  open_balance:
    EUR: {min: 10, max: 500.50}
  average_days_late: {min: 5, max: 30}
also_fits:
  - broken_promises_min: 2
priority: 7
catch_up:
  mode: skip_to_current
  gap_days: 3
steps:
  - name: ask
    days_from_due: 3
    channels: [email, letter]
    fallback: sms
    tone: firm
    template: firm-reminder
    attachments: [invoices]
    conditions:
      amount_at_least: {EUR: 5}
  - name: plan
    days_after_previous: 9
    approval: true
    actions: [task, plan]
    task:
      title: Ring them
      within_days: 2
    plan:
      instalments_max: 4
"""


def test_a_document_may_use_everything_there_is() -> None:
    strategy = parse(FULL)
    assert strategy.fits.countries == ("NO",), "Norway is no truth value"
    ask, plan = strategy.steps
    assert (ask.channels, ask.fallback, ask.attachments) == (("email", "letter"), "sms", ("invoices",))
    assert (plan.days_after_previous, plan.approval, plan.actions) == (9, True, ("task", "plan"))
    assert plan.task is not None
    assert (plan.task.title, plan.task.within_days) == ("Ring them", 2)


def test_a_step_opens_some_days_after_due_or_after_the_one_before() -> None:
    ask, plan = parse(FULL).steps
    assert ask.opens(date(2026, 3, 1), None) == date(2026, 3, 4)
    assert plan.opens(date(2026, 3, 1), date(2026, 3, 20)) == date(2026, 3, 29)
    assert plan.opens(date(2026, 3, 1), None) == date(2026, 3, 10)


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("EUR: {min: 10,", "EUR: {min: 600,"), 8, "fits.open_balance.EUR.min: min is above max"),
        (("EUR: {min: 10, max: 500.50}", "EUR: {}"), 8, "fits.open_balance.EUR: a range needs a min, a max or both"),
        (("EUR: {min: 10,", "EUR: {min: ten,"), 8, "fits.open_balance.EUR.min: an amount is a number"),
        (("EUR: {min: 10,", "EUR: {min: -1,"), 8, "fits.open_balance.EUR.min: input should be greater than or equal"),
        (("EUR: {min: 10,", "euro: {min: 10,"), 8, "fits.open_balance.euro: string should match pattern"),
        (("EUR: {min: 10,", "XYZ: {min: 10,"), 8, "fits.open_balance.XYZ: unknown currency 'XYZ'"),
        (("{min: 5, max: 30}", "{min: 31, max: 30}"), 9, "fits.average_days_late.min: min is above max"),
        (("[NO]", "[Norway]"), 6, "fits.countries.0: string should match pattern"),
        (("broken_promises_min: 2", "broken_promises_min: 0"), 11, "also_fits.0.broken_promises_min: input should be"),
        (("  - broken_promises_min: 2", "  - {}"), 11, "also_fits.0: this asks for nothing"),
        (("priority: 7", "priority: -1"), 12, "priority: input should be greater than or equal to 0"),
        (("priority: 7", "challenger: {of: small, share_percent: 5}"), 4, "fits: a challenger takes its accounts from"),
        (("skip_to_current", "skip"), 14, "catch_up.mode: input should be 'one_by_one' or 'skip_to_current'"),
        (("name: full", "name: default"), 4, "fits: 'default' is for every account that nothing else fits"),
        (("days_from_due: 3", "tone: firm"), 21, "'tone' is given twice"),
        (
            ("days_from_due: 3\n", "days_from_due: 3\n    days_after_previous: 2\n"),
            19,
            "steps.0.days_after",
        ),
        (("    days_from_due: 3\n", ""), 17, "steps.0: the step has no day"),
        (
            ("days_from_due: 3", "days_after_previous: 3"),
            18,
            "steps.0.days_after_previous: the first step",
        ),
        (("channels: [email, letter]", "channels: [email, email]"), 19, "steps.0.channels: a channel is given twice"),
        (
            ("channels: [email, letter]", "channels: [email, fax]"),
            19,
            "steps.0.channels.1: input should be 'email'",
        ),
        (("fallback: sms", "fallback: letter"), 20, "steps.0.fallback: the fallback is one of the channels already"),
        (("fallback: sms", "channel: sms"), 20, "steps.0.channel: give channel or channels, not both"),
        (("channels: [email, letter]", "channels: [call]"), 23, "steps.0.attachments: only mails and letters carry"),
        (("{EUR: 5}", "{EUR: 0.005}"), 25, "steps.0.conditions.amount_at_least: EUR has 2 decimals"),
        (("{EUR: 5}", "{}"), 25, "steps.0.conditions.amount_at_least: dictionary should have at least 1"),
        (("[task, plan]", "[plan]"), 30, "steps.1.task: task says how, but is not among the actions"),
        (("[task, plan]", "[task]"), 33, "steps.1.plan: plan says how, but is not among the actions"),
        (("      title: Ring them\n", ""), 30, "steps.1.task.title: field required"),
        (("approval: true", "approval: yes"), 28, "steps.1.approval: input should be a valid boolean"),
        (
            ("instalments_max: 4", "instalments_max: 1"),
            34,
            "steps.1.plan.instalments_max: input should be greater",
        ),
    ],
)
def test_every_field_has_its_faults_with_their_lines(change: tuple[str, str], line: int, reason: str) -> None:
    assert change[0] in FULL
    found = faults(FULL.replace(*change, 1))
    assert any(at == line and detail.startswith(reason) for at, detail in found), found


def test_a_charge_comes_after_a_message_and_a_task_may_come_before() -> None:
    ask = "  - {name: ask, days_from_due: 9, channel: email, tone: firm, template: firm-reminder}\n"
    head = "name: a\ntitle: A\nsteps:\n"
    assert parse(head + "  - {name: tell, days_from_due: 1, actions: [notify_sales]}\n" + ask)
    charged = faults(head + "  - {name: charge, days_from_due: 1, actions: [fee]}\n" + ask)
    assert [line for line, _ in charged] == [4]
    chat = "  - {name: chat, days_from_due: 1, channel: chat, tone: firm, actions: [fee]}\n"
    assert faults(head + chat + ask), "telling the team is not telling the customer"


words = st.sampled_from(
    ["name", "steps", "fits", *"{}[]:?|1=~'\"\n\t", "- ", "  ", "!!int ", "!!set ", "? ", ".inf", "&x", "*x", "<<"]
)


@given(st.one_of(st.text(max_size=200), st.lists(words, max_size=40).map("".join)))
def test_nothing_that_is_written_gets_past_as_another_error(text: str) -> None:
    for document in (text, f"name: {text}", f"steps:\n  - {text}"):
        with contextlib.suppress(InvalidStrategy):
            parse(document)


@given(st.sampled_from(FULL.splitlines()), st.text(max_size=20))
def test_a_broken_line_is_a_fault_with_a_line_or_no_fault(line: str, text: str) -> None:
    found: list[Fault] = []
    try:
        parse(FULL.replace(line, line.partition(":")[0] + ": " + text, 1))
    except InvalidStrategy as invalid:
        found = invalid.faults or [Fault(0, "", "nothing")]
    assert all(fault.line >= 1 for fault in found)


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
