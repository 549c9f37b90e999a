"""A person looks at a customer's credit: when, because of what, until when, and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from services.credit.policy_rules.rules import ReviewRules, RiskClass
from shared.calendar import add_months
from shared.errors import Conflict, NotFound, Refused
from shared.events.credit import ReviewDone, ReviewDue, ReviewState

Status = Literal["open", "done"]
Outcome = Literal["no_change", "limit_changed", "terms_changed", "hold_placed", "security_asked_for", "other"]
PERIODIC = "periodic"
BY_HAND = "by_hand"
POLICY = "policy"


class ReviewNotFound(NotFound):
    slug = "review-not-found"
    title = "There is no such review"

    def __init__(self, review_id: UUID) -> None:
        super().__init__(f"No review has the id {review_id}.")


class ReviewDoneBefore(Conflict):
    slug = "review-done-before"
    title = "The review was done before"


class ReviewUnderWay(Conflict):
    slug = "review-under-way"
    title = "A review of this customer is open already"

    def __init__(self, review_id: UUID) -> None:
        super().__init__(f"The review {review_id} is open.", review_id=str(review_id))


@dataclass(frozen=True, slots=True)
class Review:
    """`because` says why; more may be added while it is open. `owner` is who does it, None while nobody took it."""

    id: UUID
    version: int
    customer_id: UUID
    status: Status
    because: tuple[str, ...]
    opened_on: date
    opened_by: str
    due_on: date
    owner: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    outcome: Outcome | None = None
    note: str | None = None


def next_on(last_on: date, risk_class: RiskClass | None, rules: ReviewRules) -> date | None:
    """When the next one is due by class; None for a class without a term, and for customers never assessed."""
    months = rules.months.get(risk_class) if risk_class else None
    return add_months(last_on, months) if months else None


def causes(news: Collection[str], due: date | None, rules: ReviewRules, today: date) -> tuple[str, ...]:
    """Why a review is due today; empty where none is. The day itself counts."""
    found = [cause for cause in rules.after if cause in news]
    return (*found, *([PERIODIC] if due and due <= today else []))


def opened(
    id: UUID, customer_id: UUID, because: tuple[str, ...], by: str, due_on: date, today: date, owner: str | None = None
) -> Review:
    """Raises Refused for a due date that is past."""
    if due_on < today:
        raise Refused(f"{due_on} is past; a review is due today or later.", field="/due_on")
    return Review(id, 1, customer_id, "open", because, today, by, due_on, owner)


def due_by(rules: ReviewRules, today: date) -> date:
    return today + timedelta(days=rules.days)


def with_causes(review: Review, because: Collection[str]) -> Review:
    """An open review takes up what happened since; the same review where nothing is new."""
    new = tuple(cause for cause in because if cause not in review.because)
    return replace(review, because=(*review.because, *new), version=review.version + 1) if new else review


def assigned(review: Review, owner: str | None, due_on: date | None, today: date) -> Review:
    """Somebody takes it, or gives it back (None); another day where one is given. Raises ReviewDoneBefore, Refused."""
    _expect_open(review)
    if due_on and due_on < today:
        raise Refused(f"{due_on} is past; a review is due today or later.", field="/due_on")
    return replace(review, owner=owner, due_on=due_on or review.due_on, version=review.version + 1)


def done(review: Review, outcome: Outcome, note: str | None, by: str, now: datetime) -> Review:
    """Raises ReviewDoneBefore; Refused where an outcome that says nothing by itself bears no note."""
    _expect_open(review)
    if outcome == "other" and not note:
        raise Refused("Another outcome is put in words.", field="/note")
    return replace(
        review,
        version=review.version + 1,
        status="done",
        owner=review.owner or by,
        done_at=now,
        done_by=by,
        outcome=outcome,
        note=note,
    )


def _expect_open(review: Review) -> None:
    if review.status != "open":
        raise ReviewDoneBefore(f"{review.done_by} did it: {review.outcome}.")


def told(review: Review, today: date) -> ReviewDue | ReviewDone:
    """The event of a review that was opened, or done."""
    about = {
        "customer_id": review.customer_id,
        "effective_on": today,
        "booked_on": today,
        "review": ReviewState(
            id=review.id,
            version=review.version,
            status=review.status,
            because=review.because,
            opened_on=review.opened_on,
            due_on=review.due_on,
            owner=review.owner,
            outcome=review.outcome,
        ),
    }
    return ReviewDue(**about) if review.status == "open" else ReviewDone(**about)
