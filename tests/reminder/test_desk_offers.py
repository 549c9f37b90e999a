"""What a person does in the browser about offers and agencies: what is offered, who approves it, what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import Browser

from services.reminder.authority.rules import Offers as Limits
from services.reminder.desk_agencies import rules as agency_rules
from services.reminder.desk_agencies.rules import Written as WrittenAgency
from services.reminder.desk_offers import rules
from services.reminder.desk_offers.rules import FieldUnreadable, Written
from services.reminder.offers.rules import approval_needed
from shared.money import Money
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.desk import Desk
from tests.reminder.test_offers import DUE, TODAY, late

OWED = Money(10_000, "EUR")


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


async def is_open_to_all(tab: Tab) -> None:
    await fits(tab)
    assert await tab.accessibility_faults() == []


@needs_chromium
async def test_parts_are_offered_with_a_page_for_the_customer_and_the_answer_is_written_down(
    desk: Desk, tab: Tab
) -> None:
    customer, _ = await late(desk)
    await desk.issue(customer, DUE, "R-2", 5_000)
    await desk.until(TODAY, hour=14)
    await tab.go(f"/accounts/{customer.id}")
    await tab.page.click("text=Make an offer")
    assert "Alone: up to 3 parts, or more time until 18 Feb 2026." in await tab.text()
    await tab.page.click("summary:has-text('Payment in parts')")
    await is_open_to_all(tab)
    plan = "form:has(input[value=plan])"
    await tab.page.fill(f"{plan} input[name=count]", "2")
    await tab.page.uncheck(f"{plan} input[value=R-2]")
    await tab.press("Offer the parts")
    assert "€50.00 on 18 Feb 2026, €50.00 on 18 Mar 2026" in await tab.text(".facts")
    assert "/offers/" in await tab.text(".url")
    await is_open_to_all(tab)
    await tab.go(f"/accounts/{customer.id}")
    assert "The customer may accept it until 11 Feb 2026." in await tab.text()

    await tab.page.click("a:has-text('Offered: €100.00 in 2 parts, 18 Feb 2026 to 18 Mar 2026')")
    await tab.press("They accept")
    assert "Ada Lang by phone" in await tab.text("table")
    assert "The invoice service is being asked to do its part." in await tab.text("table")
    (made,) = (await desk.get("/v1/offers"))["items"]
    assert (made["status"], made["invoices"], made["recorded_by"]) == ("accepted", ["R-1"], "ben")


@needs_chromium
async def test_a_settlement_is_refused_with_its_words_kept_then_approved_by_another_and_taken_back(
    desk: Desk, tab: Tab, chromium: Browser, url: str, keys_folder: Path
) -> None:
    customer, _ = await late(desk)
    page = f"/accounts/{customer.id}/offers"
    await tab.go(page)
    await tab.page.click("summary:has-text('Settle for less')")
    await tab.page.fill("input[name=pay]", "20.00")
    await tab.page.fill("form:has(input[name=pay]) input[name=note]", "closing down")
    await tab.press("Ask for approval")
    assert "50 percent may be given up at most" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    assert await tab.page.input_value("form:has(input[name=pay]) input[name=note]") == "closing down"
    await tab.page.fill("input[name=pay]", "60.00")
    await tab.press("Ask for approval")
    assert "Somebody else has to approve what you offered." in await tab.text()
    await fits(tab)

    async with signed_in(chromium, url, keys_folder, "cleo") as second:
        await second.go(page)
        assert "€60.00 by 18 Feb 2026 for all of €100.00" in await second.text()
        await second.press("Approve the offer")
        assert "with the customer" in await second.text(".cardhead")
        assert second.complaints == []
    await tab.go(page)
    await tab.page.fill("form[action$=withdrawal] input[name=reason]", "they paid by cheque")
    await tab.press("Withdraw it")
    assert "they paid by cheque" in await tab.text("table")
    await fits(tab)


@needs_chromium
async def test_an_agency_is_added_and_its_commission_changed_unless_somebody_was_faster(desk: Desk, tab: Tab) -> None:
    await tab.go("/placements")
    await tab.page.click("a.go:has-text('Agencies')")
    await tab.page.click("text=Add an agency")
    await tab.page.fill("input[name=name]", "Northern Collect")
    await tab.page.fill("input[name=id]", "northern")
    await tab.page.fill("input[name=percent] >> nth=0", "15 %")
    await tab.page.fill("input[name=days_from] >> nth=1", "0")
    await tab.page.fill("input[name=percent] >> nth=1", "25")
    await is_open_to_all(tab)
    await tab.press("Add the agency")
    assert "commissions are given by rising age" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    await tab.page.fill("input[name=days_from] >> nth=1", "181")
    await tab.press("Add the agency")
    assert "15 % from 0 days on, 25 % from 181 days on" in await tab.text("tbody")
    await fits(tab)

    await tab.page.click("text=Northern Collect")
    meanwhile = await desk.get("/v1/agencies/northern")
    await desk.http.put(
        "/v1/agencies/northern",
        json={"name": "Northern Ltd", "commission": meanwhile["commission"]},
        headers={"if-match": '"1"'},
    )
    await tab.press("Keep it")
    assert "you saw version 1 of the agency, which is gone" in await tab.text("[role=alert]")
    tab.complaints.clear()
    await tab.go("/agencies/northern")
    await tab.page.fill("input[name=percent] >> nth=1", "30")
    await tab.press("Keep it")
    kept = await desk.get("/v1/agencies/northern")
    assert (kept["name"], kept["version"], kept["commission"][1]["percent"]) == ("Northern Ltd", 3, "30")


@needs_chromium
async def test_who_may_not_approve_reads_agencies_and_changes_none(
    desk: Desk, chromium: Browser, url: str, keys_folder: Path
) -> None:
    body = {"name": "Northern Collect", "commission": [{"days_from": 0, "percent": "15"}]}
    await desk.http.put("/v1/agencies/northern", json=body, headers={"if-none-match": "*"})
    scopes = "reminders:read reminders:write"
    async with signed_in(chromium, url, keys_folder, "dora", scopes) as tab:
        await tab.go("/agencies")
        assert await tab.page.locator("text=Add an agency").count() == 0
        await tab.page.click("text=Northern Collect")
        assert "Changing it takes the right to approve." in await tab.text()
        assert await tab.page.locator("main button").count() == 0


@pytest.mark.parametrize("days_alone", [0, 1, 14])
@pytest.mark.parametrize("valid_days", [1, 30])
def test_what_the_forms_begin_with_is_never_refused(days_alone: int, valid_days: int) -> None:
    limits = Limits(extension_days_alone=days_alone, valid_days_max=valid_days)
    begin = rules.suggest(limits, TODAY)
    more_time = Written("extension", begin.expires_on, pay_by=begin.pay_by)
    parts = Written("plan", begin.expires_on, count=begin.parts, first_on=begin.first_on)
    for written in (more_time, parts):
        approval_needed(rules.read_terms(written, OWED), OWED, limits, TODAY)


@pytest.mark.parametrize("count", [0, 1, 61])
def test_a_plan_has_two_parts_or_more(count: int) -> None:
    with pytest.raises(FieldUnreadable):
        rules.read_terms(Written("plan", TODAY, count=count, first_on=TODAY + timedelta(days=14)), OWED)


@pytest.mark.parametrize("text", ["", "sixty", "60.001", "NaN", "1e400"])
def test_an_amount_that_cannot_be_read_is_said_so(text: str) -> None:
    with pytest.raises(FieldUnreadable):
        rules.read_terms(Written("settlement", TODAY, pay_by=date(2026, 3, 1), pay=text), OWED)


@pytest.mark.parametrize(
    ("field", "value", "is_read"),
    [
        ("id", "north-collect", True),
        ("id", "North", False),
        ("id", "-north", False),
        ("id", "n" * 40, True),
        ("id", "n" * 41, False),
        ("name", " ", False),
        ("email", "files@north.example", True),
        ("email", "north.example", False),
        ("rates", (("0", "12,5 %"),), True),
        ("rates", (("0", "100"),), True),
        ("rates", (("0", "100.01"),), False),
        ("rates", (("0", "12.345"),), False),
        ("rates", (("0", "nan"),), False),
        ("rates", (("3651", "10"),), False),
        ("rates", (("-1", "10"),), False),
        ("rates", (("", "10"),), False),
    ],
)
def test_what_is_written_of_an_agency_is_read_or_named(field: str, value: object, is_read: bool) -> None:
    facts = {"id": "north", "name": "North", "rates": (("0", "10"), ("", ""))} | {field: value}
    written = WrittenAgency(**facts)  # pyright: ignore[reportArgumentType]
    if is_read:
        assert agency_rules.read_form(written).version == 1
    else:
        with pytest.raises(agency_rules.FieldUnreadable):
            agency_rules.read_form(written)


def test_a_percentage_is_read_as_it_is_written() -> None:
    (rate,) = agency_rules.read_form(WrittenAgency("north", 3, "North", "", (("0", "12,5 %"),))).commission
    assert rate.percent == Decimal("12.5")
