"""Colleagues are added and changed in the browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser

from services.reminder.desk_team.rules import FieldUnreadable, Written, form_of, read_form
from tests.browser import Tab, needs_chromium, serving, signed_in
from tests.reminder.desk import Desk
from tests.reminder.test_offers import late

BEN = Written("ben", 3, "Ben L.", "collections", "ben@seller.example", "+49 40 123", cover="cleo")


@pytest.fixture
async def tab(desk: Desk, chromium: Browser, keys_folder: Path) -> AsyncIterator[Tab]:
    async with serving(desk.app) as url, signed_in(chromium, url, keys_folder, "ben") as tab:
        yield tab
        assert tab.complaints == []


@needs_chromium
async def test_colleagues_are_added_cover_each_other_and_get_accounts(desk: Desk, tab: Tab) -> None:
    customer, _ = await late(desk)
    await tab.go("/team")
    await tab.page.click("text=Add a colleague")
    assert await tab.accessibility_faults() == []
    for subject, name in (("cleo", "Cleo Marsh"), ("ben", "Ben Lang")):
        await tab.go("/team/new")
        await tab.page.fill("input[name=subject]", subject)
        await tab.page.fill("input[name=name]", name)
        await tab.press("Add the colleague")
    assert "Cleo Marsh Collections" in await tab.text("tbody")

    await tab.page.click("text=Ben Lang")
    await tab.page.fill("input[name=absent_until]", "2026-02-20")
    await tab.page.select_option("select[name=cover]", "cleo")
    await tab.press("Keep it")
    assert "say from when, too" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    await tab.page.fill("input[name=absent_from]", "2026-02-01")
    for width in (390, 1280):
        await tab.page.set_viewport_size({"width": width, "height": 900})
        assert await tab.overflow() <= 0, width
    await tab.press("Keep it")
    assert "away until 20 Feb 2026, covered by cleo" in await tab.text("tbody")

    await tab.go(f"/accounts/{customer.id}")
    await tab.page.select_option("select[name=owner]", "cleo")
    await tab.press("Assign")
    assert (await desk.get("/v1/worklist"))["items"][0]["owner"] == "cleo"


@needs_chromium
async def test_who_acted_and_is_not_known_is_added_from_the_figures(desk: Desk, tab: Tab) -> None:
    customer, _ = await late(desk)
    await tab.go(f"/accounts/{customer.id}")
    await tab.page.click("text=Write a note")
    await tab.page.fill("textarea[name=body]", "they moved")
    await tab.press("Keep the note")
    await tab.go("/team")
    await tab.page.click("tbody a:has-text('ben')")
    assert await tab.page.input_value("input[name=subject]") == "ben"


def test_a_form_that_is_read_and_written_again_is_the_same() -> None:
    away = replace(BEN, absent_from=date(2026, 2, 1), absent_until=date(2026, 2, 20))
    for written in (BEN, away, Written("x", 1, "X", "sales")):
        assert form_of(read_form(written)) == written


@pytest.mark.parametrize(
    ("field", "value"), [("subject", " "), ("name", ""), ("phone", "call me"), ("phone", "1" * 41), ("phone", "123")]
)
def test_what_cannot_be_read_of_a_colleague_is_named(field: str, value: str) -> None:
    with pytest.raises(FieldUnreadable) as refused:
        read_form(replace(BEN, **{field: value}))
    assert refused.value.field == f"/{field}"
