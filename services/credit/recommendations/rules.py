"""What a customer might be allowed, by its risk class, its size, and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.credit.limits.rules import Account
from services.credit.policy_rules.rules import ClassTerms, PolicyRules, RiskClass
from services.credit.rates.rules import Rates, convert
from shared.money import Money

Reason = Literal[
    "never_assessed", "assessment_expired", "share_of_policy_limit", "capped_by_net_worth", "no_rate_for_net_worth"
]

Course = Literal["leave", "ask", "apply"]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`terms` are those of the class; both None where nobody assessed the customer, or too long ago."""

    limit: Money | None
    terms: ClassTerms | None
    risk_class: RiskClass | None
    policy_limit: Money
    net_worth: Money | None
    reasons: tuple[Reason, ...]


def recommend(
    risk_class: RiskClass, terms: ClassTerms, policy_limit: Money, net_worth: Money | None, rates: Rates | None
) -> Recommendation:
    """limit = the class's share of the policy's limit for segment and currency, at most the class's share of the
    customer's net worth (equity of its newest balance sheet that counts, zero where that is negative), rounded down to
    two significant digits, so that nobody reads precision into it.

    A net worth in a currency without a rate caps nothing and is named.
    """
    limit = Money(policy_limit.minor * terms.limit_percent // 100, policy_limit.currency)
    reasons: list[Reason] = ["share_of_policy_limit"]
    if net_worth:
        known = convert(net_worth, limit.currency, rates)
        if known is None:
            reasons.append("no_rate_for_net_worth")
        elif (cap := max(known.minor, 0) * terms.net_worth_percent // 100) < limit.minor:
            limit = Money(cap, limit.currency)
            reasons.append("capped_by_net_worth")
    return Recommendation(_rounded(limit), terms, risk_class, policy_limit, net_worth, tuple(reasons))


def course(account: Account, limit: Money, rules: PolicyRules) -> Course:
    """What becomes of a recommended limit under the policy. It is held against the limit without raises and securities;
    the bounds themselves are within. A person's own limit is only ever asked about, and what others have to approve."""
    then, before = rules.recommended, account.base_limit
    if then.then == "nothing":
        return "leave"
    change = abs(limit.minor - before.minor) if limit.currency == before.currency else limit.minor
    if change == 0 or change * 100 < then.least_percent * before.minor:
        return "leave"
    bound = then.up_percent_max if limit.minor > before.minor else then.down_percent_max
    others_approve = rules.approvers_for(account.limit - before + limit) > 0
    if then.then == "ask" or account.source == "manual" or others_approve or change * 100 > bound * before.minor:
        return "ask"
    return "apply"


def reason_of(recommendation: Recommendation) -> str:
    """In the words that are told with the limit."""
    terms = recommendation.terms
    share = f", {terms.limit_percent} % of {recommendation.policy_limit}" if terms else ""
    capped = ", capped by its net worth" if "capped_by_net_worth" in recommendation.reasons else ""
    return f"Recommended for risk class {recommendation.risk_class}{share}{capped}."


def nothing_to_go_by(policy_limit: Money, reason: Reason) -> Recommendation:
    return Recommendation(None, None, None, policy_limit, None, (reason,))


def _rounded(limit: Money) -> Money:
    unit = 10 ** max(len(str(limit.minor)) - 2, 0)
    return Money(limit.minor // unit * unit, limit.currency)
