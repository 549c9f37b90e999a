"""The pages, used in a real browser over real HTTP."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from deploy.local.embedded import free_port
from services.reporting.app import create_api
from services.reporting.settings import Settings
from shared import tokens
from shared.db import Database
from tests.reporting.books import Books
from tests.reporting.client import Reporting
from tests.service_client import app_of

D = date
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")


@dataclass
class Site:
    """A browser tab, and everything it complained of or fetched from elsewhere."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        answer = await self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, await self.page.inner_text("body")

    async def text(self, selector: str) -> str:
        return " ".join((await self.page.inner_text(selector)).split())

    async def overflow(self) -> int:
        """How far the page is wider than the window."""
        return await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
async def served(reports_database: Database, settings: Settings) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app_of(create_api, settings, database=reports_database), port=free_port(), log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{config.port}"
    server.should_exit = True
    await task


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def site(browser: Browser, served: str, keys_folder: Path) -> AsyncIterator[Site]:
    """Signed in through a one-time link, and strict: nothing from elsewhere, nothing on the console."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    site = Site(page, served)
    page.on("console", lambda message: site.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: site.complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((served, "data:")) else site.complaints.append(r.url))
    await page.goto(tokens.make_link(keys_folder, served, "anna", "reports:read", name="Anna Lang"))
    yield site
    assert site.complaints == []


def a_ledger() -> Books:
    books = Books()
    acme, beta = books.onboard("Acme <& Söhne>", "key"), books.onboard("Beta", "retail")
    for month in range(1, 13):
        item = books.issue(acme, D(2021, month, 5), 10_000_00)
        if month < 10:
            books.overdue(item)
            books.pay(item, D(2021, month + 2, 1))
    books.overdue(books.items[9])
    books.remind(acme, D(2021, 11, 6), "first_reminder", (books.items[9].number,))
    books.issue(beta, D(2021, 12, 10), 2_500_00)
    books.issue(beta, D(2021, 12, 11), 99_999, "JPY")
    return books


async def test_the_dashboard_shows_the_figures_of_its_day(site: Site, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    await site.go("/?as_of=2021-12-31")
    tiles = await site.text(".tiles")
    # October's and November's invoices are late; December's and Beta's are not due.
    assert "€32,500 4 open invoices" in tiles
    assert "€20,000 61.5 % of receivables" in tiles
    (kpis,) = (await reporting.get("/v1/reports/kpis", as_of="2021-12-31", currency="EUR"))["items"]
    assert f"{float(kpis['dso']):.1f} days" in tiles
    assert "Not yet due €12,500 38.5 %" in await site.text("[aria-labelledby=h-ageing]")
    assert "Acme <& Söhne>" in await site.text(".debtors tbody tr:first-child")
    assert "First reminder 1" in await site.text("[aria-labelledby=h-steps]")
    assert await site.page.locator(".plot path.dso").count() == 1
    assert await site.text(".reader span") == "Anna Lang"


async def test_another_day_and_another_currency_are_a_click_away(site: Site, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    await site.go("/?as_of=2021-12-31")
    await site.page.click(".tabs a:has-text('JPY')")
    assert "¥99,999" in await site.text(".tiles")
    await site.page.click(".tabs a:has-text('EUR')")
    await site.page.fill("input[name=as_of]", "2021-01-31")
    await site.page.click("button:has-text('Show')")
    assert "At the end of 31 Jan 2021" in await site.text(".sub")
    assert "€10,000" in await site.text(".tiles")
    await site.page.click("a[rel=next]")
    assert "At the end of 28 Feb 2021" in await site.text(".sub")


async def test_a_debtor_leads_to_the_customers_account_and_its_timeline(site: Site, reporting: Reporting) -> None:
    books = a_ledger()
    await reporting.hear(books)
    await site.go("/?as_of=2021-12-31")
    await site.page.click(".debtors tbody tr:first-child a")
    assert await site.text("h1") == "Acme <& Söhne>"
    assert "€30,000.00" in await site.text(".tiles")
    assert "57 days late" in await site.text(".open tbody tr:first-child")
    timeline = await site.text("#timeline")
    assert timeline.index("INV-00012 issued") < timeline.index("Reminder sent: first reminder")


async def test_a_long_timeline_goes_on_on_the_next_page(site: Site, reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard("Acme")
    for _ in range(70):
        books.issue(acme, D(2021, 3, 1), 100)
    await reporting.hear(books)
    await site.go(f"/customers/{acme}")
    assert await site.page.locator("#timeline li").count() == 60
    await site.page.click("text=Older")
    assert await site.page.locator("#timeline li").count() == 11
    assert "Customer onboarded" in await site.text("#timeline")


async def test_a_newcomer_is_told_what_to_do(site: Site, reporting: Reporting) -> None:
    await site.go("/")
    welcome = await site.text("main")
    assert "Welcome to Dueward" in welcome
    assert "http://127.0.0.1:8003/v1/customers" in welcome
    books = Books()
    acme = books.onboard()
    await reporting.hear(books)
    await site.go("/")
    assert "1 customer is on board" in await site.text("main")
    books.issue(acme, D(2021, 6, 1), 100)
    await reporting.hear(books)
    await site.go("/?as_of=2021-05-31")
    assert "The books begin on 1 Jun 2021" in await site.text("main")


async def test_no_page_is_wider_than_its_window(site: Site, reporting: Reporting) -> None:
    await site.page.set_viewport_size({"width": 360, "height": 800})
    await site.go("/")
    assert await site.overflow() == 0, "welcome"
    books = a_ledger()
    for currency in ("USD", "GBP", "CHF", "KWD", "SEK", "NOK"):
        books.issue(books.items[0].customer_id, D(2021, 11, 1), 123_456_789_012, currency)
    await reporting.hear(books)
    for path in ("/", "/?currency=KWD", "/?as_of=2020-01-01", f"/customers/{books.items[0].customer_id}"):
        await site.go(path)
        for width in (360, 640, 768, 1080, 1440):
            await site.page.set_viewport_size({"width": width, "height": 800})
            assert await site.overflow() == 0, (path, width)


async def test_what_a_figure_means_is_told_to_the_keyboard_too(site: Site, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    await site.go("/")
    assert not await site.page.is_visible("#t-dso")
    await site.page.focus("[aria-describedby=t-dso]")
    assert await site.page.is_visible("#t-dso")
    assert "Days sales outstanding" in await site.text("#t-dso")


async def test_a_link_with_nonsense_in_it_shows_today(site: Site, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    for query in ("as_of=yesterday", "as_of=0001-01-01", "as_of=9999-12-31", "currency=%3Cb%3E", "as_of="):
        await site.go(f"/?{query}")
        assert "At the end of 31 Dec 2021" in await site.text(".sub")


async def test_who_has_not_signed_in_is_sent_to_do_so(served: str) -> None:
    async with httpx.AsyncClient(base_url=served) as client:
        answer = await client.get("/?as_of=2021-01-31")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
