"""What a customer might be allowed, over HTTP; it changes nothing."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.credit.policy_rules.rules import ClassTerms, RiskClass
from services.credit.recommendations import handlers, rules
from services.credit.recommendations.rules import Recommendation, TermsInForce
from services.credit.terms.rules import Source
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])


class TermsInForceOut(BaseModel):
    """The terms that the customer has. A deposit raises the limit with what was received of it, and nothing else."""

    net_days: int
    prepaid_percent: int
    deposit: Money | None
    source: Source
    deposit_received: Money
    deposit_outstanding: Money | None

    @classmethod
    def of(cls, found: TermsInForce) -> "TermsInForceOut":
        return cls(
            net_days=found.terms.net_days,
            prepaid_percent=found.terms.prepaid_percent,
            deposit=found.terms.deposit,
            source=found.source,
            deposit_received=found.deposit_received,
            deposit_outstanding=found.deposit_outstanding,
        )


class RecommendationOut(BaseModel):
    """`limit`, `terms` and what they come to as a `deposit` are null where there is no assessment to go by."""

    limit: Money | None
    terms: ClassTerms | None
    deposit: Money | None
    risk_class: RiskClass | None
    policy_limit: Money
    net_worth: Money | None
    reasons: tuple[rules.Reason, ...]
    terms_in_force: TermsInForceOut

    @classmethod
    def of(cls, advice: Recommendation, in_force: TermsInForce) -> "RecommendationOut":
        return cls(
            limit=advice.limit,
            terms=advice.terms,
            deposit=advice.deposit,
            risk_class=advice.risk_class,
            policy_limit=advice.policy_limit,
            net_worth=advice.net_worth,
            reasons=advice.reasons,
            terms_in_force=TermsInForceOut.of(in_force),
        )


@router.get(
    "/customers/{customer_id}/limit-recommendation",
    response_model=RecommendationOut,
    dependencies=[scope("credit:read")],
)
async def recommend_limit(customer_id: UUID, database: DatabaseDep) -> Response:
    """A limit and terms by risk class, size and policy, beside the terms in force. It takes effect as the policy says,
    or when somebody sets it or asks for it."""
    async with reading(database) as tx:
        recommendation = await handlers.recommend_limit(tx, customer_id)
        in_force = await handlers.terms_in_force(tx, customer_id)
    return respond(RecommendationOut.of(recommendation, in_force))
