"""What a customer might be allowed, over HTTP; it changes nothing."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.credit.policy_rules.rules import ClassTerms, RiskClass
from services.credit.recommendations import handlers, rules
from services.credit.recommendations.rules import Recommendation
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])


class RecommendationOut(BaseModel):
    """`limit` and `terms` are null where there is no assessment to go by."""

    limit: Money | None
    terms: ClassTerms | None
    risk_class: RiskClass | None
    policy_limit: Money
    net_worth: Money | None
    reasons: tuple[rules.Reason, ...]

    @classmethod
    def of(cls, recommendation: Recommendation) -> "RecommendationOut":
        return cls.model_validate(recommendation, from_attributes=True)


@router.get(
    "/customers/{customer_id}/limit-recommendation",
    response_model=RecommendationOut,
    dependencies=[scope("credit:read")],
)
async def recommend_limit(customer_id: UUID, database: DatabaseDep) -> Response:
    """A limit and terms by risk class, size and policy; it takes effect when somebody sets it or asks for it."""
    async with reading(database) as tx:
        recommendation = await handlers.recommend_limit(tx, customer_id)
    return respond(RecommendationOut.of(recommendation))
