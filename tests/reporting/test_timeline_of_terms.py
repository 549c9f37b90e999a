"""Changed payment terms in a customer's timeline: what they are, what they were, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.reporting.timeline import rules

TYPE = "dueward.customer.terms_changed.v1"
EXAMPLE = orjson.loads(Path(f"shared/events/registry/examples/{TYPE}.json").read_bytes())
NOW: dict[str, Any] = {"net_days": 14, "prepaid_percent": 30, "deposit": {"amount": "5000.00", "currency": "EUR"}}


@pytest.mark.parametrize(
    ("terms", "reason", "told"),
    [
        (None, None, "net 14 days · before 30 days"),
        (
            NOW,
            "Recommended for risk class D.",
            "net 14 days, 30 % in advance, a deposit of 5000.00 EUR · before 30 days · Recommended for risk class D.",
        ),
        ({**NOW, "prepaid_percent": 0, "deposit": None}, None, "net 14 days · before 30 days"),
    ],
)
def test_changed_terms_are_told_with_those_before(terms: Any, reason: str | None, told: str) -> None:
    customer = {**EXAMPLE["customer"], **({"payment_terms": terms} if terms else {})}
    line = rules.describe(TYPE, {**EXAMPLE, "customer": customer, "reason": reason})
    assert (line.title, line.detail) == ("Payment terms changed", told)
