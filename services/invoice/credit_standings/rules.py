"""May a customer be invoiced so much more? Decided here, by what credit said last, while credit does not answer.

Credit knows more: rates of other currencies, group limits, what is reserved for orders, what a person let pass. So the
answer says by a reason of its own that it was made without credit, and there is none where a currency would have to be
converted or no limit was ever heard of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.money import Money

WITHOUT_CREDIT = "decided_without_credit"
"""Stands first among the reasons of an answer that credit did not give; the others are named as credit names them."""
INVOICES = "invoices"


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held, and until which day, that day included; None: until it is released."""

    held: Sequence[str]
    until: date | None = None

    def stops_invoices(self, today: date) -> bool:
        return INVOICES in self.held and (self.until is None or today <= self.until)


@dataclass(frozen=True, slots=True)
class Standing:
    """The limit and holds as credit said last, and what is owed on invoices now, an amount for each currency."""

    limit: Money | None
    holds: Sequence[Hold]
    owed: Sequence[Money]


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Literal["approved", "declined"]
    reasons: tuple[str, ...]


def decide(standing: Standing, requested: Money, today: date) -> Verdict | None:
    """As credit would on these facts: a hold on invoices stops it, then the limit; what fits to the cent is approved.
    None where the facts do not suffice."""
    if any(hold.stops_invoices(today) for hold in standing.holds):
        return Verdict("declined", (WITHOUT_CREDIT, "on_hold"))
    limit = standing.limit
    if limit is None or {requested.currency, *(owed.currency for owed in standing.owed)} != {limit.currency}:
        return None
    if sum(owed.minor for owed in standing.owed) + requested.minor > limit.minor:
        return Verdict("declined", (WITHOUT_CREDIT, "over_limit"))
    return Verdict("approved", (WITHOUT_CREDIT, "within_limit"))
