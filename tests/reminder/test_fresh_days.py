"""After a dispute that was rejected the customer has some days of peace: they are kept, and explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.reminder.cases import rules
from services.reminder.contacts.rules import Suppression
from services.reminder.episodes import rules as episodes
from services.reminder.next_steps.rules import Coming, Reason, coming
from services.reminder.reminders import rules as reminders
from services.reminder.reminders.rules import Send
from tests.reminder.desk import Desk
from tests.reminder.facts import (
    CASE,
    DEFAULT,
    DUE,
    account,
    balance,
    days_after_due,
    item,
    open_case,
    owed_now,
    planned,
)

FEBRUARY = date(2026, 2, 1)


async def test_an_invoice_is_not_chased_before_its_fresh_days_are_over(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, FEBRUARY)
    await desk.hear(invoice.dispute())
    await desk.until(date(2026, 2, 20))
    resolved = invoice.reject_dispute(collect_again_on=date(2026, 3, 1))
    await desk.hear(resolved, *invoice.pay(4_000))
    await desk.hear(resolved)
    explained = (await desk.get(f"/v1/cases/{customer.id}/explanation"))["text"]
    await desk.until(date(2026, 2, 28), hour=23)
    before = await desk.sent()
    await desk.until(date(2026, 3, 1))

    assert before == []
    assert await desk.sent() == [("2026-03-01", "first-reminder")]
    assert "of that, 1 invoice (60.00 EUR) is left in peace for now, after a dispute." in explained
    assert "the dispute of R-1 has ended, and nothing is asked for before 1 March 2026." in explained
    assert "On 1 March 2026 at 09:00 (UTC) the message 'first-reminder' goes to ada@acme.example" in explained


async def test_news_of_fresh_days_that_come_late_are_kept_all_the_same(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, FEBRUARY)
    await desk.hear(invoice.dispute())
    await desk.until(date(2026, 2, 20))
    resolved = invoice.reject_dispute(collect_again_on=date(2026, 3, 1))
    await desk.hear(*invoice.pay(4_000))
    await desk.hear(resolved)
    await desk.until(date(2026, 3, 1))
    assert await desk.sent() == [("2026-03-01", "first-reminder")]


async def test_a_mail_about_other_invoices_leaves_the_resting_one_out(desk: Desk) -> None:
    customer = await desk.onboard()
    resting, _ = await desk.issue(customer, FEBRUARY, "R-1"), await desk.issue(customer, FEBRUARY, "R-2")
    await desk.hear(resting.dispute())
    await desk.until(date(2026, 2, 6))
    await desk.hear(resting.reject_dispute(collect_again_on=date(2026, 2, 12)))
    await desk.until(date(2026, 2, 16))
    assert [(c["sent_at"][:10], c["invoices"]) for c in (await desk.contacts(status="sent"))[1:]] == [
        ("2026-02-02", ["R-2"]),
        ("2026-02-08", ["R-2"]),
        ("2026-02-16", ["R-1", "R-2"]),
    ]


@pytest.mark.parametrize(("last_day", "verdict"), [(1, Send), (2, Suppression)])
def test_the_last_look_keeps_fresh_days_that_began_in_between(last_day: int, verdict: type) -> None:
    owed = account(item())
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, days_after_due(1))
    rested = account(replace(item(), collect_again_on=DUE + timedelta(days=last_day)))
    found = reminders.confirm(contact, case, rested, balance(owed_now()), days_after_due(1))
    assert isinstance(found, verdict)
    if not isinstance(found, Send):
        assert found is Suppression.FRESH_DAYS
        suppressed = contact.suppressed(Suppression.FRESH_DAYS)
        after = rules.conclude(case, suppressed, rested, DEFAULT, days_after_due(1)).case
        assert (after.level, after.check_at) == (0, days_after_due(2))


def test_a_note_before_due_waits_for_the_fresh_days_or_is_left_out() -> None:
    def noticed(again_on: date) -> Coming | Reason:
        fresh = account(replace(item(overdue=False), collect_again_on=again_on))
        return coming(episodes.new_case(CASE, fresh.id, DEFAULT), fresh, DEFAULT.strategy, DUE - timedelta(days=7))

    later = noticed(DUE - timedelta(days=2))
    assert isinstance(later, Coming)
    assert later.opens_on == DUE - timedelta(days=2)
    assert noticed(DUE + timedelta(days=1)) is Reason.NOTHING_COLLECTABLE
