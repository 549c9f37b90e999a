"""When the outcomes of a policy or a scorecard are to be looked at next."""

from __future__ import annotations

from datetime import date

from shared.calendar import add_months

MONTHS = 12


def due_on(review_on: date | None, signed_on: date | None) -> date | None:
    """The day that the document names, until somebody signs a review on it or later; then a year after the last
    signature. None where the document names none and nobody signed."""
    if signed_on is None or (review_on is not None and signed_on < review_on):
        return review_on
    return add_months(signed_on, MONTHS)
