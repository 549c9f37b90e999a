"""The collector's workspace in a real browser: an account from the list to the next step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep

pytestmark = needs_chromium

DUE = date(2026, 2, 1)
EVIL = 'Acme <script>alert("x")</script> & Söhne'


@pytest.fixture
async def tab(desk: Desk, keys_folder: Path, chromium: Browser) -> AsyncIterator[Tab]:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "ben") as tab:
        yield tab
        assert tab.complaints == []


async def test_an_account_is_called_promises_is_paused_and_gets_the_next_step_when_the_promise_breaks(
    desk: Desk, tab: Tab
) -> None:
    customer = await desk.onboard(name=EVIL)
    invoice = await desk.issue(customer, DUE, minor=125_000)
    await keep(desk, "ben", name="Ben")
    await desk.until(date(2026, 2, 3))
    await tab.go("/")
    assert EVIL in await tab.text("tbody")
    await tab.page.click(f"a:has-text('{EVIL[:5]}')")
    assert "€1,250.00" in await tab.text(".tiles")
    leads_to = await tab.page.get_by_role("link", name="R-1").get_attribute("href")
    assert leads_to is not None
    assert leads_to.endswith(f"/invoices/{invoice.id}")
    assert await tab.page.locator(".others a").all_inner_texts() == ["Invoices", "Credit", "Figures"]

    await tab.page.click("summary:has-text('Log a call')")
    await tab.page.select_option("select[name=outcome]", "spoke")
    await tab.page.select_option("details[open] select[name=reason]", "cash_flow")
    await tab.page.fill("details[open] textarea[name=note]", "They pay when the big order is in")
    await tab.press("Log the call")
    assert "They pay when the big order is in" in await tab.text(".line")

    await tab.page.click("summary:has-text('Take a promise')")
    await tab.page.fill("details[open] input[name=on]", "2026-02-06")
    await tab.press("Keep the promise")
    assert "Promised €1,250.00 by 6 Feb 2026" in await tab.text()
    assert "Promised" in await tab.text(".chips")

    await tab.page.click("summary:has-text('Pause collection')")
    await tab.page.fill("details[open] input[name=until]", "2026-02-05")
    await tab.press("Pause")
    assert "Paused until 5 Feb 2026" in await tab.text()
    (call,) = (await desk.get(f"/v1/cases/{customer.id}/calls"))["items"]
    assert (call["outcome"], call["reason"], call["caller"]) == ("spoke", "cash_flow", "ben")
    assert "Paused until" in await tab.text(".chips")

    await desk.until(date(2026, 2, 11))  # The last day of grace, three business days after the promised one.
    await tab.page.reload()
    assert "Promised €1,250.00 by 6 Feb 2026" in await tab.text()
    before = [("2026-01-25", "due-soon"), ("2026-02-02", "first-reminder")]
    assert await desk.sent() == before, "neither the pause nor the promise let the second reminder of 8 February go"

    await desk.until(date(2026, 2, 12))
    assert await desk.sent() == [*before, ("2026-02-12", "second-reminder")], "at once, and not on its own day"
    assert len(desk.mails()) == 3
    await tab.go("/")
    assert "Ask about promise" in await tab.text("tbody")
    await tab.page.click(f"a:has-text('{EVIL[:5]}')")
    happened = await tab.text(".line")
    assert "Promise broken" in happened
    assert "Second reminder by email" in happened
    assert "A promise to pay was broken" in await tab.text(".advice")
    assert "0 kept, 1 broken" in await tab.text(".tiles")
    assert await tab.overflow() <= 0


async def test_what_is_refused_is_said_on_the_page_and_changes_nothing(desk: Desk, tab: Tab) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    await tab.go(f"/accounts/{customer.id}")
    await tab.page.click("summary:has-text('Take a promise')")
    await tab.page.fill("details[open] input[name=amount]", "5000.00")
    await tab.page.fill("details[open] input[name=on]", "2026-02-06")
    await tab.press("Keep the promise")
    assert await tab.page.locator("[role=alert]").count() == 1
    assert (await desk.get("/v1/promises", customer_id=customer.id))["items"] == []
    tab.complaints.clear()  # The browser notes the refusal's status.


async def test_accounts_are_assigned_and_put_off_from_the_list(desk: Desk, tab: Tab) -> None:
    for number in range(3):
        await desk.issue(await desk.onboard(name=f"Customer {number}"), DUE, number=f"R-{number}")
    await keep(desk, "ada", name="Ada")
    await desk.until(date(2026, 2, 3))
    await tab.go("/")
    for box in await tab.page.locator("input[name=account]").all():
        await box.check()
    await tab.page.select_option("select[name=owner]", "ada")
    await tab.press("Assign")
    assert (await tab.text("tbody")).count("ada") == 3
    await tab.page.locator("input[name=account]").first.check()
    await tab.press("Put off")
    assert await tab.page.locator("tbody tr").count() == 2
    await tab.go("/?whose=ada&snoozed=1")
    assert await tab.page.locator("tbody tr").count() == 3
    await tab.go("/team")
    assert "Ada" in await tab.text("tbody")


@pytest.mark.parametrize("width", [375, 1280])
async def test_the_pages_fit_a_phone_and_a_desktop(desk: Desk, tab: Tab, width: int) -> None:
    customer = await desk.onboard(name=EVIL * 3)
    await desk.issue(customer, DUE, number="R-" + "9" * 40)
    await desk.until(date(2026, 2, 10))
    await tab.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/team", f"/accounts/{customer.id}"):
        await tab.go(path)
        assert await tab.overflow() <= 0, path


async def test_a_reader_sees_accounts_but_no_forms(desk: Desk, keys_folder: Path, chromium: Browser) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "rea", "reminders:read") as tab:
        await tab.go(f"/accounts/{customer.id}")
        assert await tab.page.locator("main form").count() == 0
        await tab.go("/")
        assert await tab.page.locator("main form[method=post]").count() == 0
