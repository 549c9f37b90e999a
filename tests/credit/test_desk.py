"""The work list of credit controllers in a real browser: limits approved by others, orders let pass or refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.credit.desk.rules import cannot_approve, is_late
from services.credit.limit_requests.rules import Approval
from tests.browser import needs_chromium
from tests.credit.applications import money
from tests.credit.client import Credit
from tests.credit.desk import TODAY, Desk, ordered, policy

TERMS = "[aria-labelledby=h-terms]"


@pytest.mark.parametrize(
    ("requested_by", "approved_by", "reader", "may"),
    [
        ("anna", [], "ben", True),
        ("anna", ["ben"], "carl", True),
        ("anna", [], "anna", False),
        ("anna", ["ben"], "ben", False),
    ],
)
def test_who_asks_does_not_approve_and_nobody_approves_twice(
    requested_by: str, approved_by: list[str], reader: str, may: bool
) -> None:
    approvals: list[Any] = [Approval(by, None) for by in approved_by]  # pyright: ignore[reportArgumentType]
    assert (cannot_approve(requested_by, approvals, reader) is None) == may


@pytest.mark.parametrize(("days", "late"), [(-1, True), (0, False), (1, False)])
def test_a_review_is_late_from_the_day_after_it_is_due(days: int, late: bool) -> None:
    assert is_late(TODAY + timedelta(days=days), TODAY) == late


async def asked(credit: Credit, customer: str, amount: str) -> str:
    body = {"kind": "limit", "amount": money(amount), "reason": "They grow"}
    return (await credit.post(f"/v1/customers/{customer}/limit-requests", body)).json()["id"]


@needs_chromium
async def test_a_large_limit_is_approved_by_two_others(desk: Desk) -> None:
    thresholds = [{"above": money(above), "approvers": n} for above, n in (("2000.00", 1), ("20000.00", 2))]
    await policy(desk.credit, approvals=thresholds)
    customer = (await desk.credit.onboard())["id"]
    await asked(desk.credit, customer, "20000.01")
    anna, ben, carl = [await desk.tab(name) for name in ("anna", "ben", "carl")]
    await anna.go("/")
    assert "You asked for it: others approve it." in await anna.text("#requests")
    assert await anna.page.get_by_role("button", name="Approve").count() == 0
    await ben.go("/")
    await ben.press("Approve")
    assert "You approved it; another person has to." in await ben.text("#requests")
    assert "approved by ben, 1 more needed" in await ben.text("#requests")
    await carl.go("/")
    await carl.press("Approve")
    assert "No limit and no terms wait for an approval." in await carl.text("#requests")
    limit = (await desk.credit.get(f"/v1/customers/{customer}/credit"))["limit"]
    assert limit == money("20000.01")


@needs_chromium
async def test_terms_are_asked_for_on_the_credit_file_and_approved_by_another(desk: Desk) -> None:
    thresholds = [{"above": money("500.00"), "approvers": 1}]
    await policy(desk.credit, approvals=thresholds, terms={"then": "ask"})
    customer = (await desk.credit.onboard())["id"]
    anna, ben = await desk.tab("anna"), await desk.tab("ben", width=390)
    await anna.go(f"/customers/{customer}")
    assert "Pays within 30 days In advance nothing Deposit none asked for" in await anna.text(TERMS)
    await anna.page.click("summary:has-text('Ask for other terms')")
    for name, typed in (("net_days", "14"), ("prepaid_percent", "30"), ("deposit", "2,000"), ("reason", "Slow")):
        await anna.page.fill(f"form[action$=term-requests] [name={name}]", typed)
    await anna.press("Ask for these terms")
    waiting = "14 days, 30 % in advance, a deposit of €2,000.00: asked for by anna; 0 of 1 approved"
    assert waiting in await anna.text(TERMS)
    await anna.go("/")
    assert "You asked for it: others approve it." in await anna.text("#requests")

    await ben.go("/")
    assert "a deposit of €2,000.00 instead of 30 days" in await ben.text("#requests")
    assert await ben.overflow() <= 0
    await ben.press("Approve")
    await ben.go(f"/customers/{customer}")
    assert "€2,000.00 asked for; €2,000.00 not received, and not counted" in await ben.text(TERMS)
    assert await ben.overflow() <= 0
    terms = (await desk.credit.get(f"/v1/customers/{customer}"))["payment_terms"]
    assert terms == {"net_days": 14, "prepaid_percent": 30, "deposit": money("2000.00"), "source": "manual"}


@needs_chromium
async def test_a_limit_is_refused_with_a_reason(desk: Desk) -> None:
    await policy(desk.credit, approvals=[{"above": money("2000.00"), "approvers": 1}])
    customer = (await desk.credit.onboard())["id"]
    request = await asked(desk.credit, customer, "5000.00")
    ben = await desk.tab("ben")
    await ben.go("/")
    await ben.page.click("#requests summary")
    await ben.page.fill("#requests [name=reason]", "Too early")
    await ben.press("Refuse")
    told = await desk.credit.get(f"/v1/limit-requests/{request}")
    assert (told["status"], told["closed_because"]) == ("refused", "ben: Too early")


@needs_chromium
async def test_a_blocked_order_is_let_pass_up_to_a_day_or_refused(desk: Desk) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard())["id"]
    passed, refused = [(await ordered(desk.credit, customer, "1100.00", name))["id"] for name in ("PO-1", "PO-2")]
    ben = await desk.tab("ben")
    await ben.go("/")
    assert "€1,100.00 for PO-1: over limit limit €1,000.00, headroom €1,000.00" in await ben.text("#orders")
    await ben.page.locator("#orders [name=reason]").first.fill("Paid in advance")
    await ben.page.locator("#orders [name=until]").first.fill("2026-03-12")
    await ben.press("Let it pass")
    order = await desk.credit.get(f"/v1/blocked-orders/{passed}")
    assert (order["status"], order["closed_by"], order["closed_because"]) == ("released", "ben", "Paid in advance")
    (reserved,) = (await desk.credit.get("/v1/reservations", customer_id=customer))["items"]
    assert reserved["expires_at"] == "2026-03-13T00:00:00Z", "the whole of the 12th counts"
    await ben.page.locator("#orders [name=reason]").first.fill("Owes enough")
    await ben.press("Refuse it")
    assert (await desk.credit.get(f"/v1/blocked-orders/{refused}"))["status"] == "refused"
    assert "No order is blocked." in await ben.text("#orders")


@needs_chromium
async def test_who_may_not_approve_sees_no_such_forms_and_is_refused(desk: Desk) -> None:
    await policy(desk.credit, approvals=[{"above": money("2000.00"), "approvers": 1}])
    customer = (await desk.credit.onboard())["id"]
    request = await asked(desk.credit, customer, "5000.00")
    await ordered(desk.credit, customer, "1100.00", "PO-1")
    clerk = await desk.tab("cleo", "customers:read credit:read credit:write")
    reader = await desk.tab("rea", "customers:read credit:read")
    await clerk.go("/")
    assert await clerk.page.locator("main form").count() == 1, "to refuse the limit"
    await reader.go("/")
    assert await reader.page.locator("main form").count() == 0
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    form: dict[str, Any] = {"attempt": str(uuid4())}
    address = f"{desk.url}/limit-requests/{request}/approval"
    assert (await clerk.page.request.post(address, form=form, headers=same)).status == 403
    boss = await desk.tab("ben")
    assert (await boss.page.request.post(address, form=form, headers={"sec-fetch-site": "cross-site"})).status == 403
    assert (await desk.credit.get(f"/v1/limit-requests/{request}"))["status"] == "waiting"
