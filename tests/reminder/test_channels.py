"""A step may use several channels, and another one when none of them reaches the customer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from shared.events.credit import PostalAddress
from tests.reminder.books import ADA, without_email
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
GRACE = ADA.model_copy(update={"phone": "+4930123456"})
HOME = PostalAddress(lines=("Hafenstr. 1",), city="Hamburg", postal_code="20457")

LADDER = """\
name: default
title: Several channels
steps:
  - {name: ask, days_from_due: 3, channels: [email, sms], fallback: call, tone: friendly, template: first-reminder}
  - {name: insist, days_from_due: 10, channels: [email, chat], tone: firm, template: firm-reminder}
  - {name: ring, days_from_due: 20, channel: call, tone: firm}
  - {name: write, days_from_due: 30, channel: sms, tone: formal, template: final-notice}
"""


async def publish(desk: Desk, document: str = LADDER) -> None:
    answer = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert answer.status_code == 200, answer.text


def told(contacts: list[dict[str, Any]]) -> list[tuple[str, str, str, str | None]]:
    return [(c["step"], c["channel"], c["status"], c["reason"]) for c in contacts]


async def test_a_step_goes_out_on_all_its_channels_and_the_case_climbs_once(desk: Desk) -> None:
    couriers = hire(desk, "sms", "chat")
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,), address=HOME)
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 3, 10))

    contacts = await desk.contacts()
    assert sorted((c["step"], c["channel"]) for c in contacts) == [
        *[("ask", "email"), ("ask", "sms"), ("insist", "chat"), ("insist", "email")],
        *[("ring", "call"), ("write", "sms")],
    ]
    assert {c["status"] for c in contacts} == {"sent"}
    assert (await desk.types()).count("case.escalated") == 4
    assert len(desk.mails()) == 2
    text, last = couriers["sms"].letters
    assert (text.recipient, text.step, text.channel) == ("+4930123456", "ask", "sms")
    assert (last.step, last.address) == ("write", HOME)
    (call,) = (await desk.get("/v1/tasks", kind="call"))["items"]
    assert call["title"] == "Call the customer about 100.00 EUR"
    assert await desk.next_due() is None


async def test_the_fallback_is_for_customers_whom_no_channel_of_the_step_reaches(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    await publish(desk)
    silent = await desk.onboard(contacts=(without_email(),), address=HOME)
    heard = await desk.onboard(contacts=(without_email().model_copy(update={"phone": "+4930123456"}),), address=HOME)
    for customer in (silent, heard):
        await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 5))
    assert [letter.customer_id for letter in couriers["sms"].letters] == [heard.id]
    tasks = (await desk.get("/v1/tasks"))["items"]
    assert [(task["kind"], task["customer_id"]) for task in tasks] == [("call", str(silent.id))]


async def test_a_case_climbs_when_one_of_its_channels_got_through(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    couriers["sms"].fates = ["refused"]
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 5))
    assert sorted(told(await desk.contacts())) == [
        ("ask", "email", "sent", None),
        ("ask", "sms", "failed", "the courier says refused"),
    ]
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["level"], case["step"]) == (1, "ask")


async def test_a_case_waits_for_the_slower_channel_before_it_climbs(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    couriers["sms"].fates = ["deferred"]
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 4))
    assert len(desk.mails()) == 1
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["level"], case["waiting_because"]) == (0, "under_way")
    await desk.database.pool.execute("update contact set retry_at = null where status = 'planned'")
    await desk.tick()
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 1
    assert len(desk.mails()) == 1, "what had gone out is not sent again"


async def test_when_every_channel_failed_the_fallback_goes_out_the_next_day(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    couriers["sms"].fates = ["refused"]
    await publish(desk)
    customer = await desk.onboard(contacts=(without_email().model_copy(update={"phone": "+4930123456"}),), address=HOME)
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 5))
    assert told(await desk.contacts()) == [
        ("ask", "sms", "failed", "the courier says refused"),
        ("ask", "call", "sent", None),
    ]


async def test_whoever_tells_the_gateway_stop_gets_no_more_texts(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    couriers["sms"].fates, couriers["sms"].opted_out = ["refused"], True
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 5))
    (kept,) = (await desk.get(f"/v1/customers/{customer.id}/opt-outs"))["items"]
    assert (kept["channel"], kept["recorded_by"]) == ("sms", "provider")


async def test_a_channel_that_nobody_set_up_fails_and_says_so(desk: Desk) -> None:
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    desk.resources = type(desk.resources)(
        **{**vars(desk.resources), "senders": {"email": desk.resources.senders["email"]}}
    )
    await desk.until(date(2026, 2, 5))
    assert ("ask", "sms", "failed", "no sender of sms is set up") in told(await desk.contacts())


async def test_a_crash_leaves_only_the_channel_in_doubt_that_was_being_sent(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    couriers["sms"].fates = ["doubtful"]
    await publish(desk)
    customer = await desk.onboard(contacts=(GRACE,))
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 5))
    assert sorted((c["channel"], c["status"]) for c in await desk.contacts()) == [("email", "sent"), ("sms", "unknown")]
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["fate_unknown"]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 1


async def test_telling_the_team_does_not_stand_in_for_reaching_the_customer(desk: Desk) -> None:
    couriers = hire(desk, "chat", "email")
    document = """\
name: default
title: With the team
steps:
  - {name: ask, days_from_due: 1, channels: [email, chat], tone: friendly, template: first-reminder}
  - {name: tell, days_from_due: 10, channel: chat, tone: firm}
  - {name: end, days_from_due: 20, channel: email, tone: formal, template: final-notice}
"""
    await publish(desk, document)
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    couriers["email"].fates = ["refused"]
    await desk.until(date(2026, 2, 3))
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 0, "only the team has heard of it"
    other = customer.change(contacts=(GRACE.model_copy(update={"email": "grace@acme.example"}),))
    await desk.hear(other)
    await desk.until(date(2026, 2, 10))
    couriers["chat"].fates = ["refused"]
    await desk.until(date(2026, 2, 12))
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["level"], case["step"]) == (2, "tell"), "a hook that is gone holds nobody's ladder up"
