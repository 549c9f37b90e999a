"""What a step does besides its message, and what people do about messages in doubt and tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.mails.rules import Letter
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
DAY_AFTER = date(2026, 2, 2)


@dataclass
class Doubtful:
    """A channel that never says whether a message left."""

    lease_seconds: float = 40.0

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        return [Delivery(each.contact_id, each.customer_id, "doubtful", "the line broke") for each in letters]


async def post(desk: Desk, path: str, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = await desk.http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == status, answer.text
    return answer.json()


async def in_doubt(desk: Desk, **changes: Any) -> tuple[Customer, Invoice, dict[str, Any]]:
    """A first reminder of which nobody knows whether it left; the mail server works again."""
    customer = await desk.onboard(**changes)
    invoice = await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=3))
    working = desk.resources
    desk.resources = replace(working, senders={"email": Doubtful()})
    await desk.until(DAY_AFTER)
    desk.resources = working
    (contact,) = await desk.contacts()
    assert contact["status"] == "unknown"
    return customer, invoice, contact


def settlement(contact: dict[str, Any]) -> str:
    return f"/v1/contacts/{contact['id']}/settlement"


async def fates(desk: Desk) -> list[tuple[str, str]]:
    return [(contact["step"], contact["status"]) for contact in await desk.contacts()]


async def test_a_message_in_doubt_stands_in_the_worklist_until_a_person_says_that_it_arrived(desk: Desk) -> None:
    customer, _, contact = await in_doubt(desk)
    (task,) = (await desk.get("/v1/tasks", status="open"))["items"]
    assert task["kind"] == "fate_unknown"
    (entry,) = (await desk.get("/v1/worklist"))["items"]
    assert "fate_unknown" in str(entry) or entry["next_action"] == "find_out"
    said = await post(desk, settlement(contact), {"arrived": True, "note": "they have it"})
    assert (said["arrived"], said["repeated_by"]) == (True, None)
    assert await fates(desk) == [("first-reminder", "sent")]
    assert (await desk.contacts())[0]["sent_at"] == "2026-02-02T09:00:00Z"
    assert (await desk.get("/v1/tasks", status="open"))["items"] == []
    await desk.until(date(2026, 2, 8))
    assert await desk.sent() == [("2026-02-02", "first-reminder"), ("2026-02-08", "second-reminder")]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 2


async def test_one_that_did_not_arrive_is_sent_once_more_and_the_ladder_stays_where_it_is(desk: Desk) -> None:
    customer, _, contact = await in_doubt(desk)
    said = await post(desk, settlement(contact), {"arrived": False, "note": "no trace in their log"})
    assert said["not_repeated_because"] is None
    await desk.tick()
    assert await fates(desk) == [("first-reminder", "failed"), ("first-reminder", "sent")]
    assert (await desk.contacts())[-1]["id"] == said["repeated_by"]
    assert len(desk.mails()) == 1
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 1
    assert [kind for kind in await desk.types() if kind == "case.escalated"] == ["case.escalated"]
    await desk.until(date(2026, 2, 8))
    assert await desk.sent() == [("2026-02-02", "first-reminder"), ("2026-02-08", "second-reminder")]


async def test_it_is_sent_once_more_only_once(desk: Desk) -> None:
    _, _, contact = await in_doubt(desk)
    await post(desk, settlement(contact), {"arrived": False})
    working = desk.resources
    desk.resources = replace(working, senders={"email": Doubtful()})
    await desk.tick()
    desk.resources = working
    again = (await desk.contacts())[-1]
    assert again["status"] == "unknown"
    said = await post(desk, settlement(again), {"arrived": False})
    assert (said["repeated_by"], said["not_repeated_because"]) == (None, "it was sent once more already")
    await desk.tick()
    assert desk.mails() == []
    await desk.until(date(2026, 2, 8))
    assert [step for _, step in await desk.sent()] == ["second-reminder"]


async def test_what_was_paid_meanwhile_is_not_sent_once_more(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    invoice.pay()
    await post(desk, settlement(contact), {"arrived": False})
    await desk.tick()
    assert await fates(desk) == [("first-reminder", "failed"), ("first-reminder", "suppressed")]


async def test_a_case_that_has_gone_on_is_not_set_back(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    await desk.until(date(2026, 2, 9))
    said = await post(desk, settlement(contact), {"arrived": False})
    assert said["not_repeated_because"] == "the case has gone on to 'second-reminder'"
    await desk.hear(*invoice.pay())
    assert await fates(desk) == [("first-reminder", "failed"), ("second-reminder", "sent")]


async def test_an_episode_that_is_over_gets_no_repetition(desk: Desk) -> None:
    _, invoice, contact = await in_doubt(desk)
    await desk.hear(*invoice.pay())
    said = await post(desk, settlement(contact), {"arrived": False})
    assert said["not_repeated_because"] == "its episode is over"


async def test_what_is_known_needs_no_settlement(desk: Desk) -> None:
    _, _, contact = await in_doubt(desk)
    await post(desk, settlement(contact), {"arrived": True})
    refused = await post(desk, settlement(contact), {"arrived": False}, status=409)
    assert refused["type"].endswith("contact-not-in-doubt")
    assert (await post(desk, f"/v1/contacts/{uuid4()}/settlement", {"arrived": True}, status=404))["status"] == 404


@pytest.mark.parametrize("body", [{}, {"arrived": "perhaps"}, {"arrived": True, "by": "me"}])
async def test_a_settlement_says_yes_or_no(desk: Desk, body: dict[str, Any]) -> None:
    await post(desk, f"/v1/contacts/{uuid4()}/settlement", body, status=422)


ACTIONS = """\
name: default
title: With actions
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder, actions: [notify_sales]}
  - name: plan
    days_from_due: 7
    channel: email
    tone: friendly
    template: plan-offer
    actions: [plan]
    plan: {instalments_max: 6}
  - {name: notice, days_from_due: 20, channel: email, tone: formal, actions: [formal_notice, notify_sales, credit_hold]}
"""


async def publish(desk: Desk, document: str) -> None:
    answer = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert answer.status_code == 200, answer.text


async def overdue(desk: Desk, minor: int = 10_000) -> Customer:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, minor=minor, issued_on=DUE - timedelta(days=3))
    return customer


async def keep(desk: Desk, subject: str, role: str) -> None:
    fields = {"name": subject.title(), "role": role, "email": f"{subject}@northwind.example"}
    answer = await desk.http.put(f"/v1/team/{subject}", json=fields, headers={"If-None-Match": "*"})
    assert answer.status_code == 201, answer.text


async def tasks_of(desk: Desk, kind: str, **query: Any) -> list[dict[str, Any]]:
    return (await desk.get("/v1/tasks", kind=kind, **query))["items"]


async def test_sales_who_follow_the_account_each_get_a_task_and_a_line_in_their_digest(desk: Desk) -> None:
    await publish(desk, ACTIONS)
    customer = await overdue(desk)
    for subject, role in (("sam", "sales"), ("sue", "sales"), ("cora", "collections"), ("sid", "sales")):
        await keep(desk, subject, role)
    for subject in ("sam", "sue", "cora"):
        answer = await desk.http.put(f"/v1/cases/{customer.id}/followers/{subject}")
        if answer.status_code >= 400:
            await post(desk, f"/v1/cases/{customer.id}/followers", {"subject": subject})
    await desk.until(DAY_AFTER)
    told = await tasks_of(desk, "tell_sales")
    assert [(task["assignee"], task["role"]) for task in told] == [("sam", "sales"), ("sue", "sales")]
    assert told[0]["title"] == "Know of 'ask': 100.00 EUR overdue"
    assert "(R-1) is 1 days overdue" in told[0]["detail"]
    await desk.until(date(2026, 2, 3), hour=8)
    digests = [mail for mail in desk.mails() if mail["To"] and "sam@northwind" in mail["To"]]
    assert "For sales, Know of 'ask': 100.00 EUR overdue" in digests[-1].as_string().replace("=\n", "")


async def test_where_nobody_of_sales_follows_the_task_is_the_role_s(desk: Desk) -> None:
    await publish(desk, ACTIONS)
    await overdue(desk)
    await desk.until(DAY_AFTER)
    (task,) = await tasks_of(desk, "tell_sales", role="sales")
    assert (task["assignee"], task["role"]) == (None, "sales")
    assert await tasks_of(desk, "tell_sales", role="finance") == []
    await keep(desk, "sid", "sales")
    await post(desk, f"/v1/tasks/{task['id']}/assignments", {"assignee": "sid"}, status=200)
    assert await tasks_of(desk, "tell_sales", role="sales") == []


async def test_a_plan_is_proposed_with_its_amounts_and_offered_in_the_mail(desk: Desk) -> None:
    from services.reminder.offers.handlers import OfferLinks

    desk.resources = replace(desk.resources, offer_links=OfferLinks(b"key" * 11, "https://reminders.example"))
    await publish(desk, ACTIONS)
    customer = await overdue(desk, minor=10_000)
    await desk.until(date(2026, 2, 8))
    (task,) = await tasks_of(desk, "propose_plan")
    assert task["title"] == "Propose instalments for 100.00 EUR"
    assert "100.00 EUR in 6 instalments: 16.67 EUR on 2026-02-22, 16.67 EUR on 2026-03-22" in task["detail"]
    (offer,) = (await desk.get("/v1/offers", customer_id=customer.id))["items"]
    assert (offer["kind"], offer["status"], offer["made_by"]) == ("plan", "open", "the strategy")
    assert [part["amount"]["amount"] for part in offer["instalments"]] == ["33.34", "33.33", "33.33"]
    mail = desk.mails()[-1].get_body(("plain",))
    assert mail is not None
    assert "https://reminders.example/offers/" in mail.get_content()
    assert f"https://pay.example/pay/{customer.id}" in mail.get_content()
    assert "See our proposal of instalments" in desk.mails()[-1].get_body(("html",)).get_content()  # pyright: ignore
    await desk.until(date(2026, 2, 25))
    assert [step for _, step in await desk.sent()] == ["ask", "plan", "notice"], "the reminders go on beside it"


async def test_without_authority_the_mail_has_the_link_to_pay_and_no_offer_is_made(desk: Desk) -> None:
    from services.reminder.offers.handlers import OfferLinks

    desk.resources = replace(desk.resources, offer_links=OfferLinks(b"key" * 11, "https://reminders.example"))
    limits = {"offers": {"instalments_alone": 1}}
    answer = await desk.http.put("/v1/authority/default", json=limits, headers={"If-None-Match": "*"})
    assert answer.status_code in (200, 201), answer.text
    await publish(desk, ACTIONS)
    customer = await overdue(desk)
    await desk.until(date(2026, 2, 8))
    assert (await desk.get("/v1/offers", customer_id=customer.id))["items"] == []
    body = desk.mails()[-1].get_body(("plain",))
    assert body is not None
    assert f"https://pay.example/pay/{customer.id}" in body.get_content()
    assert len(await tasks_of(desk, "propose_plan")) == 1


async def test_formal_notice_has_its_words_its_mark_and_its_day(desk: Desk) -> None:
    await publish(desk, ACTIONS)
    customer = await overdue(desk)
    await desk.until(date(2026, 2, 20))
    assert (await desk.get(f"/v1/cases/{customer.id}"))["formal_notice_on"] is None
    await desk.until(date(2026, 2, 22))
    mail = desk.mails()[-1]
    assert mail["Subject"] == "Formal notice of default: 100,00 €"
    html = mail.get_body(("html",))
    assert html is not None
    assert "Formal notice of default" in html.get_content()
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert case["formal_notice_on"] == "2026-02-21"
    escalated = [event["data"] for event in await desk.published() if event["type"] == "case.escalated"][-1]
    assert escalated["case"]["formal_notice_on"] == "2026-02-21"
    assert escalated["actions"] == ["formal_notice", "notify_sales", "credit_hold"]
    assert escalated["case"]["collectable"] == [{"amount": "100.00", "currency": "EUR"}]
    assert escalated["case"]["oldest_due_on"] == "2026-02-01"
    explained = await desk.get(f"/v1/cases/{customer.id}/explanation")
    assert {"fact": "formal_notice_on", "value": "2026-02-21"}.items() <= {
        key: value for each in explained["facts"] if each["fact"] == "formal_notice_on" for key, value in each.items()
    }.items()


async def test_a_hold_that_was_asked_for_is_said_in_the_explanation(desk: Desk) -> None:
    await publish(desk, ACTIONS)
    customer = await overdue(desk)
    await desk.until(date(2026, 2, 10))
    before = await desk.get(f"/v1/cases/{customer.id}/explanation")
    assert "the credit service is asked for a hold" in before["next"]
    await desk.until(date(2026, 2, 22))
    after = await desk.get(f"/v1/cases/{customer.id}/explanation")
    assert "the credit service was asked for a hold" in after["last_contact"]


async def test_only_a_message_gives_formal_notice(desk: Desk) -> None:
    document = ACTIONS.replace(
        "{name: notice, days_from_due: 20, channel: email, tone: formal, actions:",
        "{name: notice, days_from_due: 20, actions:",
    )
    await publish(desk, document)
    customer = await overdue(desk)
    await desk.until(date(2026, 2, 22))
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["step"], case["formal_notice_on"]) == ("notice", None)


async def break_a_promise(desk: Desk) -> Customer:
    """Promised for 10 February, broken when three business days of grace are over."""
    customer = await overdue(desk)
    await desk.until(date(2026, 2, 4))
    promise = {"amount": {"amount": "80.00", "currency": "EUR"}, "on": "2026-02-10"}
    await post(desk, f"/v1/cases/{customer.id}/promises", promise)
    await desk.until(date(2026, 2, 16))
    return customer


async def test_after_a_broken_promise_the_next_mail_says_so_where_the_authority_wants_it(desk: Desk) -> None:
    wanted = {"promises": {"tell_when_broken": True}}
    answer = await desk.http.put("/v1/authority/default", json=wanted, headers={"If-None-Match": "*"})
    assert answer.status_code in (200, 201), answer.text
    await break_a_promise(desk)
    assert (await desk.sent())[-1] == ("2026-02-14", "second-reminder")
    assert desk.mails()[-1]["Subject"] == "The payment agreed for 10 February 2026 has not arrived"
    body = desk.mails()[-1].get_body(("plain",))
    assert body is not None
    assert "80,00 € would be paid by 10 February 2026" in " ".join(body.get_content().split())
    await desk.until(date(2026, 2, 20))
    assert desk.mails()[-1]["Subject"] != desk.mails()[-2]["Subject"], "only the first one after it"


async def test_without_that_the_step_says_what_it_always_says(desk: Desk) -> None:
    await break_a_promise(desk)
    assert (await desk.sent())[-1] == ("2026-02-14", "second-reminder")
    assert "agreed" not in desk.mails()[-1]["Subject"]


PROMISING = """\
name: default
title: Speaks of promises
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: word, days_from_due: 7, channel: email, tone: firm, template: promise-broken}
  - {name: part, days_from_due: 30, channel: email, tone: firm, template: instalment-reminder}
"""


async def test_a_step_that_speaks_of_a_promise_says_which_and_is_plain_where_there_is_none(desk: Desk) -> None:
    await publish(desk, PROMISING)
    silent = await desk.onboard(name="Silent AG")
    await desk.issue(silent, DUE, "S-1", issued_on=DUE - timedelta(days=3))
    await break_a_promise(desk)
    subjects = [mail["Subject"] for mail in desk.mails()]
    assert "The payment agreed for 10 February 2026 has not arrived" in subjects
    assert sum("agreed" in subject for subject in subjects) == 1
    assert {contact["status"] for contact in await desk.contacts()} == {"sent"}
    await desk.until(date(2026, 3, 5))
    assert {contact["status"] for contact in await desk.contacts()} == {"sent"}, "an instalment nobody agreed on either"


async def test_many_tasks_are_done_at_once_or_none(desk: Desk) -> None:
    await publish(desk, ACTIONS)
    for number in range(3):
        customer = await desk.onboard()
        await desk.issue(customer, DUE, f"R-{number}", issued_on=DUE - timedelta(days=3))
    await desk.until(DAY_AFTER)
    ids = [task["id"] for task in await tasks_of(desk, "tell_sales")]
    assert len(ids) == 3
    unknown = await post(desk, "/v1/tasks/done", {"task_ids": [*ids, str(uuid4())]}, status=404)
    assert unknown["errors"][0]["pointer"] == "#/task_ids/3"
    assert len(await tasks_of(desk, "tell_sales", status="open")) == 3
    done = await post(desk, "/v1/tasks/done", {"task_ids": ids[:2] + ids[:1], "outcome": "all told"}, status=200)
    assert [(task["id"], task["outcome"]) for task in done["items"]] == [(ids[0], "all told"), (ids[1], "all told")]
    over = await post(desk, "/v1/tasks/done", {"task_ids": [ids[2], ids[0]]}, status=409)
    assert over["errors"][0]["pointer"] == "#/task_ids/1"
    assert len(await tasks_of(desk, "tell_sales", status="open")) == 1
    assert [kind for kind in await desk.types() if kind == "task.done"] == ["task.done"] * 2


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 404), (500, 404), (501, 422)])
async def test_at_most_five_hundred_tasks_are_done_at_once(desk: Desk, count: int, status: int) -> None:
    await post(desk, "/v1/tasks/done", {"task_ids": [str(uuid4()) for _ in range(count)]}, status=status)
