"""A company applies, is vetted and approved by two, has an order refused and let pass, is reviewed: on pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.browser import needs_chromium, window
from tests.credit.applications import NORDWIND, apply, money, vetting
from tests.credit.desk import EVIL, Desk, learned, ordered, policy

pytestmark = needs_chromium


async def test_from_the_application_over_two_approvals_and_an_override_to_the_review(desk: Desk) -> None:
    await policy(desk.credit, approvals=[{"above": money("1000.00"), "approvers": 2}])
    anna, ben, carl = [await desk.tab(name) for name in ("anna", "ben", "carl")]

    await anna.go("/applications")
    await anna.page.fill("[name=legal_name]", str(NORDWIND["legal_name"]))
    await anna.press("Begin one")
    await anna.page.click("tbody a")
    assert "missing" in await anna.text("[aria-labelledby=h-missing]")
    here = urlsplit(anna.page.url).path
    await anna.press("Show a link to hand on")
    address = urlsplit(await anna.text("#given")).path
    current = await desk.credit.get(f"/v1{here}")
    changed = await desk.credit.change("PATCH", f"/v1{here}", current["version"], dict(NORDWIND))
    assert changed.status_code == 200, changed.text
    async with window(desk.browser, desk.url) as company:
        await company.page.goto(desk.url + address)
        await company.page.locator("form[action$=submission] button").click()
        assert company.complaints == []

    await ben.go("/")
    assert "Submitted: begin to vet it" in await ben.text("#applications")
    await ben.page.click("#applications tbody a")
    await ben.press("Begin to vet it")
    await learned(desk.credit, here.rpartition("/")[2])
    await ben.press("Assess it now")
    assert "The bureau rates it very good" in await ben.text("[aria-labelledby=h-vetting]")
    await ben.page.fill("[name=limit]", "1500.00")
    await ben.page.fill("form[action$=proposal] [name=reason]", "Sound")
    await ben.press("Propose")
    assert "You proposed them: others approve them." in await ben.text("[aria-labelledby=h-proposal]")

    for colleague in (anna, carl):
        await colleague.go("/")
        await colleague.page.click("#applications tbody a")
        await colleague.press("Approve the terms")
    assert "2 of 2 approved" in await carl.text("[aria-labelledby=h-proposal]")
    await carl.press("Write the terms and mail them")
    assert "The terms as they went out, version 1" in await carl.text("[aria-labelledby=h-next]")
    await carl.page.fill("form[action$=acceptance] [name=by]", "Nora Brandt")
    await carl.press("Record the acceptance")
    await carl.page.click("text=the customer's credit file")
    await carl.page.wait_for_url("**/customers/*")
    customer = carl.page.url.rpartition("/")[2]
    assert "€1,500.00 set by hand" in await carl.text(".tiles")

    order = await ordered(desk.credit, customer, "1700.00", "PO-1")
    assert order["outcome"] == "referred"
    await ben.go("/")
    await ben.page.fill("#orders [name=reason]", "Half is paid in advance")
    await ben.press("Let it pass")
    assert (await ordered(desk.credit, customer, "1700.00", "PO-2"))["outcome"] == "declined"
    await ben.go(f"/customers/{customer}")
    assert "Headroom −€200.00 over the limit" in await ben.text(".tiles")

    await ben.page.click("summary:has-text('Have it reviewed')")
    await ben.page.fill("details[open] form[action$=reviews] [name=reason]", "Over its limit from the start")
    await ben.press("Put it in the queue")
    await anna.go("/reviews")
    await anna.page.click("tbody a")
    assert "Over its limit from the start" in await anna.text("[aria-labelledby=h-why]")
    await anna.page.check("[value=security_asked_for]")
    await anna.page.fill("[name=note]", "A deposit by the end of March")
    await anna.press("The review is done")
    assert "Security is asked for" in await anna.text("[aria-labelledby=h-why]")
    (done,) = (await desk.credit.get("/v1/reviews", customer_id=customer))["items"]
    assert (done["status"], done["done_by"], done["outcome"]) == ("done", "anna", "security_asked_for")


async def test_what_is_missing_or_suspected_is_shown_and_a_refused_proposal_changes_nothing(desk: Desk) -> None:
    await desk.credit.onboard(name="Nordwind Handels GmbH", address=NORDWIND["address"])
    application = await vetting(desk.credit)
    tab = await desk.tab("ben")
    await tab.go(f"/applications/{application}")
    assert "Nordwind Handels GmbH customer same name and postal code" in await tab.text("[aria-labelledby=h-suspects]")
    for limit, ticked, refused in (
        ("a lot", False, "The amount cannot be read"),
        ("100.00", False, "Somebody known may be the same company"),
        ("100.00", True, None),
    ):
        await tab.go(f"/applications/{application}")
        await tab.page.click("summary:has-text('Propose terms')")
        await tab.page.fill("[name=limit]", limit)
        await tab.page.fill("form[action$=proposal] [name=reason]", "Sound")
        await tab.page.set_checked("[name=despite_duplicates]", ticked)
        await tab.press("Propose")
        if refused:
            assert refused in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusals' status.
    assert (await desk.credit.get(f"/v1/applications/{application}"))["status"] == "approved"


async def test_a_review_is_taken_by_somebody_and_a_stale_form_is_refused(desk: Desk) -> None:
    customer = (await desk.credit.onboard(name=EVIL))["id"]
    opened = await desk.credit.post(
        f"/v1/customers/{customer}/reviews", {"reason": "They grow", "due_on": "2026-03-20"}
    )
    tab, other = await desk.tab("ben"), await desk.tab("anna")
    for each in (tab, other):
        await each.go(f"/reviews/{opened.json()['id']}")
    await tab.press("Assign")
    assert "owner ben" in await tab.text(".chips")
    await other.press("Assign")
    assert "look again, then decide" in await other.text("[role=alert]")
    other.complaints.clear()  # The browser notes the refusal's status.
    for query, count in (("mine=true", 1), ("", 1), ("status=done", 0)):
        await tab.go(f"/reviews?{query}")
        assert await tab.page.locator("tbody tr").count() == count, query
    await other.go("/reviews?mine=true")
    assert "No review waits." in await other.text()


@pytest.mark.parametrize("width", [390, 1280])
async def test_readers_see_no_forms_and_the_pages_fit_a_phone_and_a_desktop(desk: Desk, width: int) -> None:
    customer = (await desk.credit.onboard(name=EVIL * 3))["id"]
    review = (await desk.credit.post(f"/v1/customers/{customer}/reviews", {"reason": "x" * 300})).json()["id"]
    draft = (await apply(desk.credit, legal_name="W" * 150))["id"]
    vetted = await vetting(desk.credit)
    reader = await desk.tab("rea", "customers:read credit:read", width=width)
    writer = await desk.tab("ben", width=width)
    paths = [
        "/",
        "/applications",
        "/reviews",
        f"/applications/{draft}",
        f"/applications/{vetted}",
        f"/reviews/{review}",
    ]
    for path in paths:
        await reader.go(path)
        assert await reader.page.locator("main form").count() == 0, path
        await writer.go(path)
        assert await writer.overflow() <= 0, path
    form: dict[str, Any] = {"attempt": str(uuid4()), "step": "assess"}
    answer = await writer.page.request.post(
        f"{desk.url}/applications/{vetted}/steps", form=form, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status == 403
