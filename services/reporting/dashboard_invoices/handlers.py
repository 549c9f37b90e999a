"""The open invoices that a bar of the ageing adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables, ListOpenInvoices
from services.reporting.dashboard_invoices import rules
from services.reporting.dashboard_invoices.rules import Age, Tab
from shared.db import Tx

ROWS = 50
BEGINNING = ListOpenInvoices(date.min, 0).after


@dataclass(frozen=True, slots=True)
class OpenInvoices:
    """`rows` are one page of them, the oldest due first; `more` says that others follow."""

    currencies: Sequence[str]
    currency: str
    tabs: Sequence[Tab]
    rows: Sequence[asyncpg.Record]
    more: bool


async def draw_open_invoices(
    tx: Tx, as_of: date, currency: str | None, age: Age, after: tuple[date, UUID] | None
) -> OpenInvoices | None:
    """In the currency asked for where it has moved, else in the busiest one. None before anything has moved."""
    aged = sorted(await ageing.age_receivables(tx, AgeReceivables(as_of)), key=lambda b: (-b.open_invoices, b.currency))
    if not aged:
        return None
    buckets = next((each for each in aged if each.currency == currency), aged[0])
    query = ListOpenInvoices(
        as_of, ROWS + 1, after or BEGINNING, buckets.currency, late_min=age.late_min, late_max=age.late_max
    )
    found = await ageing.list_open_invoices(tx, query)
    return OpenInvoices(
        [each.currency for each in aged],
        buckets.currency,
        rules.tabs(buckets.split, buckets.counts),
        found[:ROWS],
        len(found) > ROWS,
    )
