"""What each colleague and the team have done in a time, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_EVEN, Decimal

_ONE_DECIMAL = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one colleague, None for what belongs to nobody. `calls` were placed, `conversations` are those in which
    somebody was reached; promises are judged on the day they ended; `accounts` are looked after now."""

    subject: str | None
    name: str | None
    accounts: int = 0
    calls: int = 0
    conversations: int = 0
    notes: int = 0
    tasks_done: int = 0
    tasks_open: int = 0
    tasks_late: int = 0
    promises_made: int = 0
    promises_kept: int = 0
    promises_broken: int = 0
    replies_done: int = 0

    @property
    def reached_percent(self) -> Decimal | None:
        """Conversations in a hundred calls; None without calls."""
        return _percent(self.conversations, self.calls)

    @property
    def kept_percent(self) -> Decimal | None:
        """Promises kept in a hundred that were kept or broken; None where none was."""
        return _percent(self.promises_kept, self.promises_kept + self.promises_broken)


def total(of: Sequence[Figures]) -> Figures:
    """The team's: the sum of everybody's."""
    counted = [field.name for field in fields(Figures) if field.name not in ("subject", "name")]
    return Figures(None, None, **{name: sum(getattr(each, name) for each in of) for name in counted})


def _percent(part: int, whole: int) -> Decimal | None:
    if whole == 0:
        return None
    return (Decimal(100 * part) / whole).quantize(_ONE_DECIMAL, ROUND_HALF_EVEN)
