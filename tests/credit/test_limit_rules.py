from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.credit.exposure.rules import NOTHING_OWED, Exposure, Facts, Owed
from services.credit.limits import rules
from services.credit.limits.rules import (
    Account,
    LimitInAnotherCurrency,
    LimitSetByHand,
    Reason,
)
from services.credit.policy_rules.rules import DEFAULTS, ContradictoryPolicy, Policy, PolicyLimit, check
from shared.errors import Refused
from shared.events.credit import CreditLimitChanged
from shared.money import Money

TODAY = date(2026, 3, 2)
CUSTOMER = UUID("01900000-0000-7000-8000-000000000001")
ACCOUNT = UUID("01900000-0000-7000-8000-000000000002")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


POLICY = Policy(
    version=1,
    limits=(
        PolicyLimit(None, eur(5000)),
        PolicyLimit("key", eur(9000)),
        PolicyLimit("prepaid", eur(0)),
        PolicyLimit("key", Money(700, "JPY")),
    ),
)


def opened(segment: str = "standard", currency: str = "EUR") -> Account:
    return rules.open_account(ACCOUNT, CUSTOMER, segment, currency, POLICY, TODAY).account


def owing(*amounts: Money) -> Exposure:
    return Exposure(
        tuple(Owed(amount, nothing := Money.zero(amount.currency), nothing, 1, nothing, nothing) for amount in amounts)
    )


@pytest.mark.parametrize(
    ("segment", "currency", "minor"),
    [
        ("standard", "EUR", 5000),
        ("key", "EUR", 9000),
        ("prepaid", "EUR", 0),
        ("key", "JPY", 700),
        ("standard", "JPY", 0),
        ("key", "USD", 0),
    ],
)
def test_the_segments_own_entry_counts_before_the_one_for_everybody(segment: str, currency: str, minor: int) -> None:
    assert opened(segment, currency).limit == Money(minor, currency)


def test_a_currency_the_policy_does_not_name_gets_nothing_and_is_told_so() -> None:
    assert "no limit for USD" in opened(currency="USD").reason


def test_a_new_account_is_announced_with_no_previous_limit() -> None:
    [event] = rules.open_account(ACCOUNT, CUSTOMER, "key", "EUR", POLICY, TODAY).events

    assert isinstance(event, CreditLimitChanged)
    assert (event.subject, event.version, event.customer_id) == (ACCOUNT, 1, CUSTOMER)
    assert (event.previous_limit, event.source) == (None, "policy")
    assert (event.credit.limit, event.credit.available, event.credit.exposure) == (eur(9000), eur(9000), ())


def test_a_policy_that_leaves_the_amount_is_no_event() -> None:
    outcome = rules.follow_policy(opened(), replace(POLICY, version=2), NOTHING_OWED, TODAY)

    assert outcome.events == ()
    assert (outcome.account.version, outcome.account.policy_version) == (1, 2)


def test_a_policy_that_lowers_the_limit_is_an_event_with_what_is_left_of_it() -> None:
    strict = Policy(2, (PolicyLimit(None, eur(1000)),))

    outcome = rules.follow_policy(opened(), strict, owing(eur(1500), Money(300, "USD")), TODAY)

    [event] = outcome.events
    assert isinstance(event, CreditLimitChanged)
    assert (event.previous_limit, event.credit.limit, event.credit.available) == (eur(5000), eur(1000), eur(-500))
    assert event.credit.exposure == (eur(1500), Money(300, "USD"))
    assert event.version == outcome.account.version == 2


def test_a_limit_set_by_hand_outlives_the_policy_and_the_segment() -> None:
    by_hand = rules.set_limit(opened(), eur(77), "guarantee", NOTHING_OWED, TODAY).account

    outcome = rules.follow_policy(replace(by_hand, segment="key"), replace(POLICY, version=9), NOTHING_OWED, TODAY)

    assert outcome.account.limit == eur(77)
    assert outcome.events == ()


def test_a_limit_set_by_hand_does_not_silently_change_its_currency() -> None:
    by_hand = rules.set_limit(opened(), eur(77), "guarantee", NOTHING_OWED, TODAY).account

    with pytest.raises(LimitSetByHand) as refusal:
        rules.follow_policy(replace(by_hand, currency="USD"), POLICY, NOTHING_OWED, TODAY)
    assert refusal.value.field == "/currency"


def test_setting_a_limit_says_who_and_why() -> None:
    outcome = rules.set_limit(opened(), eur(0), "insolvent", NOTHING_OWED, TODAY)

    [event] = outcome.events
    assert isinstance(event, CreditLimitChanged)
    assert (event.source, event.reason, event.credit.limit) == ("manual", "insolvent", eur(0))


def test_setting_the_same_limit_again_is_no_event() -> None:
    once = rules.set_limit(opened(), eur(77), "guarantee", NOTHING_OWED, TODAY).account

    assert rules.set_limit(once, eur(77), "guarantee", NOTHING_OWED, TODAY).events == ()


def test_a_limit_below_zero_or_in_another_currency_is_refused() -> None:
    with pytest.raises(Refused) as below:
        rules.set_limit(opened(), eur(-1), "?", NOTHING_OWED, TODAY)
    assert below.value.field == "/limit/amount"
    with pytest.raises(LimitInAnotherCurrency):
        rules.set_limit(opened(), Money(1, "USD"), "?", NOTHING_OWED, TODAY)


def test_returning_to_the_policy_is_announced_even_where_the_amount_stays() -> None:
    by_hand = rules.set_limit(opened(), eur(5000), "checked", NOTHING_OWED, TODAY).account

    outcome = rules.return_to_policy(by_hand, POLICY, NOTHING_OWED, TODAY)

    [event] = outcome.events
    assert isinstance(event, CreditLimitChanged)
    assert (outcome.account.source, event.source, event.version) == ("policy", "policy", 3)
    assert rules.return_to_policy(outcome.account, POLICY, NOTHING_OWED, TODAY).events == ()


@pytest.mark.parametrize(("owed", "over"), [(4999, False), (5000, False), (5001, True)])
def test_over_limit_begins_one_minor_unit_above_it(owed: int, over: bool) -> None:
    exposure = owing(eur(owed))

    assert (Reason.OVER_LIMIT in rules.reasons(opened(), Facts(exposure))) is over
    assert rules.available(eur(5000), exposure) == eur(5000 - owed)


def test_what_is_owed_in_other_currencies_is_named_as_not_counted() -> None:
    exposure = owing(Money(10**9, "JPY"))

    assert rules.available(eur(5000), exposure) == eur(5000)
    assert rules.reasons(opened(), Facts(exposure)) == (Reason.LIMIT_FROM_POLICY, Reason.OTHER_CURRENCIES_NOT_COUNTED)


def test_a_policy_that_says_two_things_of_one_segment_is_refused_at_the_second() -> None:
    with pytest.raises(ContradictoryPolicy) as refusal:
        check([PolicyLimit("key", eur(1)), PolicyLimit(None, eur(1)), PolicyLimit("key", eur(2))], DEFAULTS)
    assert refusal.value.field == "/limits/2"


def test_a_policy_with_a_limit_below_zero_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        check([PolicyLimit(None, eur(-1))], DEFAULTS)
    assert refusal.value.field == "/limits/0/limit/amount"


def test_one_segment_may_have_a_limit_in_each_currency() -> None:
    check(POLICY.limits, DEFAULTS)
