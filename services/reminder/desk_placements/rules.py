"""What the pages of placements show, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from services.reminder.placements.rules import Agency, Placement, Status
from services.reminder.receivables.rules import totals
from shared.errors import DomainError, Refused
from shared.money import Money

Stage = Literal["waiting", "placed", "over"]
STAGES: tuple[Stage, ...] = get_args(Stage)
STATUSES: Mapping[Stage, tuple[Status, ...]] = {
    "waiting": ("requested", "approved"),
    "placed": ("placed",),
    "over": ("recalled", "closed", "rejected", "withdrawn"),
}
STAGE_WORDS: Mapping[Stage, str] = {"waiting": "Waiting", "placed": "With agencies", "over": "Over"}
STATUS_WORDS: Mapping[Status, str] = {
    "requested": "waits for approval",
    "approved": "approved, its file is being made",
    "placed": "with the agency",
    "recalled": "recalled",
    "closed": "given back by the agency",
    "rejected": "rejected",
    "withdrawn": "withdrawn",
}

SAID = {
    "approved": "Approved. The file is made of what is owed at that moment; the customer is not contacted meanwhile.",
    "rejected": "It does not go to the agency.",
    "recalled": "Recalled: collection goes on here.",
    "closed": "The agency gave it back: collection goes on here.",
}
"""What a page says after something was done, by the word in its address."""


class ReasonMissing(Refused):
    slug = "word-missing"
    title = "Something was left empty"


@dataclass(frozen=True, slots=True)
class Row:
    placement: Placement
    customer: str
    agency: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all the rows that are shown, one amount for each currency."""

    amount: tuple[Money, ...]
    collected: tuple[Money, ...]
    commission: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an agency would get now: the rows of its file, or why there is none."""

    rows: Sequence[Mapping[str, object]]
    amount: Money | None
    refused: DomainError | None


def sums(placements: Iterable[Placement]) -> Sums:
    found = list(placements)
    return Sums(
        totals(each.amount for each in found),
        totals(each.collected for each in found),
        totals(each.commission_due for each in found),
    )


def commission(agency: Agency) -> str:
    """15 % from 0 days on, 25 % from 181 days on"""
    return ", ".join(f"{rate.percent.normalize():f} % from {rate.days_from} days on" for rate in agency.commission)
