"""Hold the books against each other, and keep what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.reconciliation import rules, store
from services.invoice.reconciliation.rules import (
    Difference,
    Listed,
    Reconciliation,
    ReconciliationNotFound,
    ReportingStatus,
    Scope,
)
from shared.calendar import ONE_DAY
from shared.db import Database, Tx, reading
from shared.ids import new_id

NEXT_DUE = store.NEXT_DUE


class ReportingDesk(Protocol):
    """Who is asked what it shows: the reporting service. None when it cannot be reached."""

    async def receivables(self, as_of: date) -> Mapping[str, int] | None: ...

    async def receivables_by_customer(self, as_of: date) -> Mapping[tuple[UUID, str], int] | None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What reporting showed for the end of a day, and where that is not what the journal has."""

    as_of: date
    status: ReportingStatus
    differences: tuple[Difference, ...] = ()


async def yesterday(tx: Tx) -> date:
    """The last day that is over, in the time zone of the default entity."""
    entity = await entities.get_entity(tx, DEFAULT)
    return entity.today(tx.now) - ONE_DAY


async def ask_reporting(database: Database, desk: ReportingDesk) -> Shown:
    """Compare the journal with reporting: for doors and ticks, before their transaction, since it calls out."""
    async with reading(database) as tx:
        as_of = await yesterday(tx)
        booked = await store.receivables(tx, as_of)
    shown = await desk.receivables(as_of)
    if shown is None:
        return Shown(as_of, "unreachable")
    if not rules.against_reporting(booked, shown):
        return Shown(as_of, "agrees")
    by_customer = await desk.receivables_by_customer(as_of)
    if by_customer is None:
        return Shown(as_of, "unreachable")
    async with reading(database) as tx:
        own = await store.receivables_by_customer(tx, as_of)
        names = await store.names(tx, [who for who, _ in own.keys() | by_customer.keys()])
    differences = rules.customers_apart(own, by_customer, names)
    return Shown(as_of, "differs" if differences else "agrees", differences)


async def reconcile(tx: Tx, shown: Shown, scope: Scope) -> Reconciliation:
    """Compare invoices and payments with their journal entries, and file the run with what reporting showed."""
    since = 0 if scope == "all" else await store.moved_since(tx)
    invoices, wrong_invoices = await store.compare(tx, "invoice", since)
    payments, wrong_payments = await store.compare(tx, "payment", since)
    run = Reconciliation(
        id=new_id(),
        on_day=shown.as_of + ONE_DAY,
        as_of=shown.as_of,
        at=tx.now,
        scope=scope,
        invoices_compared=invoices,
        payments_compared=payments,
        up_to_entry=await store.last_entry(tx),
        reporting=shown.status,
        differences=(*wrong_invoices, *wrong_payments, *shown.differences),
    )
    await store.insert(tx, run)
    return run


async def reconcile_daily(tx: Tx, shown: Shown) -> Reconciliation | None:
    """The run of the day that just began; None while another worker is at it, or where it was done meanwhile."""
    due = await store.lock_schedule(tx)
    if due is None or due > tx.now:
        return None
    entity = await entities.get_entity(tx, DEFAULT)
    today = entity.today(tx.now)
    run = await reconcile(tx, shown, rules.scope_on(today))
    await store.schedule(tx, entity.starts(today + ONE_DAY))
    return run


async def list_reconciliations(tx: Tx, before: UUID | None, *, differing: bool, limit: int) -> list[Listed]:
    """The newest first; `differing` leaves out the runs in which everything agreed."""
    return await store.page(tx, before, differing, limit)


async def get_reconciliation(tx: Tx, reconciliation_id: UUID) -> tuple[Listed, list[Difference]]:
    """Raises ReconciliationNotFound."""
    found = await store.find(tx, reconciliation_id)
    if found is None:
        raise ReconciliationNotFound(f"there is no reconciliation {reconciliation_id}")
    return found
