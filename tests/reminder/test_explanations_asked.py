"""An explanation as it is asked for: now and for a past day, with its facts, and as true as what then happens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.reminder.books import without_email
from tests.reminder.desk import Desk
from tests.reminder.test_placements import AGENCY

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


LADDER = """\
name: default
title: A ladder that ends with a step that somebody approves
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: insist, days_from_due: 25, channel: email, tone: firm, template: second-reminder}
  - {name: decide, days_from_due: 30, channel: email, tone: formal, template: final-notice, approval: true}
"""
ENGINE = ("reason", "strategy", "strategy_version")


async def test_a_past_day_is_told_with_the_reasons_it_was_told_with_on_that_day(
    desk: Desk, bert: dict[str, str]
) -> None:
    """Two months of an account, with all that it may rest for: each evening is explained, and explained again when all
    is over."""
    await desk.http.put("/v1/strategies/default", content=LADDER, headers={"if-match": '"1"'})
    await desk.http.put("/v1/agencies/northern", json=AGENCY, headers={"if-none-match": "*"})
    least = {"placements": {"days_overdue_min": 1}}
    kept = await desk.http.put("/v1/authority/default", json=least, headers={"if-none-match": "*"})
    assert kept.status_code == 200, kept.text
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    case, made = f"/v1/cases/{customer.id}", {}

    async def second(path: str, body: dict[str, Any]) -> None:
        answer = await desk.http.post(path, json=body, headers={"Idempotency-Key": str(uuid4()), **bert})
        assert answer.status_code == 201, answer.text

    async def act(day: int) -> None:
        match day:
            case 4:
                made["pause"] = await post(
                    desk, f"{case}/pauses", {"until": "2026-02-20", "reason": "other", "asked_by": "their buyer"}
                )
            case 6:
                promise = {"amount": {"amount": "100.00", "currency": "EUR"}, "on": "2026-02-09"}
                made["promise"] = await post(desk, f"{case}/promises", promise)
            case 8:
                await post(desk, f"/v1/pauses/{made['pause']['id']}/end", {"note": "settled"})
            case 11:
                await post(desk, f"/v1/promises/{made['promise']['id']}/withdrawal", {"reason": "a misunderstanding"})
                offer = {"kind": "extension", "expires_on": "2026-02-14", "pay_by": "2026-02-18"}
                made["offer"] = await post(desk, f"{case}/offers", offer)
            case 16:
                made["placement"] = await post(desk, f"{case}/placements", {"agency_id": "northern"})
            case 17:
                await second(f"/v1/placements/{made['placement']['id']}/approval", {})
                await desk.tick()
            case 19:
                await post(desk, f"/v1/placements/{made['placement']['id']}/recall", {"reason": "they ring us"})
                body = {"kind": "legal_action", "opened_on": "2026-02-18", "court": "AG Hamburg"}
                made["action"] = await post(desk, f"{case}/proceedings", body)
            case 22:
                changes, seen = {"file_number": "7 C 12/26"}, {"if-match": '"1"'}
                await desk.http.patch(f"/v1/proceedings/{made['action']['id']}", json=changes, headers=seen)
            case 23:
                await post(desk, f"/v1/proceedings/{made['action']['id']}/closure", {"outcome": "settled"})

    then: dict[str, dict[str, Any]] = {}
    for n in range(60):
        day = date(2026, 2, 2) + timedelta(days=n)
        await desk.until(day, hour=12)
        if day.month == 2:
            await act(day.day)
        if day == date(2026, 3, 20):
            await desk.hear(*invoice.pay())
        await desk.until(day, hour=23)
        then[day.isoformat()] = await ask(desk, customer.id)

    await desk.until(date(2026, 4, 3))
    seen = set()
    for day, told in then.items():
        now = await ask(desk, customer.id, as_of=day)
        if now["reason"] is None:  # What else was open then is not kept.
            assert told["reason"] in ("nothing_collectable", "too_early"), day
            continue
        assert {each: now[each] for each in ENGINE} == {each: told[each] for each in ENGINE}, day
        assert rests(now) == rests(told), day
        seen.add(now["reason"])
    assert seen == {"too_early", "paused", "promised", "placed", "legal", "awaits_approval"}

    by_day = {day: (await ask(desk, customer.id, as_of=f"2026-02-{day:02}"))["silence"] for day in (7, 12, 16, 17, 22)}
    assert by_day == {
        7: "Nothing went out on that day, because the case rested, through 20 February 2026: the case was paused "
        "(other, asked by their buyer); anna said so on 4 February 2026. It also rested, through 12 February 2026: the "
        "customer promised to pay by 9 February 2026 (100.00 EUR by 2026-02-09); anna said so on 6 February 2026.",
        12: "Nothing went out on that day, because the case rested, through 14 February 2026: the case was paused "
        "(offered: 100.00 EUR by 2026-02-18); anna said so on 11 February 2026.",
        16: "Nothing went out on that day. The next step of the strategy was 'insist': 'insist' is for 25 days after "
        "the due date of the oldest invoice that may be chased. anna had asked that it goes to an agency, and nobody "
        "had decided on that.",
        17: "Nothing went out on that day, because the case rested: the account was placed with an agency (Northern "
        "Collect); bert said so on 17 February 2026.",
        22: "Nothing went out on that day, because the case rested: legal action was under way (since 2026-02-18); "
        "anna said so on 18 February 2026.",
    }


def rests(explained: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (each["fact"], each["value"], each["source"])
        for each in explained["facts"]
        if each["fact"].startswith("rests_")
    }


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
