"""What of an invoice's total its product lines are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import InvoiceIssued
from shared.money import split

UNNAMED = ""
"""The product line of what no line of an invoice names."""


class Share(NamedTuple):
    invoice_id: UUID
    product_line: str
    amount_minor: int


def shares(events: Iterable[Event | None]) -> list[Share]:
    """Of invoices that name product lines, sorted: parts that add up to the total."""
    return sorted(share for event in events if isinstance(event, InvoiceIssued) for share in _shares(event))


def _shares(event: InvoiceIssued) -> list[Share]:
    """Tax, and what is taken off or added on the whole, are spread as the lines' net amounts are. A product line of
    which more was returned than sold has no part."""
    if not event.product_lines:
        return []
    net = {each.product_line: each.net.minor for each in event.product_lines}
    net[UNNAMED] = event.net.minor - sum(net.values())
    weights = {code: minor for code, minor in net.items() if minor > 0}
    if not weights:
        return []
    parts = split(event.change.minor, list(weights.values()))
    return [Share(event.invoice.id, code, part) for code, part in zip(weights, parts, strict=True)]
