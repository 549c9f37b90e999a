"""Recurring invoices over the real application: each period once, its part to the cent, and nothing lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from services.invoice.recurring import handlers as recurring
from shared.db import reading, transaction
from tests.invoice.client import Receivables, eur, line, pointers, problem

MONTHLY = "FREQ=MONTHLY;BYMONTHDAY=1"
MAY = {"from": "2024-05-01"}


async def agree(books: Receivables, **more: Any) -> dict[str, Any]:
    """100.00 a month from 1 March 2024, the day the books are opened."""
    customer = more.pop("customer_id", None) or await books.customer(language="en")
    body = {"customer_id": customer, "lines": [line("100.00")], "rrule": MONTHLY, "starts_on": "2024-03-01", **more}
    answer = await books.post("/v1/recurring-invoices", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def invoices(books: Receivables) -> list[dict[str, Any]]:
    return (await books.get("/v1/invoices"))["items"]


async def periods(books: Receivables, agreed: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    return (await books.get(f"/v1/recurring-invoices/{agreed['id']}/periods", **query))["items"]


async def look(books: Receivables, agreed: dict[str, Any]) -> dict[str, Any]:
    return await books.get(f"/v1/recurring-invoices/{agreed['id']}")


async def do(books: Receivables, agreed: dict[str, Any], what: str, **body: Any) -> dict[str, Any]:
    answer = await books.post(f"/v1/recurring-invoices/{agreed['id']}/{what}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def preview(books: Receivables, agreed: dict[str, Any], periods: int = 12) -> list[dict[str, Any]]:
    return (await books.get(f"/v1/recurring-invoices/{agreed['id']}/preview", periods=periods))["items"]


async def test_a_month_is_invoiced_on_its_first_day_with_the_month_on_the_line(books: Receivables) -> None:
    agreed = await agree(books, lines=[line("100.00", description="Hosting {month}"), line("5.00")])
    await books.tick()

    [issued] = await invoices(books)
    document = await books.invoice(issued["id"])
    assert [each["description"] for each in document["lines"]] == [
        "Hosting March 2024",
        "Consulting, Mar 1, 2024 – Mar 31, 2024",
    ]
    assert document["lines"][0]["about"]["period"] == {"since": "2024-03-01", "until": "2024-03-31"}
    assert (issued["total"], issued["issue_date"], issued["number"]) == (eur("105.00"), "2024-03-01", "DW-000001")
    assert books.credit.asked[0]["amount"] == eur("105.00")
    [period] = await periods(books, agreed)
    assert (period["status"], period["invoice_id"]) == ("issued", issued["id"])
    now = await look(books, agreed)
    assert (now["billed_through"], now["next_bill_on"], now["status"]) == ("2024-03-31", "2024-04-01", "active")

    await books.wake_on("2024-03-31")
    assert len(await invoices(books)) == 1, "the next one is due at midnight, not before"
    assert await books.next_due(recurring.NEXT_DUE) == datetime(2024, 4, 1, tzinfo=UTC)
    await books.wake_on("2024-04-01")
    assert len(await invoices(books)) == 2


async def test_in_arrears_a_period_is_invoiced_when_it_is_over(books: Receivables) -> None:
    await agree(books, timing="arrears", starts_on="2024-03-01", count=2)
    await books.wake_on("2024-03-31")
    assert await invoices(books) == []
    await books.wake_on("2024-04-01")
    [issued] = await invoices(books)
    assert issued["issue_date"] == "2024-04-01"


async def test_an_outage_is_caught_up_a_period_at_a_time_dated_by_the_policy(books: Receivables) -> None:
    on_its_day = await agree(books)
    today = await agree(books, catch_up="today")

    await books.wake_on("2024-06-15")

    by_customer: dict[str, list[str]] = {}
    for each in await invoices(books):
        by_customer.setdefault(each["customer_id"], []).append(each["issue_date"])
    assert by_customer[on_its_day["customer_id"]] == ["2024-03-01", "2024-04-01", "2024-05-01", "2024-06-01"]
    assert by_customer[today["customer_id"]] == ["2024-06-15"] * 4
    journal = (await books.get("/v1/journal", customer_id=on_its_day["customer_id"]))["items"]
    assert {each["booked_on"] for each in journal} == {"2024-06-15"}
    assert len(await periods(books, on_its_day)) == 4


async def test_a_part_of_the_first_and_of_the_last_period_is_billed_by_its_days(books: Receivables) -> None:
    agreed = await agree(books, starts_on="2024-03-11", ends_on="2024-05-10")

    ahead = await preview(books, agreed)

    assert [(each["period_start"], each["period_end"], each["total"]["amount"]) for each in ahead] == [
        ("2024-03-11", "2024-03-31", "67.74"),  # 100.00 - half-even(100 x 10 / 31) = 100.00 - 32.26
        ("2024-04-01", "2024-04-30", "100.00"),
        ("2024-05-01", "2024-05-10", "32.26"),  # half-even(100 x 10 / 31)
    ]
    assert ahead[0]["lines"][0]["description"] == "Consulting, Mar 11, 2024 – Mar 31, 2024 (21/31)"
    await books.wake_on("2024-06-01")
    assert [each["total"]["amount"] for each in await invoices(books)] == ["67.74", "100.00", "32.26"]
    assert (await look(books, agreed))["status"] == "ended"
    ended = await books.post(f"/v1/recurring-invoices/{agreed['id']}/pause", {})
    assert problem(ended, 409) == "recurring-invoice-ended"


async def test_without_proration_every_period_costs_the_same(books: Receivables) -> None:
    agreed = await agree(books, starts_on="2024-03-11", ends_on="2024-04-10", proration="none")
    assert [each["total"]["amount"] for each in await preview(books, agreed)] == ["100.00", "100.00"]


async def test_a_price_that_changes_within_a_period_has_a_line_for_each_price(books: Receivables) -> None:
    changes = [
        {"from": "2024-04-16", "percentage": "10"},
        {"from": "2024-06-01", "lines": [line("80.00"), line("20.00", description="Support")]},
    ]
    agreed = await agree(books, price_changes=changes)

    ahead = await preview(books, agreed, 4)

    assert [each["total"]["amount"] for each in ahead] == ["100.00", "105.00", "110.00", "100.00"]
    assert [each["net"]["amount"] for each in ahead[1]["lines"]] == ["50.00", "55.00"]
    assert len(ahead[3]["lines"]) == 2


async def test_a_part_of_a_line_with_an_allowance_and_a_fine_price_is_a_share_of_its_net(books: Receivables) -> None:
    fine = line("0.0125", quantity="10000", allowances=[{"percent": "10", "reason": "Loyalty"}])
    agreed = await agree(books, lines=[fine], ends_on="2024-03-10", price_changes=[{**MAY, "percentage": "50"}])
    [part] = await preview(books, agreed)
    assert part["total"] == eur("36.29"), "125.00 less 12.50 is 112.50 for 31 days"


async def test_every_invoice_is_of_the_product_line_that_was_agreed_also_for_a_part_of_a_period(
    books: Receivables,
) -> None:
    lines = [line("31.00", product_line="HOSTING"), line("5.00")]
    await agree(books, lines=lines, starts_on="2024-03-11", ends_on="2024-04-30")
    await books.wake_on("2024-05-01")
    told = [(await books.published(each["id"]))[0]["data"]["product_lines"] for each in await invoices(books)]
    assert [share["net"]["amount"] for (share,) in told] == ["21.00", "31.00"]
    assert {share["product_line"] for (share,) in told} == {"HOSTING"}


async def test_terms_of_payment_go_onto_every_invoice(books: Receivables) -> None:
    await agree(books, payment_terms={"net_days": 10, "end_of_month": "after"}, catch_up="today")
    await books.wake_on("2024-04-12")
    assert [each["due_date"] for each in await invoices(books)] == ["2024-04-30", "2024-04-30"]


async def test_days_in_a_pause_are_not_billed(books: Receivables) -> None:
    agreed = await agree(books)
    await books.tick()
    paused = await do(books, agreed, "pause", **{"from": "2024-04-11", "until": "2024-04-21"})
    assert paused["status"] == "active", "a pause that has its end is no open one"

    ahead = await preview(books, agreed, 2)
    assert ahead[0]["total"] == eur("66.66"), "33.33 for ten days, 33.33 for the last ten; the ten between are 33.34"
    assert [run["first"] for run in ahead[0]["runs"]] == ["2024-04-01", "2024-04-21"]
    await books.wake_on("2024-05-01")
    assert [each["total"]["amount"] for each in await invoices(books)] == ["100.00", "66.66", "100.00"]


async def test_after_an_open_pause_the_rest_of_the_period_is_billed_from_the_day_of_resuming(
    books: Receivables,
) -> None:
    agreed = await agree(books)
    await books.tick()
    assert (await do(books, agreed, "pause", **{"from": "2024-04-11"}))["status"] == "paused"
    await books.wake_on("2024-06-21")
    assert [each["total"]["amount"] for each in await invoices(books)] == ["100.00", "33.33"]
    assert (await look(books, agreed))["next_bill_on"] is None

    resumed = await do(books, agreed, "resume")
    assert (resumed["status"], resumed["next_bill_on"]) == ("active", "2024-06-21")
    await books.tick()

    assert [each["total"]["amount"] for each in await invoices(books)] == ["100.00", "33.33", "33.33"]
    assert [each["period_start"] for each in await periods(books, agreed)] == [
        "2024-03-01",
        "2024-04-01",
        "2024-06-21",
    ]


async def test_ending_bills_up_to_the_day_and_no_further(books: Receivables) -> None:
    agreed = await agree(books, timing="arrears")
    await books.wake_on("2024-04-15")
    await do(books, agreed, "end")
    await books.wake_on("2024-09-01")
    assert [each["total"]["amount"] for each in await invoices(books)] == ["100.00", "50.00"]
    assert (await look(books, agreed))["status"] == "ended"


async def test_what_credit_declines_is_held_and_listed_and_released_later(books: Receivables) -> None:
    await enforce(books)
    agreed = await agree(books)
    books.credit.outcome = "declined"
    await books.wake_on("2024-04-01")

    held = (await books.get("/v1/recurring-invoices/held"))["items"]
    assert [(each["period_start"], each["status"], each["reason"]) for each in held] == [
        ("2024-03-01", "held", "credit-declined"),
        ("2024-04-01", "held", "credit-declined"),
    ]
    assert await invoices(books) == []
    release = f"/v1/recurring-invoices/{agreed['id']}/periods/2024-03-01/release"
    assert problem(await books.post(release, {}), 422) == "credit-declined"
    books.credit.outcome = "approved"
    released = await books.post(release, {})
    dropped = await books.post(release.replace("03-01/release", "04-01/drop"), {"reason": "goodwill"})

    assert (released.status_code, dropped.status_code) == (200, 200), released.text + dropped.text
    [issued] = await invoices(books)
    assert (issued["issue_date"], issued["id"]) == ("2024-03-01", released.json()["invoice_id"])
    assert (await books.get("/v1/recurring-invoices/held"))["items"] == []
    assert problem(await books.post(release, {}), 409) == "recurring-period-not-held"
    assert len(books.credit.asked) == 4, "each question once, and anew for a release"


async def test_while_credit_has_to_be_asked_and_does_not_answer_the_period_waits(books: Receivables) -> None:
    await enforce(books)
    await agree(books)
    books.credit.reachable = False
    with pytest.raises(Exception, match="credit does not answer"):
        await books.tick()
    assert (await books.get("/v1/recurring-invoices/held"))["items"] == []
    books.credit.reachable = True
    await books.tick()
    assert len(await invoices(books)) == 1


async def enforce(books: Receivables) -> None:
    answer = await books.http.patch(
        "/v1/entities/default", json={"credit_policy": "enforce"}, headers={"if-match": '"1"'}
    )
    assert answer.status_code == 200, answer.text


async def test_a_closed_customers_period_is_held_and_others_go_on(books: Receivables) -> None:
    customer = await books.customer()
    await agree(books, customer_id=customer)
    other = await agree(books)
    await books.database.pool.execute("update customer set status = 'closed' where id = $1", customer)
    await books.tick()
    [held] = (await books.get("/v1/recurring-invoices/held"))["items"]
    assert held["reason"] == "customer-closed"
    assert [each["customer_id"] for each in await invoices(books)] == [other["customer_id"]]


async def test_a_period_is_invoiced_once_however_often_and_by_however_many_it_is_tried(books: Receivables) -> None:
    agreed = await agree(books)
    async with reading(books.database) as tx:
        [due] = await recurring.due_bills(tx)
    credit = await recurring.ask_credit(books.resources.credit, due)

    with pytest.raises(RuntimeError, match="killed"):
        await _bill_and_die(books, due, credit)
    await asyncio.gather(*(_bill(books, due, credit) for _ in range(4)))

    [issued] = await invoices(books)
    assert issued["number"] == "DW-000001", "the killed one gave its number back"
    assert len(await periods(books, agreed)) == 1


async def _bill(books: Receivables, due: Any, credit: Any) -> None:
    async with transaction(books.database) as tx:
        await recurring.bill_period(tx, due, credit)


async def _bill_and_die(books: Receivables, due: Any, credit: Any) -> None:
    async with transaction(books.database) as tx:
        await recurring.bill_period(tx, due, credit)
        raise RuntimeError("killed before the commit")


async def test_the_database_itself_refuses_a_second_invoice_for_a_period(books: Receivables) -> None:
    agreed = await agree(books)
    async with reading(books.database) as tx:
        [due] = await recurring.due_bills(tx)
    credit = await recurring.ask_credit(books.resources.credit, due)
    await _bill(books, due, credit)
    await books.database.pool.execute("update recurring_invoice set version = 1, billed_through = null")

    with pytest.raises(RuntimeError, match="billed before"):
        await _bill(books, due, credit)
    assert len(await invoices(books)) == len(await periods(books, agreed)) == 1


async def test_days_are_those_of_the_entitys_time_zone(books: Receivables) -> None:
    await books.database.pool.execute("update entity set time_zone = 'Asia/Tokyo'")
    await agree(books, starts_on="2024-03-02")
    assert await books.next_due(recurring.NEXT_DUE) == datetime(2024, 3, 1, 15, tzinfo=UTC)
    await books.at("2024-03-01", hour=15)
    await books.tick()
    assert [each["issue_date"] for each in await invoices(books)] == ["2024-03-02"]


async def test_changes_count_for_what_is_not_billed_yet(books: Receivables) -> None:
    agreed = await agree(books, payment_terms={"net_days": 7}, reference="PO 1")
    await books.tick()
    path = f"/v1/recurring-invoices/{agreed['id']}"
    change = {"lines": [line("120.00", currency="JPY")]}

    stale = await books.http.patch(path, json=change, headers={"if-match": '"1"'})
    unread = await books.http.patch(path, json=change)
    changed = await books.http.patch(
        path, json={"lines": [line("120.00")], "reference": None}, headers={"if-match": '"2"'}
    )
    await books.wake_on("2024-04-01")

    assert (problem(stale, 422), problem(unread, 428)) == ("invalid-request", "precondition-required")
    assert changed.status_code == 200, changed.text
    first, second = await invoices(books)
    assert (first["total"]["amount"], second["total"]["amount"]) == ("100.00", "120.00")
    assert (first["due_date"], first["reference"], second["reference"]) == ("2024-03-08", "PO 1", None)


@pytest.mark.parametrize(
    ("change", "slug", "pointer"),
    [
        ({"rrule": "FREQ=HOURLY"}, "recurrence-rule", "#/rrule"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "recurrence-rule", "#/rrule"),
        ({"rrule": "FREQ=MONTHLY;COUNT=3"}, "recurrence-rule", "#/rrule"),
        ({"ends_on": "2024-02-01"}, "recurring-schedule", "#/ends_on"),
        ({"starts_on": "2020-01-01"}, "recurring-schedule", "#/starts_on"),
        ({"lines": [line(description="For {customer}")]}, "recurring-template", "#/lines/0/description"),
        ({"lines": [line("-1.00")]}, "invalid-request", "#/lines/0/unit_price"),
        ({"lines": [line(quantity="-1")]}, "invoice-total", "#/lines"),
        ({"ends_on": "2024-05-01", "count": 2}, "invalid-request", "#"),
        ({"price_changes": [MAY]}, "invalid-request", "#/price_changes/0"),
        (
            {"price_changes": [{"from": "2024-05-01", "percentage": "-100"}]},
            "invalid-request",
            "#/price_changes/0/percentage",
        ),
        (
            {"price_changes": [{"from": "2024-05-01", "percentage": "1"}] * 2},
            "recurring-template",
            "#/price_changes/1/from",
        ),
        ({"entity_id": "nowhere"}, "entity-not-found", None),
        ({"customer_id": "018e0000-0000-7000-8000-000000000000"}, "customer-unknown", "#/customer_id"),
    ],
)
async def test_what_cannot_be_followed_is_refused_by_name(
    books: Receivables, change: dict[str, Any], slug: str, pointer: str | None
) -> None:
    body = {"customer_id": await books.customer(), "lines": [line()], "rrule": MONTHLY, "starts_on": "2024-03-01"}
    answer = await books.post("/v1/recurring-invoices", {**body, **change})
    status = 404 if slug == "entity-not-found" else 422
    assert problem(answer, status) == slug, answer.text
    if pointer:
        assert pointers(answer, status) == [pointer]
    assert (await books.get("/v1/recurring-invoices"))["items"] == []


async def test_lists_are_paged_and_filtered(books: Receivables) -> None:
    first, second = await agree(books), await agree(books, ends_on="2024-03-01")
    await books.tick()
    page = await books.get("/v1/recurring-invoices", limit=1)
    rest = await books.get("/v1/recurring-invoices", limit=1, cursor=page["next_cursor"])
    assert [each["id"] for each in page["items"] + rest["items"]] == [first["id"], second["id"]]
    ended = await books.get("/v1/recurring-invoices", status="ended")
    assert [each["id"] for each in ended["items"]] == [second["id"]]
    mine = await books.get("/v1/recurring-invoices", customer_id=first["customer_id"])
    assert [each["id"] for each in mine["items"]] == [first["id"]]
