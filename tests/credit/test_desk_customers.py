"""Customers and their credit files in a real browser: what is shown, and what is done about it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.credit.desk_customers.rules import bars_of
from services.credit.exposure.rules import Breakdown, Owed
from shared.money import Money
from tests.browser import needs_chromium
from tests.credit.applications import money
from tests.credit.books import Invoice
from tests.credit.desk import EVIL, TODAY, Desk, assessed, ordered, owing, policy


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize(
    ("open_minor", "reserved_minor", "limit_minor", "widths", "limit_at"),
    [
        (50_000, 25_000, 100_000, [75.0, 50.0, 25.0], 100.0),
        (100_000, 0, 100_000, [100.0, 100.0, 0.0], 100.0),
        (150_000, 50_000, 100_000, [100.0, 75.0, 25.0], 50.0),
        (10_000, 0, 0, [100.0, 100.0, 0.0], 0.0),
    ],
)
def test_bars_have_one_scale_that_goes_up_to_the_limit_or_to_what_is_owed_beyond_it(
    open_minor: int, reserved_minor: int, limit_minor: int, widths: list[float], limit_at: float
) -> None:
    owed = Owed(eur(open_minor), eur(0), eur(0), 1, eur(0), eur(reserved_minor))
    exposure = Breakdown(eur(open_minor + reserved_minor), (owed.open,), (owed,))
    chart = bars_of(exposure, eur(limit_minor))
    assert [bar.width for bar in chart.bars if bar.tone in ("total", "open", "reserved")] == widths
    assert chart.limit_at == limit_at


def test_what_is_owed_in_other_currencies_has_a_bar_of_its_own() -> None:
    none = Money(0, "USD")
    dollars = Owed(Money(11_000, "USD"), none, none, 1, none, none)
    chart = bars_of(Breakdown(eur(10_000), (dollars.open,), (dollars,)), eur(20_000))
    assert [(bar.label, bar.amount, bar.width) for bar in chart.bars] == [
        ("Counts against the limit", eur(10_000), 50.0),
        ("In other currencies", eur(10_000), 50.0),
    ]


@needs_chromium
async def test_a_credit_file_shows_what_is_owed_why_the_class_is_what_it_is_and_every_answer(desk: Desk) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard(name=EVIL))["id"]
    _, late = await owing(desk.credit, customer, 30_000, 20_000, due_on=TODAY - timedelta(days=9))
    await desk.credit.hear(late.dispute(5_000))
    await assessed(desk.credit, customer, score=80)
    await ordered(desk.credit, customer, "150.00", "PO-1")
    await ordered(desk.credit, customer, "900.00", "PO-2")
    tab = await desk.tab("ben")
    await tab.go("/customers?search=acme")
    await tab.page.click("tbody a")
    tiles = await tab.text(".tiles")
    assert await tab.page.locator(".others a").all_inner_texts() == ["Invoices", "Collecting", "Figures"]
    assert "Limit €1,000.00 by the policy" in tiles
    assert "Counts against it €650.00 2 open invoices" in tiles
    assert "Headroom €350.00" in tiles
    assert "Open on invoices €500.00 of it overdue €500.00 of it disputed €50.00" in await tab.text(".bars")
    assert "EUR 2 invoices €500.00 €500.00 €50.00 €0.00 €150.00" in await tab.text(".exposure")
    why = await tab.text("[aria-labelledby=h-score]")
    assert "Bureau score: 80" in why
    assert "standard v1" in why
    assert "Credit report score 80" in await tab.text("[aria-labelledby=h-inputs]")
    answers = await tab.text("[aria-labelledby=h-decisions]")
    assert "PO-1 €150.00 Approved" in answers
    assert "PO-2 €900.00 Declined €900.00 is too much: of the limit of €1,000.00, €650.00 is taken" in answers


@needs_chromium
async def test_a_hold_is_placed_by_hand_and_released_and_a_limit_is_asked_for(desk: Desk) -> None:
    await policy(desk.credit, approvals=[{"above": money("2000.00"), "approvers": 1}])
    customer = (await desk.credit.onboard())["id"]
    tab = await desk.tab("ben")
    await tab.go(f"/customers/{customer}")
    await tab.page.click("summary:has-text('Place a hold')")
    await tab.page.check("[name=held][value=invoices]")
    await tab.page.fill("details[open] [name=reason]", "Returned a direct debit")
    await tab.press("Place the hold")
    assert "orders, invoices held" in await tab.text(".chips")
    (hold,) = (await desk.credit.get(f"/v1/customers/{customer}/holds"))["items"]
    assert (hold["held"], hold["placed_by"]) == (["orders", "invoices"], "ben")
    await tab.page.click("summary:has-text('Release')")
    await tab.page.fill("details[open] [name=reason]", "Paid after all")
    await tab.press("Release the hold")
    assert "Paid after all, ben" in await tab.page.inner_html("[aria-labelledby=h-holds]")

    for kind, amount, standing in (("limit", "1500.00", "€1,500.00"), ("guarantee", "800.00", "€1,500.00")):
        await tab.page.click("summary:has-text('Ask for another')")
        await tab.page.select_option("[name=kind]", kind)
        await tab.page.fill("[name=amount]", amount)
        await tab.page.fill("[name=evidence]", "Bond 77" if kind == "guarantee" else "")
        await tab.page.fill("details[open] form[action$=limit-requests] [name=reason]", "They grow")
        await tab.press("Ask for it")
        assert standing in await tab.text(".tiles"), "the first takes nobody, what goes beyond 2,000 one more"
    assert "A guarantee counts: €800.00, asked for by ben; 0 of 1 approved" in await tab.text()


@needs_chromium
async def test_a_refusal_is_said_on_the_file_and_changes_nothing(desk: Desk) -> None:
    customer = (await desk.credit.onboard())["id"]
    tab = await desk.tab("ben")
    for amount, word in (("a lot", "The amount cannot be read"), ("-1", "An amount above zero is wanted")):
        await tab.go(f"/customers/{customer}")
        await tab.page.click("summary:has-text('Ask for another')")
        await tab.page.fill("[name=amount]", amount)
        await tab.page.fill("details[open] form[action$=limit-requests] [name=reason]", "They grow")
        await tab.press("Ask for it")
        assert word in await tab.text("[role=alert]")
    assert (await desk.credit.get("/v1/limit-requests", status="waiting"))["items"] == []
    tab.complaints.clear()  # The browser notes the refusals' status.


@needs_chromium
async def test_customers_are_found_by_name_number_class_segment_and_hold(desk: Desk) -> None:
    await policy(desk.credit)
    good = (await desk.credit.onboard(name="Good Ltd", external_id="G-1"))["id"]
    await desk.credit.onboard(name="100 % Wool", external_id="W_1", segment="key")
    held = (await desk.credit.onboard(name="Held plc"))["id"]
    await assessed(desk.credit, good)
    await desk.credit.post(f"/v1/customers/{held}/holds", {"held": ["orders"], "reason": "by hand"})
    risk_class = (await desk.credit.get(f"/v1/customers/{good}/credit"))["risk_class"]
    tab = await desk.tab("ben")
    for query, names in (
        ("", ["100 % Wool", "Good Ltd", "Held plc"]),
        ("search=%25", ["100 % Wool"]),
        ("search=w_1", ["100 % Wool"]),
        ("search=g-1", ["Good Ltd"]),
        (f"risk_class={risk_class}", ["Good Ltd"]),
        ("risk_class=none", ["100 % Wool", "Held plc"]),
        ("segment=key", ["100 % Wool"]),
        ("held=true", ["Held plc"]),
        ("search=nobody", []),
    ):
        await tab.go(f"/customers?{query}")
        assert await tab.page.locator("tbody th a").all_inner_texts() == names, query


@needs_chromium
async def test_a_long_list_goes_on_on_the_next_page(desk: Desk) -> None:
    for n in range(51):
        await desk.credit.onboard(name=f"Customer {n:02}")
    tab = await desk.tab("ben")
    await tab.go("/customers")
    assert await tab.page.locator("tbody tr").count() == 50
    await tab.page.click("text=More")
    assert await tab.page.locator("tbody th a").all_inner_texts() == ["Customer 50"]


@needs_chromium
async def test_how_late_somebody_pays_is_drawn_and_the_drift_is_named(desk: Desk) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard())["id"]
    for n in range(14):
        due_on = TODAY - timedelta(days=150 - 9 * n)
        invoice = Invoice(UUID(customer), 1_000, due_on=due_on)
        late = 0 if n < 8 else 25
        await desk.credit.hear(invoice.issue(), invoice.pay(1_000, due_on + timedelta(days=late)))
    await desk.credit.tick()
    tab = await desk.tab("ben")
    await tab.go(f"/customers/{customer}")
    assert "pays later since" in await tab.text(".chips")
    assert await tab.page.locator(".drift circle").count() == 14
    assert await tab.page.locator(".drift circle.beyond").count() > 0


@needs_chromium
async def test_a_reader_sees_no_forms_and_a_form_from_elsewhere_changes_nothing(desk: Desk) -> None:
    customer = (await desk.credit.onboard())["id"]
    reader = await desk.tab("rea", "customers:read credit:read")
    await reader.go(f"/customers/{customer}")
    assert await reader.page.locator("main form").count() == 0
    writer, address = await desk.tab("ben"), f"{desk.url}/customers/{customer}/holds"
    form: dict[str, Any] = {"attempt": str(uuid4()), "held": "orders", "reason": "x"}
    await writer.go("/customers")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
        assert (await writer.page.request.post(address, form=form, headers=headers)).status == 403
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    assert (await reader.page.request.post(address, form=form, headers=same)).status == 403
    async with httpx.AsyncClient(base_url=desk.url, timeout=30) as stranger:
        assert (await stranger.post(f"/customers/{customer}/holds", data=form)).status_code == 401
        assert (await stranger.get("/customers")).headers["location"].startswith("/sign-in")
    assert (await desk.credit.get(f"/v1/customers/{customer}/holds"))["items"] == []


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_pages_fit_a_phone_and_a_desktop(desk: Desk, width: int) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard(name=EVIL * 3, external_id="C" * 60))["id"]
    await owing(desk.credit, customer, 123_456_789_00, due_on=date(2026, 1, 1))
    await assessed(desk.credit, customer)
    await ordered(desk.credit, customer, "900.00", "P" * 60)
    tab = await desk.tab("ben", width=width)
    for path in ("/customers", f"/customers/{customer}"):
        await tab.go(path)
        assert await tab.overflow() <= 0, path
    rows = "nav => new Set([...nav.children].map(each => each.offsetTop)).size"
    assert width < 1280 or await tab.page.eval_on_selector(".top nav", rows) == 1, "links stand side by side"
