"""Instalment plans: schedules that add up, payments that fill them, and what happens when one is missed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.entities.rules import PlanPolicy
from services.invoice.plans import rules
from services.invoice.plans.rules import Instalment, Plan, ScheduleRefused, Share
from shared.ids import new_id
from shared.money import Money
from tests.invoice.client import Receivables, eur, pointers, problem

TODAY = date(2024, 3, 1)


# --- the rules ---


@given(total=st.integers(1, 10**12), count=st.integers(1, 60), down=st.integers(0, 10**6))
def test_even_parts_add_up_to_the_whole_and_differ_by_a_minor_unit_at_most(total: int, count: int, down: int) -> None:
    if down >= total or total - down < count:
        return
    schedule = rules.even_schedule(total, count=count, every="month", first_on=TODAY, down_payment_minor=down)

    parts = [each.minor for each in schedule]
    assert sum(parts) == total
    even = parts[1:] if down else parts
    assert max(even) - min(even) <= 1
    assert even == sorted(even, reverse=True)


def test_monthly_instalments_keep_their_day_where_the_month_has_it() -> None:
    schedule = rules.even_schedule(300, count=3, every="month", first_on=date(2024, 1, 31))

    assert [each.due_date for each in schedule] == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
def test_each_invoices_parts_add_up_to_its_share(shares: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, min(sum(shares), 12)))
    schedule = rules.even_schedule(sum(shares), count=count, every="week", first_on=TODAY)

    parts = rules.by_invoice([Share(new_id(), "A", minor) for minor in shares], schedule)

    assert [sum(each.minor for each in part) for part in parts] == shares
    by_date: dict[date, int] = {}
    for part in parts:
        for each in part:
            by_date[each.due_date] = by_date.get(each.due_date, 0) + each.minor
    assert by_date == {each.due_date: each.minor for each in schedule}


@pytest.mark.parametrize(
    ("instalments", "field"),
    [
        ([(date(2024, 3, 31), 50_00), (date(2024, 4, 30), 49_99)], "/instalments"),
        ([(date(2024, 2, 29), 50_00), (date(2024, 4, 30), 50_00)], "/instalments/0/due_date"),
        ([(date(2024, 4, 30), 50_00), (date(2024, 3, 31), 50_00)], "/instalments/1/due_date"),
        ([(date(2024, 3, 31), 100_00), (date(2024, 4, 30), 0)], "/instalments/1/amount"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused_with_its_place(
    instalments: list[tuple[date, int]], field: str
) -> None:
    with pytest.raises(ScheduleRefused) as refused:
        rules.checked(tuple(Instalment(*each) for each in instalments), Money(100_00, "EUR"), TODAY)
    assert refused.value.field == field


def plan(missed_max: int = 1, grace_days: int = 3) -> Plan:
    return Plan(
        id=new_id(),
        version=1,
        entity_id="default",
        customer_id=new_id(),
        status="agreed",
        currency="EUR",
        amount_minor=300_00,
        grace_days=grace_days,
        missed_max=missed_max,
        agreed_on=TODAY,
        agreed_by="staff",
        shares=(Share(new_id(), "A-1", 300_00),),
        schedule=tuple(Instalment(date(2024, month, 10), 100_00) for month in (4, 5, 6)),
    )


@pytest.mark.parametrize(
    ("today", "left", "status", "look_on"),
    [
        (date(2024, 4, 13), 300_00, "agreed", date(2024, 4, 14)),  # The last day of grace.
        (date(2024, 4, 14), 300_00, "broken", None),
        (date(2024, 4, 14), 200_01, "broken", None),  # A cent short is short.
        (date(2024, 4, 14), 200_00, "active", date(2024, 5, 14)),
        (date(2024, 4, 14), 0, "kept", None),
        (date(2024, 6, 14), 50_00, "broken", None),
    ],
)
def test_an_instalment_not_filled_after_its_grace_breaks_the_plan(
    today: date, left: int, status: str, look_on: date | None
) -> None:
    judged = rules.judge(plan(), left, today)

    assert (judged.plan.status, judged.look_on) == (status, look_on)


def test_where_two_missed_ones_break_it_one_does_not_unless_it_is_the_last() -> None:
    lenient = plan(missed_max=2)

    assert rules.judge(lenient, 300_00, date(2024, 5, 13)).plan.status == "agreed"
    broken = rules.judge(lenient, 300_00, date(2024, 5, 14)).plan
    assert (broken.status, broken.missed_on) == ("broken", date(2024, 5, 10))
    assert rules.judge(lenient, 100_00, date(2024, 6, 13)).look_on == date(2024, 6, 14)
    assert rules.judge(lenient, 100_00, date(2024, 6, 14)).plan.status == "broken"


def policy(**changes: Any) -> PlanPolicy:
    return PlanPolicy.model_validate({"self_service": True, "months_max": 4, **changes})


def test_what_a_customer_is_offered_keeps_to_the_entitys_limits() -> None:
    limits = policy(instalment_min=[eur("40.00")], down_payment="10")

    found = rules.offers(Money(150_00, "EUR"), limits, TODAY)

    assert [offer.count for offer in found] == [1, 2, 3]  # A fourth would be below 40.00.
    assert [(each.due_date, each.minor) for each in found[-1].schedule] == [
        (date(2024, 3, 1), 15_00),
        (date(2024, 4, 1), 45_00),
        (date(2024, 5, 1), 45_00),
        (date(2024, 6, 1), 45_00),
    ]
    assert rules.offers(Money(150_00, "USD"), limits, TODAY) == ()
    assert rules.offers(Money(150_00, "EUR"), policy(self_service=False), TODAY) == ()
    with pytest.raises(rules.PlanRefused):
        rules.within_limits(4, Money(150_00, "EUR"), limits, TODAY)


@given(total=st.integers(1, 10**9), percent=st.integers(0, 99), smallest=st.integers(1, 10**6))
def test_every_offer_adds_up_and_no_part_is_too_small(total: int, percent: int, smallest: int) -> None:
    limits = PlanPolicy(
        self_service=True, months_max=12, down_payment=Decimal(percent), instalment_min=(Money(smallest, "EUR"),)
    )
    for offer in rules.offers(Money(total, "EUR"), limits, TODAY):
        assert sum(each.minor for each in offer.schedule) == total
        assert min(each.minor for each in offer.schedule[-offer.count :]) >= smallest
        assert rules.checked(offer.schedule, Money(total, "EUR"), TODAY) == offer.schedule


# --- the service ---


async def overdue(books: Receivables, customer: str, amount: str = "300.00") -> dict[str, Any]:
    return await books.issue(customer, amount, issue_date="2024-01-01", due_date="2024-01-31")


THREE = {"count": 3, "first_on": "2024-03-15"}


async def test_what_is_on_a_plan_waits_and_payments_fill_the_earliest_instalments(books: Receivables) -> None:
    customer = await books.customer()
    issued = await overdue(books, customer)
    await books.tick()

    agreed = await books.post(f"/v1/invoices/{issued['id']}/plans", THREE)

    assert agreed.status_code == 201, agreed.text
    about = agreed.json()
    assert (about["status"], about["amount"]) == ("agreed", eur("300.00"))
    assert [each["due_date"] for each in about["instalments"]] == ["2024-03-15", "2024-04-15", "2024-05-15"]
    held = await books.invoice(issued["id"])
    assert (held["balance"], held["on_plan"], held["collectable"]) == (eur("300.00"), eur("300.00"), eur("0.00"))
    event = (await books.published(issued["id"]))[-1]
    assert (event["type"], event["data"]["amount"], event["data"]["invoice"]["on_plan"]) == (
        *("invoice.plan_agreed", eur("300.00"), eur("300.00")),
    )

    await books.pay("150.00", reference=issued["number"])
    await books.tick()

    after = await books.get(f"/v1/plans/{about['id']}")
    assert (after["status"], after["balance"]) == ("active", eur("150.00"))
    assert [each["balance"] for each in after["instalments"]] == [eur("0.00"), eur("50.00"), eur("100.00")]
    assert (await books.invoice(issued["id"]))["collectable"] == eur("0.00")

    await books.at("2024-04-20")
    await books.pay("150.00", reference=issued["number"])
    await books.tick()

    assert (await books.get(f"/v1/plans/{about['id']}"))["status"] == "kept"
    kept = (await books.published(issued["id"]))[-1]
    assert (kept["type"], kept["data"]["outcome"]) == ("invoice.plan_ended", "kept")
    versions = [event["version"] for event in await books.published(issued["id"])]
    assert versions == sorted(set(versions))


async def test_a_missed_instalment_breaks_the_plan_the_day_after_its_grace(books: Receivables) -> None:
    issued = await overdue(books, await books.customer())
    path = f"/v1/invoices/{issued['id']}/plans"
    await books.post(path, THREE)

    await books.wake_on("2024-03-18")
    assert (await books.get(path))["items"][0]["status"] == "agreed"
    await books.wake_on("2024-03-19")

    [broken] = (await books.get("/v1/plans", invoice_id=issued["id"], status="broken"))["items"]
    assert (broken["missed_on"], broken["ended_on"], broken["balance"]) == ("2024-03-15", "2024-03-19", eur("300.00"))
    assert (await books.invoice(issued["id"]))["collectable"] == eur("300.00")
    told = (await books.published(issued["id"]))[-1]
    assert (told["type"], told["data"]["missed_on"]) == ("invoice.plan_broken", "2024-03-15")
    again = await books.post(path, {"count": 2, "first_on": "2024-04-01"})
    assert again.status_code == 201, again.text


async def test_a_bounced_instalment_is_missed(books: Receivables) -> None:
    issued = await overdue(books, await books.customer())
    plan_id = (await books.post(f"/v1/invoices/{issued['id']}/plans", THREE)).json()["id"]
    await books.at("2024-03-15")
    payment = await books.pay("100.00", reference=issued["number"])
    await books.wake_on("2024-03-19")
    assert (await books.get(f"/v1/plans/{plan_id}"))["status"] == "active"

    await books.reverse(payment["id"])
    await books.tick()

    after = await books.get(f"/v1/plans/{plan_id}")
    assert (after["status"], after["missed_on"]) == ("broken", "2024-03-15")
    assert (await books.invoice(issued["id"]))["collectable"] == eur("300.00")


async def test_one_plan_over_all_that_is_overdue_tells_each_invoice_its_own_parts(books: Receivables) -> None:
    customer = await books.customer()
    one, two = await overdue(books, customer, "80.00"), await overdue(books, customer, "120.00")
    await books.issue(customer, "55.00")

    agreed = await books.post(
        f"/v1/customers/{customer}/plans",
        {
            "instalments": [
                {"due_date": "2024-03-10", "amount": eur("100.00")},
                {"due_date": "2024-04-10", "amount": eur("100.00")},
            ]
        },
    )

    assert agreed.status_code == 201, agreed.text
    assert {each["invoice_id"] for each in agreed.json()["invoices"]} == {one["id"], two["id"]}
    parts = [(await books.published(each["id"]))[-1]["data"]["instalments"] for each in (one, two)]
    assert parts == [
        [{"due_date": "2024-03-10", "amount": eur("80.00")}],
        [{"due_date": "2024-03-10", "amount": eur("20.00")}, {"due_date": "2024-04-10", "amount": eur("100.00")}],
    ]
    assert problem(await books.post(f"/v1/invoices/{one['id']}/plans", THREE), 409) == "on-plan"


async def test_a_plan_called_off_is_collected_at_once(books: Receivables) -> None:
    issued = await overdue(books, await books.customer())
    plan_id = (await books.post(f"/v1/invoices/{issued['id']}/plans", THREE)).json()["id"]
    path = f"/v1/plans/{plan_id}/cancellation"

    cancelled = await books.post(path, {"reason": "customer is insolvent"})

    assert (cancelled.json()["status"], cancelled.json()["reason"]) == ("cancelled", "customer is insolvent")
    assert (await books.invoice(issued["id"]))["collectable"] == eur("300.00")
    assert problem(await books.post(path, {"reason": "again"}), 409) == "plan-over"
    assert (await books.told(issued["id"]))[-1] == ("invoice.plan_ended", "2024-03-01")


async def test_what_cannot_be_planned_or_disputed_says_why(books: Receivables) -> None:
    issued = await overdue(books, await books.customer())
    await books.post(f"/v1/invoices/{issued['id']}/plans", THREE)

    assert problem(await books.dispute(issued["id"]), 422) == "dispute-amount"
    refused = await books.post(f"/v1/invoices/{issued['id']}/plans", {"count": 3})
    assert pointers(refused) == ["#"]
    assert problem(await books.post(f"/v1/customers/{await books.customer()}/plans", THREE), 422) == "plan-refused"
