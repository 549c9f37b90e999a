"""Money booked late counts from the day it came, as far as no balance as of a day goes below zero by it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.movements.rules import counts_from
from tests.invoice.client import Receivables, eur

DAY = date(2024, 1, 1)


def on(days: int) -> date:
    return DAY + timedelta(days)


def test_money_counts_from_the_day_it_came_where_so_much_was_owed_ever_since() -> None:
    assert counts_from([(on(0), 100)], on(5), 100) == [(on(5), 100)]


def test_money_that_came_before_the_invoice_counts_from_its_issue() -> None:
    assert counts_from([(on(10), 100)], on(5), 100) == [(on(10), 100)]


def test_money_pays_the_principal_as_of_its_day_and_a_later_charge_as_of_the_charge() -> None:
    assert counts_from([(on(0), 100), (on(50), 40)], on(20), 140) == [(on(20), 100), (on(50), 40)]
    assert counts_from([(on(0), 100), (on(50), 40)], on(20), 100) == [(on(20), 100)]


def test_an_invoice_that_was_paid_in_between_takes_money_from_when_it_was_owed_again() -> None:
    paid_and_bounced = [(on(0), 100), (on(10), -100), (on(40), 100)]
    assert counts_from(paid_and_bounced, on(5), 100) == [(on(40), 100)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-50, 80)), max_size=12), st.integers(0, 35), st.data())
def test_no_balance_as_of_any_day_goes_below_zero_and_nothing_could_count_earlier(
    raw: list[tuple[int, int]], received: int, data: st.DataObject
) -> None:
    changes, owed = [], 0
    for day, minor in sorted(raw):
        minor = max(minor, -owed)
        owed += minor
        changes.append((on(day), minor))
    if owed <= 0:
        return
    amount = data.draw(st.integers(1, owed))

    parts = counts_from(changes, on(received), amount)

    def balance(day: date, paid: list[tuple[date, int]]) -> int:
        return sum(minor for at, minor in changes if at <= day) - sum(minor for at, minor in paid if at <= day)

    days = [on(each) for each in range(40)]
    assert sum(minor for _, minor in parts) == amount
    assert [day for day, _ in parts] == sorted({day for day, _ in parts})
    assert all(day >= on(received) for day, _ in parts)
    assert all(balance(day, parts) >= 0 for day in days)
    for index, (day, minor) in enumerate(parts):
        if day > on(received):
            sooner = [*parts[:index], (day - timedelta(1), 1), (day, minor - 1), *parts[index + 1 :]]
            assert any(balance(each, sooner) < 0 for each in days), "a cent more would have counted a day earlier"


async def fee(books: Receivables, invoice_id: str, amount: str) -> None:
    body = {"kind": "fee", "amount": eur(amount), "reason": "reminder"}
    answer = await books.post(f"/v1/invoices/{invoice_id}/charges", body)
    assert answer.status_code == 201, answer.text


async def test_a_payment_booked_late_pays_the_principal_as_of_its_day_and_the_fee_as_of_the_fees(
    books: Receivables,
) -> None:
    issued = await books.issue(await books.customer(), "100.00", due_date="2024-03-31")
    await books.wake_on("2024-04-10")
    await fee(books, issued["id"], "5.00")
    await books.at("2024-04-12")

    payment = await books.pay("105.00", reference=issued["number"], received_on="2024-03-30")

    assert [(each["amount"], each["effective_on"]) for each in payment["allocations"]] == [
        (eur("100.00"), "2024-03-30"),
        (eur("5.00"), "2024-04-10"),
    ]
    changes = [
        (event["data"]["effective_on"], event["data"]["change"]["amount"])
        for event in await books.published(issued["id"])
        if "change" in event["data"]
    ]
    assert changes == [
        ("2024-03-01", "100.00"),
        ("2024-04-10", "5.00"),
        ("2024-03-30", "-100.00"),
        ("2024-04-10", "-5.00"),
    ]
    await books.reverse(payment["id"])
    assert (await books.invoice(issued["id"]))["balance"] == eur("105.00")


async def test_an_episode_that_a_late_booking_shows_to_have_been_none_ends_before_it_began(
    books: Receivables,
) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")

    await books.pay("100.00", reference=issued["number"], received_on="2024-03-28")

    row = await books.database.pool.fetchrow("select started_on, cleared_on from overdue_episode")
    assert row is not None
    assert (row["started_on"], row["cleared_on"]) == (date(2024, 4, 1), date(2024, 3, 28))


async def test_a_part_paid_late_leaves_the_episode_running(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), due_date="2024-03-31")
    await books.wake_on("2024-04-10")

    await books.pay("99.00", reference=issued["number"], received_on="2024-03-28")

    assert (await books.invoice(issued["id"]))["overdue_since"] == "2024-04-01"


Move = tuple[str, str, str, str]
"""What is done, with which amount, for which day, and on which day."""
PART: Move = ("pay", "60.00", "2024-03-10", "2024-03-10")
LATE_PART: Move = ("pay", "60.00", "2024-03-20", "2024-03-20")
CREDIT: Move = ("credit", "40.00", "2024-03-12", "2024-03-25")


@pytest.mark.parametrize(
    ("moves", "settled_on", "days_late"),
    [
        ([("pay", "100.00", "2024-03-10", "2024-03-25")], "2024-03-10", -5),
        ([("pay", "100.00", "2024-03-15", "2024-03-25")], "2024-03-15", 0),
        ([("pay", "100.00", "2024-03-16", "2024-03-25")], "2024-03-16", 1),
        ([LATE_PART, ("pay", "40.00", "2024-03-10", "2024-03-25")], "2024-03-20", 5),
        ([PART, CREDIT], "2024-03-12", -3),
        ([LATE_PART, CREDIT], "2024-03-20", 5),
        ([PART, ("bounce", "", "", "2024-03-20"), ("pay", "100.00", "2024-03-18", "2024-03-25")], "2024-03-20", 5),
        ([("lock", "", "2024-03-20", "2024-03-25"), ("pay", "100.00", "2024-03-10", "2024-03-25")], "2024-03-21", 6),
    ],
)
async def test_an_invoice_is_settled_on_the_effective_day_that_left_nothing_owed(
    books: Receivables, moves: list[Move], settled_on: str, days_late: int
) -> None:
    issued = await books.issue(await books.customer(), "100.00", issue_date="2024-03-01", due_date="2024-03-15")
    payment: dict[str, Any] = {}
    for what, amount, day, booked_on in moves:
        await books.at(booked_on)
        if what == "pay":
            payment = await books.pay(amount, allocations=[{"invoice_id": issued["id"]}], received_on=day)
        elif what == "credit":
            body = {"reason": "returned", "amount": eur(amount), "issue_date": day}
            assert (await books.post(f"/v1/invoices/{issued['id']}/credit-notes", body)).status_code == 201
        elif what == "bounce":
            await books.reverse(payment["id"])
        else:
            seen = await books.http.get("/v1/entities/default")
            locked = await books.http.put(
                "/v1/entities/default/period-lock",
                json={"locked_until": day},
                headers={"if-match": seen.headers["etag"]},
            )
            assert locked.status_code == 200, locked.text

    after = await books.invoice(issued["id"])
    told = [event for event in await books.published(issued["id"]) if event["type"] == "invoice.settled"]

    assert (after["status"], after["settled_on"]) == ("settled", settled_on)
    assert told[-1]["data"]["days_late"] == days_late
