"""Gather what a recommendation rests on."""

from __future__ import annotations

from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of, usable_rates
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
