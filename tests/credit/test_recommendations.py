"""What a customer might be allowed by class, size and policy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.credit.policy_rules.rules import DEFAULT_CLASSES, RiskClass
from services.credit.rates.rules import Rates
from services.credit.recommendations.rules import recommend
from shared.money import Money
from tests.credit.client import Credit

LIMIT = Money(5_000_000, "EUR")
RATES = Rates(date(2026, 1, 2), 1, {"USD": Decimal("1.25")})


@pytest.mark.parametrize(
    ("risk_class", "net_worth", "limit", "reason"),
    [
        ("A", None, 10_000_000, "share_of_policy_limit"),
        ("A", Money(100_000_000, "EUR"), 10_000_000, "share_of_policy_limit"),
        ("A", Money(99_999_990, "EUR"), 9_900_000, "capped_by_net_worth"),
        ("B", Money(12_500_000, "USD"), 1_000_000, "capped_by_net_worth"),
        ("B", Money(1, "GBP"), 5_000_000, "no_rate_for_net_worth"),
        ("B", Money(-1, "EUR"), 0, "capped_by_net_worth"),
        ("C", None, 2_500_000, "share_of_policy_limit"),
        ("D", None, 1_000_000, "share_of_policy_limit"),
        ("E", None, 0, "share_of_policy_limit"),
    ],
)
def test_a_limit_is_a_share_of_the_policys_and_of_the_net_worth(
    risk_class: RiskClass, net_worth: Money | None, limit: int, reason: str
) -> None:
    found = recommend(risk_class, DEFAULT_CLASSES[risk_class], LIMIT, net_worth, RATES)
    assert (found.limit, found.reasons[-1]) == (Money(limit, "EUR"), reason)


async def test_who_was_never_assessed_gets_no_recommendation(credit: Credit) -> None:
    customer = await credit.onboard()
    told = await credit.get(f"/v1/customers/{customer['id']}/limit-recommendation")
    assert (told["limit"], told["reasons"]) == (None, ["never_assessed"])
