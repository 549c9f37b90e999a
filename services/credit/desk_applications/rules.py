"""What the pages of applications show, and how proposed terms are read from their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from services.credit.application_forms.rules import Form
from services.credit.applications.rules import Status, Terms
from services.credit.desk_words.rules import money_said, said
from shared.errors import Refused
from shared.words import words

VIEWS: Mapping[str, tuple[Status, ...]] = {
    "under_way": ("submitted", "in_vetting", "approved"),
    "with_the_company": ("draft",),
    "accepted": ("accepted",),
    "over": ("declined", "withdrawn"),
}
"""Which applications a tab of the list has."""


class NameUnreadable(Refused):
    slug = "name-unreadable"
    title = "That is no company's name"


class TermsUnreadable(Refused):
    slug = "terms-unreadable"
    title = "The terms cannot be proposed so"


def begun_as(legal_name: str) -> Form:
    """An application of which only the name is known. Raises WordMissing, NameUnreadable."""
    try:
        return Form(legal_name=said(legal_name, "Legal name"))
    except ValidationError as invalid:
        raise NameUnreadable(f"{invalid.errors(include_url=False)[0]['msg']}.") from None


def terms_said(written: Mapping[str, str], currency: str) -> Terms:
    """What was written; what is empty is not agreed. Raises TermsUnreadable, AmountUnreadable,
    WordMissing."""
    told: dict[str, Any] = {name: value.strip() for name, value in written.items() if value.strip()}
    told["limit"] = money_said(written.get("limit", ""), currency, "Limit")
    for name in ("deposit", "late_fee"):
        if name in told:
            told[name] = money_said(told[name], currency, words(name))
    try:
        return Terms.model_validate(told)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        raise TermsUnreadable(f"{words(str(first['loc'][0]))}: {first['msg']}.") from None
