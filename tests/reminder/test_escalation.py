"""From an invoice that comes due to the agency referral: what a customer receives, and when."""

from __future__ import annotations

from datetime import date

from tests.reminder.desk import Desk


async def test_an_invoice_never_paid_climbs_from_friendly_to_agency(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, due_on=date(2026, 2, 1))
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
    assert len(desk.mails()) == 6
    tasks = (await desk.get("/v1/tasks"))["items"]
    assert [(task["kind"], task["due_on"]) for task in tasks] == [("agency_referral", "2026-05-03")]
