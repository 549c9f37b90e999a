"""Search: whatever somebody remembers of an invoice, a customer or a payment, and never a walk through all of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser

from deploy.local.embedded import free_port
from services.reporting.app import create_api
from services.reporting.search import rules, store
from services.reporting.search.rules import NothingAsked
from services.reporting.settings import Settings
from shared.events.invoice import PaymentReceived, PaymentState
from shared.money import Money
from tests.browser import needs_chromium, serving, signed_in
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem
from tests.service_client import app_of

D = date


def a_payment(books: Books, customer_id: UUID, minor: int, reference: str | None, currency: str = "EUR") -> UUID:
    amount, nothing = Money(minor, currency), Money(0, currency)
    state = PaymentState(
        id=UUID(int=minor),
        version=1,
        entity_id="default",
        status="unapplied",
        received_on=D(2021, 5, 3),
        amount=amount,
        applied=nothing,
        unapplied=amount,
        method="bank_transfer",
        reference=reference,
    )
    on = D(2021, 5, 3)
    books.events.append(
        PaymentReceived(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", payment=state)
    )
    return state.id


async def titles(reporting: Reporting, q: str, **more: Any) -> list[tuple[str, str]]:
    return [(each["kind"], each["title"]) for each in (await reporting.get("/v1/search", q=q, **more))["items"]]


async def test_everything_is_found_by_what_people_remember_of_it(reporting: Reporting) -> None:
    books = Books()
    acme, other = books.onboard("Acme Söhne GmbH"), books.onboard("Böhm & Acosta")
    first = books.issue(acme, D(2021, 3, 1), 1_234_50)
    books.issue(other, D(2021, 3, 2), 999, "JPY")
    books.dispute(first, D(2021, 3, 9), 200_00)
    books.remind(acme, D(2021, 4, 9), "first reminder", (first.number,))
    payment = a_payment(books, other, 77_00, "Rechnung RE-4711 mit Dank")
    books.rename(acme, "Zenith AG", D(2021, 6, 1))
    await reporting.hear(books)
    its = [("dispute", "INV-00001: quality"), ("contact", "First reminder by email")]

    assert await titles(reporting, "inv-0000") == [("invoice", "INV-00001"), ("invoice", "INV-00002"), *its]
    for asked in ("INV-00001", "inv00001", "INV 00001", "0001", "1.234,50", "€1,234.50", "1234.5 EUR", str(first.id)):
        assert await titles(reporting, asked) == [("invoice", "INV-00001"), *its], asked
    assert await titles(reporting, "999") == [("invoice", "INV-00002")]
    assert await titles(reporting, "999.00") == []  # Of yen there are no hundredths.
    for asked in ("zen", "ZENITH ag", "söhne", "acme gm", "acme-söhne-gmbh"):
        assert await titles(reporting, asked, kind="customer") == [("customer", "Zenith AG")], asked
    assert await titles(reporting, "ac", kind="customer") == [("customer", "Böhm & Acosta"), ("customer", "Zenith AG")]
    assert await titles(reporting, "zenith") == [("customer", "Zenith AG"), *its]
    for asked in ("4711", "dank rech", "77", str(payment)):
        assert await titles(reporting, asked) == [("payment", "Rechnung RE-4711 mit Dank")], asked
    assert await titles(reporting, "acme dank") == []

    (found,) = (await reporting.get("/v1/search", q="re 4711"))["items"]
    assert (found["amount"], found["currency"], found["on"], found["customer_name"]) == (
        "77.00",
        "EUR",
        "2021-05-03",
        "Böhm & Acosta",
    )
    refused = await reporting.http.get("/v1/search", params={"q": "&& --"})
    assert problem(refused, 422) == "nothing-asked"


@needs_chromium
async def test_the_box_of_any_page_leads_to_what_was_found(
    reporting: Reporting, settings: Settings, keys_folder: Path, chromium: Browser
) -> None:
    books = Books()
    books.issue(books.onboard("<b>Acme & Söhne</b>"), D(2021, 3, 1), 1_234_50)
    await reporting.hear(books)
    port = free_port()
    app = app_of(create_api, settings.model_copy(update={"reporting_url": f"http://127.0.0.1:{port}"}))
    app.state.database = reporting.database
    async with serving(app, port) as url, signed_in(chromium, url, keys_folder, "anna", "reports:read", 390) as tab:
        await tab.go("/search")
        assert await tab.page.evaluate("document.activeElement.name") == "q"
        for asked, shown in (
            ("sÖhn", "Customers <b>Acme & Söhne</b> Active"),
            ("inv1", "Nothing is called “inv1”"),
            ("00001", "Invoices INV-00001 <b>Acme & Söhne</b> 1 Mar 2021 €1,234.50"),
            ("--", "Nothing is called “--”"),
        ):
            await tab.page.fill(".seek input", asked)
            async with tab.page.expect_navigation():
                await tab.page.press(".seek input", "Enter")
            assert shown in await tab.text(), asked
            assert await tab.overflow() == 0
        assert tab.complaints == []


async def test_of_many_the_first_are_shown_and_that_there_are_more(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard("Acme")
    for day in range(1, 13):
        books.issue(customer, D(2021, 1, day), 100_00)
    await reporting.hear(books)
    found = await reporting.get("/v1/search", q="INV", limit=11, kind="invoice")
    assert (found["items"][0]["title"], len(found["items"])) == ("INV-00001", 11)
    assert found["more"] == ["invoice"]
    assert (await reporting.get("/v1/search", q="INV", limit=12, kind="invoice"))["more"] == []


async def test_a_question_reads_ranges_of_indexes_however_many_invoices_there_are(reporting: Reporting) -> None:
    pool = reporting.database.pool
    await pool.execute(
        """
        insert into invoice select gen_random_uuid(), 1, gen_random_uuid(), 'INV-' || lpad(n::text, 7, '0'), 'open',
            date '2021-01-01', date '2021-02-01', 'EUR', n % 5000 * 100 + 1, 0, 0, null
        from generate_series(1, 20000) n
        """
    )
    await pool.execute(
        "insert into search_word select 'inv' || n, 'payment', gen_random_uuid() from generate_series(1, 9000) n"
    )
    await pool.execute("analyze invoice, search_word")
    for sql, asked in (
        (store.NUMBERED, ("INV", 10)),
        (store.NUMBERED, ("4711", 10)),
        (store.OVER, ([1, 20001], ["EUR", "EUR"], 10)),
        (store.CALLED, (["inv"], "payment")),
    ):
        async with pool.acquire() as connection:
            plan = [row[0] for row in await connection.fetch(f"explain (analyze, costs off) {sql}", *asked)]
        text = "\n".join(plan)
        assert "Seq Scan" not in text, text
        read = [
            int(float(line.partition("rows=")[2].split(" ")[0]))
            for line in plan
            if "Index" in line and "Scan" in line and "rows=" in line.partition("actual")[2]
        ]
        assert max(read) <= store.CANDIDATES_MAX, text


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("1250", [(125000, "EUR"), (1250, "JPY")]),
        ("12.50", [(1250, "EUR")]),
        ("1.250", [(125000, "EUR"), (1250, "JPY")]),
        ("1,250.5", [(125050, "EUR")]),
        ("1'250,50 CHF", [(125050, "EUR")]),
        ("0", []),
        ("INV-12", []),
        ("9" * 16, []),
    ],
)
def test_an_amount_may_be_written_as_people_write_it(text: str, amounts: list[tuple[int, str]]) -> None:
    assert rules.minor_amounts(rules.read_question(text), ["EUR", "JPY"]) == amounts


@pytest.mark.parametrize("text", ["", "  ", "-- &", "\x00"])
def test_nothing_is_asked_without_a_letter_or_a_digit(text: str) -> None:
    with pytest.raises(NothingAsked):
        rules.read_question(text)
