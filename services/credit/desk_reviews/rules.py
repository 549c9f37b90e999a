"""How the pages of reviews say things."""

from __future__ import annotations

from collections.abc import Sequence

from services.credit.reviews.rules import BY_HAND
from shared.words import words

OUTCOMES = {
    "no_change": "Nothing is changed",
    "limit_changed": "The limit is changed",
    "terms_changed": "The terms are changed",
    "hold_placed": "It is held",
    "security_asked_for": "Security is asked for",
    "other": "Something else, in words",
}


def because_words(because: Sequence[str]) -> str:
    """Why a review is due; the reason of one that was opened by hand stands as it was written."""
    by_hand = BY_HAND in because[:1]
    written, named = (because[1:2], because[2:]) if by_hand else ((), because)
    return "; ".join([*written, *map(words, named)])
