"""Recommend limits, and have them take effect, or asked for, where the policy wants that."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limit_requests.handlers import RECOMMENDER, RequestLimit
from services.credit.limit_requests.rules import Wanted
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, rules_of, usable_rates
from services.credit.policy_rules.rules import PolicyRules
from services.credit.recommendations import rules
from services.credit.recommendations.rules import Recommendation
from services.credit.vetting.rules import FinancialStatement
from shared.calendar import local_date
from shared.db import Tx
from shared.money import Money


async def recommend_limit(tx: Tx, customer_id: UUID) -> Recommendation:
    """Raises CustomerNotFound."""
    today = local_date(tx.now, "UTC")
    account, facts = await limits.standing(tx, customer_id, today)
    policy = (await limits.policy_in_force(tx)).policy
    by_policy = policy.limit_for(account.segment, account.currency) or Money.zero(account.currency)
    assessed = await assessments.latest(tx, customer_id)
    if assessed is None:
        return rules.nothing_to_go_by(by_policy, "never_assessed")
    if assessed.valid_until < today:
        return rules.nothing_to_go_by(by_policy, "assessment_expired")
    material = (await assessments.get_assessment(tx, assessed.assessment_id)).material
    statements = [each.particulars for each in material.inputs]
    net_worth = next((each.equity for each in statements if isinstance(each, FinancialStatement)), None)
    kept = rules_of(facts.policy_rules)
    rates = usable_rates(facts, kept, today)
    return rules.recommend(assessed.risk_class, kept.classes[assessed.risk_class], by_policy, net_worth, rates)


FOLLOWED = frozenset({"assessed", "policy", "segmentation"})
"""News after which a limit may be another one."""


async def follow(tx: Tx, account: Account, news: Collection[str], policy: PolicyRules) -> None:
    """Let a recommended limit take effect, or ask for it, where the policy wants that; the caller has locked the
    customer."""
    if policy.recommended.then == "nothing" or FOLLOWED.isdisjoint(news):
        return
    recommendation = await recommend_limit(tx, account.customer_id)
    assessed = await assessments.latest(tx, account.customer_id)
    if recommendation.limit is None or assessed is None:
        return
    reason = rules.reason_of(recommendation)
    match rules.course(account, recommendation.limit, policy):
        case "apply":
            await limit_requests.withdraw(tx, account.customer_id, RECOMMENDER, "The limit follows another assessment.")
            today = local_date(tx.now, "UTC")
            await limits.put_recommended(tx, account.customer_id, recommendation.limit, reason, today)
        case "ask":
            wanted = Wanted("limit", recommendation.limit, evidence=str(assessed.assessment_id))
            approvers = policy.recommended.approvers
            command = RequestLimit(account.customer_id, wanted, reason, RECOMMENDER, approvers)
            await limit_requests.ask_for_recommended(tx, command)
        case "leave":
            await limit_requests.withdraw(tx, account.customer_id, RECOMMENDER, "The limit is as recommended.")
