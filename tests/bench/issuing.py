"""Onboarding and single invoices over HTTP, as another internal system sends them."""

from __future__ import annotations

import uuid

import orjson

from deploy.local.layout import SERVICE_PORTS, Layout
from tests.bench.load import Connection, load


def headers_of(layout: Layout, purpose: str) -> str:
    """The header lines of one request, with an Idempotency-Key that is used once."""
    token = layout.token.read_text().strip()
    return f"authorization: Bearer {token}\r\nidempotency-key: {purpose}-{uuid.uuid4()}\r\n"


def invoice_body(customer_id: str, number: str, **more: str) -> bytes:
    """Three lines with tax: an ordinary invoice."""
    lines = [
        {
            "description": f"Consulting, part {part}",
            "quantity": "2.5",
            "unit_price": {"amount": "80.00", "currency": "EUR"},
            "tax": {"category": "S", "rate": "19.00"},
        }
        for part in range(1, 4)
    ]
    return orjson.dumps({"customer_id": customer_id, "number": number, "lines": lines, **more})


async def onboard(layout: Layout, count: int) -> list[str]:
    """New customers; their ids."""
    connection = await Connection.open(layout.port(SERVICE_PORTS["credit"]))
    ids = []
    for n in range(count):
        body = {
            "external_id": f"BENCH-{uuid.uuid4()}",
            "name": f"Bench {n}",
            "country": "DE",
            "currency": "EUR",
            "contacts": [{"role": "billing", "name": "Accounts payable", "email": f"bench-{n}@example.com"}],
        }
        status, answer = await connection.post("/v1/customers", orjson.dumps(body), headers_of(layout, "onboard"))
        if status != 201:
            raise RuntimeError(f"onboarding answered {status}: {answer.decode()}")
        ids.append(orjson.loads(answer)["id"])
    connection.close()
    return ids


async def post_invoices(layout: Layout, customers: list[str], count: int) -> float:
    """Invoices a second, credit asked for each (policy advise)."""
    run = uuid.uuid4().hex[:6]
    port = layout.port(SERVICE_PORTS["invoice"])
    bodies = [invoice_body(customers[n % len(customers)], f"POST-{run}-{n}") for n in range(count)]
    warm_up = [invoice_body(customers[n % len(customers)], f"WARM-{run}-{n}") for n in range(100)]
    await load(port, "/v1/invoices", warm_up, lambda _: headers_of(layout, "warm"))
    return (await load(port, "/v1/invoices", bodies, lambda _: headers_of(layout, "post"))).per_second
