"""The finance desk in a real browser over real HTTP, and a busy day for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser

from deploy.local.embedded import free_port
from services.invoice.app import create_api, open_resources
from services.invoice.settings import Settings
from shared.db import Database
from tests.browser import Tab, serving, signed_in
from tests.invoice.bank_files import BAKER_IBAN, camt, detail, entry
from tests.invoice.client import SIMULATED_FROM, CreditNextDoor, Receivables, ReportingNextDoor, eur, invoice, line
from tests.service_client import app_of, calling, settings_of

EVIL = 'Acme <script>alert("x")</script> & Söhne'


@dataclass(kw_only=True)
class Desk(Tab):
    """Somebody's window, and the books behind it."""

    books: Receivables


@dataclass(frozen=True)
class Served:
    books: Receivables
    url: str
    keys_folder: Path


@pytest.fixture
async def served(
    open_database: Callable[..., Awaitable[Database]], keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[Served]:
    database = await open_database("invoice", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1::text::timestamptz)", SIMULATED_FROM)
    credit, reporting = CreditNextDoor(), ReportingNextDoor()
    port = free_port()
    settings = settings_of(Settings, keys_folder, public_url=f"http://127.0.0.1:{port}")
    transports = {
        "credit_transport": httpx.MockTransport(credit.answer),
        "reporting_transport": httpx.MockTransport(reporting.answer),
    }
    async with open_resources(settings, **transports) as resources:
        app = app_of(create_api, settings, database=database, resources=resources)
        async with serving(app, port) as url, calling(app, "invoice", token()) as http:
            yield Served(Receivables(http, database, credit, resources, reporting), url, keys_folder)


@pytest.fixture
async def sign_in(served: Served, chromium: Browser) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """`await sign_in("ben")`: a browser of somebody's own. It takes nothing from elsewhere, nothing on the console."""
    async with AsyncExitStack() as windows:

        async def somebody(subject: str, scopes: str = "all") -> Desk:
            tab = await windows.enter_async_context(
                signed_in(chromium, served.url, served.keys_folder, subject, scopes)
            )
            return Desk(tab.page, tab.url, tab.complaints, books=served.books)

        yield somebody


@pytest.fixture
async def desk(sign_in: Callable[..., Awaitable[Desk]]) -> AsyncIterator[Desk]:
    """Ben's, who may do everything; the books are kept by anna."""
    somebody = await sign_in("ben")
    yield somebody
    assert somebody.complaints == []


async def policies(books: Receivables, **policies: Any) -> None:
    seen = await books.http.get("/v1/entities/default")
    body = {"policies": policies}
    answer = await books.http.patch("/v1/entities/default", json=body, headers={"if-match": seen.headers["etag"]})
    assert answer.status_code == 200, answer.text


async def statement(books: Receivables, *entries: str) -> None:
    headers = {"idempotency-key": str(uuid4()), "content-type": "application/xml"}
    answer = await books.http.post("/v1/bank-statements", content=camt(*entries), headers=headers)
    assert answer.status_code == 201, answer.text


async def imported(books: Receivables, *rows: dict[str, Any]) -> str:
    headers = {"idempotency-key": str(uuid4()), "content-type": "application/x-ndjson"}
    body = b"\n".join(json.dumps(row).encode() for row in rows)
    answer = await books.http.post("/v1/imports", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@dataclass(frozen=True)
class Busy:
    """What a busy day has left on the desk."""

    customer: str
    other: str
    invoice: dict[str, Any]
    draft: str
    dispute: str
    import_id: str


async def a_busy_day(books: Receivables) -> Busy:
    await policies(
        books,
        write_offs={"approval_from": [eur("50.00")]},
        delivery={"days_max": 3, "owner": "ada"},
        draft_days_max=2,
    )
    customer = await books.customer(name=EVIL, external_id="C-1")
    other = await books.customer(name="Boulangerie du Lac", external_id="C-2")
    first = await books.issue(customer, "119.00", number="A-1", issue_date="2024-01-10", due_date="2024-02-09")
    await books.issue(customer, "400.00", number="A-2", issue_date="2024-02-01")
    await books.issue(other, "1234.50", number="B-7", issue_date="2024-02-15")
    await books.issue(other, "98000", "JPY", number="B-8", issue_date="2024-02-20")
    draft = await books.post("/v1/invoices", invoice(customer, "75.00", draft=True, reference="PO 4711", owner="ada"))
    dispute = await books.dispute(first["id"], "19.00")
    await books.post(f"/v1/invoices/{first['id']}/write-off", {"reason_code": "insolvency", "amount": eur("60.00")})
    await statement(
        books,
        entry("400.00", detail(text="two hundred loaves, thank you", name="Boulangerie du Lac", iban="")),
        entry("77.00", detail(text="Miete Maerz", name="Niemand AG", iban=BAKER_IBAN)),
        entry("40.00", detail(text="A-2 in part", iban="")),
    )
    import_id = await imported(
        books,
        {"customer_id": other, "number": "I-1", "lines": [line("10.00")]},
        {"customer_id": other, "number": "I-2", "lines": [line("-1.00")]},
        {"customer_id": str(uuid4()), "number": "I-3", "lines": [line("10.00")]},
    )
    await books.wake_on("2024-03-05")
    return Busy(customer, other, first, draft.json()["id"], dispute.json()["id"], import_id)
