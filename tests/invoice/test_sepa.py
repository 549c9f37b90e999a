"""SEPA mandates: signed on the provider's page, debits announced in time, confirmed days later, sometimes returned."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.async_api import Page

from tests.browser import needs_chromium
from tests.invoice.pay_site import EMPTY_IBAN, GOOD_IBAN, Debits, until


async def test_a_mandate_is_kept_with_its_reference_and_shown_without_the_account(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)

    kept = await debits.books.database.pool.fetchrow("select * from saved_method")
    page = await debits.page(customer)

    assert (kept["kind"], kept["last4"], kept["status"]) == ("sepa_debit", "3000", "active")
    assert "über SEPA •••• 3000 eingezogen" in page
    assert f"Mandatsreferenz: {kept['mandate_reference']}" in page
    assert "0532" not in page


async def test_a_debit_is_announced_fourteen_days_before_and_booked_when_the_bank_confirms_it(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    invoice = await debits.books.issue(customer, "80.00", due_date="2024-03-29")

    await debits.books.at("2024-03-15", 8)
    await debits.books.tick()
    assert await debits.collections() == []
    await debits.announce()
    [told] = debits.mails("buchen")
    assert "80,00 €" in told
    assert "29. März 2024" in told
    assert await debits.books.database.pool.fetchval("select mandate_reference from saved_method") in told
    assert "Wir buchen 80,00 € am 29. März 2024 ab (SEPA •••• 3000)" in await debits.page(customer)

    await debits.books.at("2024-03-29", 9)
    await debits.books.tick()
    assert await debits.collections() == [("meant", 8000)]
    assert "80,00 € wird gerade eingezogen" in await debits.page(customer)
    [item] = (await debits.books.get(f"/v1/customers/{customer}/balance"))["items"]
    assert (item["collectable"]["amount"], item["being_collected"]["amount"]) == ("0.00", "80.00")

    form = {"invoice": invoice["id"], "attempt": str(uuid4())}
    twice = await debits.http.post(f"{await debits.link(customer)}/checkouts", data=form)
    assert (twice.status_code, "in Einzug oder in Klärung" in twice.text) == (422, True)

    await until(lambda: debits.settled(invoice))
    [payment] = (await debits.books.get("/v1/payments", customer_id=customer))["items"]
    assert (payment["method"], payment["amount"]["amount"]) == ("direct_debit", "80.00")


@pytest.mark.parametrize(
    ("notice_days", "due", "debit_on"),
    [
        (14, "2024-03-14", "2024-03-15"),
        (14, "2024-03-15", "2024-03-15"),
        (2, "2024-03-02", "2024-03-03"),
        (2, "2024-03-03", "2024-03-03"),
    ],
)
async def test_a_debit_comes_on_the_due_date_but_not_before_the_notice_is_over(
    debits: Debits, notice_days: int, due: str, debit_on: str
) -> None:
    await debits.policies(delivery={"automatic": True}, collection={"notice_days": notice_days})
    customer = await debits.customer()
    await debits.sign(customer)
    await debits.books.issue(customer, "80.00", due_date=due)
    await debits.books.at("2024-03-01", 9)
    await debits.books.tick()

    found = await debits.books.database.pool.fetchval("select debit_on from collection")

    assert found.isoformat() == debit_on


async def test_a_debit_is_announced_by_letter_to_who_has_no_address_for_mails(debits: Debits) -> None:
    customer = await debits.books.customer(contacts=[])
    await debits.sign(customer)
    await debits.books.issue(customer, "80.00", due_date="2024-03-29")

    await debits.announce()

    told = (await debits.books.get("/v1/deliveries", customer_id=customer))["items"]
    assert ("debit_announced", "letter") in [(each["kind"], each["channel"]) for each in told]


async def test_no_more_is_debited_than_was_announced_and_nothing_that_was_paid(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    part = await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    whole = await debits.books.issue(customer, "50.00", due_date="2024-03-29")
    await debits.announce()
    await debits.books.pay("30.00", customer_id=customer, reference=part["number"])
    await debits.books.pay("50.00", customer_id=customer, reference=whole["number"])

    await debits.books.at("2024-03-29", 9)
    await debits.books.tick()

    assert sorted(await debits.collections()) == [("meant", 5000), ("needless", 5000)]
    await until(lambda: debits.settled(part))


async def test_what_is_debited_anyway_is_not_chosen_on_the_page_nor_in_the_bank_details(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    await debits.books.issue(customer, "150.00", issue_date="2024-01-10", due_date="2024-02-09")

    before = await debits.page(customer)
    await debits.announce()
    after = await debits.page(customer)

    assert (before.count(" checked"), after.count(" checked")) == (2, 1)
    assert ("<dd>230,00 €</dd>" in before, "<dd>150,00 €</dd>" in after) == (True, True)


async def test_a_debit_without_funds_is_told_and_tried_again_after_the_notice(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer, EMPTY_IBAN)
    await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    await debits.announce()
    await debits.books.at("2024-03-29", 9)
    await debits.books.tick()

    async def refused() -> bool:
        return ("refused", 8000) in await debits.collections()

    await until(refused)
    await debits.books.tick()

    [told] = debits.mails("nicht eingezogen")
    assert "12. April 2024" in told
    assert "Neuer Versuch am 12. April 2024" in await debits.page(customer)
    [item] = (await debits.books.get(f"/v1/customers/{customer}/balance"))["items"]
    assert item["collectable"]["amount"] == "80.00"
    await debits.books.at("2024-04-12", 9)
    await debits.books.tick()
    assert await debits.collections() == [("refused", 8000), ("meant", 8000)]


async def test_a_returned_debit_reopens_the_invoice_with_a_new_episode_and_tells_the_customer(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    invoice = await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    await debits.announce()
    await debits.books.wake_on("2024-04-02")
    await until(lambda: debits.settled(invoice))

    await debits.give_back("insufficient_funds")

    async def open_again() -> bool:
        return (await debits.books.invoice(invoice["id"]))["status"] == "open"

    await until(open_again)
    await debits.books.tick()
    seen = await debits.books.invoice(invoice["id"])
    assert (seen["overdue_episode"], seen["overdue_since"]) == (2, "2024-04-02")
    [told] = debits.mails("kam zurück")
    assert "80,00 €" in told
    assert invoice["number"] in told
    [payment] = (await debits.books.get("/v1/payments", customer_id=customer))["items"]
    assert (payment["status"], payment["reversal_kind"]) == ("reversed", "bounced")


async def test_a_mandate_that_the_bank_ended_debits_nothing(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    await debits.announce()
    mandate = await debits.books.database.pool.fetchval("select mandate_id from saved_method")

    await debits.http.post(f"{debits.provider}/_bank/mandates", data={"mandate": mandate})

    async def dropped() -> bool:
        return await debits.collections() == [("needless", 8000)]

    await until(dropped)
    assert "eingezogen" not in (await debits.page(customer)).replace("von selbst eingezogen", "")


async def test_another_account_takes_over_what_was_announced(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer, EMPTY_IBAN)
    invoice = await debits.books.issue(customer, "80.00", due_date="2024-03-29")
    await debits.announce()
    await debits.sign(customer, GOOD_IBAN)

    await debits.books.at("2024-03-29", 9)
    await debits.books.tick()

    await until(lambda: debits.settled(invoice))


async def test_what_is_owed_in_another_currency_is_not_debited(debits: Debits) -> None:
    customer = await debits.customer()
    await debits.sign(customer)
    await debits.books.issue(customer, "80.00", "USD", due_date="2024-03-29")

    await debits.books.wake_on("2024-04-10")

    assert await debits.collections() == []


@needs_chromium
async def test_a_customer_leaves_its_account_from_the_page(debits: Debits, tab: Page) -> None:
    customer = await debits.customer()
    await tab.goto(await debits.link(customer))
    await tab.get_by_role("button", name="Karte oder Bankkonto hinterlegen").click()
    await tab.get_by_label("IBAN").fill(GOOD_IBAN)
    await tab.get_by_role("button", name="Pay").click()
    await tab.wait_for_url("**/pay/**")

    assert "wird hinterlegt" in await tab.inner_text(".notice")


async def test_a_payment_by_debit_on_the_page_keeps_the_mandate_once_it_is_confirmed(debits: Debits) -> None:
    customer = await debits.customer()
    invoice = await debits.books.issue(customer, "80.00", issue_date="2024-01-10", due_date="2024-02-09")
    link = await debits.link(customer)
    form = {"invoice": [invoice["id"]], "attempt": str(uuid4()), "save": "true"}
    answer = await debits.http.post(f"{link}/checkouts", data=form)
    await debits.http.post(answer.headers["location"], data={"iban": GOOD_IBAN})

    async def under_way() -> bool:
        return await debits.books.database.pool.fetchval("select status = 'processing' from checkout")

    await until(under_way)
    assert "80,00 € in Einzug" in await debits.page(customer)
    await until(lambda: debits.settled(invoice))
    await debits.books.tick()
    assert "SEPA •••• 3000" in await debits.page(customer)
