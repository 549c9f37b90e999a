"""What a case may rest for, and which of several reasons counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class HoldKind(StrEnum):
    """What a case may rest for."""

    PROMISED = "promised"
    PAUSED = "paused"
    REPLIED = "replied"
    CONVERSATION = "conversation"
    PLACED = "placed"
    LEGAL = "legal"
    INSOLVENT = "insolvent"


_WEIGHTIEST_FIRST = (
    HoldKind.INSOLVENT,
    HoldKind.LEGAL,
    HoldKind.PLACED,
    HoldKind.REPLIED,
    HoldKind.PAUSED,
    HoldKind.PROMISED,
    HoldKind.CONVERSATION,
)
"""Which of several holds is named as the reason: what the law forbids or others do now, then what a person must look
at or has said, then what the customer has."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a case rests for: through `until`, in the customer's time zone, or until it is released when None. There is
    one of a kind and source; `source` is the id of the promise, the pause ... A promise names its day as well."""

    kind: HoldKind
    until: date | None
    source: str
    detail: str
    promised_on: date | None = None

    def rests_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


def holding(holds: Iterable[Hold], today: date) -> Hold | None:
    """What the case rests for on a day: of several the weightiest, and of equals the one that lasts longest."""
    resting = [h for h in holds if h.rests_on(today)]
    return min(
        resting, key=lambda h: (_WEIGHTIEST_FIRST.index(h.kind), -(h.until or date.max).toordinal()), default=None
    )
