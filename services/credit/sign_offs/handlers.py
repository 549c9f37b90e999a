"""Record that somebody answers for having looked at a review pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.limits import handlers as limits
from services.credit.review_days.handlers import review_days
from services.credit.review_packs import handlers as review_packs
from services.credit.scorecards import handlers as scorecards
from services.credit.sign_offs import rules, store
from services.credit.sign_offs.rules import Conclusion, Due, SignOff
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class SignReview:
    scorecard: str
    since: date
    until: date
    conclusion: Conclusion
    note: str | None
    by: str


async def sign_review(tx: Tx, command: SignReview) -> SignOff:
    """Gather the pack once more and keep its figures with the conclusion. Raises NothingSaid, and what
    `review_packs.gather` raises."""
    rules.expect_note(command.conclusion, command.note)
    pack = await review_packs.gather(tx, command.scorecard, command.since, command.until)
    signed = SignOff(
        id=new_id(),
        scorecard=command.scorecard,
        first_on=command.since,
        last_on=command.until,
        policy_version=pack.policy.policy.version,
        conclusion=command.conclusion,
        note=command.note,
        figures=rules.figures(pack.outcome, pack.scorecard),
        signed_by=command.by,
        signed_at=tx.now,
    )
    await store.add(tx, signed)
    return signed


async def list_sign_offs(tx: Tx, scorecard: str | None, before: UUID | None, count_max: int) -> Sequence[SignOff]:
    """Newest first."""
    return await store.page(tx, scorecard, before, count_max)


async def outcomes_due(tx: Tx) -> Sequence[Due]:
    """What is to be looked at, the longest due first; from its day on, which counts."""
    today, days = local_date(tx.now, "UTC"), await review_days(tx)
    policy = (await limits.policy_in_force(tx)).policy
    found: list[Due] = []
    policys = days.of_policy(policy.review_on)
    if policys is not None and policys <= today:
        found.append(Due(None, "The credit policy", policy.owner, policys))
    for each in await scorecards.list_scorecards(tx):
        card = each.scorecard
        cards = days.of_scorecard(card.name, card.review_on)
        if cards <= today:
            found.append(Due(card.name, card.title, card.owner, cards))
    return sorted(found, key=lambda due: due.since)
