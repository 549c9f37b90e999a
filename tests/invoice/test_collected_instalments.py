"""Instalments of a plan: collected by the saved method on their days, paid one by one on the page, and told apart from
what is overdue."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page

from tests.browser import needs_chromium
from tests.invoice.pay_site import EMPTY_IBAN, GOOD_CARD, GOOD_IBAN, Debits, Site, until


async def card_left(site: Site, customer: str) -> None:
    link = await site.link(customer)
    answer = await site.http.post(f"{link}/method", data={"attempt": str(uuid4())})
    await site.http.post(answer.headers["location"], data={"number": GOOD_CARD})
    await until(lambda: site.books.database.pool.fetchval("select true from saved_method where status = 'wanted'"))
    await site.books.tick()


async def agreed(site: Site, customer: str, first_on: str = "2024-04-01") -> tuple[dict[str, Any], list[str]]:
    """Three instalments of 100.00 over two overdue invoices; returns the plan and the invoices' ids."""
    owed = [
        await site.books.issue(customer, amount, issue_date="2024-01-10", due_date="2024-02-09")
        for amount in ("120.00", "180.00")
    ]
    parts = {"count": 3, "every": "month", "first_on": first_on}
    answer = await site.books.post(f"/v1/customers/{customer}/plans", parts)
    assert answer.status_code == 201, answer.text
    return answer.json(), [invoice["id"] for invoice in owed]


async def paid(site: Site, plan: dict[str, Any]) -> list[str]:
    seen = await site.books.get(f"/v1/plans/{plan['id']}")
    return [each["paid"]["amount"] for each in seen["instalments"]]


async def status(site: Site, plan: dict[str, Any]) -> str:
    return (await site.books.get(f"/v1/plans/{plan['id']}"))["status"]


async def collect(site: Site, day: str) -> None:
    await site.books.at(day, 9)
    await site.books.tick()


async def test_each_instalment_is_collected_on_its_day_until_the_plan_is_kept(site: Site) -> None:
    await site.described()
    customer = await site.books.customer()
    await card_left(site, customer)
    plan, invoices = await agreed(site, customer)

    seen = []
    for day in ("2024-03-31", "2024-04-01", "2024-05-01", "2024-06-01", "2024-06-02"):
        await collect(site, day)
        seen.append(await paid(site, plan))

    assert seen == [
        ["0.00", "0.00", "0.00"],
        ["100.00", "0.00", "0.00"],
        ["100.00", "100.00", "0.00"],
        ["100.00", "100.00", "100.00"],
        ["100.00", "100.00", "100.00"],
    ]
    assert await status(site, plan) == "kept"
    assert [(await site.books.invoice(each))["status"] for each in invoices] == ["settled", "settled"]
    payments = (await site.books.get("/v1/payments", customer_id=customer))["items"]
    assert [each["amount"]["amount"] for each in payments] == ["100.00"] * 3


async def test_an_instalment_the_customer_paid_is_not_collected_again(site: Site) -> None:
    customer = await site.books.customer()
    await card_left(site, customer)
    plan, [first, _] = await agreed(site, customer)
    await site.books.pay("100.00", allocations=[{"invoice_id": first}])

    await collect(site, "2024-04-01")

    assert await paid(site, plan) == ["100.00", "0.00", "0.00"]


async def test_a_debit_under_way_does_not_break_a_plan_and_one_that_fails_does(debits: Debits) -> None:
    for iban, outcome in ((GOOD_IBAN, "active"), (EMPTY_IBAN, "broken")):
        customer = await debits.customer()
        await debits.sign(customer, iban)
        plan, _ = await agreed(debits, customer)
        await collect(debits, "2024-03-18")
        assert "Rate vom 1. April 2024: Wir buchen 100,00 € am 1. April 2024 ab" in await debits.page(customer)
        await collect(debits, "2024-04-01")
        await debits.books.at("2024-04-05")  # A day after the instalment would be missed; the bank has said nothing.
        await debits.books.tick()
        assert await status(debits, plan) == "agreed"

        async def heard() -> bool:
            return not await debits.books.database.pool.fetchval("select awaited_minor from plan order by id desc")

        await until(heard)
        await debits.books.tick()
        assert await status(debits, plan) == outcome
        await debits.books.at("2024-03-01")


async def test_a_debit_that_cannot_be_announced_in_time_is_left_to_the_customer(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    plan, _ = await agreed(debits, customer, first_on="2024-03-14")

    await collect(debits, "2024-03-14")
    assert await paid(debits, plan) == ["0.00", "0.00", "0.00"]
    assert "100,00 € jetzt zahlen" in await debits.page(customer)

    rows = await debits.books.database.pool.fetch("select instalment_on, status from collection")
    assert [(row[0].isoformat(), row[1]) for row in rows] == [("2024-03-14", "needless")]


async def test_a_broken_plan_is_not_collected_at_once(site: Site) -> None:
    customer = await site.books.customer()
    await card_left(site, customer)
    invoice = await site.books.issue(customer, "300.00", due_date="2024-03-20")
    await site.books.post(f"/v1/invoices/{invoice['id']}/plans", {"count": 3, "first_on": "2024-04-01"})
    [plan] = (await site.books.get("/v1/plans", customer_id=customer))["items"]
    await site.books.post(f"/v1/plans/{plan['id']}/cancellation", {"reason": "by phone"})

    await collect(site, "2024-04-10")

    assert (await site.books.invoice(invoice["id"]))["balance"]["amount"] == "300.00"


@needs_chromium
async def test_the_next_instalment_is_paid_from_the_page(site: Site, tab: Page) -> None:
    await site.described()
    customer = await site.books.customer(name="Bäckerei Krume")
    plan, _ = await agreed(site, customer)
    await tab.goto(await site.link(customer))
    if folder := os.environ.get("PICTURES"):
        await tab.screenshot(path=f"{folder}/plan-phone.png", full_page=True)
        await tab.set_viewport_size({"width": 1280, "height": 900})
        await tab.screenshot(path=f"{folder}/plan-desk.png", full_page=True)
        await tab.set_viewport_size({"width": 390, "height": 844})
    await tab.get_by_role("button", name="100,00\xa0€ jetzt zahlen").click()
    await tab.get_by_label("Card number").fill(GOOD_CARD)
    await tab.get_by_role("button", name="Pay").click()
    await tab.wait_for_url("**/pay/**")

    async def filled() -> bool:
        return await paid(site, plan) == ["100.00", "0.00", "0.00"]

    await until(filled)


async def test_an_instalment_is_paid_once_however_often_the_page_is_open(site: Site) -> None:
    customer = await site.books.customer()
    plan, [first, _] = await agreed(site, customer)
    link = await site.link(customer)
    form = {"plan": plan["id"], "instalment_on": "2024-04-01", "attempt": str(uuid4())}
    await site.books.pay("100.00", allocations=[{"invoice_id": first}])

    answer = await site.http.post(f"{link}/checkouts", data=form)

    assert answer.status_code == 422
    assert "schon bezahlt" in answer.text


async def test_another_customers_plan_is_not_there(site: Site) -> None:
    plan, _ = await agreed(site, await site.books.customer())
    other = await site.link(await site.books.customer())

    form = {"plan": plan["id"], "instalment_on": "2024-04-01", "attempt": str(uuid4())}
    answer = await site.http.post(f"{other}/checkouts", data=form)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("day", "overdue", "on_plan"),
    [
        ("2024-03-01", "0.00", "300.00"),
        ("2024-04-01", "0.00", "300.00"),
        ("2024-04-02", "100.00", "300.00"),
    ],
)
async def test_what_is_on_a_plan_is_overdue_only_by_its_late_instalments(
    site: Site,
    day: str,
    overdue: str,
    on_plan: str,
) -> None:
    customer = await site.books.customer()
    await agreed(site, customer)
    await site.books.at(day)

    balance = await site.books.get(f"/v1/customers/{customer}/balance")
    page = (await site.http.get(await site.link(customer))).text.replace("\xa0", " ")

    [total] = balance["totals"]
    assert (total["overdue"]["amount"], total["on_plan"]["amount"]) == (overdue, on_plan)
    assert [item["on_plan"]["amount"] for item in balance["items"]] == ["120.00", "180.00"]
    assert "300,00 € in Raten vereinbart" in page
    assert ("davon überfällig" in page) == (overdue != "0.00")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Please choose a day from 1 March 2024 to 31 March 2024."),
        ("de", "Bitte wählen Sie einen Tag vom 1. März 2024 bis zum 31. März 2024."),
        ("fr", "Merci de choisir un jour du 1 mars 2024 au 31 mars 2024."),
        ("es", "Elija un día del 1 de marzo de 2024 al 31 de marzo de 2024."),
    ],
)
async def test_refusals_are_in_the_customers_language(site: Site, language: str, said: str) -> None:
    customer = await site.books.customer(language=language)
    await site.books.issue(customer, "119.00", issue_date="2024-01-10", due_date="2024-02-09")

    answer = await site.http.post(f"{await site.link(customer)}/promise", data={"promised_on": "2024-05-01"})

    assert answer.status_code == 422
    assert said in answer.text
