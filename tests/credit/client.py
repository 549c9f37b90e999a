"""What the tests say to the credit service, and where they look for what it published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from services.credit.consumers import subscriptions
from services.credit.ticks import ticks
from shared.db import Database
from shared.delivery import deliver_batch
from shared.events.event import Event
from shared.ticks import TickContext
from tests import service_client
from tests.credit.books import receive
from tests.service_client import problem as problem

ACME: Mapping[str, Any] = {
    "external_id": "C-1",
    "name": "Acme GmbH",
    "country": "DE",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "segment": "standard",
    "payment_terms": {"net_days": 30},
    "contacts": [{"role": "billing", "name": "Ada Lang", "email": "ap@acme.example", "phone": "+49301234567"}],
    "address": {"lines": ["Hafenstr. 1"], "city": "Hamburg", "postal_code": "20457"},
}


@dataclass(frozen=True)
class Credit:
    http: httpx.AsyncClient
    database: Database

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        return await service_client.post(self.http, path, body, key)

    async def get(self, path: str, **query: Any) -> Any:
        return await service_client.get(self.http, path, **query)

    async def change(self, method: str, path: str, version: int | None, body: Any = None) -> httpx.Response:
        headers = {} if version is None else {"if-match": f'"{version}"'}
        return await self.http.request(method, path, json=body, headers=headers)

    async def onboard(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/v1/customers", {**ACME, "external_id": str(uuid4()), **changes})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def decide(self, customer_id: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
        money = {"amount": amount, "currency": currency}
        answer = await self.post("/v1/credit-decisions", {"customer_id": customer_id, "amount": money})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def hear(self, *events: Event) -> None:
        """Take events of the invoice service, as one batch."""
        await deliver_batch(self.database, subscriptions, [receive(event) for event in events])

    async def tick(self) -> None:
        """Run what is due by the clock, as the worker would."""
        now = await self.database.clock.business_now(self.database.pool)
        for _, next_due, job in ticks.jobs:
            while (due := await self.database.pool.fetchval(f"select {next_due}")) is not None and due <= now:
                await job(TickContext(self.database, now, None))

    async def published(self, customer_id: str | None = None) -> list[dict[str, Any]]:
        return await service_client.published(self.database, customer=customer_id)


def names(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    """Which fields a problem names, with what it says of each."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["pointer"]: error["detail"] for error in answer.json().get("errors", [])}
