"""What whoever writes to a customer needs of the balance: discounts while they last, references, where to pay."""

from __future__ import annotations

import pytest

from tests.invoice.client import Receivables

TERMS = {"net_days": 30, "discounts": [{"percent": "3", "days": 7}, {"percent": "2", "days": 14}]}


@pytest.mark.parametrize(
    ("day", "offered"),
    [
        ("2024-03-01", {"amount": {"amount": "3.00", "currency": "EUR"}, "until": "2024-03-08"}),
        ("2024-03-08", {"amount": {"amount": "3.00", "currency": "EUR"}, "until": "2024-03-08"}),
        ("2024-03-09", {"amount": {"amount": "2.00", "currency": "EUR"}, "until": "2024-03-15"}),
        ("2024-03-15", {"amount": {"amount": "2.00", "currency": "EUR"}, "until": "2024-03-15"}),
        ("2024-03-16", None),
    ],
)
async def test_the_balance_states_the_discount_that_still_can_be_had(
    books: Receivables, day: str, offered: dict[str, object] | None
) -> None:
    customer = await books.customer()
    await books.at("2024-03-01")
    await books.issue(customer, issue_date="2024-03-01", payment_terms=TERMS)
    await books.at(day)
    (item,) = (await books.get(f"/v1/customers/{customer}/balance"))["items"]
    assert item["discount"] == offered
    assert item["reference"].startswith("RF")


async def test_an_undescribed_seller_has_no_account_and_no_address(books: Receivables) -> None:
    customer = await books.customer()
    balance = await books.get(f"/v1/customers/{customer}/balance")
    assert balance["bank_accounts"] == []
    assert balance["entity"]["address"] == []
    assert balance["entity"]["country"] is None
