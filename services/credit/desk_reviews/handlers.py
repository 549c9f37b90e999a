"""The pages of reviews, gathered from the other features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.assessments.rules import Standing
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import Wanted
from services.credit.reviews.rules import Review, Status
from shared.calendar import local_date
from shared.db import Tx

LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class ReviewList:
    """`more` is after which one the next page begins."""

    today: date
    rows: Sequence[Review]
    customers: Mapping[UUID, Customer]
    standings: Mapping[UUID, Standing]
    more: tuple[date, UUID] | None


async def list_reviews(tx: Tx, status: Status, owner: str | None, after: tuple[date, UUID] | None) -> ReviewList:
    """A hundred at a time, what is due first."""
    found = await reviews.list_reviews(tx, Wanted(status, owner=owner), after, LISTED_MAX + 1)
    shown = found[:LISTED_MAX]
    concerned = {each.customer_id for each in shown}
    return ReviewList(
        local_date(tx.now, "UTC"),
        shown,
        await customers.customers_of(tx, concerned),
        await assessments.latest_of(tx, concerned),
        (shown[-1].due_on, shown[-1].id) if len(found) > LISTED_MAX else None,
    )


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """`earlier` are those of the customer that are done, the last one first."""

    today: date
    review: Review
    customer: Customer
    earlier: Sequence[Review]


async def draw_review(tx: Tx, review_id: UUID) -> ReviewShown:
    """Raises ReviewNotFound."""
    review = await reviews.get_review(tx, review_id)
    done = await reviews.list_reviews(tx, Wanted("done", review.customer_id), None, LISTED_MAX)
    return ReviewShown(
        local_date(tx.now, "UTC"),
        review,
        await customers.get_customer(tx, review.customer_id),
        [each for each in reversed(done) if each.id != review_id],
    )
