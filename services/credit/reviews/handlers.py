"""Open reviews by class and by event, hand them out, and take down what came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.follow_ups import handlers as follow_ups
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of
from services.credit.policy_rules.rules import ReviewRules
from services.credit.reviews import rules, store
from services.credit.reviews.rules import Review, ReviewNotFound, ReviewUnderWay
from services.credit.reviews.store import Wanted
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class OpenReview:
    """By hand. `due_on` is the policy's where it is None."""

    customer_id: UUID
    reason: str
    by: str
    due_on: date | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class AssignReview:
    review_id: UUID
    expected_version: int
    owner: str | None
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class FinishReview:
    review_id: UUID
    outcome: rules.Outcome
    note: str | None
    by: str


async def follow(tx: Tx, customer_id: UUID, news: Collection[str], policy: ReviewRules) -> date | None:
    """Open what is due of a customer whom the caller has locked, or add to what is open. Returns the day on which time
    alone makes the next one due."""
    if not policy.is_on:
        return None
    today = local_date(tx.now, "UTC")
    assessed = await assessments.latest(tx, customer_id)
    next_on = rules.next_on(await store.last_on(tx, customer_id), assessed.risk_class if assessed else None, policy)
    because = rules.causes(news, next_on, policy, today)
    under_way = await store.open_one(tx, customer_id)
    if under_way:
        after = rules.with_causes(under_way, [cause for cause in because if cause != rules.PERIODIC])
        if after != under_way:
            await store.save(tx, after)
        return None
    if because:
        due_on = rules.due_by(policy, today)
        await _open(tx, rules.opened(new_id(), customer_id, because, rules.POLICY, due_on, today))
        return None
    return next_on


async def open_review(tx: Tx, command: OpenReview) -> Review:
    """Raises CustomerNotFound, ReviewUnderWay, Refused."""
    today = local_date(tx.now, "UTC")
    _, facts = await limits.lock_standing(tx, command.customer_id, today)
    due_on = command.due_on or rules.due_by(rules_of(facts.policy_rules).reviews, today)
    because = (rules.BY_HAND, command.reason)
    review = rules.opened(new_id(), command.customer_id, because, command.by, due_on, today, command.owner)
    return await _open(tx, review)


async def _open(tx: Tx, review: Review) -> Review:
    if not await store.add(tx, review):
        under_way = await store.open_one(tx, review.customer_id)
        raise ReviewUnderWay(under_way.id if under_way else review.id)
    await outbox.append(tx, rules.told(review, review.opened_on))
    return review


async def assign_review(tx: Tx, command: AssignReview) -> Review:
    """Raises ReviewNotFound, PreconditionFailed, ReviewDoneBefore, Refused."""
    review = await _locked(tx, command.review_id)
    if review.version != command.expected_version:
        raise PreconditionFailed(
            f"The review is at version {review.version}, not {command.expected_version}; look again, then decide.",
            current_version=review.version,
        )
    after = rules.assigned(review, command.owner, command.due_on, local_date(tx.now, "UTC"))
    await store.save(tx, after)
    return after


async def finish_review(tx: Tx, command: FinishReview) -> Review:
    """The next one is planned from today on. Raises ReviewNotFound, ReviewDoneBefore, Refused."""
    review = await _locked(tx, command.review_id)
    after = rules.done(review, command.outcome, command.note, command.by, tx.now)
    await store.save(tx, after)
    await outbox.append(tx, rules.told(after, local_date(tx.now, "UTC")))
    await follow_ups.note_day(tx, review.customer_id, tx.now)
    return after


async def drop_review(tx: Tx, customer_id: UUID, by: str, because: str) -> None:
    """There is nothing to review any more of a customer that is closed in this transaction."""
    if under_way := await store.open_one(tx, customer_id):
        after = rules.done(under_way, "other", because, by, tx.now)
        await store.save(tx, after)
        await outbox.append(tx, rules.told(after, local_date(tx.now, "UTC")))


async def _locked(tx: Tx, review_id: UUID) -> Review:
    review = await get_review(tx, review_id)
    await limits.lock_standing(tx, review.customer_id, local_date(tx.now, "UTC"))
    return await get_review(tx, review_id)


async def get_review(tx: Tx, review_id: UUID) -> Review:
    """Raises ReviewNotFound."""
    review = await store.read(tx, review_id)
    if review is None:
        raise ReviewNotFound(review_id)
    return review


async def list_reviews(tx: Tx, wanted: Wanted, after: tuple[date, UUID] | None, count_max: int) -> Sequence[Review]:
    """What is due first comes first."""
    return await store.reviews(tx, wanted, after, count_max)
