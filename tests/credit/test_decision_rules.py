from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.credit.decisions import rules
from services.credit.decisions.rules import Decision, Question, Reason
from services.credit.exposure.rules import NOTHING_OWED, Exposure, Facts, Owed
from services.credit.limits.rules import Account
from shared.errors import Refused
from shared.money import Money

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
ID = UUID("01900000-0000-7000-8000-000000000009")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


ACCOUNT = Account(
    id=UUID("01900000-0000-7000-8000-000000000002"),
    customer_id=UUID("01900000-0000-7000-8000-000000000001"),
    customer_status="active",
    segment="standard",
    currency="EUR",
    version=3,
    limit=eur(10_000),
    source="policy",
    reason="by the policy",
    policy_version=1,
)


def owing(minor: int, currency: str = "EUR") -> Owed:
    nothing = Money.zero(currency)
    return Owed(Money(minor, currency), nothing, nothing, 1, nothing, nothing)


def decide(requested: Money, exposure: Exposure = NOTHING_OWED, account: Account = ACCOUNT) -> Decision:
    return rules.decide(ID, account, Facts(exposure), Question(requested, "PO 7"), NOW).decision


@pytest.mark.parametrize(("minor", "verdict"), [(5999, "approved"), (6000, "approved"), (6001, "declined")])
def test_the_last_minor_unit_of_the_limit_may_be_used(minor: int, verdict: str) -> None:
    decision = decide(eur(minor), Exposure((owing(4000),)))

    assert decision.outcome == verdict
    assert decision.available == eur(6000)


def test_a_customer_over_the_limit_gets_nothing_more() -> None:
    decision = decide(eur(1), Exposure((owing(10_001),)))

    assert (decision.outcome, decision.reasons) == ("declined", (Reason.OVER_LIMIT,))
    assert rules.explain(decision) == (
        "0.01 EUR is too much: of the limit of 100.00 EUR, 100.01 EUR is taken, 0.01 EUR more than allowed."
    )


def test_what_is_owed_in_another_currency_is_listed_and_not_counted() -> None:
    decision = decide(eur(10_000), Exposure((owing(10**9, "JPY"), owing(5, "USD"))))

    assert decision.outcome == "approved"
    assert decision.reasons == (Reason.WITHIN_LIMIT, Reason.OTHER_CURRENCIES_NOT_COUNTED)
    assert "not counted: 1000000000 JPY, 0.05 USD." in rules.explain(decision)


def test_a_request_in_another_currency_is_declined_for_want_of_a_rate() -> None:
    decision = decide(Money(1, "USD"))

    assert (decision.outcome, decision.reasons) == ("declined", (Reason.NO_RATE,))
    assert rules.explain(decision) == "The limit is in EUR, and there is no rate to compare 0.01 USD with it."


def test_a_closed_customer_is_declined_whatever_is_available() -> None:
    decision = decide(eur(1), account=replace(ACCOUNT, customer_status="closed"))

    assert (decision.outcome, decision.reasons) == ("declined", (Reason.CUSTOMER_CLOSED,))


@pytest.mark.parametrize("minor", [0, -1])
def test_a_decision_is_about_an_amount_above_zero(minor: int) -> None:
    with pytest.raises(Refused) as refusal:
        decide(eur(minor))
    assert refusal.value.field == "/amount/amount"


def test_the_answer_is_published_with_the_facts_it_rests_on() -> None:
    [event] = rules.decide(
        ID, ACCOUNT, Facts(Exposure((owing(4000), owing(7, "USD")))), Question(eur(100), "PO 7"), NOW
    ).events

    assert (event.subject, event.version, event.customer_id) == (ID, 1, ACCOUNT.customer_id)
    assert event.effective_on == event.booked_on == date(2026, 3, 2)
    told = event.decision
    assert (told.requested, told.limit, told.exposure, told.available) == (eur(100), eur(10_000), eur(4000), eur(6000))
    assert told.reasons == ("within_limit", "other_currencies_not_counted")
    assert event.reference == "PO 7"


def test_within_the_limit_is_said_with_the_figures() -> None:
    decision = decide(eur(6000), Exposure((owing(4000),)))

    assert rules.explain(decision) == (
        "60.00 EUR fits: of the limit of 100.00 EUR, 40.00 EUR is taken and 60.00 EUR available."
    )
