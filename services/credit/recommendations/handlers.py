"""Recommend limits and terms, and have them take effect, or asked for, where the policy wants that."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.assessments.rules import Standing
from services.credit.customers import handlers as customers
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limit_requests.handlers import RECOMMENDER, RequestLimit
from services.credit.limit_requests.rules import Wanted
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, rules_of, usable_rates
from services.credit.policy_rules.rules import PolicyRules
from services.credit.recommendations import rules
from services.credit.recommendations.rules import Recommendation, TermsInForce
from services.credit.term_requests import handlers as term_requests
from services.credit.term_requests.handlers import RequestTerms
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


async def terms_in_force(tx: Tx, customer_id: UUID) -> TermsInForce:
    """Raises CustomerNotFound."""
    today = local_date(tx.now, "UTC")
    account, _ = await limits.standing(tx, customer_id, today)
    about = (await customers.get_customer(tx, customer_id)).particulars
    return rules.in_force(about.terms, about.terms_source, account, today)


FOLLOWED = frozenset({"assessed", "policy", "segmentation"})
"""News after which limit or terms may be other ones."""


async def follow(tx: Tx, account: Account, news: Collection[str], policy: PolicyRules) -> None:
    """Let what is recommended take effect, or ask for it, where the policy wants that; the caller has locked the
    customer. The limit comes first: it says who approves the terms."""
    if (policy.recommended.then, policy.terms.then) == ("nothing", "nothing") or FOLLOWED.isdisjoint(news):
        return
    advice = await recommend_limit(tx, account.customer_id)
    assessed = await assessments.latest(tx, account.customer_id)
    if advice.limit is None or assessed is None:
        return
    if policy.recommended.then != "nothing":
        account = await _follow_limit(tx, account, advice, advice.limit, assessed, policy)
    if policy.terms.then != "nothing":
        await _follow_terms(tx, account, advice, assessed, policy)


async def _follow_limit(
    tx: Tx, account: Account, advice: Recommendation, limit: Money, assessed: Standing, policy: PolicyRules
) -> Account:
    reason = rules.reason_of(advice)
    match rules.course(account, limit, policy):
        case "apply":
            await limit_requests.withdraw(tx, account.customer_id, RECOMMENDER, "The limit follows another assessment.")
            today = local_date(tx.now, "UTC")
            return await limits.put_recommended(tx, account.customer_id, limit, reason, today)
        case "ask":
            wanted = Wanted("limit", limit, evidence=str(assessed.assessment_id))
            approvers = policy.recommended.approvers
            command = RequestLimit(account.customer_id, wanted, reason, RECOMMENDER, approvers)
            await limit_requests.ask_for_recommended(tx, command)
        case "leave":
            await limit_requests.withdraw(tx, account.customer_id, RECOMMENDER, "The limit is as recommended.")
    return account


async def _follow_terms(
    tx: Tx, account: Account, advice: Recommendation, assessed: Standing, policy: PolicyRules
) -> None:
    customer_id, wanted = account.customer_id, advice.customer_terms
    assert wanted
    about = (await customers.get_customer(tx, customer_id)).particulars
    match rules.terms_course(about.terms, about.terms_source, advice, account.limit, policy):
        case "apply":
            await term_requests.withdraw_recommended(tx, customer_id, "The terms follow another assessment.")
            today, reason = local_date(tx.now, "UTC"), rules.terms_reason(advice)
            await customers.put_terms(tx, customer_id, wanted, "recommended", reason, today)
        case "ask":
            command = RequestTerms(
                customer_id,
                wanted,
                rules.terms_reason(advice),
                RECOMMENDER,
                str(assessed.assessment_id),
                policy.terms.approvers,
            )
            await term_requests.ask_for_recommended(tx, command)
        case "leave":
            await term_requests.withdraw_recommended(tx, customer_id, "The terms are as recommended.")
