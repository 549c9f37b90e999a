"""A review pack on a page in a real browser: outcomes, overrides and losses, and who signed them."""

from __future__ import annotations

from datetime import date

import pytest

from services.credit.review_days import rules
from tests.browser import needs_chromium
from tests.credit.applications import money
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


@pytest.mark.parametrize(
    ("review_on", "signed_on", "due_on"),
    [
        ("2026-03-10", None, "2026-03-10"),
        ("2026-03-10", "2026-03-09", "2026-03-10"),
        ("2026-03-10", "2026-03-10", "2027-03-10"),
        ("2026-03-10", "2026-03-11", "2027-03-11"),
        ("2023-01-01", "2024-02-29", "2025-02-28"),
        (None, None, None),
        (None, "2026-03-10", "2027-03-10"),
    ],
)
def test_outcomes_are_due_on_the_documents_day_and_a_year_after_somebody_signed(
    review_on: str | None, signed_on: str | None, due_on: str | None
) -> None:
    days = [None if each is None else date.fromisoformat(each) for each in (review_on, signed_on, due_on)]
    assert rules.due_on(days[0], days[1]) == days[2]


@needs_chromium
async def test_the_work_list_names_outcomes_that_are_due_until_they_are_signed(desk: Desk) -> None:
    body = {"limits": [{"limit": money("1.00")}], "owner": "Petra Voss", "review_on": "2026-03-10"}
    assert (await desk.credit.change("PUT", "/v1/credit-policy", 1, body)).status_code == 200
    carl = await desk.tab("carl")
    await carl.go("/")
    assert "The credit policy Petra Voss 10 Mar 2026" in await carl.text("#outcomes tbody")
    await carl.page.click("#outcomes a")
    await carl.page.wait_for_url("**/review-packs")
    await carl.page.check("[value=kept]")
    await carl.press("Sign the review")
    await carl.go("/")
    assert await carl.page.locator("#outcomes").count() == 0
    policy = await desk.credit.get("/v1/credit-policy")
    assert (policy["review_on"], policy["review_due_on"]) == ("2026-03-10", "2027-03-10")
    for path in ("/policy", "/review-packs"):
        await carl.go(path)
        assert "outcomes looked at 10 Mar 2027" in await carl.text(), path
    await on(desk.credit, "2027-03-11 09:00Z")
    assert (await desk.credit.get("/v1/credit-policy"))["review_overdue"] is True
    await carl.go("/")
    assert "The credit policy Petra Voss 10 Mar 2027" in await carl.text("#outcomes tbody")


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
