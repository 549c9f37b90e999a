"""The pages, used in a real browser over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser

from services.reporting.app import create_api
from services.reporting.feed import handlers as feed
from services.reporting.settings import Settings
from shared.db import Database
from shared.fanout import Fanout
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reporting.books import Books
from tests.reporting.client import Reporting
from tests.service_client import app_of

D = date
pytestmark = needs_chromium


@pytest.fixture
async def site(
    reports_database: Database, settings: Settings, keys_folder: Path, chromium: Browser
) -> AsyncIterator[Tab]:
    """Anna's, and strict: nothing from elsewhere, nothing on the console."""
    live = {"closing": asyncio.Event(), "live_feed": Fanout(feed.look)}
    app = app_of(create_api, settings, database=reports_database, **live)
    async with serving(app) as url, signed_in(chromium, url, keys_folder, "anna", "reports:read", 1440) as tab:
        yield tab
        assert tab.complaints == []


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


async def test_the_dashboard_shows_the_figures_of_its_day(site: Tab, reporting: Reporting) -> None:
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
    assert await site.page.locator(".plot path.dso").count() == 1
    assert await site.text(".reader span") == "Anna L."


async def test_another_day_and_another_currency_are_a_click_away(site: Tab, reporting: Reporting) -> None:
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


async def test_a_debtor_leads_to_the_customers_account_and_its_timeline(site: Tab, reporting: Reporting) -> None:
    books = a_ledger()
    await reporting.hear(books)
    await site.go("/?as_of=2021-12-31")
    await site.page.click(".debtors tbody tr:first-child a")
    assert await site.text("h1") == "Acme <& Söhne>"
    assert "€30,000.00" in await site.text(".tiles")
    assert "57 days late" in await site.text(".open tbody tr:first-child")
    timeline = await site.text("#timeline")
    assert timeline.index("INV-00012 issued") < timeline.index("Reminder sent: first reminder")


async def test_a_customers_invoices_and_the_same_account_elsewhere_are_a_click_away(
    reports_database: Database, settings: Settings, keys_folder: Path, chromium: Browser, reporting: Reporting
) -> None:
    books = a_ledger()
    await reporting.hear(books)
    customer, invoice = books.items[9].customer_id, books.items[9].id
    app = app_of(create_api, settings, database=reports_database)
    invoices, links = f"[href='{settings.invoice_url}/invoices/{invoice}']", "nav.others a"
    async with serving(app) as url, signed_in(chromium, url, keys_folder, "cfo", "reports:read invoices:read") as tab:
        for path in (f"/customers/{customer}", f"/customers/{customer}/expected", "/invoices"):
            await tab.go(f"{path}?as_of=2021-12-31")
            assert await tab.page.locator(f"table {invoices}").inner_text() == books.items[9].number
        await tab.go(f"/customers/{customer}")
        assert await tab.page.locator(links).all_inner_texts() == ["Invoices"], "what somebody may not read is left out"
    async with serving(app) as url, signed_in(chromium, url, keys_folder, "anna", "reports:read") as tab:
        await tab.go(f"/customers/{customer}?as_of=2021-12-31")
        assert await tab.page.locator(f"{links}, {invoices}").count() == 0


async def test_a_long_timeline_goes_on_on_the_next_page(site: Tab, reporting: Reporting) -> None:
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


async def test_a_newcomer_is_told_what_to_do(site: Tab, reporting: Reporting) -> None:
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


async def test_no_page_is_wider_than_its_window(site: Tab, reporting: Reporting) -> None:
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


async def test_what_a_figure_means_is_told_to_the_keyboard_too(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    await site.go("/")
    assert not await site.page.is_visible("#t-dso")
    await site.page.focus("[aria-describedby=t-dso]")
    assert await site.page.is_visible("#t-dso")
    assert "Days sales outstanding" in await site.text("#t-dso")


async def test_a_link_with_nonsense_in_it_shows_today(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    for query in ("as_of=yesterday", "as_of=0001-01-01", "as_of=9999-12-31", "currency=%3Cb%3E", "as_of="):
        await site.go(f"/?{query}")
        assert "At the end of 31 Dec 2021" in await site.text(".sub")


async def test_who_has_not_signed_in_is_sent_to_do_so(site: Tab) -> None:
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as client:
        answer = await client.get("/?as_of=2021-01-31")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
