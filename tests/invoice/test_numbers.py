"""Numbers stay gapless: sixteen real processes issue at once and are killed in the middle of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.clock import Clock
from shared.db import Database
from tests.invoice.client import Receivables, invoice
from tests.invoice.conftest import serving

ISSUERS = 16

ISSUERS_AT_WORK = """
import asyncio, os, sys
from uuid import UUID
from services.invoice.customers.handlers import CustomerRef
from services.invoice.drafting.rules import InvoiceIn
from services.invoice.invoices import handlers
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditAnswer
from shared.clock import Clock
from shared.db import Database, transaction

async def issue_until_killed(url, customer):
    lines = [{"description": "Consulting", "unit_price": {"amount": "10.00", "currency": "EUR"}}]
    wanted = InvoiceIn.model_validate({"customer_id": customer, "lines": lines})
    ref, credit = CustomerRef(UUID(customer)), CreditAnswer("off", "not_asked")
    command = IssueInvoice.asked(ref, wanted, wanted.priced(), credit)
    database = await Database.open(url, clock=Clock(True), pool_max=1)
    while True:
        async with transaction(database) as tx:
            document = await handlers.issue_invoice(tx, command)
        os.write(1, f"{os.getpid()} {document.invoice.number}\\n".encode())

url, *customers = sys.argv[1:]
children = []
for customer in customers:
    if (child := os.fork()) == 0:
        asyncio.run(issue_until_killed(url, customer))
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
"""One process that becomes sixteen; each says its own number and each that it was given."""


@pytest.fixture
async def url_and_books(
    database_url: Callable[[str], str], keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[tuple[str, Receivables]]:
    url = database_url("invoice")
    database = await Database.open(url, clock=Clock(True))
    await database.pool.execute("insert into clock (now) values ('2024-03-01 08:00Z')")
    async with serving(database, keys_folder, token()) as service:
        yield url, service
    await database.close()


async def test_sixteen_issuers_that_are_killed_leave_no_gap(url_and_books: tuple[str, Receivables]) -> None:
    url, books = url_and_books
    customers = [await books.customer() for _ in range(4)]
    root = Path(__file__).parents[2]
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ISSUERS_AT_WORK, url, *(customers[n % 4] for n in range(ISSUERS))),
        stdout=asyncio.subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout
    told: list[str] = []
    alive: set[int] = set()
    killed: set[int] = set()
    chance = random.Random(4711)
    while line := await parent.stdout.readline():
        pid, number = line.decode().split()
        told.append(number)
        alive.add(int(pid))
        if len(alive) == ISSUERS and int(pid) not in killed:  # All are at work: each dies somewhere in its next one.
            await asyncio.sleep(chance.random() / 100)
            os.kill(int(pid), signal.SIGKILL)
            killed.add(int(pid))
    assert await parent.wait() == 0
    assert len(killed) == ISSUERS

    await _nobody_is_issuing(books.database)
    numbers = [row["number"] for row in await books.database.pool.fetch("select number from invoice order by number")]
    assert numbers == [f"DW-{n:06d}" for n in range(1, len(numbers) + 1)]
    assert set(told) <= set(numbers), "what an issuer was told stands"
    assert len(set(told)) == len(told)
    assert (await books.issue(customers[0]))["number"] == f"DW-{len(numbers) + 1:06d}"
    events = await books.database.pool.fetchval("select count(*) from event_log where type like '%invoice.issued%'")
    assert events == len(numbers) + 1, "an event for each, and none for what was lost"


async def _nobody_is_issuing(database: Database) -> None:
    """The server notices a killed client when it next writes to it: wait until its transactions are gone."""
    async with asyncio.timeout(60):
        while await database.pool.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and state <> 'idle'"
        ):
            await asyncio.sleep(0.05)


async def test_a_request_cancelled_anywhere_gives_its_number_back(books: Receivables) -> None:
    customer = await books.customer()
    chance = random.Random(815)

    async def issue() -> None:
        await books.post("/v1/invoices", invoice(customer))

    for _ in range(60):
        task = asyncio.create_task(issue())
        await asyncio.sleep(chance.random() / 40)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await _nobody_is_issuing(books.database)
    numbers = [row["number"] for row in await books.database.pool.fetch("select number from invoice order by number")]
    assert numbers == [f"DW-{n:06d}" for n in range(1, len(numbers) + 1)]
    assert (await books.issue(customer))["number"] == f"DW-{len(numbers) + 1:06d}"
