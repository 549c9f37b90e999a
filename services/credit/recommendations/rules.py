"""What a customer might be allowed, by its risk class, its size, and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.credit.limits.rules import Account
from services.credit.policy_rules.rules import ClassTerms, PolicyRules, RiskClass
from services.credit.rates.rules import Rates, convert
from services.credit.terms.rules import OWN, Source, Terms
from shared.money import Money

Reason = Literal[
    "never_assessed", "assessment_expired", "share_of_policy_limit", "capped_by_net_worth", "no_rate_for_net_worth"
]

Course = Literal["leave", "ask", "apply"]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`terms` are those of the class, `deposit` what they come to; all None where nobody assessed the customer, or too
    long ago."""

    limit: Money | None
    terms: ClassTerms | None
    risk_class: RiskClass | None
    policy_limit: Money
    net_worth: Money | None
    reasons: tuple[Reason, ...]
    deposit: Money | None = None

    @property
    def customer_terms(self) -> Terms | None:
        """As the customer would have them."""
        found = self.terms
        return Terms(found.net_days_max, found.prepaid_percent, self.deposit) if found else None


@dataclass(frozen=True, slots=True)
class TermsInForce:
    """`deposit_received` is what is registered as a deposit and counts today: only that raises the limit."""

    terms: Terms
    source: Source
    deposit_received: Money

    @property
    def deposit_outstanding(self) -> Money | None:
        """What the customer is asked for and has not given; None where nothing is asked for."""
        asked = self.terms.deposit
        if asked is None or asked.currency != self.deposit_received.currency:
            return asked
        return Money(max(asked.minor - self.deposit_received.minor, 0), asked.currency)


def recommend(
    risk_class: RiskClass, terms: ClassTerms, policy_limit: Money, net_worth: Money | None, rates: Rates | None
) -> Recommendation:
    """limit = the class's share of the policy's limit for segment and currency, at most the class's share of the
    customer's net worth (equity of its newest balance sheet that counts, zero where that is negative), rounded down to
    two significant digits, so that nobody reads precision into it.

    deposit = the class's share of that limit, rounded down to two significant digits. It counts for nothing before it
    was received.

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
    limit = _rounded(limit)
    deposit = _rounded(Money(limit.minor * terms.deposit_percent // 100, limit.currency))
    return Recommendation(
        limit, terms, risk_class, policy_limit, net_worth, tuple(reasons), deposit if deposit.minor else None
    )


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


def terms_course(before: Terms, source: Source, advice: Recommendation, limit: Money, rules: PolicyRules) -> Course:
    """What becomes of recommended terms under the policy; the bounds themselves are within. Days move in days,
    prepayment in points of an order, a deposit in points of the recommended limit. `limit` is the one in force, which
    says who approves. A person's own terms are only ever asked about."""
    then, wanted, base = rules.terms, advice.customer_terms, advice.limit
    if then.then == "nothing" or wanted is None or base is None or wanted == before:
        return "leave"
    days, prepaid = wanted.net_days - before.net_days, abs(wanted.prepaid_percent - before.prepaid_percent)
    deposit = _moved(before.deposit, wanted.deposit) * 100
    small_deposit = deposit == 0 or deposit < then.least_points * base.minor
    if abs(days) < then.least_days and prepaid < then.least_points and small_deposit:
        return "leave"
    others_approve = rules.approvers_for_terms(limit) > 0
    beyond = (
        days > then.longer_days_max
        or -days > then.shorter_days_max
        or prepaid > then.points_max
        or deposit > then.points_max * base.minor
    )
    return "ask" if then.then == "ask" or source in OWN or others_approve or beyond else "apply"


def _moved(before: Money | None, after: Money | None) -> int:
    """By how much a deposit moves, in minor units; one in another currency is another one."""
    if before and after and before.currency == after.currency:
        return abs(after.minor - before.minor)
    return max(each.minor if each else 0 for each in (before, after))


def in_force(terms: Terms, source: Source, account: Account, today: date) -> TermsInForce:
    """With what was received of the deposit; an account keeps its securities in its own currency."""
    given = (each for each in account.additions if each.kind == "deposit" and each.counts_on(today))
    return TermsInForce(terms, source, sum((each.amount for each in given), Money.zero(account.limit.currency)))


def terms_reason(advice: Recommendation) -> str:
    """In the words that are told with the terms."""
    wanted = advice.customer_terms
    assert wanted
    prepaid = f", {wanted.prepaid_percent} % in advance" if wanted.prepaid_percent else ""
    deposit = f", a deposit of {wanted.deposit}" if wanted.deposit else ""
    return f"Recommended for risk class {advice.risk_class}: {wanted.net_days} days{prepaid}{deposit}."


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
