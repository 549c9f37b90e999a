"""What the tests say to the invoice service, the credit service it asks, and where they look for what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from services.invoice.customers import handlers as customers
from services.invoice.ticks import ticks
from shared.db import Database, transaction
from shared.events.credit import CustomerState
from shared.ticks import TickContext
from tests import service_client
from tests.service_client import problem as problem

ACME: Mapping[str, Any] = {
    "version": 1,
    "external_id": "C-1",
    "name": "Acme GmbH",
    "status": "active",
    "country": "DE",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "segment": "standard",
    "payment_terms": {"net_days": 30},
    "contacts": [{"role": "billing", "name": "Ada Lang", "email": "ap@acme.example"}],
}

SIMULATED_FROM = "2024-03-01 08:00Z"


@dataclass
class CreditNextDoor:
    """A credit service of a few lines: what it answers is the test's to say."""

    outcome: str = "approved"
    reachable: bool = True
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if not self.reachable:
            raise httpx.ConnectError("credit is away", request=request)
        if request.method == "POST":
            questions = json.loads(request.content)["questions"]
            self.asked += questions
            return httpx.Response(201, json={"answers": [self._decide(question["asked_as"]) for question in questions]})
        if external_id := request.url.params.get("external_id"):
            found = [each for each in self.customers.values() if each["external_id"] == external_id]
            return httpx.Response(200, json={"items": found, "next_cursor": None})
        found = self.customers.get(request.url.path.rpartition("/")[2])
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"title": "no such customer"})

    def _decide(self, asked_as: str) -> dict[str, Any]:
        reasons = ["limit_exceeded"] if self.outcome == "declined" else []
        return {"asked_as": asked_as, "decision": {"id": str(uuid4()), "outcome": self.outcome, "reasons": reasons}}


@dataclass
class ReportingNextDoor:
    """A reporting service that shows what the test says, by customer and currency; away while that is None."""

    shows: list[tuple[str, str, str]] | None = None

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if self.shows is None:
            return httpx.Response(503)
        items = [{"group": who, "currency": currency, "total": total} for who, currency, total in self.shows]
        if "group_by" not in request.url.params:
            sums: dict[str, Decimal] = {}
            for _, currency, total in self.shows:
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(total)
            items = [{"group": None, "currency": currency, "total": str(total)} for currency, total in sums.items()]
        return httpx.Response(200, json={"items": items, "next_cursor": None})


@dataclass(frozen=True)
class Receivables:
    http: httpx.AsyncClient
    database: Database
    credit: CreditNextDoor
    resources: Any
    reporting: ReportingNextDoor = field(default_factory=ReportingNextDoor)

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        return await service_client.post(self.http, path, body, key)

    async def get(self, path: str, **query: Any) -> Any:
        return await service_client.get(self.http, path, **query)

    async def customer(self, **changes: Any) -> str:
        """A customer the service has a copy of; returns its id."""
        customer_id = uuid4()
        about = {**ACME, "id": customer_id, "external_id": str(customer_id), **changes}
        async with transaction(self.database) as tx:
            await customers.keep_customer(tx, CustomerState.model_validate(about))
        return str(customer_id)

    async def issue(
        self, customer_id: str, amount: str = "100.00", currency: str = "EUR", **more: Any
    ) -> dict[str, Any]:
        answer = await self.post("/v1/invoices", invoice(customer_id, amount, currency, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def pay(self, amount: str, currency: str = "EUR", **more: Any) -> dict[str, Any]:
        answer = await self.post("/v1/payments", {"amount": {"amount": amount, "currency": currency}, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def reverse(self, payment_id: str) -> httpx.Response:
        return await self.post(f"/v1/payments/{payment_id}/reversal", {"reason": "direct debit returned"})

    async def dispute(self, invoice_id: str, amount: str | None = None, currency: str = "EUR") -> httpx.Response:
        body: dict[str, Any] = {"reason": "damaged in transit"}
        if amount is not None:
            body["amount"] = {"amount": amount, "currency": currency}
        return await self.post(f"/v1/invoices/{invoice_id}/disputes", body)

    async def invoice(self, invoice_id: str) -> dict[str, Any]:
        return await self.get(f"/v1/invoices/{invoice_id}")

    async def at(self, day: str, hour: int = 8) -> None:
        """Set the clock without running what is due."""
        now = datetime.combine(date.fromisoformat(day), time(hour), UTC)
        await self.database.pool.execute("update clock set now = $1", now)

    async def wake_on(self, day: str) -> None:
        """Set the clock and run everything due by then, as the worker would after days away."""
        await self.at(day)
        await self.tick()

    async def tick(self) -> None:
        now = await self.database.clock.business_now(self.database.pool)
        for _, next_due, job in ticks.jobs:
            while (due := await self.next_due(next_due)) is not None and due <= now:
                await job(TickContext(self.database, now, self.resources))

    async def next_due(self, next_due: str) -> datetime | None:
        return await self.database.pool.fetchval(f"select {next_due}")

    async def published(self, subject: str | None = None) -> list[dict[str, Any]]:
        return await service_client.published(self.database, subject=subject)

    async def told(self, subject: str) -> list[tuple[str, str]]:
        """What was said of an aggregate: each event's short name with its effective date."""
        return [(event["type"], event["data"]["effective_on"]) for event in await self.published(subject)]

    async def anything_written(self) -> bool:
        """Whether any invoice, payment, journal entry, event or stored answer is there."""
        tables = ("invoice", "payment", "allocation", "dispute", "journal_entry", "event_log", "outbox", "idempotency")
        found = " union all ".join(f"select 1 from {table}" for table in tables)
        return await self.database.pool.fetchval(f"select exists ({found})")


def line(amount: str = "100.00", currency: str = "EUR", **more: Any) -> dict[str, Any]:
    return {"description": "Consulting", "unit_price": {"amount": amount, "currency": currency}, **more}


def invoice(customer_id: str, amount: str = "100.00", currency: str = "EUR", **more: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, "lines": [line(amount, currency)], **more}


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def pointers(answer: httpx.Response, status: int = 422) -> list[str]:
    """Which fields a problem names."""
    assert answer.status_code == status, answer.text
    return [error["pointer"] for error in answer.json().get("errors", [])]
