"""Colleagues follow accounts and read each morning what has happened there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.reminder.followers import rules
from services.reminder.followers.rules import HAPPENINGS_MAX, Digest, Happening
from shared.money import Money
from tests.reminder.books import Customer
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep, post

DUE = date(2026, 2, 1)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def happening(name: str, kind: str = "sent", detail: str = "first-reminder") -> Happening:
    return Happening("sam", UUID(int=hash(name) % 1000), "default", name, (Money(125_000, "EUR"),), AT, kind, detail)


def test_a_digest_goes_by_account_and_says_how_much_it_leaves_out() -> None:
    news = rules.news_of([happening("Zebra"), *[happening("Acme <Ltd>")] * (HAPPENINGS_MAX + 2)])
    assert [account["name"] for account in news] == ["Acme <Ltd>", "Zebra"]
    assert news[0]["lines"][-1] == "and 2 more"
    assert news[1] == {"name": "Zebra", "owed": "€1,250.00", "lines": ["2 Mar 2026: Reminder sent, first-reminder"]}
    digest = Digest(UUID(int=1), "sam", AT.date(), news)
    assert rules.subject_of(digest) == "News of Acme <Ltd> and 1 more, 2 Mar 2026"
    assert "Acme <Ltd> (€1,250.00 overdue)" in rules.text_of(digest, "Sam")
    assert "Acme &lt;Ltd&gt;" in rules.html_of(digest, "Sam")


async def test_a_follower_hears_once_of_what_happened_since_it_follows(desk: Desk) -> None:
    customer, other = await desk.onboard(), await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.issue(other, DUE, number="R-2")
    await desk.until(date(2026, 1, 30))
    await keep(desk, "sam", name="Sam", role="sales", email="sam@northwind.example")
    path = f"/v1/cases/{customer.id}/followers"
    assert [each["subject"] for each in (await post(desk, path, {"subject": "sam"}, 201))["items"]] == ["sam"]
    await desk.until(date(2026, 2, 2))
    await post(desk, f"/v1/cases/{customer.id}/notes", {"body": "They change their bank"}, 201)
    await desk.until(date(2026, 2, 4))

    told = [mail for mail in desk.mails() if mail["To"] == "Sam <sam@northwind.example>"]
    assert len(told) == 1
    text = told[0].get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert "Reminder sent, first-reminder" in said
    assert "They change their bank" in said
    assert "due-soon" not in said

    ended = await post(desk, f"{path}/sam/end", {})
    assert ended["items"] == []
    await desk.until(date(2026, 2, 10))
    assert len([mail for mail in desk.mails() if mail["To"] == "Sam <sam@northwind.example>"]) == 1
    await post(desk, f"{path}/sam/end", {}, 404)


async def test_only_a_colleague_with_an_address_follows_and_only_a_known_account(desk: Desk) -> None:
    customer = await desk.onboard()
    await keep(desk, "sam", name="Sam")
    path = f"/v1/cases/{customer.id}/followers"
    assert (await post(desk, path, {"subject": "sam"}, 422))["type"].endswith("colleague-unreachable")
    await post(desk, path, {"subject": "zoe"}, 404)
    await keep(desk, "eva", name="Eva", email="eva@northwind.example")
    await post(desk, f"/v1/cases/{uuid4()}/followers", {"subject": "eva"}, 404)


async def test_a_digest_that_the_mail_server_refuses_for_good_is_not_tried_again(desk: Desk) -> None:
    customer = await desk.onboard()
    await keep(desk, "sam", name="Sam", email="sam@northwind.example")
    await post(desk, f"/v1/cases/{customer.id}/followers", {"subject": "sam"}, 201)
    await desk.set_clock(datetime(2026, 1, 1, 8, tzinfo=UTC))
    await post(desk, f"/v1/cases/{customer.id}/notes", {"body": "Ring them in the morning"}, 201)
    desk.smtp.refuse = True
    await desk.until(date(2026, 1, 2))
    desk.smtp.refuse = False
    await desk.until(date(2026, 1, 3))
    assert desk.mails() == []
    row = await desk.database.pool.fetchrow("select status, reason from digest")
    assert row["status"] == "failed"
    assert "550" in row["reason"]


async def news(desk: Desk) -> list[str]:
    """What each digest said, a text each."""
    found = []
    for mail in desk.mails():
        text = mail.get_body(("plain",))
        if mail["To"] == "Sam <sam@northwind.example>" and text is not None:
            found.append(text.get_content())
    return found


async def followed(desk: Desk, since: date = date(2026, 2, 2), **facts: Any) -> Customer:
    customer = await desk.onboard(**facts)
    await desk.issue(customer, DUE)
    await desk.until(since, hour=5)
    await keep(desk, "sam", name="Sam", email="sam@northwind.example")
    await post(desk, f"/v1/cases/{customer.id}/followers", {"subject": "sam"}, 201)
    return customer


async def test_a_message_that_fails_after_the_digest_of_its_day_is_in_the_next_one(desk: Desk) -> None:
    """In Tokyo it is due at midnight here; the gateway wants to be asked again, and refuses it after the digest."""
    await followed(desk, date(2026, 1, 31), time_zone="Asia/Tokyo")
    hire(desk, "email")["email"].fates = ["deferred", "refused"]
    await desk.until(date(2026, 2, 2), hour=8)
    assert (await desk.contacts())[-1]["status"] == "planned"
    await desk.database.pool.execute("update contact set retry_at = now() - interval '1 s' where retry_at is not null")
    await desk.tick()
    assert (await desk.contacts())[-1]["status"] == "failed"
    await desk.until(date(2026, 2, 3), hour=8)
    failed = "2 Feb 2026: Reminder failed, or in doubt, first-reminder: the courier says refused"
    assert failed in (await news(desk))[-1]
    await desk.until(date(2026, 2, 5), hour=8)
    assert sum("failed" in each for each in await news(desk)) == 1


async def test_what_happens_in_the_course_of_a_day_is_told_once_on_the_next_morning(desk: Desk) -> None:
    customer = await followed(desk)
    await desk.until(date(2026, 2, 4), hour=15)
    before = len(await news(desk))
    promise = {"amount": {"amount": "100.00", "currency": "EUR"}, "on": "2026-02-05"}
    await post(desk, f"/v1/cases/{customer.id}/promises", promise, 201)
    pause = {"until": "2026-02-20", "reason": "holidays", "asked_by": "their buyer"}
    await post(desk, f"/v1/cases/{customer.id}/pauses", pause, 201)
    await desk.until(date(2026, 2, 12), hour=8)
    told = (await news(desk))[before:]
    assert "4 Feb 2026: Promise to pay made, for 2026-02-05" in told[0]
    assert "4 Feb 2026: Collection paused, until 2026-02-20" in told[0]
    assert sum(each.count("Promise to pay broken") for each in told) == 1
    assert sum(each.count("Promise to pay made") for each in told) == 1


@pytest.mark.parametrize(("minute", "told_on"), [(54, "3 Feb 2026"), (55, "4 Feb 2026"), (56, "4 Feb 2026")])
async def test_what_is_younger_than_five_minutes_waits_for_the_next_digest(
    desk: Desk, minute: int, told_on: str
) -> None:
    customer = await followed(desk)
    await desk.set_clock(datetime(2026, 2, 3, 6, minute, tzinfo=UTC))
    await post(desk, f"/v1/cases/{customer.id}/notes", {"body": "They change their bank"}, 201)
    await desk.until(date(2026, 2, 5), hour=8)
    subjects = [mail["Subject"] for mail in desk.mails() if "They change their bank" in mail.as_string()]
    assert subjects == [f"News of Acme GmbH, {told_on}"]
