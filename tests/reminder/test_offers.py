"""What a customer is offered in a negotiation, who may offer it, and what comes of its answer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.reminder.authority.rules import Offers as Limits
from services.reminder.offer_links import rules as links
from services.reminder.offers import rules
from services.reminder.offers.rules import OfferLimit, Terms, TermsRefused
from shared.money import Money
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk
from tests.service_client import post, problem

DUE = date(2026, 2, 1)
TODAY = date(2026, 2, 4)


async def late(desk: Desk, **customer_facts: Any) -> tuple[Customer, Invoice]:
    """A customer who has had the first reminder; the second is due on 8 February."""
    customer = await desk.onboard(**customer_facts)
    invoice = await desk.issue(customer, DUE)
    await desk.until(TODAY)
    return customer, invoice


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


EXTENSION = {"kind": "extension", "expires_on": "2026-02-10", "pay_by": "2026-02-18"}
SETTLEMENT = {"kind": "settlement", "expires_on": "2026-02-10", "pay_by": "2026-02-18", "pay": eur("60.00")}
PLAN = {
    "kind": "plan",
    "expires_on": "2026-02-10",
    "instalments": [
        {"due_date": "2026-03-01", "amount": eur("50.00")},
        {"due_date": "2026-04-01", "amount": eur("50.00")},
    ],
}


async def ask(desk: Desk, customer: Customer, terms: dict[str, Any], **more: Any) -> httpx.Response:
    return await post(desk.http, f"/v1/cases/{customer.id}/offers", {**terms, **more})


async def offer(desk: Desk, customer: Customer, terms: dict[str, Any], **more: Any) -> Any:
    answer = await ask(desk, customer, terms, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def say(desk: Desk, made: Any, what: str, by: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    if what in ("acceptance", "refusal"):
        body = {"by": "Ada Lang", "how": "phone", **body}
    headers = {"idempotency-key": str(uuid4()), **(by or {})}
    return await desk.http.post(f"/v1/offers/{made['id']}/{what}", json=body, headers=headers)


async def now(desk: Desk, made: Any) -> Any:
    return await desk.get(f"/v1/offers/{made['id']}")


async def pay(desk: Desk, invoice: Invoice, minor: int) -> None:
    today = (await desk.now()).date()
    await desk.hear(*(event.model_copy(update={"effective_on": today}) for event in invoice.pay(minor)))


async def test_more_time_that_is_accepted_is_a_promise(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await offer(desk, customer, EXTENSION)
    assert (made["status"], made["needs_approval"], made["amount"]["amount"]) == ("open", False, "100.00")
    accepted = (await say(desk, made, "acceptance")).json()
    assert (accepted["status"], accepted["answered_by"], accepted["answered_how"], accepted["recorded_by"]) == (
        "accepted",
        "Ada Lang",
        "phone",
        "anna",
    )
    assert accepted["answered_at"] == "2026-02-04T12:00:00Z"
    [promise] = (await desk.get(f"/v1/cases/{customer.id}/promises"))["items"]
    assert (promise["promised_on"], promise["origin"], promise["items"]) == ("2026-02-18", "offer", ["R-1"])
    await desk.until(date(2026, 2, 23))
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]
    await desk.until(date(2026, 2, 24))  # Three business days of grace are over.
    assert ((await now(desk, made))["status"], (await desk.sent())[-1][1]) == ("lapsed", "second-reminder")


async def test_while_an_offer_is_open_nothing_is_asked_and_then_the_case_goes_on(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await offer(desk, customer, EXTENSION)
    await desk.until(date(2026, 2, 10), hour=20)
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]
    await desk.until(date(2026, 2, 11))
    assert ((await now(desk, made))["status"], (await desk.sent())[-1]) == (
        "expired",
        ("2026-02-11", "second-reminder"),
    )
    assert problem(await say(desk, made, "acceptance"), 409) == "offer-over"


async def test_a_plan_is_agreed_at_the_invoice_service_once(desk: Desk) -> None:
    customer, invoice = await late(desk)
    made = await offer(desk, customer, PLAN)
    desk.invoice_service.down = True
    assert (await say(desk, made, "acceptance")).json()["effect"] == "pending"
    await desk.tick()
    assert (await now(desk, made))["effect"] == "pending"
    desk.invoice_service.down = False
    await desk.tick()
    assert (await now(desk, made))["effect"] == "done"
    keys = {key for _, key, _ in desk.invoice_service.posted}
    assert keys == {f"offer-{made['id']}"}  # The same key each time: asked twice, it is agreed once.
    path, _, body = desk.invoice_service.posted[-1]
    assert (path, len(body["instalments"])) == (f"/v1/invoices/{invoice.id}/plans", 2)


async def test_what_the_invoice_service_refuses_is_somebodys_task(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await offer(desk, customer, PLAN)
    desk.invoice_service.answers.append((422, {"detail": "the invoice is on a plan already"}))
    await say(desk, made, "acceptance")
    await desk.tick()
    failed = await now(desk, made)
    assert failed["effect"] == "failed"
    assert "on a plan already" in failed["effect_detail"]
    [task] = (await desk.get("/v1/tasks", kind="offer_failed"))["items"]
    assert task["title"].startswith("An accepted offer could not be carried out: 100.00 EUR in 2 instalments")


async def test_a_settlement_takes_two_people_and_gives_up_the_rest_when_it_is_paid(
    desk: Desk, bert: dict[str, str]
) -> None:
    customer, invoice = await late(desk)
    made = await offer(desk, customer, SETTLEMENT)
    assert (made["status"], made["url"]) == ("awaiting_approval", None)
    [task] = (await desk.get("/v1/tasks", kind="approval_wanted"))["items"]
    assert task["title"] == "Approve the offer: 60.00 EUR by 2026-02-18 for 100.00 EUR"
    assert problem(await say(desk, made, "acceptance"), 409) == "offer-over"
    assert problem(await say(desk, made, "approval"), 409) == "second-person-needed"
    assert (await say(desk, made, "approval", bert)).json()["approved_by"] == "bert"
    await say(desk, made, "acceptance")
    assert desk.invoice_service.posted == []

    await pay(desk, invoice, 6_000)
    assert (await now(desk, made))["effect"] == "pending"
    await desk.tick()
    assert (await now(desk, made))["effect"] == "done"
    [(path, _, body)] = desk.invoice_service.posted
    assert (path, body["reason_code"]) == (f"/v1/invoices/{invoice.id}/write-off", "settlement")


async def test_a_settlement_that_is_not_paid_gives_up_nothing(desk: Desk, bert: dict[str, str]) -> None:
    customer, invoice = await late(desk)
    made = await offer(desk, customer, SETTLEMENT)
    await say(desk, made, "approval", bert)
    await say(desk, made, "acceptance")
    await pay(desk, invoice, 5_999)
    await desk.until(date(2026, 2, 25))
    lapsed = await now(desk, made)
    assert (lapsed["status"], lapsed["because"], desk.invoice_service.posted) == ("lapsed", "not paid as agreed", [])


async def test_one_offer_is_open_at_a_time(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await offer(desk, customer, EXTENSION)
    assert problem(await ask(desk, customer, PLAN), 409) == "offer-open"
    assert (await say(desk, made, "withdrawal", reason="said by mistake")).json()["status"] == "withdrawn"
    second = await offer(desk, customer, PLAN)
    assert (await say(desk, second, "refusal", reason="too dear")).json()["status"] == "refused"
    assert len((await desk.get("/v1/offers", customer_id=customer.id))["items"]) == 2
    await desk.until(date(2026, 2, 8))
    assert (await desk.sent())[-1][1] == "second-reminder"


async def test_what_cannot_be_offered(desk: Desk) -> None:
    customer, _ = await late(desk)
    assert problem(await ask(desk, customer, EXTENSION, expires_on="2026-02-03"), 422) == "offer-terms"
    assert problem(await ask(desk, customer, EXTENSION, items=["R-9"]), 422) == "offer-invoice"
    assert problem(await ask(desk, customer, SETTLEMENT, pay=eur("49.99")), 422) == "offer-limit"
    assert problem(await ask(desk, Customer.new(), EXTENSION), 404) == "case-not-found"
    assert problem(await ask(desk, await desk.onboard(), EXTENSION), 409) == "case-closed"
    assert problem(await ask(desk, customer, {**EXTENSION, "kind": "gift"}), 422) == "invalid-request"


async def test_the_customer_answers_on_a_page_of_its_own(desk: Desk) -> None:
    customer, _ = await late(desk, language="de")
    made = await offer(desk, customer, EXTENSION)
    path = httpx.URL(made["url"]).path
    async with httpx.AsyncClient(transport=desk.http._transport, base_url="http://reminder") as visitor:
        page = await visitor.get(path)
        assert page.status_code == 200
        assert "Sie können 100,00\xa0€ bis zum 18. Februar 2026 zahlen." in page.text
        assert page.headers["x-robots-tag"] == "noindex"
        nameless = await visitor.post(path, data={"answer": "accept", "name": " "})
        assert nameless.headers["location"].endswith("said=name_missing")
        for _ in range(2):  # Sent twice, it is accepted once.
            answered = await visitor.post(path, data={"answer": "accept", "name": "Ada <b>Lang</b>"})
            assert answered.status_code == 303
        after = await visitor.get(path)
        assert "Ada &lt;b&gt;Lang&lt;/b&gt; hat dieses Angebot" in after.text
        assert "<form" not in after.text
        forged = await visitor.get(path[:-4] + "AAAA")
        assert (forged.status_code, (await visitor.get("/offers/x")).status_code) == (404, 404)
    accepted = await now(desk, made)
    assert (accepted["status"], accepted["answered_how"], accepted["recorded_by"]) == ("accepted", "page", None)
    assert len((await desk.get(f"/v1/cases/{customer.id}/promises"))["items"]) == 1


# --- the limits, as tables ---

OWED = Money(10_000, "EUR")


def extension(days: int) -> Terms:
    return Terms("extension", TODAY, pay_by=TODAY + timedelta(days=days))


def plan(count: int) -> Terms:
    parts = tuple((TODAY + timedelta(days=n), Money(10_000 // count, "EUR")) for n in range(count))
    return Terms("plan", TODAY, instalments=parts)


def settlement(minor: int) -> Terms:
    return Terms("settlement", TODAY, pay=Money(minor, "EUR"), pay_by=TODAY)


@pytest.mark.parametrize(
    ("terms", "needed"),
    [
        (extension(14), False),
        (extension(15), True),
        (extension(90), True),
        (extension(91), OfferLimit),
        (plan(2), False),
        (plan(4), True),
        (plan(10), True),
        (plan(16), OfferLimit),
        (settlement(9_999), True),
        (settlement(5_000), True),
        (settlement(4_999), OfferLimit),
        (settlement(10_000), TermsRefused),
        (settlement(0), TermsRefused),
    ],
)
def test_who_may_offer_what(terms: Terms, needed: Any) -> None:
    if isinstance(needed, bool):
        assert rules.approval_needed(terms, OWED, Limits(), TODAY) is needed
    else:
        with pytest.raises(needed):
            rules.approval_needed(terms, OWED, Limits(), TODAY)


@pytest.mark.parametrize(("limit", "needed"), [("99.99", True), ("100.00", False), ("100.01", False)])
def test_beyond_an_amount_a_second_person_is_always_asked(limit: str, needed: bool) -> None:
    limits = Limits(amounts_alone=(Money.parse(limit, "EUR"),))
    assert rules.approval_needed(extension(1), OWED, limits, TODAY) is needed
    assert rules.approval_needed(extension(1), Money(1, "USD"), limits, TODAY)


def test_a_link_opens_its_own_offer_and_no_other() -> None:
    key, offer_id = links.key_of("secret"), UUID(int=5)
    token = links.token_of(key, offer_id)
    assert links.read_token(key, token) == offer_id
    for forged in (token[:-2] + "AA", "A" + token[1:], "", "é", links.token_of(links.key_of("other"), offer_id)):
        with pytest.raises(links.OfferLinkUnusable):
            links.read_token(key, forged)
