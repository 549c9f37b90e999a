"""The portfolio: what the customers of each class and segment may owe, owe, and owe too late."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credit.desk_portfolio.rules import Member, Portfolio
from shared.money import Money
from tests.browser import needs_chromium
from tests.credit.desk import TODAY, Desk, assessed, owing, policy


def members() -> st.SearchStrategy[Member]:
    def built(segment: str, risk_class: str, limit: int, owed: int, currency: str) -> Member:
        money = [Money(minor, currency) for minor in (limit, owed, owed // 2)]
        return Member(uuid4(), segment, risk_class, *money, is_held=owed > limit)

    amounts = st.integers(0, 10_000)
    return st.builds(
        built,
        st.sampled_from("xy"),
        st.sampled_from(["A", "C", "none"]),
        amounts,
        amounts,
        st.sampled_from(["EUR", "USD"]),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(members(), max_size=20))
def test_classes_and_segments_both_add_up_to_the_book_and_headroom_hides_nobody_over_the_limit(
    book: list[Member],
) -> None:
    portfolio = Portfolio()
    portfolio.take(book[:5])
    portfolio.take(book[5:])
    assert sum(each.total.customers for each in portfolio.books) == len(book)
    for each in portfolio.books:
        for lines in (each.classes, each.segments):
            for what in (
                "customers",
                "held",
                "over_limit",
                "limit_minor",
                "owed_minor",
                "overdue_minor",
                "headroom_minor",
            ):
                assert sum(getattr(line, what) for line in lines) == getattr(each.total, what)
        total = each.total
        assert total.limit_minor - total.owed_minor == total.headroom_minor - total.over_minor
        assert total.over_limit == sum(m.owed.minor > m.limit.minor for m in book if m.limit.currency == total.currency)


@needs_chromium
async def test_the_portfolio_counts_the_book_and_leads_to_the_customers_behind_it(desk: Desk) -> None:
    await policy(desk.credit)
    good, late = [(await desk.credit.onboard(name=name, segment="key"))["id"] for name in ("Good Ltd", "Late Ltd")]
    await desk.credit.onboard(name="New Ltd")
    risk_class = (await assessed(desk.credit, good))["risk_class"]
    await owing(desk.credit, good, 40_000)
    await owing(desk.credit, late, 120_000, due_on=TODAY - timedelta(days=1))
    tab = await desk.tab("rea", "customers:read credit:read", width=390)
    await tab.go("/portfolio")
    tiles = await tab.text(".tiles")
    assert "Limits €3,000.00 €1,600.00 headroom" in tiles
    assert "Exposure €1,600.00 53.3 % of the limits" in tiles
    assert "Overdue €1,200.00 1 over the limit by €200.00" in tiles
    assert await tab.overflow() <= 0
    await tab.page.set_viewport_size({"width": 1280, "height": 900})
    assert f"{risk_class} 1 €1,000.00 €400.00 €0.00 €600.00" in await tab.text("[aria-label^='By risk class'] tbody")
    assert "Key 1 over the limit 2 €2,000.00 €1,600.00 €1,200.00 €600.00" in await tab.text(
        "[aria-label^='By segment']"
    )
    await tab.page.click("text=Not assessed")
    assert await tab.page.locator("tbody th a").all_inner_texts() == ["Late Ltd", "New Ltd"]
