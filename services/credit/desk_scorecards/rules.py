"""What the editor of scorecards shows of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.credit.assessments.rules import Trial
from services.credit.scorecards.rules import Scorecard
from shared.documents import Fault
from shared.errors import Conflict


class NothingChanged(Conflict):
    slug = "nothing-changed"
    title = "There is nothing to publish"


@dataclass(frozen=True, slots=True)
class Checked:
    """What publishing would say: the faults, or the scorecard and what it would make of the book."""

    faults: Sequence[Fault]
    scorecard: Scorecard | None = None
    trial: Trial | None = None


def clean(typed: str) -> str:
    """As a browser sends a text area, with lines as files have them."""
    return typed.replace("\r\n", "\n")
