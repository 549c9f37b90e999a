"""Terms that credit changed, by a person or as an assessment recommends: later invoices are due by them."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from services.invoice.consumers import subscriptions
from shared.db import transaction
from shared.events.credit import CustomerState, CustomerTermsChanged, PaymentTerms
from tests.invoice.client import ACME, Receivables


async def test_an_invoice_is_due_by_the_terms_of_the_day_it_was_issued(books: Receivables) -> None:
    customer = await books.customer()
    before = await books.issue(customer)
    terms = {"net_days": 14, "prepaid_percent": 30, "deposit": {"amount": "500.00", "currency": "EUR"}}
    changed = {**ACME, "id": customer, "external_id": customer, "version": 2, "payment_terms": terms}
    event = CustomerTermsChanged(
        customer_id=UUID(customer),
        effective_on=date(2026, 3, 2),
        booked_on=date(2026, 3, 2),
        customer=CustomerState.model_validate(changed),
        previous_terms=PaymentTerms(net_days=30),
        source="recommended",
        reason="Recommended for risk class D.",
    )
    async with transaction(books.database) as tx:
        for handler in subscriptions.routes[event.type]:
            await handler(tx, event)

    later = await books.issue(customer)

    due = [date.fromisoformat(each["due_date"]) - date.fromisoformat(each["issue_date"]) for each in (before, later)]
    assert due == [timedelta(days=30), timedelta(days=14)]
    assert (await books.invoice(before["id"]))["due_date"] == before["due_date"]
