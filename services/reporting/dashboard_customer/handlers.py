"""A customer's account: what it owes, how its credit stands, what was said and agreed, and everything that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.rules import Buckets
from services.reporting.contacts import handlers as contacts
from services.reporting.customers import handlers as customers
from services.reporting.dashboard_customer import queries, rules
from services.reporting.dashboard_customer.rules import Expected
from services.reporting.outcomes import handlers as outcomes
from services.reporting.payment_odds import handlers as payment_odds
from services.reporting.plans import handlers as plans
from services.reporting.timeline import handlers as timeline
from services.reporting.timeline.handlers import Entry
from shared.db import Tx

OPEN_INVOICES_MAX = 200
TIMELINE_LINES = 60
LATEST = 10


@dataclass(frozen=True, slots=True)
class Account:
    """Everything on a customer's page; `customer` is None while only events of it have arrived. `credit` is what the
    newest events say: `limit`, `file` (the risk class) and `hold`."""

    customer: asyncpg.Record | None
    buckets: Sequence[Buckets]
    invoices: Sequence[asyncpg.Record]
    reminders_sent: int
    entries: Sequence[Entry]
    older: Entry | None
    credit: Mapping[str, Any] = field(default_factory=dict)
    promises: Sequence[asyncpg.Record] = ()
    disputes: Sequence[asyncpg.Record] = ()


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
        credit={row["kind"]: row["data"] for row in await queries.credit(tx, customer_id, as_of)},
        promises=await queries.promises(tx, customer_id, as_of, LATEST),
        disputes=await queries.disputes(tx, customer_id, as_of, LATEST),
    )


async def expect_payments(
    tx: Tx, customer_id: UUID, as_of: date
) -> tuple[Sequence[asyncpg.Record], Mapping[UUID, Expected]]:
    """The open invoices, and by their ids when each should be paid, from what was known at the end of the day."""
    invoices = await ageing.open_invoices(tx, customer_id, as_of, OPEN_INVOICES_MAX)
    odds = await payment_odds.learn(tx, as_of)
    promises = await outcomes.promises_running(tx, as_of, customer_id)
    agreed = await plans.running(tx, as_of, customer_id)
    courses = await queries.courses(tx, [invoice["invoice_id"] for invoice in invoices])
    return invoices, rules.expect(invoices, courses, promises, agreed, odds, as_of)
