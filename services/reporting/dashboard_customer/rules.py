"""What is expected of a customer's invoices, and where a timeline page starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.reporting.forecasts.rules import OpenItem, outlook
from services.reporting.payment_odds.rules import Odds

RANGE = (0.1, 0.9)
"""Four times in five an invoice is paid between these two."""


@dataclass(frozen=True, slots=True)
class Expected:
    """When an invoice should be paid: the likeliest half way, and the range. `said` is the day that was promised, or
    that a plan has next."""

    on: date | None
    earliest: date | None
    latest: date | None
    said: date | None = None
    by_plan: bool = False


def expect(
    invoices: Iterable[Any],
    courses: Mapping[UUID, Any],
    promises: Iterable[Any],
    plans: Iterable[Any],
    odds: Odds,
    as_of: date,
) -> dict[UUID, Expected]:
    """Of each invoice by its id. `courses` say what is known of how it went, `promises` and `plans` are the customer's
    that run; no habit where nothing was learned."""
    promised = [(frozenset(row["invoices"]), row["promised_on"]) for row in promises if row["promised_on"] > as_of]
    agreed = {row["number"]: [day for day in row["dates"] if day > as_of] for row in plans}
    found: dict[UUID, Expected] = {}
    for invoice in invoices:
        number = invoice["number"]
        by_plan = min(agreed.get(number, ()), default=None)
        said = min((day for numbers, day in promised if not numbers or number in numbers), default=None)
        habit = _habit(invoice, courses.get(invoice["invoice_id"]), odds, as_of)
        found[invoice["invoice_id"]] = Expected(*habit, said=by_plan or said, by_plan=by_plan is not None)
    return found


def _habit(invoice: Any, course: Any, odds: Odds, as_of: date) -> tuple[date | None, date | None, date | None]:
    """The day half way, and the first and last of the range."""
    if not odds.model.learned_from:
        return None, None, None
    disputed = bool(course and course["disputed_on"] and course["disputed_on"] <= as_of)
    item = OpenItem(
        invoice["customer_id"],
        invoice["entity_id"],
        invoice["currency"],
        invoice["due_on"],
        (disputed, (course["channel"] if course else None) or ""),
        invoice["balance_minor"],
    )
    known = outlook(odds, item, as_of)
    first, middle, last = (
        invoice["due_on"] + timedelta(days=known.days_at(share)) for share in (RANGE[0], 0.5, RANGE[1])
    )
    return middle, first, last


def read_place(text: str | None) -> tuple[date, int] | None:
    """Where a timeline page starts, `2013-06-30.1234` (day, feed number); None where it holds none."""
    day, _, seq = (text or "").rpartition(".")
    try:
        return date.fromisoformat(day), min(int(seq), 2**63 - 1)
    except ValueError:
        return None
