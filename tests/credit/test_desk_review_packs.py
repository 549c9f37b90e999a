"""A review pack on a page in a real browser: outcomes, overrides and losses, and who signed them."""

from __future__ import annotations

from tests.browser import needs_chromium
from tests.credit.client import Credit, names, problem
from tests.credit.desk import Desk
from tests.credit.test_review_packs import on, traded


@needs_chromium
async def test_a_pack_tells_what_became_of_decisions_and_is_signed_with_its_figures(desk: Desk) -> None:
    await on(desk.credit, "2012-01-03 09:00Z")
    customer = await traded(desk.credit)
    await on(desk.credit, "2012-01-04 09:00Z")
    carl = await desk.tab("carl", "customers:read credit:read credit:approve", width=390)
    await carl.go("/policy")
    await carl.page.click("text=What became of it")
    await carl.page.wait_for_url("**/review-packs")
    assert "Decisions 5 3 approved, 2 declined" in await carl.text(".tiles")
    assert "Let pass by persons 2 1 not invoiced, 1 written off" in await carl.text(".tiles")
    assert "Written off €50,000.00 of €61,000.00 sold" in await carl.text(".tiles")
    assert await carl.overflow() <= 0
    overrides = await carl.text("[aria-labelledby=h-overrides]")
    assert "PO 1 Acme GmbH" in overrides
    assert "anna: Known for years" in overrides

    await carl.page.check("[value=to_change]")
    await carl.press("Sign the review")
    assert "Write down what is to change" in await carl.text("[role=alert]")
    carl.complaints.clear()  # The browser notes the refusal's status.
    await carl.page.check("[value=to_change]")
    await carl.page.fill("[name=note]", "Nobody lets pass more than twice the limit")
    await carl.press("Sign the review")
    signed = await carl.text("[aria-labelledby=h-signed] table")
    assert "carl" in signed
    assert "Something is to change" in signed
    assert "Nobody lets pass more than twice the limit" in signed
    await carl.page.set_viewport_size({"width": 1280, "height": 900})
    assert await carl.page.locator(f"a[href='/customers/{customer}']").count() == 2
    kept = (await desk.credit.get("/v1/review-sign-offs"))["items"]
    assert [(each["signed_by"], each["conclusion"], each["policy_version"]) for each in kept] == [
        ("carl", "to_change", 1)
    ]
    assert kept[0]["figures"]["lost"] == [{"amount": "50000.00", "currency": "EUR"}]
    assert kept[0]["figures"]["decisions"] == {"approved": 3, "declined": 2}

    reader = await desk.tab("rea", "customers:read credit:read")
    refusal = await reader.page.goto(f"{desk.url}/review-packs?from=2012-01-04&to=2012-01-03")
    assert refusal is not None
    assert refusal.status == 422
    assert "is before" in await reader.text("[role=alert]")
    assert await reader.page.locator("main form[method=post]").count() == 0
    reader.complaints.clear()  # The browser notes the refusal's status.


async def test_a_sign_off_names_a_period_that_is_over_and_says_what_is_to_change(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    good = {"from": "2012-01-01", "to": "2012-01-03", "conclusion": "kept"}
    for change, pointer in (
        ({"conclusion": "to_change"}, "#/note"),
        ({"to": "2012-01-04"}, "#/to"),
        ({"from": "2012-01-04", "to": "2012-01-03"}, "#/to"),
        ({"conclusion": "perhaps"}, "#/conclusion"),
    ):
        answer = await credit.post("/v1/review-sign-offs", {**good, **change})
        assert list(names(answer)) == [pointer], change
    assert problem(await credit.post("/v1/review-sign-offs", {**good, "scorecard": "x"}), 404) == "scorecard-not-found"
    for _ in range(2):
        assert (await credit.post("/v1/review-sign-offs", good, key="k")).status_code == 201
    assert (await credit.post("/v1/review-sign-offs", {**good, "to": "2012-01-02"})).status_code == 201
    first = await credit.get("/v1/review-sign-offs", scorecard="standard", limit=1)
    second = await credit.get("/v1/review-sign-offs", scorecard="standard", limit=1, cursor=first["next_cursor"])
    assert [first["items"][0]["to"], second["items"][0]["to"]] == ["2012-01-02", "2012-01-03"]
    assert (await credit.get("/v1/review-sign-offs", scorecard="other"))["items"] == []
