"""Reviews over HTTP: the queue, who does them, and what came of them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.reviews import handlers, rules
from services.credit.reviews.handlers import AssignReview, FinishReview, OpenReview, Wanted
from services.credit.reviews.rules import Review
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["reviews"])

Text = Annotated[str, Field(min_length=1, max_length=500)]
Person = Annotated[str, Field(min_length=1, max_length=200)]


class ReviewOut(BaseModel):
    """`because` names what made it due: `periodic`, or events such as `drift`, or `by_hand` with the reason."""

    id: UUID
    version: int
    customer_id: UUID
    status: rules.Status
    because: tuple[str, ...]
    opened_on: date
    opened_by: str
    due_on: date
    owner: str | None
    done_at: datetime | None
    done_by: str | None
    outcome: rules.Outcome | None
    note: str | None

    @classmethod
    def of(cls, review: Review) -> "ReviewOut":
        return cls.model_validate(review, from_attributes=True)


class OpenReviewIn(Body):
    reason: Text
    due_on: date | None = Field(default=None, description="Left out: as many days from today as the policy gives")
    owner: Person | None = None


class AssignReviewIn(Body):
    owner: Person | None = Field(description="Null gives it back to the queue")
    due_on: date | None = Field(default=None, description="Left out: it stays as it is")


class FinishReviewIn(Body):
    outcome: rules.Outcome
    note: Text | None = None


@router.get("/reviews", response_model=Page[ReviewOut], dependencies=[scope("credit:read")])
async def list_reviews(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[rules.Status | None, Query()] = None,
    customer_id: Annotated[UUID | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=200)] = None,
    due_until: Annotated[date | None, Query()] = None,
) -> Response:
    """What is due first comes first."""
    after = (date.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_reviews(tx, Wanted(status, customer_id, owner, due_until), after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [str(last.due_on), str(last.id)])
    return respond(Page[ReviewOut](items=[ReviewOut.of(each) for each in shown], next_cursor=more))


@router.get("/reviews/{review_id}", response_model=ReviewOut, dependencies=[scope("credit:read")])
async def show_review(review_id: UUID, database: DatabaseDep) -> Response:
    """One review, open or done."""
    async with reading(database) as tx:
        review = await handlers.get_review(tx, review_id)
    return respond(ReviewOut.of(review), etag=review.version)


@router.post(
    "/customers/{customer_id}/reviews", status_code=201, response_model=ReviewOut, dependencies=[scope("credit:write")]
)
async def open_review(customer_id: UUID, body: OpenReviewIn, once: Once, principal: PrincipalDep) -> Response:
    """Have somebody look at a customer's credit, besides what the policy asks for. One review is open at a time."""
    async with once as tx:
        command = OpenReview(customer_id, body.reason, principal.subject, body.due_on, body.owner)
        review = await handlers.open_review(tx, command)
        return once.answer(201, ReviewOut.of(review), etag=review.version, location=f"/v1/reviews/{review.id}")


@router.put("/reviews/{review_id}/owner", response_model=ReviewOut, dependencies=[scope("credit:write")])
async def assign_review(review_id: UUID, body: AssignReviewIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Say who does it, and until when."""
    async with transaction(database) as tx:
        review = await handlers.assign_review(tx, AssignReview(review_id, version, body.owner, body.due_on))
    return respond(ReviewOut.of(review), etag=review.version)


@router.post("/reviews/{review_id}/completion", response_model=ReviewOut, dependencies=[scope("credit:write")])
async def finish_review(review_id: UUID, body: FinishReviewIn, once: Once, principal: PrincipalDep) -> Response:
    """It was done; the next one by class is due so many months from today."""
    async with once as tx:
        review = await handlers.finish_review(tx, FinishReview(review_id, body.outcome, body.note, principal.subject))
        return once.answer(200, ReviewOut.of(review), etag=review.version)
