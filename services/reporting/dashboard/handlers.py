"""The pages' figures, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.rules import ALL_KNOWN, Buckets
from services.reporting.contacts import handlers as contacts
from services.reporting.customers import handlers as customers
from services.reporting.dashboard import rules
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.rules import Debtor
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import Kpis, TrendPoint
from services.reporting.timeline import handlers as timeline
from services.reporting.timeline.handlers import Entry
from shared.db import Tx

WINDOW_DAYS = 90
TREND_MONTHS = 24
DEBTORS = 10
LATEST = 6
OPEN_INVOICES_MAX = 200
TIMELINE_LINES = 60


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the dashboard for one currency. `currencies` are all that have moved by then, busiest first."""

    currencies: Sequence[str]
    buckets: Buckets
    kpis: Kpis
    trend: Sequence[TrendPoint]
    debtors: Sequence[Debtor]
    steps: Sequence[tuple[str, str, int]]
    latest: Sequence[tuple[Entry, UUID, str]]


@dataclass(frozen=True, slots=True)
class NothingOwed:
    """There is nothing to draw on that day, but `customers` are known."""

    customers: int
    first_movement_on: date | None


async def draw_overview(tx: Tx, as_of: date, currency: str | None) -> Overview | NothingOwed:
    """The currency asked for where it has moved, else the busiest one."""
    aged = await ageing.age_receivables(tx, ageing.AgeReceivables(as_of))
    if not aged:
        return NothingOwed(await customers.count_customers(tx), await ageing.first_movement_on(tx))
    busiest = sorted(aged, key=lambda buckets: (-buckets.open_invoices, buckets.currency))
    shown = next((buckets for buckets in aged if buckets.currency == currency), busiest[0])
    (measured,) = await kpis.measure_collection(tx, kpis.MeasureCollection(as_of, WINDOW_DAYS, currency=shown.currency))
    steps = await contacts.sent_by_step(tx, as_of - timedelta(days=WINDOW_DAYS), as_of)
    return Overview(
        currencies=[buckets.currency for buckets in busiest],
        buckets=shown,
        kpis=measured,
        trend=await kpis.dso_trend(tx, shown.currency, as_of, TREND_MONTHS, WINDOW_DAYS),
        debtors=await debtors.rank_debtors(tx, debtors.RankDebtors(as_of, ALL_KNOWN, shown.currency, "total", DEBTORS)),
        steps=sorted(((row["step"], row["tone"], row["messages"]) for row in steps), key=rules.step_order),
        latest=await timeline.latest_entries(tx, as_of, LATEST),
    )


@dataclass(frozen=True, slots=True)
class Account:
    """Everything on a customer's page; `customer` is None while only events of it have arrived."""

    customer: asyncpg.Record | None
    buckets: Sequence[Buckets]
    invoices: Sequence[asyncpg.Record]
    reminders_sent: int
    entries: Sequence[Entry]
    older: Entry | None


async def draw_account(tx: Tx, customer_id: UUID, as_of: date, before: tuple[date, int] | None) -> Account:
    """Raises CustomerUnknown. `older` is the last entry shown, where there are more behind it."""
    end_of_day = (as_of, timeline.NEWEST[1])
    query = timeline.ReadTimeline(customer_id, before or end_of_day, TIMELINE_LINES + 1)
    entries = await timeline.read_timeline(tx, query)
    shown = entries[:TIMELINE_LINES]
    return Account(
        customer=await customers.find_customer(tx, customer_id),
        buckets=await ageing.age_customer(tx, customer_id, as_of),
        invoices=await ageing.open_invoices(tx, customer_id, as_of, OPEN_INVOICES_MAX),
        reminders_sent=await contacts.sent_to_customer(tx, customer_id, as_of),
        entries=shown,
        older=shown[-1] if len(entries) > TIMELINE_LINES else None,
    )
