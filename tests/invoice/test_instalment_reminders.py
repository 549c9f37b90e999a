"""Instalments are reminded of gently: before their day, once where one did not come, and never twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.invoice.instalment_reminders import handlers as instalment_reminders
from services.invoice.plans import rules
from services.invoice.plans.rules import Instalment, Plan, Share
from shared.clock import real_now
from shared.db import transaction
from shared.ids import new_id
from tests.invoice.client import Receivables
from tests.invoice.notices import agree, card_left, keep_picture, kinds, owing, text_of
from tests.invoice.test_dispatch import power_cut
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox


def plan(**changes: Any) -> Plan:
    """Three instalments of 100.00 on the 10th of April, May and June, three days of grace, agreed on 1 March."""
    schedule = tuple(Instalment(date(2024, month, 10), 100_00) for month in (4, 5, 6))
    agreed = Plan(
        id=new_id(),
        version=1,
        entity_id="default",
        customer_id=new_id(),
        status="agreed",
        currency="EUR",
        amount_minor=300_00,
        grace_days=3,
        missed_max=1,
        agreed_on=date(2024, 3, 1),
        agreed_by="staff",
        shares=(Share(new_id(), "RE-1", 300_00),),
        schedule=schedule,
        remind_days_before=3,
        remind_missed=True,
    )
    return replace(agreed, **changes)


async def nine_on(house: Receivables, day: str) -> None:
    """Everything due by nine o'clock, when instalments are reminded of; and what was written for customers leaves."""
    await house.at(day, 9)
    await house.tick()
    await house.tick()


APRIL, MAY = date(2024, 4, 10), date(2024, 5, 10)


@pytest.mark.parametrize(
    ("today", "left", "changes", "told"),
    [
        (date(2024, 4, 6), 300_00, {}, []),
        (date(2024, 4, 7), 300_00, {}, [("instalment_due", APRIL)]),
        (date(2024, 4, 8), 300_00, {}, [("instalment_due", APRIL)]),  # The worker was away: late, but in time.
        (date(2024, 4, 10), 300_00, {}, [("instalment_due", APRIL)]),
        (date(2024, 4, 11), 300_00, {}, [("instalment_missed", APRIL)]),
        (date(2024, 4, 13), 300_00, {}, [("instalment_missed", APRIL)]),
        (date(2024, 4, 14), 300_00, {}, []),  # Broken on this day, which is told in its own words.
        (date(2024, 4, 11), 300_00, {"grace_days": 0}, []),
        (date(2024, 4, 11), 300_00, {"grace_days": 0, "missed_max": 2}, [("instalment_missed", APRIL)]),
        (date(2024, 4, 7), 300_00, {"reminded_on": date(2024, 4, 6)}, [("instalment_due", APRIL)]),
        (date(2024, 4, 7), 300_00, {"reminded_on": date(2024, 4, 7)}, []),
        (date(2024, 4, 7), 200_01, {}, [("instalment_due", APRIL)]),  # A cent is still open.
        (date(2024, 4, 7), 200_00, {}, []),
        (date(2024, 5, 7), 200_00, {}, [("instalment_due", MAY)]),
        (date(2024, 4, 11), 300_00, {"awaited_minor": 100_00}, []),  # The bank has yet to confirm it.
        (date(2024, 4, 7), 300_00, {"remind_days_before": None}, []),
        (date(2024, 4, 10), 300_00, {"remind_days_before": 0}, [("instalment_due", APRIL)]),
        (date(2024, 4, 11), 300_00, {"remind_missed": False}, []),
        (date(2024, 4, 8), 300_00, {"agreed_on": date(2024, 4, 8)}, []),  # The agreement has just named the day.
        (date(2024, 4, 7), 0, {}, []),
        (date(2024, 4, 7), 300_00, {"status": "cancelled", "ended_on": date(2024, 4, 6)}, []),
        (date(2024, 4, 7), 300_00, {"status": "broken", "ended_on": date(2024, 4, 6)}, []),
    ],
)
def test_what_is_told_of_instalments_on_a_day(
    today: date, left: int, changes: dict[str, Any], told: list[tuple[str, date]]
) -> None:
    found = rules.due_reminders(plan(**changes), left, today)

    assert [(each.kind, each.due_date) for each in found] == told


@pytest.mark.parametrize(
    ("left", "changes", "on"),
    [
        (300_00, {}, date(2024, 4, 7)),
        (300_00, {"reminded_on": date(2024, 4, 7)}, date(2024, 4, 11)),
        (300_00, {"reminded_on": date(2024, 4, 11)}, date(2024, 5, 7)),
        (200_00, {"reminded_on": date(2024, 4, 7)}, date(2024, 5, 7)),
        (300_00, {"agreed_on": date(2024, 4, 8)}, date(2024, 4, 11)),
        (300_00, {"remind_days_before": None, "remind_missed": False}, None),
        (100_00, {"reminded_on": date(2024, 6, 11)}, None),
        (0, {}, None),
        (300_00, {"ended_on": date(2024, 4, 6)}, None),
    ],
)
def test_when_something_is_next_to_be_told(left: int, changes: dict[str, Any], on: date | None) -> None:
    assert rules.reminds_on(plan(**changes), left) == on


async def test_each_instalment_is_told_before_its_day_with_what_remains_and_the_missed_one_once(
    house: Receivables,
    smtp: Mailbox,
) -> None:
    customer, issued = await owing(house)
    agreed = await agree(house, customer)
    await house.tick()
    assert await house.next_due(instalment_reminders.NEXT_DUE) == datetime(2024, 3, 29, 9, tzinfo=UTC)

    said = {}
    for day in ("2024-03-28", "2024-03-29", "2024-03-30", "2024-04-01", "2024-04-02", "2024-04-03"):
        smtp.messages.clear()
        await house.at(day, 9)
        await house.tick()
        await house.tick()
        said[day] = list(smtp.messages)

    assert {day: len(mails) for day, mails in said.items() if mails} == {"2024-03-29": 1, "2024-04-02": 1}
    [before], [after] = said["2024-03-29"], said["2024-04-02"]
    assert before["subject"] == "Ihre Rate vom 1. April 2024"
    assert "Rate: 100,00 € (Am 1. April 2024, für " + issued["number"] in text_of(before)
    assert "noch 300,00 € offen" in text_of(before)
    assert "https://pay.example/pay/" in text_of(before)
    assert after["subject"] == "Ihre Rate vom 1. April 2024 ist noch nicht eingegangen"
    assert "Geht sie bis zum 4. April 2024 ein, läuft Ihr Ratenplan einfach weiter" in text_of(after)
    keep_picture(before, "instalment_due")
    keep_picture(after, "instalment_missed")
    assert (await house.get(f"/v1/plans/{agreed['id']}"))["status"] == "agreed"
    # After payment the next look is the next instalment's.
    await house.pay("100.00", customer_id=customer, reference=issued["number"])
    await house.tick()
    assert await house.next_due(instalment_reminders.NEXT_DUE) == datetime(2024, 4, 28, 9, tzinfo=UTC)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
async def test_reminders_of_instalments_are_written_in_each_language(
    house: Receivables,
    smtp: Mailbox,
    language: str,
) -> None:
    customer, issued = await owing(house, language=language)
    await agree(house, customer)
    await house.tick()
    smtp.messages.clear()

    await nine_on(house, "2024-03-29")
    await nine_on(house, "2024-04-02")
    await house.tick()

    assert len(smtp.messages) == 2
    for name, mail in zip(("due", "missed"), smtp.messages, strict=True):
        assert "{{" not in text_of(mail)
        assert issued["number"] in text_of(mail)
        assert 'lang="' + language in text_of(mail, "html")
        assert "300" in text_of(mail)
        keep_picture(mail, f"instalment_{name}_{language}")


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        ("nothing", ["plan_agreed", "instalment_due", "instalment_missed", "plan_broken"]),
        ("paid", ["plan_agreed"]),
        ("paid_too_little", ["plan_agreed", "instalment_due", "instalment_missed", "plan_broken"]),
        ("paid_in_full", ["plan_agreed", "plan_kept"]),
        ("called_off", ["plan_agreed"]),
        ("paid_and_bounced", ["plan_agreed", "instalment_due", "instalment_missed", "plan_broken"]),
    ],
)
async def test_nothing_is_told_of_what_is_paid_or_of_a_plan_that_is_over(
    house: Receivables,
    happens: str,
    told: list[str],
) -> None:
    customer, issued = await owing(house)
    agreed = await agree(house, customer)
    await house.tick()
    amounts = {"paid": "100.00", "paid_too_little": "99.99", "paid_in_full": "300.00", "paid_and_bounced": "100.00"}
    payment: dict[str, Any] = {}
    if happens in amounts:
        payment = await house.pay(amounts[happens], customer_id=customer, reference=issued["number"])
    elif happens == "called_off":
        await house.post(f"/v1/plans/{agreed['id']}/cancellation", {"reason": "agreed otherwise"})

    await nine_on(house, "2024-03-29")
    if happens == "paid_and_bounced":
        await house.at("2024-03-30")
        assert (await house.reverse(payment["id"])).status_code == 201
    for day in ("2024-04-01", "2024-04-02", "2024-04-05"):
        await nine_on(house, day)

    seen = await kinds(house.database)
    assert [kind for kind in seen if kind != "payment_returned"] == told


async def test_an_instalment_that_the_saved_card_is_charged_for_is_not_asked_for(house: Receivables) -> None:
    customer, _ = await owing(house)
    await agree(house, customer)
    await card_left(house, customer)

    await nine_on(house, "2024-03-29")
    assert await kinds(house.database) == ["plan_agreed"]

    for day in ("2024-04-01", "2024-04-02"):  # The card is empty: the customer hears of that, and of the next attempt.
        await house.at(day, 9)
        await house.tick()
    assert await kinds(house.database) == ["plan_agreed", "collection_failed"]


async def test_two_rounds_at_the_same_moment_tell_of_an_instalment_once(house: Receivables) -> None:
    customer, _ = await owing(house)
    await agree(house, customer)
    await house.at("2024-03-29", 9)

    async def round_of() -> bool:
        async with transaction(house.database) as tx:
            return await instalment_reminders.remind_of_instalments(tx)

    await asyncio.gather(*(round_of() for _ in range(4)))
    assert not await round_of()

    assert await kinds(house.database) == ["plan_agreed", "instalment_due"]


async def test_a_reminder_whose_instalment_was_paid_before_the_mail_could_leave_is_not_sent(
    house: Receivables,
    smtp: Mailbox,
) -> None:
    customer, issued = await owing(house)
    await agree(house, customer)
    await house.tick()
    smtp.messages.clear()
    await house.at("2024-03-29", 9)
    async with transaction(house.database) as tx:
        await instalment_reminders.remind_of_instalments(tx)
    await house.pay("100.00", customer_id=customer, reference=issued["number"])

    await house.tick()

    assert smtp.messages == []
    [newest, *_] = (await house.get("/v1/deliveries", customer_id=customer))["items"]
    assert (newest["kind"], newest["status"]) == ("instalment_due", "failed")
    assert "paid" in newest["reason"]


@pytest.mark.parametrize("after", [True, False])
async def test_a_killed_sender_leaves_the_reminder_in_doubt_and_nobody_sends_it_again(
    house: Receivables,
    smtp: Mailbox,
    after: bool,
) -> None:
    customer, _ = await owing(house)
    await agree(house, customer)
    await house.tick()
    smtp.messages.clear()
    await house.at("2024-03-29", 9)
    with power_cut(house, after=after) as dying:
        await dying.tick()
    await house.database.pool.execute(
        "update delivery set lease_until = $1 where status = 'sending'", real_now() - timedelta(seconds=1)
    )

    await house.tick()
    await nine_on(house, "2024-04-01")

    assert len(smtp.messages) == (1 if after else 0)
    assert await house.database.pool.fetchval("select status from delivery where kind = 'instalment_due'") == "unknown"


async def test_paper_customers_are_reminded_by_letter(house: Receivables, smtp: Mailbox) -> None:
    customer, _ = await owing(house)
    await house.http.put(
        f"/v1/customers/{customer}/document-preferences", json={"paper": True}, headers={"if-match": '"0"'}
    )
    await agree(house, customer)
    smtp.messages.clear()
    await nine_on(house, "2024-03-29")
    await nine_on(house, "2024-03-30")

    batch = (await house.get("/v1/letter-batches"))["items"][0]
    found = await house.get(f"/v1/letter-batches/{batch['id']}")

    assert [sheet["kind"] for sheet in found["manifest"]] == ["instalment_due"]
    assert smtp.messages == []


async def test_the_entity_says_whether_and_when_instalments_are_reminded_of(house: Receivables) -> None:
    await describe_seller(house, delivery={"automatic": True}, plans={"remind_days_before": 7, "remind_missed": False})
    customer, _ = await owing(house)
    await agree(house, customer)

    for day in ("2024-03-24", "2024-03-25", "2024-03-26", "2024-04-02"):
        await nine_on(house, day)

    assert await kinds(house.database) == ["plan_agreed", "instalment_due"]
    asked = await house.database.pool.fetchval("select requested_on from delivery where kind = 'instalment_due'")
    assert asked.isoformat() == "2024-03-25"


@pytest.mark.parametrize(
    ("kind", "added", "charge", "asked"),
    [
        ("card", "2024-03-02", None, False),  # It is charged on the day.
        ("sepa_debit", "2024-03-02", "announced", False),
        ("sepa_debit", "2024-03-02", "meant", False),
        ("sepa_debit", "2024-03-02", "refused", False),  # Tried again, which the customer was told.
        ("sepa_debit", "2024-03-25", "needless", True),  # Too late to announce a debit for its day.
        ("card", "2024-03-02", "given_up", True),
        ("card", "2024-04-02", None, True),  # Left after the day: the customer was not asked about this one.
    ],
)
async def test_what_a_saved_method_collects_is_not_asked_for_and_what_it_does_not_is(
    house: Receivables,
    kind: str,
    added: str,
    charge: str | None,
    asked: bool,
) -> None:
    customer, _ = await owing(house)
    agreed = await agree(house, customer)
    pool, method = house.database.pool, new_id()
    await pool.execute(
        "insert into saved_method (id, customer_id, entity_id, status, intent_id, added_at, kind, last4, mandate_id,"
        " mandate_reference, provider_customer, provider_method, label)"
        " values ($1, $2, 'default', 'active', 'pi_1', $3::text::timestamptz, $4, '3000', 'm', 'r', 'c', 'm', 'it')",
        *(method, UUID(customer), f"{added} 08:00Z", kind),
    )
    if charge:
        await pool.execute(
            "insert into collection (id, method_id, customer_id, entity_id, attempt, currency, amount_minor, status,"
            " plan_id, instalment_on, debit_on, failure) values"
            " ($1, $2, $3, 'default', 1, 'EUR', 10000, $4, $5, '2024-04-01', '2024-04-01', 'insufficient funds')",
            *(new_id(), method, UUID(customer), charge, UUID(agreed["id"])),
        )
    await house.at("2024-03-29", 9)

    async with transaction(house.database) as tx:
        await instalment_reminders.remind_of_instalments(tx)

    assert ("instalment_due" in await kinds(house.database)) is asked
