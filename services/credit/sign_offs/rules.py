"""What it means to have looked at a review pack: a conclusion of somebody, with the figures that it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.credit.review_packs.rules import PolicyOutcome, ScorecardOutcome
from shared.errors import Refused
from shared.money import Money

Conclusion = Literal["kept", "to_change"]


@dataclass(frozen=True, slots=True)
class SignOff:
    """`figures` are those of the pack as it was signed: what is heard later changes the pack, not them."""

    id: UUID
    scorecard: str
    first_on: date
    last_on: date
    policy_version: int
    conclusion: Conclusion
    note: str | None
    figures: Mapping[str, Any]
    signed_by: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """The outcomes of the policy (`scorecard` is None) or of a scorecard are to be looked at, since a day."""

    scorecard: str | None
    title: str
    owner: str | None
    since: date


class NothingSaid(Refused):
    slug = "sign-off-without-a-note"
    title = "It does not say what is to change"


def expect_note(conclusion: Conclusion, note: str | None) -> None:
    """Raises NothingSaid."""
    if conclusion == "to_change" and not note:
        raise NothingSaid("Write down what is to change.", field="/note")


def figures(policy: PolicyOutcome, scorecard: ScorecardOutcome) -> dict[str, Any]:
    """What a pack comes to, in a few figures that JSON can keep."""
    return {
        "decisions": dict(policy.decisions),
        "overrides": dict(policy.overrides),
        "lost": [_money(each) for each in lost(policy)],
        "scorecard_versions": list(scorecard.versions),
        "customers": scorecard.customers,
        "defaults": scorecard.defaults,
        "gini": None if scorecard.gini is None else str(scorecard.gini),
        "ks": None if scorecard.ks is None else str(scorecard.ks),
    }


def lost(policy: PolicyOutcome) -> list[Money]:
    """What was written off of all that was sold, by currency."""
    sums: dict[str, int] = defaultdict(int)
    for each in policy.sold:
        sums[each.lost.currency] += each.lost.minor
    return [Money(minor, currency) for currency, minor in sorted(sums.items()) if minor]


def _money(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}
