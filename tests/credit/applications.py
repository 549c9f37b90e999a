"""A company that applies, and its way to a decision, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.credit.client import Credit


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


NORDWIND: Mapping[str, Any] = {
    "legal_name": "Nordwind Handels GmbH",
    "trading_names": ["Nordwind"],
    "legal_form": "GmbH",
    "founded_year": 1999,
    "country": "DE",
    "address": {"lines": ["Speicherstr. 4"], "city": "Hamburg", "postal_code": "20457"},
    "identifiers": [
        {"kind": "de_register", "value": "HRB 12345, Hamburg"},
        {"kind": "vat", "value": "DE 136 695 976"},
        {"kind": "lei", "value": "529900T8BM49AURSDO55"},
    ],
    "contacts": [
        {"role": "billing", "name": "Nora Brandt", "email": "rechnung@nordwind.example"},
        {"role": "approver", "name": "Paul Ehlers", "email": "einkauf@nordwind.example"},
        {"role": "escalation", "name": "Eva Thode", "phone": "+49 40 1234567"},
    ],
    "languages": ["de"],
    "currency": "EUR",
    "delivery": {"channel": "email", "e_invoice": "factur_x", "purchase_order": True},
    "bank": {"holder": "Nordwind Handels GmbH", "iban": "DE02 1203 0000 0000 2020 51", "bic": "BYLADEM1001"},
    "wanted_limit": money("40000.00"),
    "wanted_net_days": 30,
}

STRANGER: Mapping[str, Any] = {
    "legal_name": "Quite Another Ltd",
    "trading_names": [],
    "identifiers": [{"kind": "duns", "value": "150483782"}],
    "contacts": [{**each, "email": "who@another.example"} for each in NORDWIND["contacts"]],
    "bank": {"account": "1"},
    "address": {"lines": ["High Street 1"], "city": "London", "postal_code": "EC1A 1BB"},
}
"""A company that has nothing in common with the other."""

TERMS: Mapping[str, Any] = {
    "limit": money("30000.00"),
    "net_days": 30,
    "prepaid_percent": 20,
    "deposit": money("2000.00"),
    "late_interest_percent": "9.27",
    "late_fee": money("40.00"),
    "discount_percent": "2",
    "discount_days": 10,
}


async def apply(credit: Credit, **changes: Any) -> dict[str, Any]:
    answer = await credit.post("/v1/applications", {**NORDWIND, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def step(credit: Credit, application_id: str, name: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    answer = await credit.post(f"/v1/applications/{application_id}/{name}", body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def vetting(credit: Credit, **changes: Any) -> str:
    """The id of an application that is being vetted."""
    application = await apply(credit, **changes)
    await step(credit, application["id"], "submission")
    await step(credit, application["id"], "vetting")
    return application["id"]


async def approved(credit: Credit, terms: Mapping[str, Any] = TERMS, **changes: Any) -> str:
    """The id of an application whose terms are approved."""
    application_id = await vetting(credit, **changes)
    await step(credit, application_id, "proposal", {"terms": terms, "reason": "Sound"})
    return application_id
