"""The ledgers that questions are measured on: the tables are what the projection of the same events leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.reporting.consumers import project
from services.reporting.standings import handlers as standings
from shared.db import Database, transaction
from shared.events.credit import CustomerOnboarded, CustomerState, PaymentTerms
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoiceIssued,
    InvoiceSettled,
    InvoiceState,
)
from shared.money import Money
from tests.bench.ledger_at_scale import TODAY, UNASKED, Growth, grow
from tests.conftest import with_database
from tests.reporting.books import receive

OPEN = 60
TABLES = {
    "customer": "id",
    "movement": "invoice_id, version",
    "receivable": "invoice_id",
    "invoice": "id",
    "standing_day": "before_on",
    "account_cell": "customer_id, currency, effective_on, due_on, issued_on",
    "account_standing": "customer_id, before_on, currency, due_on, issued_on",
    "account_period": "currency, before_on, customer_id",
    "group_cell": "kind, axis, effective_on, key, currency, day",
    "group_standing": "kind, axis, before_on, key, currency, day",
    "flow": "kind, key, currency, effective_on",
}
SUMS = ("account_cell", "account_standing", "account_period", "group_cell", "group_standing", "flow")


@pytest.mark.parametrize(
    ("growth", "settled"),
    [
        (Growth(customers=9, settled_a_day=2, days=10_000), (80, 420)),
        (Growth(customers=9, settled_a_day=1, days=120), (120, 360)),
    ],
    ids=["longer", "wider"],
)
async def test_a_ledger_made_at_once_and_grown_is_the_one_that_its_events_would_have_left(
    postgres_url: str,
    template_of: Callable[[str], str],
    open_database: Callable[..., Awaitable[Database]],
    growth: Growth,
    settled: tuple[int, int],
) -> None:
    projected = await open_database("reporting")
    async with _another(postgres_url, template_of("reporting")) as url:
        await grow(url, growth, 0, settled[0], OPEN)
        await grow(url, growth, settled[0], settled[1], OPEN)
        made = await Database.open(url)
        await _live_through(projected, await _events(made))
        for table, key in TABLES.items():
            assert await _rows(made, table, key) == await _rows(projected, table, key), table
        assert await made.pool.fetchval("select count(*) from invoice") == settled[1] + OPEN
        assert await _indexes(made) == await _indexes(projected) - set(UNASKED)
        await made.close()


@asynccontextmanager
async def _another(postgres_url: str, template: str) -> AsyncIterator[str]:
    """One more migrated database, for as long as the block lasts."""
    name = f"at_scale_{uuid4().hex[:12]}"
    server = await asyncpg.connect(postgres_url)
    await server.execute(f'create database "{name}" template "{template}" strategy file_copy')
    try:
        yield with_database(postgres_url, name)
    finally:
        await server.execute(f'drop database "{name}" with (force)')
        await server.close()


async def _live_through(database: Database, events: list[Event]) -> None:
    """Day by day as they are booked, standings being kept at every day's begin."""
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_day[event.booked_on].append(event)
    for day in sorted(by_day):
        async with transaction(database) as tx:
            await standings.keep_standings(tx, day)
            await project(tx, [receive(event) for event in by_day[day]])
    async with transaction(database) as tx:
        while await standings.keep_standings(tx, TODAY):
            pass


async def _rows(database: Database, table: str, key: str) -> list[tuple[Any, ...]]:
    """Every row but the sums that came and went again."""
    rows = await database.pool.fetch(f"select * from {table} order by {key}")
    return [tuple(row) for row in rows if table not in SUMS or any(v for v in row if isinstance(v, int))]


async def _indexes(database: Database) -> set[str]:
    rows = await database.pool.fetch("select indexname from pg_indexes where schemaname = 'public'")
    return {row["indexname"] for row in rows}


@dataclass(frozen=True)
class _Before:
    balance: int = 0
    disputed: int = 0


async def _events(database: Database) -> list[Event]:
    """What the services would have published for what stands in the tables."""
    first_day = date(2000, 1, 1)
    events: list[Event] = [
        _onboarded(row, first_day) for row in await database.pool.fetch("select * from customer order by id")
    ]
    before: dict[UUID, _Before] = defaultdict(_Before)
    for row in await database.pool.fetch(
        """
        select m.*, i.number, i.total_minor from movement m join invoice i on i.id = m.invoice_id
        order by m.invoice_id, m.version
        """
    ):
        was = before[row["invoice_id"]]
        now = replace(was, balance=was.balance + row["change_minor"], disputed=row["disputed_minor"])
        before[row["invoice_id"]] = now
        events.append(_event(row, was, now))
    return events


def _onboarded(row: asyncpg.Record, on: date) -> CustomerOnboarded:
    state = CustomerState(
        **{
            name: row[name]
            for name in ("id", "version", "external_id", "name", "status", "country", "currency", "segment")
        },
        language="en",
        time_zone="UTC",
        payment_terms=PaymentTerms(net_days=row["net_days"]),
    )
    return CustomerOnboarded(customer_id=row["id"], effective_on=on, booked_on=on, customer=state)


def _event(row: asyncpg.Record, was: _Before, now: _Before) -> InvoiceEvent:
    def money(minor: int) -> Money:
        return Money(minor, row["currency"])

    settled = row["kind"] == "cash" and now.balance == 0
    status = "settled" if now.balance == 0 else "open" if now.balance == row["total_minor"] else "partly_paid"
    said: dict[str, Any] = {
        "customer_id": row["customer_id"],
        "effective_on": row["effective_on"],
        "booked_on": row["booked_on"],
        "entity_id": row["entity_id"],
        "invoice": InvoiceState(
            id=row["invoice_id"],
            version=row["version"],
            entity_id=row["entity_id"],
            number=row["number"],
            status=status,
            issue_date=row["issued_on"],
            due_date=row["due_on"],
            total=money(row["total_minor"]),
            balance=money(now.balance),
            disputed=money(now.disputed),
            collectable=money(now.balance - now.disputed),
            overdue_episode=0,
            overdue_since=None,
            settled_on=row["effective_on"] if settled else None,
        ),
    }
    change, some_id = money(row["change_minor"]), row["invoice_id"]
    match row["kind"]:
        case "sale":
            return InvoiceIssued(**said, change=change, net=change, tax=money(0), delivery_channel="email")
        case "credit":
            return InvoiceCredited(
                **said, change=change, credit_note_id=some_id, credit_note_number="CN", reason="goods_returned"
            )
        case "hold" if now.disputed:
            return InvoiceDisputed(
                **said, dispute_id=some_id, amount=money(now.disputed), reason="damaged", code="quality"
            )
        case "hold":
            return InvoiceDisputeResolved(**said, dispute_id=some_id, amount=money(was.disputed), outcome="rejected")
        case _ if settled:
            days_late = (row["effective_on"] - row["due_on"]).days
            return InvoiceSettled(**said, change=change, reason="allocation", days_late=days_late)
        case _:
            return InvoiceBalanceChanged(**said, change=change, reason="allocation")
