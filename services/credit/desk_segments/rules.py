"""What the editor of rules for segments shows of a document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.credit.segmentations.rules import Segmentation
from services.credit.segments.rules import Move, Preview
from shared.calendar import add_months
from shared.documents import Fault


@dataclass(frozen=True, slots=True)
class Checked:
    """What publishing would say: the faults, or what the document changes of the newest version and makes of the
    book. `leaving` are the pairs of segments between which customers would go, the most first."""

    faults: Sequence[Fault]
    segmentation: Segmentation | None = None
    changes: Sequence[str] = ()
    preview: Preview | None = None

    @property
    def leaving(self) -> list[Move]:
        moves = self.preview.moves if self.preview else ()
        return sorted((move for move in moves if move.before != move.after), key=lambda move: -move.customers)

    @property
    def moved(self) -> int:
        return sum(move.customers for move in self.leaving)


def first_document(owner: str, today: date, currency: str) -> str:
    """What stands in the editor while nobody published any rules: enough to begin with, and not gone by yet."""
    return f"""\
title: By size and how they pay
owner: {json.dumps(owner, ensure_ascii=False)}
review_on: {add_months(today, 12)}
currency: {currency}
active: false
rules:
  - segment: late
    when:
      - {{fact: average_days_late, from: 30}}
      - {{fact: payments, from: 3}}
  - segment: key
    when: [{{fact: sales, from: 250000}}]
  - segment: standard
"""
