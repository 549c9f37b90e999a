"""A customer that credit merged into another: what it owes stays with it and is paid; nothing new begins."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from services.invoice.consumers import subscriptions
from shared.db import transaction
from shared.events.credit import CustomerClosed, CustomerState
from tests.invoice.client import ACME, Receivables, invoice, problem


async def merged(books: Receivables, customer_id: str, into_id: str) -> None:
    """What credit tells of a customer that goes on as another."""
    changes = {"id": customer_id, "external_id": customer_id, "version": 2, "status": "closed", "merged_into": into_id}
    event = CustomerClosed(
        customer_id=UUID(customer_id),
        effective_on=date(2026, 3, 2),
        booked_on=date(2026, 3, 2),
        customer=CustomerState.model_validate({**ACME, **changes}),
        reason="Same company",
    )
    async with transaction(books.database) as tx:
        for handler in subscriptions.routes[event.type]:
            await handler(tx, event)


async def test_it_is_not_invoiced_and_the_refusal_names_who_it_goes_on_as(books: Receivables) -> None:
    old, new = await books.customer(), await books.customer()
    await merged(books, old, new)

    answer = await books.post("/v1/invoices", invoice(old))

    assert problem(answer, 422) == "customer-closed"
    assert answer.json()["merged_into"] == new
    assert new in answer.json()["detail"]
    assert (await books.post("/v1/invoices", invoice(new))).status_code == 201


async def test_what_it_owes_stays_with_it_and_is_paid_there(books: Receivables) -> None:
    old = await books.customer()
    issued = await books.issue(old, "100.00")
    await merged(books, old, str(uuid4()))

    await books.pay("100.00", customer_id=old, allocations=[{"invoice_id": issued["id"]}])

    settled = await books.get(f"/v1/invoices/{issued['id']}")
    assert (settled["status"], settled["customer_id"]) == ("settled", old)
