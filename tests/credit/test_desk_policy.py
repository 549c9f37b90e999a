"""The editor of the credit policy in a real browser: faults while somebody types, the what-if, a new version."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credit.desk_policy.rules import read, written
from services.credit.policy_rules.rules import Approval, HoldRules, Policy, PolicyLimit, PolicyRules
from shared.money import Money
from tests.browser import Tab, needs_chromium
from tests.credit.applications import money
from tests.credit.desk import TODAY, Desk, assessed, policy

EDITOR = ".editor textarea"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([None, "key", "no", "1e3", "a: b", "Ärzte"]), min_size=1, max_size=4, unique=True),
    st.integers(0, 10**9),
    st.booleans(),
    st.sampled_from([None, "Petra Voss"]),
)
def test_a_policy_that_is_written_out_reads_the_same(
    segments: list[str | None], minor: int, held: bool, owner: str | None
) -> None:
    rules = PolicyRules(
        approvals=(Approval(above=Money(10**9, "EUR"), approvers=2),),
        holds=HoldRules(overdue_days_above=30 if held else None, overdue_amounts_above=(Money(minor, "JPY"),)),
    )
    kept = Policy(7, tuple(PolicyLimit(each, Money(minor, "EUR")) for each in segments), rules, owner, TODAY)
    assert read(written(kept), kept) == kept


def test_a_contradiction_bears_its_line() -> None:
    text = "limits:\n  - limit: {amount: '1.00', currency: EUR}\n  - limit: {amount: '2.00', currency: EUR}\n"
    faults = read(text, Policy(1, ()))
    assert isinstance(faults, list)
    assert [(fault.line, fault.pointer) for fault in faults] == [(3, "/limits/1")]


async def typed(tab: Tab, old: str, new: str) -> None:
    """Change the document as it is typed, and wait for what the check says of it."""
    text = await tab.page.input_value(EDITOR)
    assert old in text
    async with tab.page.expect_response("**/policy/check?part=remarks"):
        await tab.page.fill(EDITOR, text.replace(old, new, 1))


@needs_chromium
async def test_a_draft_is_checked_tried_on_the_past_and_published(desk: Desk) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard(name="Grown Ltd"))["id"]
    for amount in ("300.00", "700.00", "1100.00"):
        await desk.credit.decide(customer, amount)
    await desk.credit.database.pool.execute("update clock set now = now + interval '2 days'")
    tab = await desk.tab("ben")
    await tab.go("/policy")
    await typed(tab, "amount: '1000.00'", "amount: '-1.00'")
    await tab.page.wait_for_selector("#remarks .fault")
    assert "A limit is zero or more" in await tab.text("#remarks")
    assert await tab.page.locator("button[data-publish]").is_disabled()
    await typed(tab, "amount: '-1.00'", "amount: '500.00'")
    await tab.page.wait_for_selector("#remarks[data-faults='0']")
    assert "1000.00 EUR" in await tab.text("#remarks .plain")

    await tab.page.select_option("[name=beside]", "1")
    await tab.press("Try it on the past")
    said = await tab.text("#what-if")
    assert "As it was decided As typed Version 1" in said
    assert "3 decisions, 12 Dec 2025 to 11 Mar 2026; nothing was changed" in said
    assert "Approved 2 1 " in said
    assert "Grown Ltd 1 approved → declined, 1 referred → declined €1,000.00 €500.00" in said
    assert (await desk.credit.get("/v1/credit-policy"))["version"] == 2

    await tab.page.fill("[name=reason]", "After the losses of spring")
    await tab.press("Publish version 3")
    assert "After the losses of spring" in await tab.text("[aria-labelledby=h-versions]")
    kept = await desk.credit.get("/v1/credit-policy")
    assert (kept["limits"][0]["limit"], kept["changed_by"]) == (money("500.00"), "ben")
    assert kept["rules"]["refer_over_percent"] == 20, "what was not touched stays"
    await tab.press("Publish version 4")
    assert "There is nothing to publish" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_a_scorecard_is_tried_on_the_past_with_limits_and_terms_by_class(desk: Desk) -> None:
    await policy(desk.credit)
    customer = (await desk.credit.onboard(name="Grown Ltd"))["id"]
    await assessed(desk.credit, customer)
    await desk.credit.decide(customer, "700.00")
    await desk.credit.database.pool.execute("update clock set now = now + interval '2 days'")
    card = await desk.credit.get("/v1/scorecards/standard")
    base = f"base_points: {card['scorecard']['base_points']}"
    tab = await desk.tab("ben")
    await tab.go("/policy")
    await tab.page.click("text=A scorecard that nobody published")
    await tab.page.fill("[name=scorecard_text]", card["document"].replace(base, "base_points: many"))
    await tab.page.select_option("[name=scorecard]", "*")
    await tab.page.check("[name=by_class]")
    await tab.press("Try it on the past")
    assert "base_points" in await tab.text("[role=alert]")
    tab.complaints.clear()  # The browser notes the refusal's status.
    await tab.page.fill("[name=scorecard_text]", card["document"].replace(base, "base_points: 0"))
    await tab.press("Try it on the past")
    said = await tab.text("#what-if")
    assert "Approved 1 0" in said
    assert "1 E" in said
    assert "Terms that would be others – 1 shorter to pay, 1 more in advance" in said
    assert "base_points: 0" in await tab.page.input_value("[name=scorecard_text]"), "what was written is kept"
    assert await tab.page.is_checked("[name=by_class]")
    await tab.page.select_option("[name=scorecard]", "standard")
    await tab.press("Try it on the past")
    assert "Approved 1 1" in await tab.text("#what-if")
    assert (await desk.credit.get("/v1/scorecards/standard"))["version"] == 1


@needs_chromium
async def test_a_period_that_is_not_over_is_refused_and_what_was_typed_is_kept(desk: Desk) -> None:
    tab = await desk.tab("ben")
    await tab.go("/policy")
    await typed(tab, "reservation_days: 14", "reservation_days: 9")
    await tab.page.evaluate("document.querySelector('[name=last]').removeAttribute('max')")
    await tab.page.fill("[name=last]", str(TODAY))
    await tab.press("Try it on the past")
    assert "The past ends yesterday" in await tab.text("[role=alert]")
    assert "reservation_days: 9" in await tab.page.input_value(EDITOR)
    tab.complaints.clear()  # The browser notes the refusal's status.


@needs_chromium
async def test_readers_read_the_policy_on_a_phone_and_see_no_forms(desk: Desk) -> None:
    reader = await desk.tab("rea", "customers:read credit:read", width=390)
    await reader.go("/policy")
    assert await reader.page.locator("main form").count() == 0
    assert await reader.overflow() <= 0
    same = {"origin": desk.url, "sec-fetch-site": "same-origin"}
    for path in ("/policy", "/policy/check", "/policy/what-if"):
        assert (await reader.page.request.post(desk.url + path, form={"document": "x"}, headers=same)).status == 403
