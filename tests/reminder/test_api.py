"""What integrators read: contacts, cases, tasks and explanations, page by page and only for those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from tests.reminder.books import without_email
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)


async def test_a_contact_has_the_shape_that_others_compare_with(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2))
    page = await desk.get("/v1/contacts", customer_id=customer.id)
    assert page["next_cursor"] is None
    assert page["items"][0] == {
        "id": page["items"][0]["id"],
        "customer_id": str(customer.id),
        "entity_id": "default",
        "sent_at": "2026-02-02T09:00:00Z",
        "channel": "email",
        "strategy": "default",
        "strategy_version": 1,
        "step": "first-reminder",
        "episode": "1",
        "invoices": ["R-1"],
        "status": "sent",
        "tone": "friendly",
        "reason": None,
        "amounts": [{"amount": "100.00", "currency": "EUR"}],
        "recipient": "ada@acme.example",
        "due_at": "2026-02-02T09:00:00Z",
        "delivery_id": None,
        "delivered_at": None,
        "bounced_at": None,
        "bounce_reason": None,
        "version": 2,
    }
    one = await desk.get(f"/v1/contacts/{page['items'][0]['id']}")
    assert one == page["items"][0]


async def test_contacts_are_listed_by_customer_and_status_page_by_page(desk: Desk) -> None:
    customers = [await desk.onboard() for _ in range(3)]
    for customer in customers:
        await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2))
    found, cursor = [], None
    while True:
        page = await desk.get("/v1/contacts", limit=4, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len({contact["id"] for contact in found}) == len(found) == 6
    assert len((await desk.get("/v1/contacts", customer_id=customers[0].id))["items"]) == 2
    assert (await desk.get("/v1/contacts", status="suppressed"))["items"] == []
    bad = await desk.http.get("/v1/contacts", params={"cursor": "nonsense"})
    assert (bad.status_code, bad.json()["type"].rpartition("/")[2]) == (400, "bad-cursor")
    assert (await desk.http.get("/v1/contacts", params={"status": "lost"})).status_code == 422
    assert (await desk.http.get(f"/v1/contacts/{uuid4()}")).status_code == 404


async def test_a_case_says_where_the_customer_stands_and_what_is_next(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.issue(customer, DUE + timedelta(days=2), "R-2", 5_000)
    await desk.until(date(2026, 2, 4))
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["episode"], case["level"], case["step"]) == ("open", 1, 1, "first-reminder")
    assert (case["oldest_due_on"], case["overdue_invoices"]) == ("2026-02-01", 2)
    assert case["collectable"] == [{"amount": "150.00", "currency": "EUR"}]
    assert case["next_step"] == {"step": "second-reminder", "opens_on": "2026-02-08", "due_on": None}
    assert case["check_at"] == "2026-02-08T09:00:00Z"
    assert (await desk.get("/v1/cases", status="open"))["items"] == [case]
    assert (await desk.get("/v1/cases", status="closed"))["items"] == []


async def test_a_customer_who_was_never_late_has_a_case_but_is_not_listed(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["episode"], case["next_step"]["step"]) == ("closed", 0, "due-soon")
    assert (await desk.get("/v1/cases"))["items"] == []
    unknown = await desk.http.get(f"/v1/cases/{uuid4()}")
    assert (unknown.status_code, unknown.json()["type"].rpartition("/")[2]) == (404, "case-not-found")


@pytest.mark.parametrize(
    "path", ["contacts", "cases", f"cases/{UUID(int=1)}", f"cases/{UUID(int=1)}/explanation", "tasks", "strategies"]
)
async def test_reading_needs_a_token_with_its_scope(desk: Desk, token: Callable[..., str], path: str) -> None:
    other = {"authorization": f"Bearer {token('invoices:read')}"}
    assert (await desk.http.get(f"/v1/{path}", headers=other)).status_code == 403
    assert (await desk.http.get(f"/v1/{path}", headers={"authorization": "Bearer nonsense"})).status_code == 401


async def test_writing_a_strategy_needs_the_scope_to_write(desk: Desk, token: Callable[..., str]) -> None:
    headers = {"authorization": f"Bearer {token('reminders:read')}", "if-match": '"1"'}
    assert (await desk.http.put("/v1/strategies/default", content="x", headers=headers)).status_code == 403


async def explanation(desk: Desk, customer_id: UUID) -> str:
    return (await desk.get(f"/v1/cases/{customer_id}/explanation"))["text"]


async def test_an_explanation_says_why_why_not_and_what_next(desk: Desk) -> None:
    customer = await desk.onboard(time_zone="Europe/Berlin")
    invoice = await desk.issue(customer, DUE)
    assert await explanation(desk, customer.id) == (
        "Acme GmbH has never had an overdue invoice that could be chased; 1 invoice (100.00 EUR) is not due yet. "
        "No message has been sent so far. "
        "Nothing goes out today, because 'due-soon' is for 7 days before the due date. "
        "On 25 January 2026 at 09:00 (Europe/Berlin; 08:00 UTC) the message 'due-soon' goes to ada@acme.example about "
        "what is due on 1 February 2026, unless it is paid or disputed by then."
    )
    await desk.until(date(2026, 2, 4))
    assert await explanation(desk, customer.id) == (
        "Acme GmbH has an open case, number 1: 1 invoice (100.00 EUR) is overdue and may be chased, the oldest (R-1) "
        "was due on 1 February 2026, 3 days ago. "
        "The last message, 'first-reminder' of strategy 'default' version 1, went to ada@acme.example on 2 February "
        "2026 at 09:00 (Europe/Berlin) because 'first-reminder' is for 1 day after the due date of the oldest invoice "
        "that may be chased; it was about R-1 (100.00 EUR). "
        "Nothing goes out today, because 'second-reminder' is for 7 days after the due date of the oldest invoice that "
        "may be chased. "
        "On 8 February 2026 at 09:00 (Europe/Berlin; 08:00 UTC) the message 'second-reminder' goes to "
        "ada@acme.example, if something overdue is still collectable then."
    )
    await desk.hear(invoice.dispute())
    disputed = await explanation(desk, customer.id)
    assert "the last one was closed on 4 February 2026, because the rest is disputed" in disputed
    assert "because what is overdue is disputed" in disputed
    await desk.hear(invoice.reject_dispute(), *invoice.pay())
    assert "because nothing is owed that could be chased" in await explanation(desk, customer.id)


async def test_an_explanation_names_what_was_held_back(desk: Desk) -> None:
    silent = await desk.onboard(contacts=(without_email(),))
    await desk.issue(silent, DUE)
    paid = await desk.onboard()
    invoice = await desk.issue(paid, DUE, issued_on=DUE - timedelta(days=3))
    await desk.until(date(2026, 2, 2), hour=8)
    invoice.pay()
    await desk.until(date(2026, 2, 2))
    assert "because the customer has no address that works" in await explanation(desk, silent.id)
    assert "a task asks for one" in await explanation(desk, silent.id)
    assert (
        "On 2 February 2026 at 09:00 (UTC) the message 'first-reminder' was not sent, because nothing was collectable "
        "any more when the balance was asked for."
    ) in await explanation(desk, paid.id)


async def test_an_explanation_of_the_contact_cap_says_so(desk: Desk) -> None:
    customer = await desk.onboard()
    for day in range(4):
        await desk.issue(customer, date(2026, 3, 2) + timedelta(days=day), f"R-{day}")
    await desk.until(date(2026, 2, 27))
    assert "contacted 3 times within 7 days" in await explanation(desk, customer.id)
    assert "On 2 March 2026 at 09:00 (UTC) the message 'due-soon'" in await explanation(desk, customer.id)


async def test_an_exhausted_ladder_is_explained(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 5, 20))
    assert "its last step, 'agency-referral', was taken on 3 May 2026" in await explanation(desk, customer.id)
    tasks = await desk.get("/v1/tasks", customer_id=customer.id, kind="agency_referral")
    assert tasks["items"][0]["title"] == "Decide on agency referral: 100.00 EUR, 91 days overdue"


async def test_the_api_document_describes_every_operation(desk: Desk) -> None:
    document = await desk.get("/openapi.json")
    assert {
        "/v1/strategies/{name}",
        "/v1/cases",
        "/v1/cases/{customer_id}",
        "/v1/cases/{customer_id}/explanation",
        "/v1/contacts",
        "/v1/tasks",
    } <= set(document["paths"])
