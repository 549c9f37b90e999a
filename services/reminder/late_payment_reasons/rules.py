"""Why customers pay late, as they said in replies and on the telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.errors import Refused
from shared.events.reminder import LatePaymentReason


class PeriodRefused(Refused):
    slug = "period"
    title = "The period cannot be used"


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a reason was given by customers of a segment: in writing, in conversations, and by how many of them."""

    segment: str | None
    reason: LatePaymentReason
    replies: int
    calls: int
    customers: int


def check_period(first: date, last: date) -> None:
    """Raises PeriodRefused for one that ends before it begins."""
    if first > last:
        raise PeriodRefused("the period ends before it begins", field="query.to")
