"""The credit service's pages in a browser, with a book of customers behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Browser

from shared.db import Database
from tests import service_client
from tests.browser import Tab, serving, signed_in
from tests.credit.applications import money
from tests.credit.books import Invoice
from tests.credit.client import Credit
from tests.credit.onboarding import onboarding_app

NOW = "2026-03-10 09:00Z"
TODAY = date(2026, 3, 10)
EVIL = 'Acme <script>alert("x")</script> & Söhne'


@dataclass
class Desk:
    """The service, called by somebody who may do everything (`credit`), and windows of people who work with it."""

    credit: Credit
    url: str
    browser: Browser
    keys_folder: Path
    open: AsyncExitStack
    tabs: dict[str, Tab] = field(default_factory=dict)

    async def tab(self, subject: str, scopes: str = "all", width: int = 1280) -> Tab:
        """A person's own window; the same one the next time."""
        if subject not in self.tabs:
            window = signed_in(self.browser, self.url, self.keys_folder, subject, scopes, width)
            self.tabs[subject] = await self.open.enter_async_context(window)
        return self.tabs[subject]


@asynccontextmanager
async def desk_at(database: Database, keys_folder: Path, bearer: str, browser: Browser) -> AsyncIterator[Desk]:
    """The clock of the database, which is simulated, stands at 9 o'clock on 10 March 2026."""
    await database.pool.execute("insert into clock (now) values ($1::text::timestamptz)", NOW)
    async with (
        onboarding_app(database, keys_folder) as app,
        service_client.calling(app, "credit", bearer) as http,
        serving(app) as url,
        AsyncExitStack() as tabs,
    ):
        desk = Desk(Credit(http, database), url, browser, keys_folder, tabs)
        yield desk
        assert [said for tab in desk.tabs.values() for said in tab.complaints] == []


async def policy(credit: Credit, **rules: Any) -> None:
    """Everybody may owe 1,000 euro; what goes a little beyond it is referred to a person."""
    version = (await credit.get("/v1/credit-policy"))["version"]
    body = {"limits": [{"segment": None, "limit": money("1000.00")}], "rules": {"refer_over_percent": 20, **rules}}
    answer = await credit.change("PUT", "/v1/credit-policy", version, body)
    assert answer.status_code == 200, answer.text
    await credit.tick()


async def owing(credit: Credit, customer_id: str, *amounts: int, due_on: date = TODAY) -> list[Invoice]:
    """The customer owes so many minor units of euro on as many invoices."""
    invoices = [Invoice(UUID(customer_id), minor, due_on=due_on) for minor in amounts]
    await credit.hear(*(each.issue() for each in invoices))
    return invoices


async def learned(credit: Credit, customer_id: str, **particulars: Any) -> None:
    """Something that others say of a customer, or of an applicant."""
    said = {"kind": "credit_report", "score": 80, **particulars}
    body = {"source": "Bureau Ltd", "dated_on": str(TODAY - timedelta(days=8)), "particulars": said}
    answer = await credit.post(f"/v1/customers/{customer_id}/vetting-inputs", body)
    assert answer.status_code == 201, answer.text


async def assessed(credit: Credit, customer_id: str, score: int = 80) -> dict[str, Any]:
    await learned(credit, customer_id, score=score)
    answer = await credit.post(f"/v1/customers/{customer_id}/assessments", {})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ordered(credit: Credit, customer_id: str, amount: str, reference: str) -> dict[str, Any]:
    """An order asks for its reservation."""
    body = {"customer_id": customer_id, "amount": money(amount), "reference": reference, "reserve": True}
    answer = await credit.post("/v1/credit-decisions", body)
    assert answer.status_code == 201, answer.text
    return answer.json()
