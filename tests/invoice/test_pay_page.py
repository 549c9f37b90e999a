"""The customer's page: who the link lets in, what it shows, and paying, disputing and promising on it in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page

from services.invoice.pay_page import rules
from shared.money import Money
from tests.browser import needs_chromium
from tests.invoice.client import line
from tests.invoice.pay_site import BAD_CARD, GOOD_CARD, Site, a_customer_with_two_invoices, until

# --- the link ---


async def test_the_page_lists_what_is_open_in_the_customers_language(site: Site) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)

    page = await site.http.get(await site.link(customer))

    assert page.status_code == 200
    assert '<html lang="de">' in page.text
    assert "369,50\xa0€" in page.text
    assert "21 Tage überfällig" in page.text
    assert first["number"] in page.text
    assert "DE02 1203 0000 0000 2020 51" in page.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_every_message_of_a_month_carries_the_same_link_and_the_balance_does_too(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)

    assert (await site.books.get(f"/v1/customers/{customer}/balance"))["pay_link"] == await site.link(customer)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x", lambda t: "A" * 54]
)
async def test_a_forged_link_shows_nothing(site: Site, spoil: Callable[[str], str]) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    base, _, token = (await site.link(customer)).rpartition("/")

    page = await site.http.get(f"{base}/{spoil(token)}", headers={"accept-language": "fr"})

    assert page.status_code == 404
    assert "Ce lien n’est plus valable" in page.text
    assert first["number"] not in page.text


async def test_a_link_ends_with_its_sixth_month(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    link = await site.link(customer)

    await site.books.at("2024-09-30")
    assert (await site.http.get(link)).status_code == 200
    await site.books.at("2024-10-01")
    assert (await site.http.get(link)).status_code == 404


async def test_links_called_back_stop_working_and_a_new_one_works(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    old = await site.link(customer)

    assert (await site.books.post(f"/v1/customers/{customer}/pay-link/recall", {})).status_code == 204

    assert (await site.http.get(old)).status_code == 404
    assert (await site.http.get(await site.link(customer))).status_code == 200


async def test_another_customers_invoice_is_not_there(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    foreign = await site.books.issue(await site.books.customer(), "5.00")
    link = await site.link(customer)

    assert (await site.http.get(f"{link}/invoices/{foreign['id']}.pdf")).status_code == 404
    disputed = await site.http.post(f"{link}/disputes", data={"invoice": foreign["id"], "reason": "other"})
    assert disputed.status_code == 422
    paid = await site.http.post(f"{link}/checkouts", data={"invoice": foreign["id"], "attempt": str(uuid4())})
    assert paid.status_code == 422


async def test_the_pdf_of_an_own_invoice_is_handed_out(site: Site) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)

    pdf = await site.http.get(f"{await site.link(customer)}/invoices/{first['id']}.pdf")

    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF")


# --- promising and disputing ---


async def test_a_promise_is_published_for_each_open_invoice(site: Site) -> None:
    customer, first, second = await a_customer_with_two_invoices(site)
    link = await site.link(customer)

    answer = await site.http.post(f"{link}/promise", data={"promised_on": "2024-03-08"}, follow_redirects=True)
    late = await site.http.post(f"{link}/promise", data={"promised_on": "2024-05-01"})

    assert "Wir erwarten Ihre Zahlung am 8. März 2024" in answer.text
    assert late.status_code == 422
    for invoice in (first, second):
        told = (await site.books.published(invoice["id"]))[-1]
        assert (told["type"], told["data"]["promised_on"]) == ("invoice.promise_offered", "2024-03-08")


async def test_a_dispute_from_the_page_holds_the_invoice_back(site: Site) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    link = await site.link(customer)

    answer = await site.http.post(
        f"{link}/disputes", data={"invoice": first["id"], "reason": "damaged"}, follow_redirects=True
    )

    assert f"Ihre Nachricht zu Rechnung {first['number']} ist da" in answer.text
    assert (await site.books.invoice(first["id"]))["disputed"]["amount"] == "119.00"


async def test_what_the_customer_wrote_begins_the_disputes_thread(site: Site) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    link = await site.link(customer)

    await site.http.post(
        f"{link}/disputes",
        data={"invoice": first["id"], "reason": "damaged", "message": " Zwei Kisten\r\nwaren nass. "},
    )

    [dispute] = (await site.books.get("/v1/disputes", customer_id=customer))["items"]
    assert (dispute["code"], dispute["reason"]) == ("damaged", "Beschädigt oder mangelhaft")
    assert dispute["opened_by"] == "customer"
    [message] = (await site.books.get(f"/v1/disputes/{dispute['id']}"))["messages"]
    assert (message["author"], message["from_customer"]) == ("Bäckerei Krume", True)
    assert message["body"] == "Zwei Kisten\nwaren nass."


async def test_the_entitys_own_reasons_are_offered_and_no_others(site: Site) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    await site.policies(disputes={"codes": ["late_delivery", "other"]})
    link = await site.link(customer)

    page = await site.http.get(link)
    refused = await site.http.post(f"{link}/disputes", data={"invoice": first["id"], "reason": "damaged"})
    taken = await site.http.post(f"{link}/disputes", data={"invoice": first["id"], "reason": "late_delivery"})

    assert '<option value="late_delivery">Late delivery</option>' in page.text
    assert '<option value="other">Etwas anderes</option>' in page.text
    assert 'value="damaged"' not in page.text
    assert (refused.status_code, taken.status_code) == (422, 303)
    [dispute] = (await site.books.get("/v1/disputes", customer_id=customer))["items"]
    assert dispute["code"] == "late_delivery"


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("", "EUR", None),
        ("  ", "EUR", None),
        ("40", "EUR", 40_00),
        ("40,5", "EUR", 40_50),
        ("40.50", "EUR", 40_50),
        ("1.234,50 €", "EUR", 1234_50),
        ("1,234.50", "EUR", 1234_50),
        ("1 234,50", "EUR", 1234_50),
        ("1\u202f234,50 EUR", "EUR", 1234_50),
        ("1'234.50", "CHF", 1234_50),
        ("1.234", "EUR", 1234_00),
        ("1.234.567", "EUR", 1234567_00),
        ("1,000", "JPY", 1000),
        ("1,234", "KWD", 1_234),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, currency: str, minor: int | None) -> None:
    assert rules.typed_amount(typed, currency) == (None if minor is None else Money(minor, currency))


@pytest.mark.parametrize("typed", ["-5", "4O", "1.2.3", "1,23,456", "1.234,5,6", "12 Kisten", ".", "9" * 30])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(rules.AmountUnreadable):
        rules.typed_amount(typed, "EUR")


async def three_lines(site: Site) -> tuple[str, str, dict[str, Any]]:
    """A customer's link, and its invoice of three lines: 119.00, 59.50 and 10.70 with their tax."""
    await site.described()
    customer = await site.books.customer(name="Bäckerei Krume")
    lines = [
        {**line(net), "description": said, "tax": {"category": "S", "rate": rate}}
        for said, net, rate in (("Mehl", "100.00", "19"), ("Hefe", "50.00", "19"), ("Zeitung", "10.00", "7"))
    ]
    issued = await site.books.issue(customer, lines=lines)
    return customer, await site.link(customer), issued


@pytest.mark.parametrize(
    ("form", "amount", "lines"),
    [
        ({"line": [2]}, "59.50", [2]),
        ({"line": [1, 3]}, "129.70", [1, 3]),
        ({"line": [2], "amount": "20,00"}, "20.00", [2]),
        ({"amount": "1,5"}, "1.50", []),
        ({}, "189.20", []),
    ],
)
async def test_the_customer_disputes_lines_or_an_amount_and_the_rest_is_still_owed(
    site: Site, form: dict[str, Any], amount: str, lines: list[int]
) -> None:
    customer, link, issued = await three_lines(site)
    shown = await site.http.get(f"{link}/invoices/{issued['id']}/dispute")
    sent = {"invoice": issued["id"], "reason": "damaged", "message": "nass", "attempt": str(uuid4()), **form}

    answers = [await site.http.post(f"{link}/disputes", data=sent) for _ in range(2)]  # The button pressed twice.

    assert [answer.status_code for answer in answers] == [303, 303]
    assert all(said in shown.text for said in ("Mehl", "59,50", "Zeitung", "189,20"))
    [found] = (await site.books.get("/v1/disputes", customer_id=customer))["items"]
    assert (found["amount"]["amount"], found["lines"], found["opened_by"]) == (amount, lines, "customer")
    assert len((await site.books.get(f"/v1/disputes/{found['id']}"))["messages"]) == 1
    owed = await site.books.invoice(issued["id"])
    assert Money.parse(owed["collectable"]["amount"], "EUR").minor == 189_20 - Money.parse(amount, "EUR").minor


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"amount": "189,21"}, "höher als das, was an dieser Rechnung offen ist"),
        ({"amount": "zwei Kisten"}, "nicht lesbar"),
        ({"line": [9]}, "nicht geklappt"),
    ],
)
async def test_what_cannot_be_disputed_is_said_in_the_customers_words(
    site: Site, form: dict[str, Any], said: str
) -> None:
    _, link, issued = await three_lines(site)

    answer = await site.http.post(f"{link}/disputes", data={"invoice": issued["id"], "reason": "damaged", **form})

    assert (answer.status_code, said in answer.text) == (422, True)
    assert (await site.books.invoice(issued["id"]))["disputed"]["amount"] == "0.00"


async def test_the_lines_of_another_customers_invoice_are_not_shown(site: Site) -> None:
    _, _, issued = await three_lines(site)
    other = await site.link(await site.books.customer())

    answer = await site.http.get(f"{other}/invoices/{issued['id']}/dispute")

    assert (answer.status_code, "Hefe" in answer.text) == (422, False)


@needs_chromium
async def test_a_line_is_disputed_on_a_phone(site: Site, tab: Page) -> None:
    customer, link, issued = await three_lines(site)
    await tab.goto(link)
    await tab.get_by_role("link", name=f"Einen Teil beanstanden {issued['number']}").click()
    await tab.get_by_role("checkbox", name="Hefe").check()
    await tab.get_by_label("In Ihren Worten").fill("Zu alt")
    if folder := os.environ.get("PICTURES"):
        await tab.screenshot(path=f"{folder}/dispute_lines.png", full_page=True)
    await tab.get_by_role("button", name="Absenden").click()
    await tab.get_by_text("59,50 € in Klärung").wait_for()
    [found] = (await site.books.get("/v1/disputes", customer_id=customer))["items"]
    assert (found["lines"], found["amount"]["amount"]) == ([2], "59.50")


# --- instalments ---


@needs_chromium
async def test_what_is_overdue_is_put_on_a_plan_of_the_customers_choice(site: Site, tab: Page) -> None:
    customer, first, second = await a_customer_with_two_invoices(site)
    await site.policies(plans={"self_service": True, "months_max": 3})
    await tab.goto(await site.link(customer))
    await tab.get_by_text("In Raten zahlen", exact=True).click()
    choices = await tab.locator(".choices label").all_inner_texts()
    await tab.get_by_label("3 Monatsraten zu 39,67\xa0€").check()
    await picture(tab, "plan-offered")
    await tab.get_by_role("button", name="Ratenzahlung vereinbaren").click()

    assert len(choices) == 2
    assert "01.04.2024: 39,67\xa0€" in choices[1]
    assert "Ihre Ratenzahlung ist vereinbart" in await tab.inner_text(".notice")
    shown = await tab.inner_text(".plan")
    assert first["number"] in shown
    assert second["number"] not in shown, "only what is overdue"
    assert "1. April 2024\n39,67\xa0€ offen" in shown
    assert "39,66\xa0€ offen" in shown
    assert await tab.get_by_text("In Raten zahlen", exact=True).count() == 0
    [plan] = (await site.books.get("/v1/plans", customer_id=customer))["items"]
    assert (plan["agreed_by"], plan["amount"]["amount"]) == ("customer", "119.00")

    await site.books.pay("50.00", customer_id=customer, reference=first["number"])
    await site.books.at("2024-05-02")
    await tab.goto(await site.link(customer))
    shown = await tab.inner_text(".plan")
    assert "1. April 2024\nbezahlt" in shown
    assert "1. Mai 2024\n29,34\xa0€ überfällig" in shown
    assert not await tab.get_by_label(f"Rechnung {first['number']} bezahlen").is_checked()
    await picture(tab, "plan-running")
    width = await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0


async def picture(tab: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        await tab.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_nothing_is_offered_unless_the_entity_allows_it_and_something_is_overdue(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    early = await site.books.customer()
    await site.books.issue(early, "100.00", due_date="2024-03-20")
    asked = {"minor": "11900", "currency": "EUR", "count": "2"}

    quiet = await site.http.get(await site.link(customer))
    refused = await site.http.post(f"{await site.link(customer)}/plans", data=asked)
    await site.policies(plans={"self_service": True})
    not_due = await site.http.get(await site.link(early))
    offered = await site.http.get(await site.link(customer))

    assert ["In Raten zahlen" in page.text for page in (quiet, not_due, offered)] == [False, False, True]
    assert refused.status_code == 422
    assert (await site.books.get("/v1/plans", customer_id=customer))["items"] == []


async def test_a_plan_is_agreed_once_over_the_sum_that_the_customer_saw(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    await site.policies(plans={"self_service": True, "down_payment": "10"})
    link = f"{await site.link(customer)}/plans"
    asked = {"minor": "11900", "currency": "EUR", "count": "2"}

    other = await site.http.post(link, data={**asked, "minor": "11800"})
    too_many = await site.http.post(link, data={**asked, "count": "7"})
    answers = [(await site.http.post(link, data=asked)).status_code for _ in range(2)]

    assert (other.status_code, too_many.status_code, answers) == (422, 422, [303, 303])
    [plan] = (await site.books.get("/v1/plans", customer_id=customer))["items"]
    assert [each["amount"]["amount"] for each in plan["instalments"]] == ["11.90", "53.55", "53.55"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "11,90\xa0€ today, then: 2 monthly payments of 53,55\xa0€"),
        ("fr", "11,90\xa0€ aujourd’hui, puis : 2 mensualités de 53,55\xa0€"),
        ("es", "11,90\xa0€ hoy y después: 2 mensualidades de 53,55\xa0€"),
    ],
)
async def test_plans_are_offered_in_the_customers_language(site: Site, language: str, said: str) -> None:
    await site.policies(plans={"self_service": True, "months_max": 2, "down_payment": "10"})
    customer = await site.books.customer(language=language)
    await site.books.issue(customer, "119.00", issue_date="2024-01-10", due_date="2024-02-09")

    page = await site.http.get(await site.link(customer))

    assert said in page.text


# --- paying ---


@needs_chromium
async def test_a_customer_pays_what_it_chose_and_the_invoice_is_settled(site: Site, tab: Page) -> None:
    customer, first, second = await a_customer_with_two_invoices(site)
    await tab.goto(await site.link(customer))
    await tab.get_by_label(f"Rechnung {second['number']} bezahlen").uncheck()
    await tab.get_by_role("button", name="Mit Karte oder Lastschrift zahlen").click()
    await tab.get_by_label("Card number").fill(GOOD_CARD)
    await tab.get_by_role("button", name="Pay").click()
    await tab.wait_for_url("**/pay/**")
    assert "119,00\xa0€" in await tab.inner_text(".notice")

    async def settled() -> bool:
        return (await site.books.invoice(first["id"]))["status"] == "settled"

    await until(settled)
    await tab.reload()

    assert "ist eingegangen" in await tab.inner_text(".notice")
    assert (await site.books.invoice(second["id"]))["status"] == "open"
    [payment] = (await site.books.get("/v1/payments", customer_id=customer))["items"]
    assert (payment["method"], payment["amount"]["amount"], payment["status"]) == ("card", "119.00", "applied")
    if folder := os.environ.get("PICTURES"):
        await tab.screenshot(path=f"{folder}/pay-phone.png", full_page=True)
        await tab.set_viewport_size({"width": 1280, "height": 900})
        await tab.screenshot(path=f"{folder}/pay-desk.png", full_page=True)
        await tab.set_viewport_size({"width": 390, "height": 844})
    width = await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0


@needs_chromium
async def test_a_refused_card_books_nothing(site: Site, tab: Page) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    await tab.goto(await site.link(customer))
    await tab.get_by_role("button", name="Mit Karte oder Lastschrift zahlen").click()
    await tab.get_by_label("Card number").fill(BAD_CARD)
    await tab.get_by_role("button", name="Pay").click()

    assert "declined" in await tab.inner_text("body")
    assert (await site.books.get("/v1/payments", customer_id=customer))["items"] == []
    assert (await site.books.invoice(first["id"]))["status"] == "open"


async def begin_payment(site: Site, customer: str, attempt: str) -> str:
    """Send the form; returns where the browser is sent."""
    link = await site.link(customer)
    open_items = (await site.books.get(f"/v1/customers/{customer}/balance"))["items"]
    chosen = [item["invoice_id"] for item in open_items]
    answer = await site.http.post(f"{link}/checkouts", data={"invoice": chosen, "attempt": attempt})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_the_form_sent_twice_begins_one_payment(site: Site) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    attempt = str(uuid4())

    assert await begin_payment(site, customer, attempt) == await begin_payment(site, customer, attempt)


async def test_a_payment_of_which_no_call_came_is_asked_after(site: Site, stripe_url: str) -> None:
    customer, first, _ = await a_customer_with_two_invoices(site)
    await site.http.post(
        f"{stripe_url}/_config/webhooks/dueward", json={"url": "http://127.0.0.1:9/nowhere", "secret": "x"}
    )
    page = await begin_payment(site, customer, str(uuid4()))
    await site.http.post(page, data={"number": GOOD_CARD})

    await site.books.wake_on("2024-03-02")

    assert (await site.books.invoice(first["id"]))["status"] == "settled"


async def test_what_was_paid_meanwhile_leaves_unapplied_cash(site: Site) -> None:
    customer, first, second = await a_customer_with_two_invoices(site)
    page = await begin_payment(site, customer, str(uuid4()))
    await site.books.pay("119.00", customer_id=customer, reference=first["number"])
    await site.http.post(page, data={"number": GOOD_CARD})

    async def settled() -> bool:
        return (await site.books.invoice(second["id"]))["status"] == "settled"

    await until(settled)

    [total] = (await site.books.get(f"/v1/customers/{customer}/balance"))["totals"]
    assert (total["open"]["amount"], total["unapplied"]["amount"]) == ("0.00", "119.00")


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", "t=99999999999,v1=00", "rubbish"])
async def test_a_call_without_the_providers_signature_changes_nothing(site: Site, signature: str) -> None:
    answer = await site.http.post("/webhooks/stripe", content=b"{}", headers={"stripe-signature": signature})

    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/webhook-signature")


# --- a saved method ---


async def pay_and_save(site: Site, customer: str, stripe_url: str) -> None:
    """Pay all that is open and leave the card for later; the service learns which card it was."""
    link = await site.link(customer)
    items = (await site.books.get(f"/v1/customers/{customer}/balance"))["items"]
    answer = await site.http.post(
        f"{link}/checkouts",
        data={"invoice": [item["invoice_id"] for item in items], "attempt": str(uuid4()), "save": "true"},
    )
    await site.http.post(answer.headers["location"], data={"number": GOOD_CARD})

    async def settled() -> bool:
        return not (await site.books.get(f"/v1/customers/{customer}/balance"))["items"]

    await until(settled)
    await site.books.tick()


async def test_later_invoices_are_collected_on_their_due_date(site: Site, stripe_url: str) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    await pay_and_save(site, customer, stripe_url)
    later = await site.books.issue(customer, "80.00", due_date="2024-03-15")

    page = await site.http.get(await site.link(customer))
    assert "über Visa •••• 4242 eingezogen" in page.text
    await site.books.wake_on("2024-03-15")
    assert (await site.books.invoice(later["id"]))["status"] == "open"
    await site.books.at("2024-03-15", 9)
    await site.books.tick()

    assert (await site.books.invoice(later["id"]))["status"] == "settled"


async def test_what_cannot_be_collected_is_tried_again_told_and_given_up(site: Site, stripe_url: str) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    await pay_and_save(site, customer, stripe_url)
    await site.books.issue(customer, "80.00", due_date="2024-03-15")
    await site.http.delete(f"{stripe_url}/_config/data")  # The provider knows the card no more.

    attempts = []
    for day in ("2024-03-15", "2024-03-18", "2024-03-23", "2024-03-30", "2024-04-30"):
        await site.books.at(day, 9)
        await site.books.tick()
        attempts.append(await site.books.database.pool.fetchval("select count(*) from collection"))
        page = await site.http.get(await site.link(customer))
        told = "Neuer Versuch am" if len(attempts) < 4 else "nicht möglich. Bitte zahlen Sie hier"
        assert told in page.text

    assert attempts == [1, 2, 3, 4, 4]


async def test_a_method_removed_collects_nothing(site: Site, stripe_url: str) -> None:
    customer, *_ = await a_customer_with_two_invoices(site)
    await pay_and_save(site, customer, stripe_url)
    later = await site.books.issue(customer, "80.00", due_date="2024-03-15")

    await site.http.post(f"{await site.link(customer)}/method/removal")
    await site.books.at("2024-03-16", 9)
    await site.books.tick()

    assert (await site.books.invoice(later["id"]))["status"] == "open"
