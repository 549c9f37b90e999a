"""Credit decisions at order time, as a shop asks for them: how long one takes while others are asked."""

from __future__ import annotations

import uuid

import orjson

from deploy.local.layout import SERVICE_PORTS, Layout
from tests.bench.issuing import headers_of
from tests.bench.load import Run, load


def decision_body(customer_id: str, n: int) -> bytes:
    return orjson.dumps(
        {
            "customer_id": customer_id,
            "amount": {"amount": "12.50", "currency": "EUR"},
            "reference": f"ORDER-{uuid.uuid4().hex[:8]}-{n}",
            "reserve": True,
        }
    )


async def make_decisions(layout: Layout, customers: list[str], count: int) -> Run:
    """Orders that each ask for a reservation, over 16 connections."""
    port = layout.port(SERVICE_PORTS["credit"])
    warm_up, bodies = (
        [decision_body(customers[n % len(customers)], n) for n in range(requests)] for requests in (100, count)
    )
    await load(port, "/v1/credit-decisions", warm_up, lambda _: headers_of(layout, "warm"))
    return await load(port, "/v1/credit-decisions", bodies, lambda _: headers_of(layout, "decide"))
