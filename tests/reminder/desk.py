"""A reminder service at work: what tests tell it, what time they make it, and what it then does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from httpx import QueryParams

from services.reminder.consumers import subscriptions
from services.reminder.ticks import Resources, ticks
from shared.db import Database
from shared.delivery import deliver_batch
from shared.events.event import Event
from shared.money import Money
from shared.ticks import TickContext
from tests import service_client
from tests.mailbox import Mailbox
from tests.reminder.books import Customer, Invoice, receive

SELLERS = {"default": "Northwind Trading", "south": "Southwind Trading"}


@dataclass
class InvoiceService:
    """What stands for the invoice service: a real HTTP server that answers balances from the book of the test."""

    invoices: list[Invoice] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    asked: list[UUID] = field(default_factory=list)
    down: bool = False
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens elsewhere while a balance is asked for."""
    unapplied: dict[UUID, Money] = field(default_factory=dict)
    """By customer, money that no invoice has yet."""
    posted: list[tuple[str, str, Any]] = field(default_factory=list)
    """What was asked of it by POST: path, Idempotency-Key, body."""
    no_documents: bool = False
    document: bytes | None = None
    """What every document that is fetched is; without one, a few words about the path."""
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """How it answers the next of these; 201 with an id when nothing is said."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        if not scope["path"].endswith("/balance"):
            await self._other(scope, receive, send)
            return
        customer_id = UUID(scope["path"].split("/")[3])
        self.asked.append(customer_id)
        entity_id = QueryParams(scope["query_string"].decode()).get("entity_id", "default")
        body = httpx.Response(200, json=self.answer(customer_id, entity_id)).content
        if self.meanwhile:
            happen, self.meanwhile = self.meanwhile, None
            await happen()
        status = 503 if self.down else 200
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}" if self.down else body})

    async def _other(self, scope: Any, receive: Any, send: Any) -> None:
        """A document that is fetched, or something asked of the invoice service by POST."""
        status, kind, body = 200, b"application/pdf", self.document or f"%PDF-1.7 {scope['path']}".encode()
        if scope["method"] == "POST":
            asked = json.loads((await receive())["body"] or b"{}")
            key = dict(scope["headers"])[b"idempotency-key"].decode()
            self.posted.append((scope["path"], key, asked))
            status, told = self.answers.pop(0) if self.answers else (201, {"id": str(uuid4()), "status": "agreed"})
            kind, body = b"application/json", json.dumps(told).encode()
        if self.down or (self.no_documents and scope["method"] == "GET"):
            status, body = 503, b"{}"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})

    def answer(self, customer_id: UUID, entity_id: str) -> dict[str, Any]:
        today = self.now.date()
        owed = [i for i in self.invoices if (i.customer_id, i.entity_id) == (customer_id, entity_id)]
        return {
            "customer_id": str(customer_id),
            "as_of": today.isoformat(),
            "entity": {"id": entity_id, "name": SELLERS.get(entity_id, entity_id)},
            "totals": [
                {"currency": money.currency, "unapplied": {"amount": money.amount, "currency": money.currency}}
                for id, money in self.unapplied.items()
                if id == customer_id
            ],
            "items": [invoice.answer(today) for invoice in owed if invoice.version and invoice.balance_minor],
            "pay_link": f"https://pay.example/pay/{customer_id}",
        }


@dataclass
class Desk:
    """One reminder service on simulated time, its mail server and the invoice service it asks."""

    http: httpx.AsyncClient
    database: Database
    resources: Resources
    invoice_service: InvoiceService
    smtp: Mailbox
    app: FastAPI

    async def set_clock(self, now: datetime) -> None:
        self.invoice_service.now = now
        await self.database.pool.execute(
            "insert into clock (now) values ($1) on conflict (singleton) do update set now = excluded.now", now
        )

    async def hear(self, *events: Event) -> None:
        """Take events of the other services, as one batch."""
        await deliver_batch(self.database, subscriptions, [receive(event) for event in events])

    async def onboard(self, **changes: Any) -> Customer:
        customer = Customer.new(**changes)
        await self.hear(customer.onboard())
        return customer

    async def issue(
        self, customer: Customer, due_on: date, number: str = "R-1", minor: int = 10_000, **more: Any
    ) -> Invoice:
        """Issued thirty days before due, unless said otherwise."""
        more.setdefault("issued_on", due_on - timedelta(days=30))
        invoice = Invoice(customer.id, number, minor, due_on=due_on, **more)
        self.invoice_service.invoices.append(invoice)
        await self.hear(invoice.issue())
        return invoice

    async def until(self, day: date, hour: int = 12) -> None:
        """Let time pass as a replay does: from moment to moment at which something is due, announcing what becomes
        overdue at each midnight on the way."""
        end = datetime.combine(day, time(hour), UTC)
        now = await self.now()
        await self.tick()
        while True:
            midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            due = await self.next_due()
            now = min(end, midnight, due if due and due > now else end)
            await self.set_clock(now)
            await self._announce_overdue(now.date())
            await self.tick()
            if now >= end:
                return

    async def tick(self) -> None:
        """Run what is due, as the worker would; give up when nothing moves."""
        now = await self.now()
        for _ in range(50):
            due = await self.next_due()
            if due is None or due > now:
                return
            for _, _, job in ticks.jobs:
                await job(TickContext(self.database, now, self.resources))
            if await self.next_due() == due:
                return

    async def now(self) -> datetime:
        return await self.database.clock.business_now(self.database.pool)

    async def next_due(self) -> datetime | None:
        """The earliest moment at which any of the service's clock-driven jobs has work."""
        return await self.database.pool.fetchval(f"select min(at) from unnest({ticks.next_due_sql}) as at")

    async def get(self, path: str, **query: Any) -> Any:
        return await service_client.get(self.http, path, **query)

    async def contacts(self, **query: Any) -> list[dict[str, Any]]:
        """Oldest first."""
        return list(reversed((await self.get("/v1/contacts", limit=500, **query))["items"]))

    async def sent(self) -> list[tuple[str, str]]:
        """(day, step) of each message that went out."""
        return [(c["sent_at"][:10], c["step"]) for c in await self.contacts(status="sent")]

    async def published(self) -> list[dict[str, Any]]:
        """Events in the order they were decided, each with its type's short name."""
        return await service_client.published(self.database)

    async def types(self) -> list[str]:
        return [event["type"] for event in await self.published()]

    def mails(self) -> list[EmailMessage]:
        return self.smtp.messages

    async def _announce_overdue(self, today: date) -> None:
        events = [
            invoice.become_overdue()
            for invoice in self.invoice_service.invoices
            if invoice.balance_minor and invoice.due_on < today and invoice.overdue_since is None
        ]
        if events:
            await self.hear(*events)


async def wait_until(condition: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # What is waited for has no event to offer.
            await asyncio.sleep(0.01)
