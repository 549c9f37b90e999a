"""The editor of scorecards in a real browser: faults while somebody types, a trial on the book, a new version."""

from __future__ import annotations

from tests.browser import Tab, needs_chromium
from tests.credit.desk import Desk, assessed, policy

pytestmark = needs_chromium
EDITOR = ".editor textarea"


async def typed(tab: Tab, old: str, new: str) -> None:
    """Change the document as it is typed, and wait for what the check says of it."""
    text = await tab.page.input_value(EDITOR)
    assert old in text
    async with tab.page.expect_response("**/check?part=outcome"):
        await tab.page.fill(EDITOR, text.replace(old, new, 1))


async def test_a_fault_is_named_with_its_line_and_a_good_document_is_tried_on_the_book_and_published(
    desk: Desk,
) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard(name="Grown Ltd"))["id"]
    before = await assessed(desk.credit, customer, score=80)
    published = await desk.credit.get("/v1/scorecards/standard")
    base = f"base_points: {published['scorecard']['base_points']}"
    tab = await desk.tab("ben")
    await tab.go("/scorecards")
    await tab.page.click("tbody a")
    await tab.page.wait_for_url("**/scorecards/standard")
    await typed(tab, base, "base_points: many")
    await tab.page.wait_for_selector("#remarks .fault")
    line = published["document"].split(base)[0].count("\n") + 1
    assert f"line {line}" in await tab.text("#remarks")
    assert await tab.page.locator("button[data-publish]").is_disabled()

    await typed(tab, "base_points: many", "base_points: 0")
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    assert "0 would go to a better class and 1 to a worse one" in await tab.text("#trial")
    await tab.page.click("#trial summary")
    assert f"Grown Ltd: {before['risk_class']} to E" in await tab.text("#trial")
    await tab.press("Publish version 2")
    assert "version 2" in await tab.text(".chips")
    assert (await desk.credit.get("/v1/scorecards/standard"))["published_by"] == "ben"
    await tab.press("Publish version 3")
    assert "There is nothing to publish" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.


async def test_two_who_edit_at_once_do_not_overwrite_each_other_and_readers_only_read(desk: Desk) -> None:
    anna, ben = await desk.tab("anna"), await desk.tab("ben")
    reader = await desk.tab("rea", "customers:read credit:read", width=390)
    for tab in (anna, ben):
        await tab.go("/scorecards/standard")
        text = await tab.page.input_value(EDITOR)
        await tab.page.fill(EDITOR, f"# {id(tab)}\n{text}")
    await anna.press("Publish version 2")
    await ben.press("Publish version 2")
    assert "standard is at version 2, you changed 1" in await ben.text("[role=alert]")
    assert str(id(ben)) in await ben.page.input_value(EDITOR), "what was typed is kept"
    ben.complaints.clear()  # The browser notes the refusal's status.
    for path in ("/scorecards", "/scorecards/standard"):
        await reader.go(path)
        assert await reader.page.locator("main form").count() == 0
        assert await reader.overflow() <= 0, path
