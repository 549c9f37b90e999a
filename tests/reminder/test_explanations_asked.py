"""An explanation as it is asked for: now and for a past day, with its facts, and as true as what then happens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.reminder.books import without_email
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
STEPS = """\
name: default
title: Waits and conditions
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - name: many
    days_from_due: 7
    channel: email
    tone: firm
    template: second-reminder
    conditions: {amount_at_least: {EUR: 250}}
  - {name: decide, days_from_due: 14, channel: email, tone: formal, template: final-notice, approval: true}
"""


async def ask(desk: Desk, customer_id: UUID, **query: Any) -> dict[str, Any]:
    return await desk.get(f"/v1/cases/{customer_id}/explanation", **query)


async def post(desk: Desk, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def values(explained: dict[str, Any], fact: str) -> list[str]:
    return [each["value"] for each in explained["facts"] if each["fact"] == fact]


async def test_the_facts_stand_beside_the_sentences_with_their_sources(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    disputed = await desk.issue(customer, DUE, "R-2", 5_000)
    await desk.hear(disputed.dispute())
    await desk.until(date(2026, 2, 4))
    found = await ask(desk, customer.id)
    by_fact = {each["fact"]: (each["value"], each["source"]) for each in found["facts"]}
    assert by_fact["may_be_asked_for"] == ("100.00 EUR", "invoices R-1")
    assert by_fact["oldest_due_on"] == ("2026-02-01", "invoice R-1")
    assert by_fact["days_overdue"] == ("3", "invoice R-1")
    assert by_fact["not_chased"] == ("50.00 EUR, disputed", "invoice R-2")
    assert by_fact["strategy"][0] == "default version 1"
    assert by_fact["contacts_counted"] == ("1 of 3 in 7 days", "contact policy")
    assert by_fact["contact_counted"] == ("2026-02-02 email (contact)", "contact policy")
    assert by_fact["next_step"][0] == "second-reminder (message)"
    assert by_fact["next_at"][0] == "2026-02-08T09:00Z"
    assert found["next_at"] == "2026-02-08T09:00:00Z"
    assert values(found, "told_before_due") == ["2026-02-01"]


async def test_a_condition_that_will_fail_is_foretold_and_then_comes_true(desk: Desk) -> None:
    await desk.http.put("/v1/strategies/default", content=STEPS, headers={"if-match": '"1"'})
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    found = await ask(desk, customer.id)
    assert (
        "On 8 February 2026 at 09:00 (UTC) the step 'many' is passed over: it is for 250.00 EUR and more, and 100.00 "
        "EUR may be asked for, 150.00 EUR less."
    ) in found["next"]
    assert "somebody is asked to approve the step 'decide'" in found["next"]
    foretold = datetime.fromisoformat(found["next_at"])
    await desk.until(foretold.date(), hour=foretold.hour)
    waiting = await ask(desk, customer.id)
    assert waiting["silence"] == "Nothing goes out, because the step 'decide' waits for somebody to approve it."
    assert "It goes on when the task is approved" in waiting["next"]
    assert values(waiting, "approval_awaited") == ["decide"]
    assert [event["type"] for event in await desk.published() if event["type"].startswith("case.")][-1] == (
        "case.step_skipped"
    )


@pytest.mark.parametrize("stop", [date(2026, 1, 20), date(2026, 2, 3), date(2026, 2, 20), date(2026, 4, 15)])
async def test_what_is_foretold_goes_out_at_that_moment(desk: Desk, stop: date) -> None:
    customer = await desk.onboard(time_zone="America/New_York")
    await desk.issue(customer, DUE)
    await desk.until(stop)
    found = await ask(desk, customer.id)
    before = len(await desk.contacts())
    at = datetime.fromisoformat(found["next_at"])
    await desk.until((at - timedelta(minutes=1)).date(), hour=(at - timedelta(minutes=1)).hour)
    assert len(await desk.contacts()) == before
    await desk.until(at.date(), hour=at.hour)
    made = (await desk.contacts())[before:]
    if made:
        assert [(each["sent_at"], f"{each['step']} (message)") for each in made] == [
            (found["next_at"], values(found, "next_step")[0])
        ]
    else:
        assert values(found, "next_step") == ["agency-referral (actions)"]
        assert (await desk.get(f"/v1/cases/{customer.id}"))["step"] == "agency-referral"


async def test_a_pause_is_named_with_its_last_day_and_source(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    body = {"until": "2026-02-20", "reason": "other", "asked_by": "their buyer"}
    pause = await post(desk, f"/v1/cases/{customer.id}/pauses", body)
    found = await ask(desk, customer.id)
    assert found["silence"].startswith("Nothing goes out through 20 February 2026, because the case is paused")
    assert found["next_at"] == "2026-02-21T09:00:00Z"
    assert [each["source"] for each in found["facts"] if each["fact"] == "rests_paused"] == [f"paused {pause['id']}"]


async def test_a_past_day_is_explained_from_what_is_kept(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 20))
    await desk.hear(*invoice.pay())
    await desk.until(date(2026, 3, 10))

    then = await ask(desk, customer.id, as_of="2026-02-03")
    assert then["situation"].startswith(
        "On 3 February 2026 Acme GmbH had an open case, number 1, on strategy 'default' version 1; its last step was "
        "'first-reminder'."
    )
    assert "100.00 EUR could be asked for, the oldest invoice was due on 1 February 2026, 2 days before" in then["text"]
    assert "went to ada@acme.example on 2 February 2026 at 09:00 (UTC)" in then["last_contact"]
    assert "The next step of the strategy was 'second-reminder'" in then["silence"]
    assert (
        then["next"]
        == "What came next: on 8 February 2026 at 09:00 (UTC) the message 'second-reminder' went out by email."
    )
    assert "Not known any more for that day" in then["not_known"]
    assert values(then, "last_step") == ["first-reminder"]
    assert then["as_of"] == "2026-02-04T00:00:00Z"

    assert "It was contacted on that day" in (await ask(desk, customer.id, as_of="2026-02-08"))["silence"]
    assert "had no case yet" in (await ask(desk, customer.id, as_of="2026-01-10"))["situation"]
    over = await ask(desk, customer.id, as_of="2026-03-01")
    assert "had no open case" in over["situation"]
    assert "because everything overdue was settled" in over["situation"]
    assert over["next"] == "Nothing has happened since that is kept here."


async def test_what_a_past_day_rested_for_is_read_from_the_events(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    promise = {"amount": {"amount": "100.00", "currency": "EUR"}, "on": "2026-02-20"}
    made = await post(desk, f"/v1/cases/{customer.id}/promises", promise)
    await desk.until(date(2026, 2, 10))
    await post(desk, f"/v1/promises/{made['id']}/withdrawal", {"reason": "a misunderstanding"})
    await desk.until(date(2026, 2, 14))
    rested = await ask(desk, customer.id, as_of="2026-02-06")
    assert "the case rested, through 25 February 2026: the customer promised to pay" in rested["silence"]
    assert [each["source"] for each in rested["facts"] if each["fact"] == "rests_promised"] == [
        f"promised {made['id']}"
    ]
    assert "rested" not in (await ask(desk, customer.id, as_of="2026-02-13"))["silence"]


async def test_today_is_now_and_tomorrow_is_refused(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    assert (await ask(desk, customer.id, as_of="2026-02-04"))["not_known"] is None
    answer = await desk.http.get(f"/v1/cases/{customer.id}/explanation", params={"as_of": "2026-02-05"})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("explanation-day")
    assert answer.json()["errors"][0]["pointer"] == "#/as_of"


async def test_somebody_without_an_address_is_foretold_a_task(desk: Desk) -> None:
    customer = await desk.onboard(contacts=(without_email(),))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=3))
    await desk.until(date(2026, 2, 2), hour=7)
    found = await ask(desk, customer.id)
    assert "the step 'first-reminder' is due and has nowhere to go: a task asks for an address" in found["next"]
    assert datetime.fromisoformat(found["next_at"]) == datetime(2026, 2, 2, 9, tzinfo=UTC)
    await desk.until(date(2026, 2, 2))
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    assert task["kind"] == "unreachable"


async def test_the_page_shows_the_same_words(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    from services.reminder.desk import handlers
    from shared.db import reading

    async with reading(desk.database) as tx:
        page = await handlers.draw_account(tx, customer.id, "default")
    assert page.explanation.text == (await ask(desk, customer.id))["text"]
