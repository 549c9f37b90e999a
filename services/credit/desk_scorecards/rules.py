"""What the editor of scorecards shows of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.credit.assessments.rules import Trial
from services.credit.scorecards.rules import Scorecard
from shared.documents import Fault


@dataclass(frozen=True, slots=True)
class Checked:
    """What publishing would say: the faults, or the scorecard and what it would make of the book."""

    faults: Sequence[Fault]
    scorecard: Scorecard | None = None
    trial: Trial | None = None
