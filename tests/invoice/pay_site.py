"""The customer's page on a real port, with a payment provider that calls it back, and a phone to look at it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, Page
from pydantic import SecretStr

from deploy.local.embedded import free_port
from services.invoice.app import create_api, open_resources
from services.invoice.settings import Settings
from shared.db import Database
from shared.mail import MailServer, Postman
from tests.browser import serving
from tests.invoice.client import SIMULATED_FROM, CreditNextDoor, Receivables, ReportingNextDoor
from tests.mailbox import Mailbox
from tests.service_client import app_of, calling, settings_of

ROOT = Path(__file__).parents[2]
WEBHOOK_SECRET = "whsec_of_the_test"
GOOD_CARD, BAD_CARD = "4242 4242 4242 4242", "4000 0000 0000 0002"


@pytest.fixture(scope="session")
def stripe_url() -> Iterator[str]:
    port = free_port()
    provider = subprocess.Popen([sys.executable, "-m", "tests.invoice.stripe_next_door", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(url, timeout=10)
            except httpx.TransportError:
                assert provider.poll() is None, "the provider did not start"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                break
        yield url
    finally:
        provider.terminate()
        provider.wait()


@dataclass(frozen=True)
class Site:
    """The service on a real port, with a payment provider that calls it back."""

    books: Receivables
    url: str
    http: httpx.AsyncClient

    async def link(self, customer_id: str) -> str:
        return (await self.books.get(f"/v1/customers/{customer_id}/pay-link"))["url"]

    async def described(self) -> None:
        """Give the entity the bank account and address that the page prints."""
        seen = await self.books.http.get("/v1/entities/default")
        seller = {
            "legal_name": "Nordwind Handel GmbH",
            "address": {"lines": ["Speicherstr. 7"], "city": "Hamburg", "postal_code": "20457", "country": "DE"},
            "email": "buchhaltung@nordwind.example",
            "bank_accounts": [{"iban": "DE02120300000000202051", "bic": "BYLADEM1001"}],
        }
        await self.books.http.patch(
            "/v1/entities/default", json={"seller": seller}, headers={"if-match": seen.headers["etag"]}
        )

    async def policies(self, **policies: Any) -> None:
        seen = await self.books.http.get("/v1/entities/default")
        answer = await self.books.http.patch(
            "/v1/entities/default", json={"policies": policies}, headers={"if-match": seen.headers["etag"]}
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def site(
    open_database: Callable[..., Awaitable[Database]], keys_folder: Path, token: Callable[..., str], stripe_url: str
) -> AsyncIterator[Site]:
    database = await open_database("invoice", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1::text::timestamptz)", SIMULATED_FROM)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = settings_of(
        Settings,
        keys_folder,
        public_url=url,
        stripe_url=stripe_url,
        stripe_secret_key=SecretStr("sk_test_of_the_test"),
        stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
    )
    credit, reporting = CreditNextDoor(), ReportingNextDoor()
    async with open_resources(settings, credit_transport=httpx.MockTransport(credit.answer)) as resources:
        app = app_of(create_api, settings, database=database, resources=resources)
        async with (
            serving(app, port),
            httpx.AsyncClient(base_url=url, timeout=30) as http,
            calling(app, "invoice", token()) as own,
        ):
            hook = {"url": f"{url}/webhooks/stripe", "secret": WEBHOOK_SECRET}
            await http.post(f"{stripe_url}/_config/webhooks/dueward", json=hook)
            yield Site(Receivables(own, database, credit, resources, reporting), url, http)


@pytest.fixture
async def tab(chromium: Browser) -> AsyncIterator[Page]:
    """A phone's browser that complains of nothing."""
    context = await chromium.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
        return found


async def a_customer_with_two_invoices(site: Site) -> tuple[str, dict[str, Any], dict[str, Any]]:
    await site.described()
    customer = await site.books.customer(name="Bäckerei Krume")
    first = await site.books.issue(customer, "119.00", issue_date="2024-01-10", due_date="2024-02-09")
    second = await site.books.issue(customer, "250.50", issue_date="2024-02-20", due_date="2024-03-21")
    return customer, first, second


GOOD_IBAN, EMPTY_IBAN = "DE89 3704 0044 0532 0130 00", "DE62 3704 0044 0532 0130 01"
"""Stripe's test accounts: one that pays, one without funds."""


@dataclass(frozen=True)
class Debits(Site):
    """The page of an entity that sends by itself, over a mail server that keeps what it is given."""

    smtp: Mailbox
    provider: str

    async def customer(self) -> str:
        return await self.books.customer(name="Bäckerei Krume")

    async def sign(self, customer: str, iban: str = GOOD_IBAN) -> None:
        """Leave an account without paying; the service learns of the mandate from the provider's call."""
        link = await self.link(customer)
        answer = await self.http.post(f"{link}/method", data={"attempt": str(uuid4())})
        assert answer.status_code == 303, answer.text
        await self.http.post(answer.headers["location"], data={"iban": iban})
        await until(lambda: self.books.database.pool.fetchval("select true from saved_method where status = 'wanted'"))
        await self.books.tick()

    async def announce(self) -> None:
        await self.books.at("2024-03-15", 9)
        await self.books.tick()
        await self.books.tick()  # What was written for the customer leaves.

    async def page(self, customer: str) -> str:
        return (await self.http.get(await self.link(customer))).text.replace("\xa0", " ")

    def mails(self, about: str) -> list[str]:
        found = [mail for mail in self.smtp.messages if about in mail["subject"]]
        bodies = [mail.get_body(("plain",)) for mail in found]
        return [" ".join(body.get_content().split()).replace("\xa0", " ") for body in bodies if body]

    async def collections(self) -> list[tuple[str, str]]:
        rows = await self.books.database.pool.fetch("select status, amount_minor from collection order by attempt, id")
        return [(row[0], row[1]) for row in rows]

    async def settled(self, invoice: dict[str, Any]) -> bool:
        return (await self.books.invoice(invoice["id"]))["status"] == "settled"

    async def give_back(self, reason: str) -> None:
        intent = await self.books.database.pool.fetchval("select intent_id from collection where status = 'paid'")
        await self.http.post(f"{self.provider}/_bank/returns", data={"intent": intent, "reason": reason})


@pytest.fixture
async def debits(site: Site, smtp: Mailbox, stripe_url: str) -> AsyncIterator[Debits]:
    postman = Postman(MailServer(smtp.host, smtp.port, "ar@dueward.example", tls="never", timeout_seconds=20))
    await site.described()
    await site.policies(delivery={"automatic": True})
    books = replace(site.books, resources=replace(site.books.resources, postman=postman))
    yield Debits(books, site.url, site.http, smtp, stripe_url)
    await postman.close()
