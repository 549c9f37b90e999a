"""Which strategy an account gets: by what fits, by priority, and by the share of a challenger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.conditions.rules import Conditions, Facts, Fits
from services.reminder.strategies.rules import Choice, Published, choose, hundredths, parse
from shared.money import Money
from tests.reminder.facts import DEFAULT
from tests.reminder.test_strategies import SHIPPED

SOMEBODY = Facts(
    customer_id=UUID(int=7),
    segment="mid",
    country="AT",
    language="de-AT",
    risk_class="medium",
    open_balance=(Money(100_000, "EUR"),),
    collectable=(Money(50_000, "EUR"),),
    invoices=2,
    average_days_late=10.0,
    broken_promises=1,
)


def owing(*amounts: Money, **more: Any) -> Facts:
    return replace(SOMEBODY, open_balance=amounts, collectable=amounts, **more)


@pytest.mark.parametrize(
    ("fits", "taken"),
    [
        ({}, True),
        ({"segments": ["mid"]}, True),
        ({"segments": ["small", "mid"]}, True),
        ({"segments": ["small"]}, False),
        ({"countries": ["AT"]}, True),
        ({"countries": ["DE"]}, False),
        ({"languages": ["de"]}, True),
        ({"languages": ["fr"]}, False),
        ({"risk_classes": ["medium"]}, True),
        ({"risk_classes": ["high"]}, False),
        ({"average_days_late": {"min": 11}}, False),
        ({"average_days_late": {"min": 10}}, True),
        ({"average_days_late": {"min": 9}}, True),
        ({"average_days_late": {"max": 9}}, False),
        ({"average_days_late": {"max": 10}}, True),
        ({"average_days_late": {"max": 11}}, True),
        ({"broken_promises_min": 2}, False),
        ({"broken_promises_min": 1}, True),
        ({"open_balance": {"EUR": {"min": "1000.01"}}}, False),
        ({"open_balance": {"EUR": {"min": 1000}}}, True),
        ({"open_balance": {"EUR": {"max": "999.99"}}}, False),
        ({"open_balance": {"EUR": {"max": 1000}}}, True),
        ({"open_balance": {"USD": {"min": 0.01}}}, False),
        ({"open_balance": {"USD": {"max": 5000}}}, False),
        ({"segments": ["mid"], "countries": ["DE"]}, False),
    ],
)
def test_a_strategy_takes_the_accounts_it_asks_for(fits: dict[str, Any], taken: bool) -> None:
    assert Fits.model_validate(fits).take(SOMEBODY) is taken


def test_nothing_is_asked_of_what_is_unknown() -> None:
    nobody = Facts(customer_id=UUID(int=1))
    assert Fits().take(nobody)
    for asked in ({"segments": ["mid"]}, {"languages": ["de"]}, {"average_days_late": {"max": 30}}):
        assert not Fits.model_validate(asked).take(nobody)


def test_a_largest_balance_holds_in_every_currency_and_a_smallest_one_in_any() -> None:
    both = owing(Money(50_000, "EUR"), Money(90_000, "USD"))
    small = Fits.model_validate({"open_balance": {"EUR": {"max": 1000}, "USD": {"max": 800}}})
    large = Fits.model_validate({"open_balance": {"EUR": {"min": 1000}, "USD": {"min": 900}}})
    assert not small.take(both)
    assert small.take(owing(Money(50_000, "EUR"), Money(80_000, "USD")))
    assert not small.take(owing(Money(1, "CHF"))), "what a thousand francs are worth, nobody said"
    assert large.take(both)


@pytest.mark.parametrize(
    ("conditions", "facts", "hold"),
    [
        ({}, owing(), True),
        ({"amount_at_least": {"EUR": 500}}, owing(Money(49_999, "EUR")), False),
        ({"amount_at_least": {"EUR": 500}}, owing(Money(50_000, "EUR")), True),
        ({"amount_at_least": {"EUR": 500}}, owing(Money(50_001, "EUR")), True),
        ({"amount_at_least": {"EUR": 500}}, owing(Money(90_000, "USD")), False),
        ({"amount_at_least": {"EUR": 500, "USD": 900}}, owing(Money(1, "EUR"), Money(90_000, "USD")), True),
        ({"amount_at_least": {"JPY": 1}}, owing(Money(1, "JPY")), True),
        ({"invoices_at_least": 3}, SOMEBODY, False),
        ({"invoices_at_least": 2}, SOMEBODY, True),
        ({"invoices_at_least": 1}, SOMEBODY, True),
        ({"risk_classes": ["high"]}, SOMEBODY, False),
        ({"risk_classes": ["high", "medium"]}, SOMEBODY, True),
        ({"broken_promises_at_least": 2}, SOMEBODY, False),
        ({"broken_promises_at_least": 1}, SOMEBODY, True),
        ({"invoices_at_least": 2, "broken_promises_at_least": 2}, SOMEBODY, False),
    ],
)
def test_a_step_asks_for_what_is_overdue_now(conditions: dict[str, Any], facts: Facts, hold: bool) -> None:
    assert Conditions.model_validate(conditions).hold(facts) is hold


def test_an_amount_is_read_as_it_is_written() -> None:
    assert Conditions.model_validate({"amount_at_least": {"EUR": 0.1}}).amount_at_least == {"EUR": Decimal("0.1")}


def strategy(name: str, head: str = "", version: int = 1) -> Published:
    document = f"""\
name: {name}
title: {name}
{head}
steps:
  - {{name: ask, days_from_due: 3, channel: email, tone: friendly, template: first-reminder}}
"""
    return Published(parse(document), version, document)


def library(*published: Published) -> dict[str, Published]:
    return {each.name: each for each in (DEFAULT, *published)}


MID = "fits: {segments: [mid]}"


@pytest.mark.parametrize(
    ("published", "name"),
    [
        ([], "default"),
        ([strategy("b", MID)], "b"),
        ([strategy("b", "fits: {segments: [small]}")], "default"),
        ([strategy("b", MID + "\nactive: false")], "default"),
        ([strategy("b", MID), strategy("a", MID)], "a"),
        ([strategy("a", MID), strategy("b", "fits: {segments: [mid], countries: [AT]}")], "b"),
        ([strategy("a", MID), strategy("b", "fits: {countries: [AT]}\npriority: 1")], "b"),
        ([strategy("a", MID + "\npriority: 1"), strategy("b", "fits: {countries: [AT]}")], "a"),
        ([strategy("b", "fits: {segments: [x]}\nalso_fits: [{risk_classes: [medium]}]")], "b"),
        ([strategy("b", "fits: {segments: [x]}\nalso_fits: [{risk_classes: [high]}]")], "default"),
        ([strategy("b", "challenger: {of: c, share_percent: 99}")], "default"),
    ],
)
def test_the_highest_priority_wins_then_who_asks_for_more_then_the_name(published: list[Published], name: str) -> None:
    assert choose(library(*published), SOMEBODY).strategy.name == name


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"segment": "key"}, "strategic"),
        ({"segment": "small"}, "small"),
        ({"segment": "new"}, "new-or-risky"),
        ({"segment": "mid", "risk_class": "E"}, "new-or-risky"),
        ({"segment": "small", "risk_class": "E"}, "new-or-risky"),
        ({"segment": "key", "risk_class": "E"}, "strategic"),
        ({"segment": "public", "risk_class": "E"}, "public-sector"),
        ({"segment": "mid"}, "default"),
        ({"segment": None}, "default"),
        ({"segment": "unheard of"}, "default"),
    ],
)
def test_the_shipped_strategies_share_out_the_segments_once_switched_on(facts: dict[str, Any], name: str) -> None:
    on = [document.replace("active: false", "active: true") for document in SHIPPED.values()]
    published = {parse(document).name: Published(parse(document), 1, document) for document in on}
    assert choose(published, replace(SOMEBODY, **facts)).strategy.name == name


@pytest.mark.parametrize("segment", ["small", "mid", "key", "standard", None])
def test_as_they_come_every_account_stays_on_the_default_strategy(segment: str | None) -> None:
    published = {name: Published(parse(document), 1, document) for name, document in SHIPPED.items()}
    assert choose(published, replace(SOMEBODY, segment=segment)) == Choice(published["default"])


def challenged(share: int, version: int = 1, more: str = "") -> dict[str, Published]:
    challenger = f"challenger: {{of: a, share_percent: {share}}}\n{more}"
    return library(strategy("a", MID), strategy("rival", challenger, version))


@given(st.uuids(), st.integers(1, 99), st.integers(1, 9))
def test_an_account_stays_on_its_side_in_every_version(customer: UUID, share: int, version: int) -> None:
    facts = replace(SOMEBODY, customer_id=customer)
    first, again = choose(challenged(share), facts), choose(challenged(share, version), facts)
    assert (first.arm, first.strategy.name) == (again.arm, again.strategy.name)
    assert first.challenger == "rival"
    assert first.strategy.name == ("rival" if first.arm == "challenger" else "a")


@given(st.uuids(), st.integers(1, 98))
def test_a_larger_share_moves_nobody_back_to_the_champion(customer: UUID, share: int) -> None:
    facts = replace(SOMEBODY, customer_id=customer)
    if choose(challenged(share), facts).arm == "challenger":
        assert choose(challenged(share + 1), facts).arm == "challenger"


@pytest.mark.parametrize("share", [1, 10, 50, 90])
def test_the_challenger_gets_its_share(share: int) -> None:
    published = challenged(share)
    taken = sum(
        choose(published, replace(SOMEBODY, customer_id=UUID(int=n))).arm == "challenger" for n in range(10_000)
    )
    spread = 4 * (10_000 * share / 100 * (1 - share / 100)) ** 0.5
    assert abs(taken - share * 100) < spread, "more than four standard deviations off"


def test_two_challengers_of_different_names_share_out_accounts_differently() -> None:
    ids = [UUID(int=n) for n in range(1000)]
    same = sum((hundredths(id, "one") < 5000) == (hundredths(id, "other") < 5000) for id in ids)
    assert 400 < same < 600


def test_a_challenger_that_is_switched_off_or_whose_champion_does_not_fit_gets_nobody() -> None:
    assert choose(challenged(99, more="active: false"), SOMEBODY) == Choice(challenged(99)["a"])
    elsewhere = replace(SOMEBODY, segment="small")
    assert choose(challenged(99), elsewhere) == Choice(DEFAULT)


def test_the_default_strategy_can_be_challenged_too() -> None:
    published = library(strategy("rival", "challenger: {of: default, share_percent: 50}"))
    arms = {choose(published, replace(SOMEBODY, customer_id=UUID(int=n))).arm for n in range(50)}
    assert arms == {"champion", "challenger"}
