"""Who looks at receivables finds a page of theirs, in a real browser: live, in both themes, for everybody's eyes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, expect

from services.reporting.app import create_api
from services.reporting.feed import handlers as feed
from services.reporting.settings import Settings
from shared.db import Database
from shared.events.credit import CreditLimitChanged, CreditState, HoldPlaced, HoldState
from shared.events.reminder import PromiseBroken, PromiseKept, PromiseMade, PromiseState, TaskDone, TaskState
from shared.fanout import Fanout
from shared.money import Money
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reporting.books import Books
from tests.reporting.client import TODAY, Reporting
from tests.service_client import app_of

D = date
DAY = timedelta(days=1)
END = TODAY.date()
pytestmark = needs_chromium


@pytest.fixture
async def site(
    reports_database: Database, settings: Settings, keys_folder: Path, chromium: Browser
) -> AsyncIterator[Tab]:
    """Anna's, and strict: nothing from elsewhere, nothing on the console."""
    state = {"closing": asyncio.Event(), "live_feed": Fanout(feed.look)}
    targeted = settings.model_copy(update={"dso_target_days": Decimal(30)})
    app = app_of(create_api, targeted, database=reports_database, **state)
    async with serving(app) as url, signed_in(chromium, url, keys_folder, "anna", "reports:read") as tab:
        yield tab
        assert tab.complaints == []


def promise(books: Books, customer_id: UUID, on: date, minor: int, became: type[Any] | None = None) -> None:
    """Made on a day for eight days later; what became of it was known twelve days after it was made."""
    said: dict[str, Any] = {
        "id": uuid4(),
        "entity_id": "default",
        "case_id": uuid4(),
        "amount": Money(minor, "EUR"),
        "items": (),
        "made_on": on,
        "promised_on": on + 8 * DAY,
        "grace_until": on + 11 * DAY,
        "origin": "staff",
    }
    none = Money(0, "EUR")
    made = PromiseState(version=1, status="open", paid=none, **said)
    dated: dict[str, Any] = {"customer_id": customer_id, "entity_id": "default"}
    books.events.append(PromiseMade(effective_on=on, booked_on=on, promise=made, **dated))
    if became:
        update = {
            "version": 2,
            "status": became.type.split(".")[2],
            "paid": made.amount if became is PromiseKept else none,
        }
        day = on + 12 * DAY
        books.events.append(became(effective_on=day, booked_on=day, promise=made.model_copy(update=update), **dated))


def limit(books: Books, customer_id: UUID, minor: int, on: date) -> None:
    amount = Money(minor, "EUR")
    books.events.append(
        CreditLimitChanged(
            customer_id=customer_id,
            effective_on=on,
            booked_on=on,
            credit=CreditState(id=uuid4(), version=1, limit=amount, exposure=(), available=amount),
            previous_limit=None,
            source="policy",
            reason="new customer",
        )
    )


def hold(books: Books, customer_id: UUID, on: date) -> None:
    state = HoldState(
        id=uuid4(), version=1, status="in_force", cause="overdue_days", held=("orders",), reason="60 days overdue"
    )
    books.events.append(
        HoldPlaced(customer_id=customer_id, effective_on=on, booked_on=on, hold=state, held_now=("orders",))
    )


def task_done(books: Books, customer_id: UUID, who: str, on: date) -> None:
    task = TaskState(
        id=uuid4(),
        version=2,
        entity_id="default",
        kind="call",
        title="Call",
        status="done",
        due_on=on,
        case_id=uuid4(),
        assignee=who,
    )
    books.events.append(
        TaskDone(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", task=task)
    )


def a_year() -> Books:
    """Acme pays two weeks late and owes two invoices, one of them disputed in part; Beta is on time. Maya has Acme."""
    books = Books()
    acme, beta = books.onboard("Acme <& Söhne>", "key"), books.onboard("Beta", "retail", country="FR")
    for month in range(1, 13):
        item = books.issue(acme, D(2021, month, 5), 10_000_00)
        if month < 11:
            books.overdue(item)
            books.remind(acme, item.due_on + 5 * DAY, "first_reminder", (item.number,))
            books.pay(item, item.due_on + 14 * DAY)
        on_time = books.issue(beta, D(2021, month, 10), 2_500_00)
        if month < 12:
            books.pay(on_time, on_time.due_on)
    late = next(item for item in books.items if item.balance and item.customer_id == acme)
    books.overdue(late)
    books.dispute(late, D(2021, 12, 10), 1_200_00)
    books.look_after(acme, "Maya Feld", D(2021, 2, 1))
    books.look_after(beta, "Tom Berger", D(2021, 2, 1))
    task_done(books, acme, "Maya Feld", D(2021, 12, 20))
    promise(books, acme, D(2021, 8, 1), 5_000_00, PromiseKept)
    promise(books, acme, D(2021, 11, 1), 3_000_00, PromiseBroken)
    promise(books, acme, D(2021, 11, 20), 4_000_00, PromiseKept)
    promise(books, acme, D(2021, 12, 28), 6_000_00)
    limit(books, acme, 15_000_00, D(2021, 1, 2))
    hold(books, acme, D(2021, 12, 20))
    return books


def pages(books: Books) -> list[str]:
    return [
        "/",
        "/?segment=key",
        "/invoices",
        "/collections",
        "/patterns?by=reason&days=365",
        "/patterns?by=product_line&days=365",
        "/accounts?owner=Maya+Feld",
        f"/customers/{books.items[0].customer_id}",
    ]


async def all_there(site: Tab) -> None:
    """What is fetched apart from a page has come."""
    await expect(site.page.locator("[aria-busy]")).to_have_count(0, timeout=20_000)


async def test_the_cfo_sees_cash_dso_against_its_target_and_what_is_held_back(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.go("/?as_of=2021-12-31")
    tiles = await site.text(".tiles")
    # Beta paid on 10 December; Acme's 10,000 of 18 November is among the 30 days before.
    assert "Cash received ? €2,500 in 30 days, −80 % on the 30 before" in tiles
    assert "DSO target ? 30 days ▲" in tiles
    assert "€1,200 disputed" in tiles
    assert "€1,200 disputed" in await site.text("#p-ageing")
    assert await site.page.locator("#p-trend path.target").get_attribute("d")
    await site.page.click("#p-cash summary")
    assert (await site.text("#p-cash tbody")).startswith("Dec ’21 €2,500.00 Nov ’21 €12,500.00")


async def test_the_forecast_and_the_provision_come_after_the_page(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.go("/?as_of=2021-12-31")
    await all_there(site)
    forecast = (await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-31", currency="EUR"))["items"]
    shown = await site.text("#forecast")
    assert f"€{float(forecast[0]['expected']):,.0f}" in shown
    assert "of 4 weeks" in shown
    assert await site.page.locator("#forecast rect.expected").count() == len(forecast) == 13
    assert "Not yet due" in await site.text("#provision")


async def test_without_script_a_link_leads_to_the_forecast(site: Tab, reporting: Reporting, chromium: Browser) -> None:
    await reporting.hear(a_year())
    context = await chromium.new_context(
        java_script_enabled=False, storage_state=await site.page.context.storage_state()
    )
    page = await context.new_page()
    await page.goto(site.url + "/?as_of=2021-11-30")
    await page.click("text=Show the cash forecast")
    assert "From the end of 30 Nov 2021" in await page.inner_text("main")
    assert "Next 7 days" in await page.inner_text("#forecast")
    await context.close()


async def test_ageing_is_grouped_as_the_address_says(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.go("/")
    assert "Key €10,000 €20,000 50.0 %" in await site.text("#p-groups")
    await site.page.click("#p-groups a:has-text('Collector')")
    assert "by=collector" in site.page.url
    assert "Maya Feld €10,000 €20,000 50.0 %" in await site.text("#p-groups")
    await site.page.click("a[rel=prev]")
    assert "by=collector" in site.page.url
    assert "Collector" in await site.text("#p-groups [aria-current]")


async def test_the_head_of_collections_sees_steps_promises_disputes_and_the_team(
    site: Tab, reporting: Reporting
) -> None:
    await reporting.hear(a_year())
    await site.go("/collections")
    tiles = await site.text(".tiles")
    assert "Promises kept ? 50 % 1 kept, 1 broken" in tiles
    assert "Promises running €6,000 1; €6,000 within 7 days" in tiles
    assert "In dispute €1,200 1 open dispute" in tiles
    assert "First reminder friendly 2 2" in await site.text("#p-steps")
    assert "Quality €1,200 0 1 0 0" in await site.text("#p-disputes")
    assert "Maya Feld €10,000 €20,000 50 % 1 of 2 1" in await site.text("#p-team")
    await all_there(site)
    assert "First reminder" in await site.text("#effectiveness")
    await site.page.click("text=365 days")
    assert "2 kept, 1 broken" in await site.text(".tiles")


async def test_the_first_page_is_of_one_group_as_its_address_says(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.go("/?as_of=2021-12-31")
    await site.page.click("#p-groups a:has-text('Key')")
    assert site.page.url.endswith("?currency=EUR&segment=key")
    (kpis,) = (await reporting.get("/v1/reports/kpis", as_of="2021-12-31", segment="key"))["items"]
    tiles = await site.text(".tiles")
    assert "Receivables ? €20,000" in tiles
    assert f"DSO ? {Decimal(kpis['dso']):.1f} days" in tiles
    assert "segment Key alone" in await site.text("#p-sub")
    assert await site.page.locator("#p-debtors, #p-groups, #p-latest").count() == 0
    await all_there(site)
    forecast = (await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-31", segment="key"))["items"]
    assert f"€{float(forecast[0]['expected']):,.0f}" in await site.text("#forecast")
    assert "Not yet due" in await site.text("#provision")
    assert await site.page.get_attribute("footer a:has-text('ratios')", "href") == (
        "/v1/reports/kpis?as_of=2021-12-31&segment=key"
    )
    await site.page.click("a[rel=prev]")
    assert "segment=key" in site.page.url
    await site.page.click("text=show everybody")
    assert "segment" not in site.page.url
    assert await site.page.locator("#p-debtors").count() == 1
    await site.go("/?segment=nobody-is-in-it")
    assert "Nothing had been invoiced yet to segment nobody-is-in-it" in await site.text("main")


async def test_late_payment_is_seen_by_segment_product_line_and_reason(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    books.call(books.items[0].customer_id, D(2021, 11, 8), "cash_flow")
    sold = books.issue(books.items[1].customer_id, D(2021, 11, 1), 500_00, sold={"CLOUD": 400_00, "DESKS": 100_00})
    books.pay(sold, sold.due_on + 6 * DAY)
    await reporting.hear(books)
    await site.go("/patterns?as_of=2021-12-31")
    assert "Key" in await site.text("#p-patterns tbody")
    await site.page.click("text=Product line")
    assert "by=product_line" in site.page.url
    assert "CLOUD 1 0 before €400.00 6.0" in await site.text("#p-patterns tbody")
    await site.page.click("text=Reason")
    assert "Short of cash 1 0 before 14.0" in await site.text("#p-patterns tbody")
    await site.page.click("text=365 days")
    assert "by=reason" in site.page.url
    assert "No reason known" in await site.text("#p-patterns tbody")


async def test_sales_see_their_own_accounts_with_limit_and_hold(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    await reporting.hear(books)
    await site.go("/accounts")
    assert await site.text("h1") == "Accounts"
    assert "Acme" in await site.text("#p-accounts tbody tr:first-child"), "the most overdue first"
    await site.page.select_option("select[name=owner]", "Maya Feld")
    await expect(site.page.locator("h1")).to_have_text("Accounts of Maya Feld")
    row = await site.text("#p-accounts tbody")
    assert row == (
        "Acme <& Söhne> key €10,000 €20,000 €6,000 for 5 Jan 2022 €1,200 €15,000 €5,000 above On hold orders"
    )
    books.look_after(books.items[1].customer_id, "Anna L.", END)
    await reporting.hear(books)
    await site.go("/accounts")
    assert await site.text("h1") == "Accounts of Anna L.", "who has accounts begins with them"


async def test_a_customers_page_tells_of_credit_promises_disputes_and_when_money_should_come(
    site: Tab, reporting: Reporting
) -> None:
    books = a_year()
    await reporting.hear(books)
    await site.go(f"/customers/{books.items[0].customer_id}")
    tiles = await site.text(".tiles")
    assert "Credit limit €15,000 €5,000 above it" in tiles
    assert "On hold Orders: Overdue days" in tiles
    assert "5 Jan 2022 Open 28 Dec 2021 €6,000.00" in await site.text("#p-promises")
    assert "9 Nov 2021 Broken 1 Nov 2021 €3,000.00" in await site.text("#p-promises")
    assert "INV-00021 Quality Open for 21 days €1,200.00" in await site.text("#p-disputes")
    await all_there(site)
    assert "5 Jan 2022 promised" in await site.text("#open")
    await site.go(f"/customers/{books.items[0].customer_id}?as_of=2021-11-30")
    assert "28 Nov 2021 Open 20 Nov 2021 €4,000.00" in await site.text("#p-promises"), "not yet kept on that day"
    await all_there(site)
    assert "28 Nov 2021" not in await site.text("#open"), "that promise's day has passed"


async def test_a_page_follows_what_happens_without_being_loaded_again(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    await reporting.hear(books)
    await site.go("/")
    await expect(site.page.locator("#live")).to_be_visible(timeout=20_000)
    await site.page.evaluate("window.stayed = true")
    books.issue(books.items[1].customer_id, END, 40_000_00)
    await reporting.hear(books)
    await expect(site.page.locator(".tiles")).to_contain_text("€62,500", timeout=20_000)
    assert await site.page.evaluate("window.stayed")
    await site.go("/?as_of=2021-11-30")
    assert await site.page.locator("#live").count() == 0, "a past day does not move"


async def test_every_page_that_follows_today_is_drawn_anew(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    await reporting.hear(books)
    beta = books.items[1].customer_id
    shown = ("/collections", "/patterns", "/invoices", "/accounts?owner=Tom+Berger", f"/customers/{beta}")
    tabs = [site.page, *[await site.page.context.new_page() for _ in shown[1:]]]
    for tab, path in zip(tabs, shown, strict=True):
        await tab.goto(site.url + path)
        await expect(tab.locator("#live")).to_be_visible()
        await tab.evaluate("window.stayed = true")
    item = books.issue(beta, END - 50 * DAY, 70_000_00)
    books.dispute(item, END, 500_00)
    paid = books.issue(beta, END - 60 * DAY, 90_00)
    books.pay(paid, paid.due_on + 1 * DAY)
    await reporting.hear(books)
    for tab, told in zip(tabs, ("€1,700", "33.3 %", "€92,500.00", "€72,500", "€72,500.00"), strict=True):
        await expect(tab.locator("main")).to_contain_text(told)
        assert await tab.evaluate("window.stayed")


async def test_a_bar_of_the_ageing_leads_to_its_invoices_which_add_up_to_it(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    acme = books.items[0].customer_id
    for _ in range(60):
        books.issue(acme, D(2021, 9, 1), 10_00)
    await reporting.hear(books)
    await site.go("/?as_of=2021-12-31")
    await site.page.click("#p-ageing a:has-text('91+ days late')", timeout=5_000)
    assert site.page.url.endswith("/invoices?currency=EUR&age=d91_plus")
    assert "€600.00 in 60 invoices" in await site.text("#p-invoices")
    assert await site.page.locator("#p-invoices tbody tr").count() == 50
    first = set(await site.page.locator("#p-invoices tbody th").all_inner_texts())
    await site.page.click("#p-invoices a[rel=next]")
    then = set(await site.page.locator("#p-invoices tbody th").all_inner_texts())
    assert (len(first | then), len(then)) == (60, 10)
    await site.page.click("#p-invoices nav a:has-text('1–30 days late')")
    assert "after" not in site.page.url
    assert "26 days late €1,200.00 – €10,000.00" in await site.text("#p-invoices tbody")
    await site.page.click("#p-invoices tbody a")
    assert await site.text("h1") == "Acme <& Söhne>"
    await site.go("/invoices?age=old&after=never&currency=XXX&as_of=2021-12-31")
    assert "Everything open" in await site.text("#p-invoices"), "what cannot be read counts as left out"
    await site.go("/?as_of=2021-12-31&segment=key")
    assert await site.page.locator("#p-ageing a").count() == 0, "the list is of everybody, and this bar is not"


async def test_every_page_prints_black_on_white_and_in_full(site: Tab, reporting: Reporting) -> None:
    books = a_year()
    await reporting.hear(books)
    await site.page.emulate_media(color_scheme="dark", media="print")
    await site.page.set_viewport_size({"width": 1032, "height": 700})  # A4 landscape within its margins.
    for path in pages(books):
        await site.go(path)
        await all_there(site)
        assert await site.overflow() == 0, path
        assert await site.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        for part in ("nav", "form", "button", "summary", "#live", "footer"):
            assert await site.page.locator(f"{part}:visible").count() == 0, (path, part)
        cut = "[...document.querySelectorAll('.card')].filter(c => c.scrollWidth > c.clientWidth + 1).map(c => c.id)"
        assert await site.page.evaluate(cut) == [], path


async def test_the_theme_is_the_devices_until_somebody_chooses(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.page.emulate_media(color_scheme="dark")
    await site.go("/collections")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = await site.page.evaluate(paper)
    await site.page.get_by_role("button", name="Dark theme", pressed=True).press("Enter")
    light = await site.page.evaluate(paper)
    assert light != dark
    await site.go("/accounts")
    assert await site.page.evaluate(paper) == light, "kept on the next page"
    await site.page.emulate_media(media="print")
    assert not await site.page.is_visible(".top nav")
    assert not await site.page.is_visible(".day")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_can_be_read_by_everybody_and_fits_every_screen(
    site: Tab, reporting: Reporting, theme: Any
) -> None:
    books = a_year()
    await reporting.hear(books)
    await site.page.emulate_media(color_scheme=theme)
    for path in pages(books):
        await site.go(path)
        await all_there(site)
        for width in (2560, 1920, 1280, 390):
            await site.page.set_viewport_size({"width": width, "height": 900})
            assert await site.overflow() == 0, (path, width)
            if width <= 1280:  # Wider, it is the same page with larger letters.
                assert await site.accessibility_faults() == [], (path, width)


async def test_the_first_pages_files_are_there(site: Tab, reporting: Reporting) -> None:
    await reporting.hear(a_year())
    await site.go("/?as_of=2021-11-30")
    links = [await link.get_attribute("href") for link in await site.page.locator("footer a").all()]
    assert len(links) == 7
    for link in links:
        answer = await site.page.request.get(site.url + str(link))
        assert answer.status == 200, link
