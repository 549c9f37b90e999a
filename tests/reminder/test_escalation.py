"""From an invoice that comes due to the agency referral: what a customer receives, and when, over the whole service."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from shared.events.reminder import CaseEscalated
from tests.reminder.books import ADA, Customer, Invoice, without_email
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
STEPS = ["first-reminder", "second-reminder", "firm-reminder", "urgent-reminder", "final-notice"]


async def test_an_invoice_never_paid_climbs_from_friendly_to_agency(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, due_on=DUE)
    await desk.until(date(2026, 5, 20))
    assert await desk.sent() == [
        ("2026-01-25", "due-soon"),
        ("2026-02-02", "first-reminder"),
        ("2026-02-08", "second-reminder"),
        ("2026-02-16", "firm-reminder"),
        ("2026-03-03", "urgent-reminder"),
        ("2026-04-02", "final-notice"),
    ]
    contacts = await desk.contacts()
    assert {contact["sent_at"][11:16] for contact in contacts} == {"09:00"}
    assert [contact["episode"] for contact in contacts] == ["due-2026-02-01", *["1"] * 5]
    assert [contact["tone"] for contact in contacts] == [*["friendly"] * 3, "firm", "firm", "formal"]
    assert len(desk.mails()) == 6
    tasks = (await desk.get("/v1/tasks"))["items"]
    assert [(task["kind"], task["due_on"]) for task in tasks] == [("agency_referral", "2026-05-03")]
    assert await desk.next_due() is None


async def test_every_contact_escalation_and_task_is_published_with_a_version_of_its_own(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, due_on=DUE)
    await desk.until(date(2026, 5, 20))
    published = await desk.published()
    assert [event["type"] for event in published] == [
        *["reminder.planned", "reminder.sent"],
        *["case.opened"],
        *["reminder.planned", "reminder.sent", "case.escalated"] * 5,
        *["task.assigned", "case.escalated"],
    ]
    assert len({(event["subject"], event["version"]) for event in published}) == len(published)
    assert {event["key"] for event in published} == {customer.id}
    opened = published[2]
    assert (opened["correlation"], opened["causation"] is None) == ("a-correlation", False)


CHARGING = """\
name: default
title: With charges
steps:
  - {name: ask, days_from_due: 3, channel: email, tone: friendly, template: first-reminder}
  - {name: insist, days_from_due: 10, channel: email, tone: firm, template: firm-reminder, actions: [fee]}
  - {name: charge, days_from_due: 15, actions: [interest]}
  - name: end
    days_from_due: 20
    channel: email
    tone: formal
    template: final-notice
    actions: [fee, interest, agency_referral]
"""


async def test_a_step_asks_for_its_charges_once_with_or_without_a_message(desk: Desk) -> None:
    await desk.http.put("/v1/strategies/default", content=CHARGING, headers={"if-match": '"1"'})
    customer = await desk.onboard()
    invoice = await desk.issue(customer, due_on=DUE)
    await desk.until(DUE + timedelta(days=5))
    told = (await desk.get(f"/v1/cases/{customer.id}/explanation"))["text"]
    await desk.until(date(2026, 3, 20))
    await desk.hear(*invoice.pay())

    escalated = [
        CaseEscalated.model_validate(event["data"])
        for event in await desk.published()
        if event["type"] == "case.escalated"
    ]
    assert [(event.case.step, event.actions) for event in escalated] == [
        ("ask", ()),
        ("insist", ("fee",)),
        ("charge", ("interest",)),
        ("end", ("fee", "interest", "agency_referral")),
    ]
    assert {(event.customer_id, event.entity_id, event.case.episode) for event in escalated} == {
        (customer.id, "default", 1)
    }
    assert [step for _, step in await desk.sent()] == ["ask", "insist", "end"]
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["agency_referral"]
    assert told.endswith("With it, the reminder fee of the seller's policy is charged.")


async def test_one_mail_lists_every_due_invoice_with_the_pay_link(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, "R-1", 10_000)
    await desk.issue(customer, DUE - timedelta(days=3), "R-2", 25_050)
    await desk.issue(customer, DUE + timedelta(days=40), "R-3", 99_900)
    await desk.until(date(2026, 2, 5))
    second = next(c for c in await desk.contacts(status="sent") if c["sent_at"][:10] == "2026-02-05")
    assert second["step"] == "second-reminder"
    assert second["invoices"] == ["R-2", "R-1"]
    assert second["amounts"] == [{"amount": "350.50", "currency": "EUR"}]
    mail = desk.mails()[-1]
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        text = body.get_content()
        assert "R-1" in text
        assert "R-2" in text
        assert "R-3" not in text
        assert f"https://pay.example/pay/{customer.id}" in text
        assert "Northwind Trading" in text
        assert "Dear Ada Lang," in text
    assert mail["To"] == "Ada Lang <ada@acme.example>"
    assert mail["From"] == "Northwind Trading <receivables@northwind.example>"
    assert mail["Message-ID"] == f"<{second['id']}@northwind.example>"


async def test_two_invoices_due_on_one_day_share_one_note(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, "R-1")
    await desk.issue(customer, DUE, "R-2")
    await desk.until(date(2026, 1, 31))
    (note,) = await desk.contacts()
    assert (note["episode"], note["invoices"]) == ("due-2026-02-01", ["R-1", "R-2"])


async def test_a_payment_ends_the_case_and_the_mails(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 10))
    await desk.hear(*invoice.pay())
    await desk.until(date(2026, 6, 1))
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder", "second-reminder"]
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["closed_because"], case["collectable"]) == ("closed", "settled", [])
    assert (await desk.types())[-1] == "case.closed"


async def test_a_part_payment_does_not_stop_the_reminders(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2))
    await desk.hear(*invoice.pay(4_000))
    await desk.until(date(2026, 2, 8))
    assert (await desk.contacts())[-1]["amounts"] == [{"amount": "60.00", "currency": "EUR"}]


async def test_a_reversed_payment_starts_the_next_episode_with_a_first_reminder(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 20))
    await desk.hear(*invoice.pay())
    await desk.until(date(2026, 3, 1))
    await desk.hear(invoice.reverse())
    await desk.until(date(2026, 3, 4))
    contacts = await desk.contacts(status="sent")
    assert [(c["episode"], c["step"]) for c in contacts] == [
        ("due-2026-02-01", "due-soon"),
        *(("1", step) for step in STEPS[:3]),
        ("2", "first-reminder"),
    ]


async def test_a_disputed_invoice_is_held_back_and_its_dispute_ends_the_episode(desk: Desk) -> None:
    customer = await desk.onboard()
    disputed, other = await desk.issue(customer, DUE, "R-1"), await desk.issue(customer, DUE, "R-2")
    await desk.hear(disputed.dispute())
    await desk.until(date(2026, 2, 3))
    assert [contact["invoices"] for contact in await desk.contacts()] == [["R-2"], ["R-2"]]
    await desk.hear(*other.pay())
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["closed_because"]) == ("closed", "disputed")
    await desk.until(date(2026, 2, 20))
    await desk.hear(disputed.reject_dispute())
    await desk.until(date(2026, 2, 21))
    assert (await desk.sent())[-1] == ("2026-02-21", "first-reminder")


async def test_a_dispute_rejected_at_noon_and_paid_at_once_brings_no_reminder(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.hear(invoice.dispute())
    await desk.until(date(2026, 2, 20), hour=12)
    await desk.hear(invoice.reject_dispute())
    await desk.tick()
    await desk.hear(*invoice.pay())
    await desk.until(date(2026, 3, 1))
    assert await desk.contacts() == []


async def test_a_payment_that_only_the_invoice_service_knows_of_suppresses_the_reminder(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2), hour=8)
    news = invoice.pay()
    await desk.until(date(2026, 2, 2))
    suppressed = (await desk.contacts())[-1]
    assert (suppressed["status"], suppressed["reason"]) == ("suppressed", "nothing_collectable")
    assert suppressed["sent_at"] is None
    assert (await desk.types())[-2:] == ["reminder.planned", "reminder.suppressed"]
    assert await desk.next_due() == datetime(2026, 2, 3, 9, tzinfo=UTC)
    await desk.hear(*news)
    assert await desk.next_due() is None
    assert len(desk.mails()) == 1


async def test_the_fourth_message_within_seven_days_waits_for_the_eighth_day(desk: Desk) -> None:
    customer = await desk.onboard()
    for day in range(4):
        await desk.issue(customer, date(2026, 3, 2) + timedelta(days=day), f"R-{day}")
    await desk.until(date(2026, 3, 1))
    assert await desk.sent() == [
        ("2026-02-23", "due-soon"),
        ("2026-02-24", "due-soon"),
        ("2026-02-25", "due-soon"),
    ]
    (held,) = await desk.contacts(status="suppressed")
    assert (held["due_at"][:10], held["reason"], held["episode"]) == ("2026-02-26", "contact_cap", "due-2026-03-05")
    await desk.until(date(2026, 3, 2))
    assert (await desk.sent())[-1] == ("2026-03-02", "due-soon")


async def test_a_customer_without_address_gets_a_task_and_later_the_first_reminder(desk: Desk) -> None:
    customer = await desk.onboard(contacts=(without_email(),))
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 3, 1))
    contacts = await desk.contacts()
    assert {(c["status"], c["reason"]) for c in contacts} == {("suppressed", "unreachable")}
    assert [c["step"] for c in contacts] == ["due-soon", "first-reminder"]
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["unreachable"]
    await desk.hear(customer.change(contacts=(ADA,)))
    await desk.until(date(2026, 3, 2))
    assert await desk.sent() == [("2026-03-02", "first-reminder")]


async def test_the_mail_goes_out_at_nine_where_the_customer_is(desk: Desk) -> None:
    customer = await desk.onboard(time_zone="America/New_York")
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2), hour=23)
    assert [c["sent_at"][:16] for c in await desk.contacts()] == ["2026-01-25T14:00", "2026-02-02T14:00"]


async def test_events_told_again_or_out_of_order_change_nothing(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = Invoice(customer.id, "R-1", 10_000, DUE - timedelta(days=30), DUE)
    desk.invoice_service.invoices.append(invoice)
    events = [invoice.issue(), invoice.become_overdue(), *invoice.pay()]
    await desk.set_clock(datetime(2026, 2, 3, tzinfo=UTC))
    await desk.hear(*reversed(events))
    for again in (*reversed(events), *events):
        await desk.hear(again)
    await desk.until(date(2026, 3, 1))
    assert await desk.contacts() == []
    assert await desk.types() == []


async def test_invoices_heard_of_before_their_customer_wait_for_an_address(desk: Desk) -> None:
    customer = Customer.new(time_zone="Asia/Tokyo")
    await desk.issue(customer, DUE)
    assert (await desk.get(f"/v1/cases/{customer.id}"))["customer_name"] is None
    await desk.hear(customer.onboard())
    assert await desk.next_due() == datetime(2026, 1, 25, tzinfo=UTC)


async def test_missed_days_are_caught_up_one_rung_at_a_time(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.set_clock(datetime(2026, 3, 20, 0, tzinfo=UTC))
    await desk.hear(invoice.become_overdue())
    await desk.until(date(2026, 4, 20))
    assert await desk.sent() == list(
        zip(["2026-03-20", "2026-03-25", "2026-03-30", "2026-04-04", "2026-04-09"], STEPS, strict=True)
    )
