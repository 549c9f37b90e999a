"""Events become figures once each, in whatever order, number and batches they come."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from typing import Any
from uuid import uuid4

import orjson
import pytest

from services.reporting.consumers import project
from shared.db import Database, transaction
from shared.delivery import Received
from shared.events import catalogue
from shared.events.envelope import Envelope
from tests.reporting.books import Books, unknown
from tests.reporting.client import Reporting, forget

D = date

TABLES = {
    "customer": "id",
    "movement": "invoice_id, version",
    "receivable": "invoice_id",
    "account_cell": "customer_id, currency, effective_on, due_on, issued_on",
    "account_period": "currency, before_on, customer_id",
    "group_cell": "kind, axis, effective_on, key, currency, day",
    "flow": "kind, key, currency, effective_on",
    "invoice": "id",
    "contact": "id",
}
"""Every read model but the feed, which keeps the order of arrival and is compared by itself."""


def two_customers() -> Books:
    books = Books()
    acme, beta = books.onboard("Acme", "retail"), books.onboard("Beta", "key")
    one = books.issue(acme, D(2021, 1, 10), 100_00)
    two = books.issue(acme, D(2021, 2, 1), 250_00, "USD", net_days=14)
    three = books.issue(beta, D(2021, 2, 20), 990_00)
    books.overdue(one)
    books.pay(one, D(2021, 3, 1), 40_00)
    books.pay(one, D(2021, 3, 20))
    books.take_back(one, D(2021, 4, 2), 60_00)
    books.pay(two, D(2021, 3, 5))
    books.rename(beta, "Beta AG", D(2021, 3, 6))
    books.remind(beta, D(2021, 4, 1), invoices=(three.number,))
    books.pay(three, D(2021, 4, 30), 990_00, booked_on=D(2021, 5, 3))
    return books


async def state(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but the sums that came and went again, such as those of a group that everybody has left."""
    return {
        table: [
            tuple(row)
            for row in await database.pool.fetch(f"select * from {table} order by {key}")
            if any(value for value in row if isinstance(value, int)) or table == "movement"
        ]
        for table, key in TABLES.items()
    }


async def feed(database: Database) -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in await database.pool.fetch(
            "select source, subject, version, type, data::text from event order by source, subject, version"
        )
    ]


async def apply(database: Database, received: list[Received], batch: int) -> None:
    """Past the inbox: what the read models do when it cannot help, since a redelivery has a new event id."""
    for start in range(0, len(received), batch):
        async with transaction(database) as tx:
            await project(tx, received[start : start + batch])


@pytest.mark.parametrize("batch", [1, 3, 200])
async def test_the_size_of_batches_changes_nothing(reporting: Reporting, batch: int) -> None:
    books = two_customers()
    await reporting.hear(books, 200)
    whole, events = await state(reporting.database), await feed(reporting.database)
    await forget(reporting.database)
    await reporting.hear(books, batch)
    assert await state(reporting.database) == whole
    assert await feed(reporting.database) == events


async def test_an_event_that_comes_again_counts_once(reporting: Reporting) -> None:
    received = two_customers().received
    assert await reporting.hear(received) == len(received)
    before = await state(reporting.database)
    assert await reporting.hear(received) == 0
    assert await state(reporting.database) == before


async def test_a_version_that_comes_again_under_another_event_id_counts_once(reporting: Reporting) -> None:
    books = two_customers()
    await reporting.hear(books.received + books.received)
    await reporting.hear(books.received, 1)
    once = await state(reporting.database), await feed(reporting.database)
    await forget(reporting.database)
    await reporting.hear(books.received)
    assert (await state(reporting.database), await feed(reporting.database)) == once


@pytest.mark.parametrize("seed", range(5))
async def test_events_out_of_order_give_the_same_figures(reporting: Reporting, seed: int) -> None:
    books = two_customers()
    await reporting.hear(books)
    in_order = await state(reporting.database)
    await forget(reporting.database)
    shuffled = books.received
    random.Random(seed).shuffle(shuffled)
    await apply(reporting.database, shuffled, 1 + seed)
    assert await state(reporting.database) == in_order


async def test_an_older_version_never_replaces_a_newer_state(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard("Old name")
    books.rename(customer, "New name", D(2021, 1, 2))
    await reporting.hear(list(reversed(books.received)), 1)
    assert await reporting.database.pool.fetchval("select name from customer") == "New name"


async def test_histories_keep_what_current_state_drops(reporting: Reporting) -> None:
    books = Books()
    item = books.issue(books.onboard(), D(2021, 1, 1), 500)
    books.pay(item, D(2021, 1, 5))
    await reporting.hear(list(reversed(books.received)), 1)
    types = {item["type"] for item in (await reporting.get("/v1/events"))["items"]}
    assert {"dueward.invoice.issued.v1", "dueward.invoice.settled.v1"} <= types
    (was,) = (await reporting.get("/v1/reports/ageing", as_of="2021-01-04"))["items"]
    assert was["total"] == "5.00"


async def test_an_event_of_an_unknown_type_is_kept_in_the_feed_and_leaves_the_figures_alone(
    reporting: Reporting,
) -> None:
    customer = uuid4()
    await reporting.hear([unknown(customer, effective_on="2021-05-01"), unknown(customer, effective_on=7)])
    kept = (await reporting.get("/v1/events", customer_id=str(customer)))["items"]
    assert [event["effective_on"] for event in kept] == ["2021-05-01", "2021-05-04"]
    assert (await reporting.get("/v1/reports/ageing"))["items"] == []


async def test_a_rebuild_from_the_feed_gives_identical_figures(reporting: Reporting) -> None:
    """Invariant 8: what the feed keeps is enough to make every other table again."""
    await reporting.hear(two_customers())
    before = await state(reporting.database)
    rows = await reporting.database.pool.fetch("select * from event order by seq")
    await forget(reporting.database)
    await apply(reporting.database, [_kept(row) for row in rows], 4)
    assert await state(reporting.database) == before


async def test_a_receivable_is_the_sum_of_its_movements(reporting: Reporting) -> None:
    await reporting.hear(two_customers())
    wrong = await reporting.database.pool.fetch(
        """
        select invoice_id from receivable r
        join movement m using (invoice_id)
        join invoice i on i.id = r.invoice_id
        group by invoice_id, r.balance_minor, i.balance_minor
        having sum(m.change_minor) <> r.balance_minor or r.balance_minor <> i.balance_minor
        """
    )
    assert wrong == []


async def test_a_batch_takes_few_statements_however_large_it_is(reports_database: Database) -> None:
    books = Books()
    customers = [books.onboard(f"Customer {n}") for n in range(20)]
    for n in range(100):
        books.pay(books.issue(customers[n % 20], D(2021, 1, 1), 100 + n), D(2021, 2, 1))
    statements: list[str] = []
    async with transaction(reports_database) as tx:
        await project(tx, books.received)  # The driver asks for each array type once a connection.
        tx.connection.add_query_logger(lambda query: statements.append(query.query))
        await project(tx, books.received)
    assert 0 < len(statements) <= 12


async def test_feed_numbers_become_visible_in_the_order_of_their_size(reports_database: Database) -> None:
    """A writer that has its numbers and has not committed holds the next one up: no reader's cursor passes it by."""
    books = Books()
    books.onboard("First")
    books.onboard("Second")
    first, second = books.received
    async with transaction(reports_database) as slow:
        await project(slow, [first])
        quick = asyncio.create_task(apply(reports_database, [second], 1))
        await asyncio.sleep(0.3)
        assert not quick.done()
        assert await reports_database.pool.fetchval("select count(*) from event") == 0
    await quick
    ids = [row["id"] for row in await reports_database.pool.fetch("select id from event order by seq")]
    assert ids == [first.envelope.id, second.envelope.id]


def _kept(row: Any) -> Received:
    data = orjson.dumps(row["data"])
    envelope = Envelope(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        subject=row["subject"],
        time=row["time"],
        version=row["version"],
        key=row["customer_id"],
        correlation_id=row["correlation"],
        causation_id=row["causation"],
        traceparent=None,
        data=data,
    )
    return Received(envelope, catalogue.parse(envelope), row["topic"], 0, 0, (), data)
