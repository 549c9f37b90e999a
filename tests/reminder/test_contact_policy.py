"""The contact policy over HTTP, what it holds back, and channels that customers do not want."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.invoice import InvoiceDelivered, NoticeSent
from shared.ids import new_id
from tests import service_client
from tests.reminder.books import ADA
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
PHONED = ADA.model_copy(update={"phone": "+4930123456"})
FRESH = DUE - timedelta(days=2)


async def put(desk: Desk, version: int, **policy: Any) -> Any:
    return await desk.http.put("/v1/contact-policy", json=policy, headers={"if-match": f'"{version}"'})


async def test_the_policy_is_published_in_versions_that_are_kept(desk: Desk) -> None:
    built_in = await desk.get("/v1/contact-policy")
    assert (built_in["version"], built_in["contacts_max"], built_in["opens"]) == (0, 3, "09:00:00")

    first = await put(desk, 0, contacts_max=2, weekdays=["monday", "friday"])
    assert (first.status_code, first.json()["version"], first.headers["etag"]) == (200, 1, '"1"')
    assert (await put(desk, 1, contacts_max=2, weekdays=["monday", "friday"])).json()["version"] == 1
    assert (await put(desk, 1, contacts_max=1)).json()["version"] == 2
    stale = await put(desk, 1, contacts_max=5)
    assert (stale.status_code, (await put(desk, 2, opens="19:00")).status_code) == (412, 422)
    assert (await desk.get("/v1/contact-policy", version=1))["weekdays"] == ["monday", "friday"]
    assert (await desk.get("/v1/contact-policy", version=0))["contacts_max"] == 3
    assert (await desk.http.get("/v1/contact-policy", params={"version": 9})).status_code == 404
    assert (await desk.http.put("/v1/contact-policy", json={})).status_code == 428


async def test_messages_leave_on_the_policys_days_and_hours(desk: Desk) -> None:
    await put(desk, 0, opens="11:00", weekdays=["wednesday"])
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 20))
    assert [c["sent_at"][:13] for c in await desk.contacts()] == ["2026-02-04T11", "2026-02-11T11", "2026-02-18T11"]
    assert {c["status"] for c in await desk.contacts()} == {"sent"}, "what is waited for is not refused"


async def test_nothing_leaves_on_a_public_holiday_at_the_customers(desk: Desk) -> None:
    await put(desk, 0, rest_on_public_holidays=True)
    customer = await desk.onboard(country="DE")
    await desk.issue(customer, date(2026, 4, 2), issued_on=date(2026, 4, 1))
    await desk.until(date(2026, 4, 8))
    assert await desk.sent() == [("2026-04-04", "first-reminder")], "Good Friday is the 3rd"


async def test_the_gap_and_the_cap_refuse_with_their_own_reasons(desk: Desk) -> None:
    await put(desk, 0, channels={"email": {"contacts_max": 1, "within_days": 10}})
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 12))
    assert await desk.sent() == [("2026-02-02", "first-reminder"), ("2026-02-12", "second-reminder")]
    (held,) = await desk.contacts(status="suppressed")
    assert (held["reason"], held["due_at"][:10]) == ("channel_cap", "2026-02-08")
    assert "reminder.suppressed" in await desk.types()


async def test_an_invoice_mailed_today_keeps_a_reminder_back_where_the_policy_counts_it(desk: Desk) -> None:
    await put(desk, 0, count_other_messages=True)
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)
    other = await desk.issue(customer, DUE + timedelta(days=60), "R-2")
    await desk.until(date(2026, 2, 2), hour=8)
    other.version += 1
    state = {**other._next(), "effective_on": date(2026, 2, 2)}
    delivery = {"delivery_id": other.id, "channel": "email", "delivered_on": date(2026, 2, 2), "days_from_supply": 0}
    await desk.hear(InvoiceDelivered(**state, **delivery))
    await desk.until(date(2026, 2, 3))
    assert await desk.sent() == [("2026-02-03", "first-reminder")]
    (held,) = await desk.contacts(status="suppressed")
    assert (held["reason"], held["due_at"][:10]) == ("min_gap", "2026-02-02")


@pytest.mark.parametrize(
    ("counted", "channel", "sent_on"),
    [(True, "email", "2026-02-03"), (True, "letter", "2026-02-03"), (False, "email", "2026-02-02")],
)
async def test_a_statement_or_receipt_sent_today_keeps_a_reminder_back_where_the_policy_counts_it(
    desk: Desk, counted: bool, channel: Any, sent_on: str
) -> None:
    await put(desk, 0, count_other_messages=counted)
    customer = await desk.onboard()
    await desk.issue(customer, DUE, "R-1", issued_on=FRESH)
    await desk.until(date(2026, 2, 2), hour=8)
    today = date(2026, 2, 2)
    about = {"customer_id": customer.id, "entity_id": "default", "effective_on": today, "booked_on": today}
    notice = NoticeSent(**about, delivery_id=new_id(), kind="statement", channel=channel, sent_on=today)
    await desk.hear(notice)
    await desk.hear(notice)  # As another delivery of the same event.
    await desk.until(date(2026, 2, 3))
    assert await desk.sent() == [(sent_on, "first-reminder")]
    held = await desk.contacts(status="suppressed")
    assert [each["reason"] for each in held] == (["min_gap"] if counted else [])


async def test_a_notice_to_somebody_nobody_has_heard_of_is_taken_and_changes_nothing(desk: Desk) -> None:
    await put(desk, 0, count_other_messages=True)
    today = date(2026, 2, 2)
    about = {"customer_id": new_id(), "entity_id": "default", "effective_on": today, "booked_on": today}
    await desk.hear(NoticeSent(**about, delivery_id=new_id(), kind="receipt", channel="email", sent_on=today))
    assert await desk.contacts() == []


async def opt_out(desk: Desk, customer: Any, **what: Any) -> Any:
    body = {"reason": "said so on the phone", **what}
    return await service_client.post(desk.http, f"/v1/customers/{customer.id}/opt-outs", body)


async def test_a_customer_who_wants_no_mails_gets_none_and_the_ladder_goes_on_with_what_is_left(desk: Desk) -> None:
    couriers = hire(desk, "sms")
    document = """\
name: default
title: Mail, then text
steps:
  - {name: mail, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: text, days_from_due: 5, channel: sms, tone: firm, template: firm-reminder}
"""
    await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    customer = await desk.onboard(contacts=(PHONED,))
    kept = await opt_out(desk, customer, channel="email")
    assert (kept.status_code, kept.json()["invoice_number"]) == (201, None)
    assert (await opt_out(desk, customer, channel="email")).json()["id"] == kept.json()["id"]
    await desk.issue(customer, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 7))
    assert desk.mails() == []
    assert [letter.step for letter in couriers["sms"].letters] == ["text"]
    (held,) = await desk.contacts(status="suppressed")
    assert (held["step"], held["reason"]) == ("mail", "opted_out")
    assert "case.step_skipped" in await desk.types()


async def test_an_opt_out_that_comes_at_the_last_moment_still_holds_the_mail_back(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=FRESH)

    async def refuse() -> None:
        await opt_out(desk, customer, channel="email")

    desk.invoice_service.meanwhile = refuse
    await desk.until(date(2026, 2, 2))
    (held,) = await desk.contacts()
    assert (held["status"], held["reason"]) == ("suppressed", "opted_out")
    assert desk.mails() == []


async def test_an_opt_out_for_one_invoice_leaves_it_out_of_the_mails_about_others(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, "R-1", issued_on=FRESH)
    await desk.issue(customer, DUE, "R-2", issued_on=FRESH)
    await opt_out(desk, customer, channel="email", invoice_number="R-1")
    await desk.until(date(2026, 2, 2))
    assert [c["invoices"] for c in await desk.contacts(status="sent")] == [["R-2"]]


async def test_an_opt_out_ends_and_its_record_stays(desk: Desk) -> None:
    customer = await desk.onboard()
    kept = (await opt_out(desk, customer, channel="email")).json()
    path = f"/v1/customers/{customer.id}/opt-outs/{kept['id']}"
    assert (await desk.http.delete(path)).status_code == 428
    assert (await desk.http.delete(path, headers={"if-match": '"1"'})).status_code == 204
    assert (await desk.http.delete(path, headers={"if-match": '"1"'})).status_code == 404
    (record,) = (await desk.get(f"/v1/customers/{customer.id}/opt-outs"))["items"]
    assert record["ended_at"] is not None
    await desk.issue(customer, DUE, issued_on=FRESH)
    await desk.until(date(2026, 2, 2))
    assert len(desk.mails()) == 1
