"""What a person decides in the browser: placements, courts and limitation, messages in doubt, steps that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk
from tests.reminder.test_placements import OLD, old_account, pay
from tests.reminder.test_placements_legal import age
from tests.reminder.test_tasks_ended import waiting_step

pytestmark = needs_chromium

DUE = date(2026, 2, 1)


@pytest.fixture
async def url(desk: Desk) -> AsyncIterator[str]:
    async with serving(desk.app) as url:
        yield url


@pytest.fixture
async def tab(chromium: Browser, url: str, keys_folder: Path) -> AsyncIterator[Tab]:
    async with signed_in(chromium, url, keys_folder, "ben") as tab:
        yield tab
        assert tab.complaints == []


async def fits(tab: Tab) -> None:
    for width in (390, 1280):
        await tab.page.set_viewport_size({"width": width, "height": 900})
        assert await tab.overflow() <= 0, (tab.page.url, width)


async def test_an_account_is_given_to_an_agency_by_two_people_and_taken_back(
    desk: Desk, tab: Tab, chromium: Browser, url: str, keys_folder: Path
) -> None:
    customer, invoice = await old_account(desk)
    await tab.go(f"/accounts/{customer.id}")
    await tab.page.click("text=Give it to an agency")
    assert "€123.45" in await tab.text("table")
    assert "Northern Collect 15 % from 0 days on, 25 % from 181 days on" in await tab.text()
    await fits(tab)
    await tab.page.fill("textarea[name=note]", "nobody answers")
    await tab.press("Ask for approval")
    assert "Another person has to approve" in await tab.text("[role=status]")
    await tab.page.click("text=Look at the placement and decide")
    assert "Somebody else has to approve what you asked for." in await tab.text()
    await fits(tab)

    async with signed_in(chromium, url, keys_folder, "cleo") as second:
        await second.go("/placements")
        await second.page.click("tbody a")
        assert "91" in await second.text("table.rows tbody")
        assert "nobody answers" in await second.text()
        await second.press("Approve and hand over")
        assert "approved, its file is being made" in await second.text(".chips")
        await desk.tick()
        await pay(desk, invoice, 10_000)
        await second.page.reload()
        assert "€100.00" in await second.text(".tiles")
        assert "€15.00" in await second.text(".tiles")
        await fits(second)
        async with second.page.expect_download() as loading:
            await second.page.click("text=Download the agency's file")
        assert (await loading.value).suggested_filename.endswith(".zip")
        await second.page.fill("input[name=reason]", "they agreed to pay us")
        await second.press("End the placement")
        assert "recalled" in await second.text(".chips")
        await second.go("/placements?stage=over")
        assert "they agreed to pay us" in await second.text("tbody")
        await fits(second)
        assert second.complaints == []
    await tab.go(f"/accounts/{customer.id}")
    assert "Placement recalled" in await tab.text(".line")
    assert await tab.page.locator("text=Look at the placement and decide").count() == 0


async def test_a_disputed_account_cannot_be_given_to_an_agency_and_the_page_says_why(desk: Desk, tab: Tab) -> None:
    customer, invoice = await old_account(desk)
    await desk.issue(customer, DUE, "R-2", 5_000)
    await desk.until(OLD, hour=13)
    await tab.go(f"/accounts/{customer.id}/placement")
    await desk.hear(invoice.dispute())  # Meanwhile.
    await tab.press("Ask for approval")
    assert "R-1 is disputed: resolve that first" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    await tab.go(f"/accounts/{customer.id}/placement")
    assert "A disputed account is not given to an agency" in await tab.text("[role=status]")
    assert await tab.page.locator("main form").count() == 0
    assert (await desk.get("/v1/placements"))["items"] == []


async def test_an_insolvency_is_kept_its_claim_filed_and_closed_and_a_limitation_interrupted(
    desk: Desk, tab: Tab
) -> None:
    customer = await desk.onboard(country="DE")
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    await age(desk, invoice)
    await tab.go(f"/accounts/{customer.id}/legal")
    await tab.page.check("input[value=insolvency]")
    await tab.page.fill("input[name=court]", "AG Hamburg")
    await tab.page.fill("input[name=claim]", "100.00")
    await tab.page.fill("form[action$=legal] input[name=file_claim_by]", "2026-06-01")
    await tab.press("Keep it")
    assert "Insolvency open" in await tab.text(".cardhead")
    assert "to be filed by 1 Jun 2026" in await tab.text()
    await fits(tab)
    await tab.go("/legal")
    assert "file by 1 Jun 2026" in await tab.text("tbody")
    await fits(tab)

    await tab.go(f"/accounts/{customer.id}/legal")
    await tab.page.click("summary:has-text('Note what has come of it')")
    await tab.page.fill("details[open] input[name=file_number]", "67a IN 12/26")
    await tab.page.fill("details[open] input[name=claim_filed_on]", "2026-05-02")
    await tab.press("Keep")
    assert "filed 2 May 2026" in await tab.text()
    (task,) = (await desk.get("/v1/tasks", kind="court_date"))["items"]
    assert (task["status"], task["outcome"]) == ("done", "the claim is filed")
    await tab.go(f"/accounts/{customer.id}")
    assert "AG Hamburg, 67a IN 12/26. The claim was filed on 2 May 2026." in await tab.text()

    await tab.go(f"/accounts/{customer.id}/legal")
    await tab.page.click("summary:has-text('Close it')")
    await tab.page.fill("details[open] input[name=outcome]", "a quota of 5 % was paid")
    await tab.press("Close")
    assert "a quota of 5 % was paid" in await tab.text()

    await desk.until(date(2029, 7, 2))
    await tab.go(f"/accounts/{customer.id}")
    assert "Claims that lapse" in await tab.text()
    await tab.go("/legal")
    assert "31 Dec 2029 182 days left" in await tab.text("tbody")
    await tab.page.click("tbody a")
    await tab.page.click("summary:has-text('Something interrupted it')")
    await tab.page.select_option("select[name=by]", "acknowledgement")
    await tab.page.fill("details[open] input[name=on]", "2029-07-01")
    await tab.press("Keep")
    assert "lapses on 1 Jul 2032" in await tab.text()
    (task,) = (await desk.get("/v1/tasks", kind="limitation"))["items"]
    assert task["status"] == "done"


@pytest.mark.parametrize(("button", "status", "mails"), [("It arrived", "sent", 1), ("It did not arrive", "failed", 2)])
async def test_whether_a_message_in_doubt_arrived_is_settled_from_the_worklist(
    desk: Desk, tab: Tab, button: str, status: str, mails: int
) -> None:
    courier = hire(desk, "email")["email"]
    courier.fates = ["doubtful"]
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=date(2026, 1, 31))
    await desk.until(date(2026, 2, 2))
    await tab.go("/")
    assert "Find out" in await tab.text("tbody")
    await tab.page.click("tbody a")
    await tab.page.fill("details[open] input[name=note]", "asked Ada")
    await fits(tab)
    await tab.press(button)
    assert await tab.page.locator("[role=status]").count() == 1
    assert (await desk.contacts())[0]["status"] == status
    (task,) = (await desk.get("/v1/tasks", kind="fate_unknown"))["items"]
    assert (task["status"], task["done_by"]) == ("done", "ben")
    await desk.until(date(2026, 2, 4))
    assert len(courier.letters) == mails


async def test_a_step_that_waits_is_approved_on_the_account(desk: Desk, tab: Tab) -> None:
    invoice = await waiting_step(desk)
    await tab.go(f"/accounts/{invoice.customer_id}")
    await fits(tab)
    await tab.press("Approve the step")
    await desk.tick()
    assert (await desk.sent())[-1] == ("2026-02-10", "decide")
    await tab.page.reload()
    assert await tab.page.locator("button:has-text('Approve the step')").count() == 0
