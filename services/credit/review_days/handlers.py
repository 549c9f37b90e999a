"""Say when the outcomes of policy and scorecards are to be looked at next; the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.credit.review_days import rules, store
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ReviewDays:
    """A pack has the policy's outcomes whatever the scorecard, so any signature counts for the policy."""

    signed: dict[str, date]

    def of_policy(self, review_on: date | None) -> date | None:
        return rules.due_on(review_on, max(self.signed.values(), default=None))

    def of_scorecard(self, name: str, review_on: date) -> date:
        return rules.due_on(review_on, self.signed.get(name)) or review_on


async def review_days(tx: Tx) -> ReviewDays:
    return ReviewDays(await store.last_signed(tx))
