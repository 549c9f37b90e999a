"""How many statements the two busiest requests take: a round trip more is paid by every one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.invoice.client import Receivables

HOUSEKEEPING = ("BEGIN", "COMMIT", "select now from clock", "select pg_notify")
ABOUT_TYPES = ("current_setting('jit')", "set_config('jit'", "typeinfo_tree")
"""A connection's first use of an array type asks the catalogue about it."""


@asynccontextmanager
async def statements(books: Receivables) -> AsyncIterator[list[str]]:
    """What is sent to the database within the block, less transaction control and the simulated clock."""
    seen: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        query = " ".join(record.query.split())
        if not query.startswith(HOUSEKEEPING) and not any(mark in query for mark in ABOUT_TYPES):
            seen.append(query)

    pool = books.database.pool
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        connection.add_query_logger(note)
        await pool.release(connection)
    yield seen
    for connection in [await pool.acquire() for _ in range(pool.get_max_size())]:
        connection.remove_query_logger(note)
        await pool.release(connection)


async def test_issuing_takes_two_statements_before_credit_is_asked_and_six_after(books: Receivables) -> None:
    customer = await books.customer()

    async with statements(books) as seen:
        await books.issue(customer)

    assert len(seen) == 8, seen


async def test_a_payment_that_settles_an_overdue_invoice_takes_eight_statements(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, issue_date="2024-01-01", due_date="2024-01-31")
    await books.tick()

    async with statements(books) as seen:
        await books.pay("100.00", customer_id=customer, reference=issued["number"])

    assert len(seen) == 8, seen
    assert (await books.told(issued["id"]))[-1][0] == "invoice.overdue_cleared"
