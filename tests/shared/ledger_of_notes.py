"""A tiny service to try the plumbing with: it notes, per customer, the versions of the invoices it hears of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from shared import outbox
from shared.db import Database, Tx, transaction
from shared.delivery import Received, Subscriptions
from shared.events.envelope import Envelope, to_kafka
from shared.events.invoice import InvoiceBalanceChanged, InvoiceState
from shared.money import Money

TABLE = """
create table note (
    seq bigint generated always as identity primary key, customer_id uuid not null, invoice_id uuid not null,
    version bigint not null, unique (invoice_id, version)
)
"""

POISON = "999.99"
"""A change of this amount is more than the handler can bear."""


def event(customer_id: UUID, invoice_id: UUID, version: int, change: str = "-1.00") -> InvoiceBalanceChanged:
    eur = Money.zero("EUR")
    return InvoiceBalanceChanged(
        customer_id=customer_id,
        effective_on=date(2026, 1, 5),
        booked_on=date(2026, 1, 5),
        entity_id="default",
        invoice=InvoiceState(
            id=invoice_id,
            version=version,
            entity_id="default",
            number=f"N-{invoice_id}",
            status="partly_paid",
            issue_date=date(2026, 1, 1),
            due_date=date(2026, 1, 31),
            total=Money.parse("1000.00", "EUR"),
            balance=eur,
            disputed=eur,
            collectable=eur,
            overdue_episode=0,
            overdue_since=None,
            settled_on=None,
        ),
        change=Money.parse(change, "EUR"),
        reason="allocation",
    )


def subscriptions(group: str = "notes") -> Subscriptions:
    subscribed = Subscriptions(group=group, topics=("ar.invoice",))

    @subscribed.on(InvoiceBalanceChanged)
    async def note(tx: Tx, changed: InvoiceBalanceChanged) -> None:
        await tx.execute(
            "insert into note (customer_id, invoice_id, version) values ($1, $2, $3)",
            changed.customer_id,
            changed.invoice.id,
            changed.invoice.version,
        )
        if changed.change.amount == POISON:
            raise ValueError("this invoice cannot be noted")

    return subscribed


async def make_table(database: Database) -> None:
    async with database.pool.acquire() as connection:
        await connection.execute(TABLE)


async def publish(database: Database, *events: InvoiceBalanceChanged) -> None:
    async with transaction(database) as tx:
        await outbox.append(tx, *events)


async def notes(database: Database) -> list[tuple[UUID, UUID, int]]:
    async with database.pool.acquire() as connection:
        rows = await connection.fetch("select customer_id, invoice_id, version from note order by seq")
    return [(row["customer_id"], row["invoice_id"], row["version"]) for row in rows]


def customers(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


def as_received(changed: InvoiceBalanceChanged, traceparent: str | None = None) -> Received:
    """The event as if it had come over Kafka."""
    envelope = Envelope(
        id=uuid4(),
        source="/dueward/invoice",
        type=changed.type,
        subject=changed.subject,
        time=datetime(2026, 1, 5, tzinfo=UTC),
        version=changed.version,
        key=changed.customer_id,
        correlation_id="test",
        causation_id=None,
        traceparent=traceparent,
        data=changed.model_dump_json().encode(),
    )
    _, value, headers = to_kafka(envelope)
    return Received(envelope, changed, changed.topic, 0, 0, headers, value)


@asynccontextmanager
async def running(*jobs: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncGenerator[asyncio.Event]:
    """Run jobs until the block ends; a job's failure is the test's."""
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(job(stop)) for job in jobs]
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def eventually(condition: Callable[[], Awaitable[Any]], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition was never met"
        await asyncio.sleep(0.02)


async def has_notes(database: Database, count: int) -> bool:
    async with database.pool.acquire() as connection:
        return await connection.fetchval("select count(*) from note") >= count


async def has_progress(database: Database, count: int) -> bool:
    async with database.pool.acquire() as connection:
        return (await connection.fetchval("select coalesce(sum(n), 0) from consumer_progress")) >= count
