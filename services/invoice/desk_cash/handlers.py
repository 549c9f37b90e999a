"""What the pages of cash application show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.rules import Customer
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.matching import handlers as matching
from services.invoice.matching.rules import Shown as Cash
from services.invoice.matching.rules import Status as CashStatus
from services.invoice.matching.rules import rate
from shared.db import Tx

CARDS = 20
OPEN_MAX = 500
RATE_DAYS = 30


@dataclass(frozen=True, slots=True)
class CashQueue:
    """Bank entries of one status, with the names of the customers in their proposals, and how much needed nobody in
    the last days."""

    entries: Sequence[Cash]
    next: UUID | None
    names: Mapping[UUID, str]
    rate: str | None
    rate_entries: int


async def draw_matching(tx: Tx, status: CashStatus, after: UUID | None) -> CashQueue:
    found = await matching.list_applications(tx, after=after, status=status, bank_statement_id=None, limit=CARDS + 1)
    shown = found[:CARDS]
    of = {each.application.customer_id for each in shown if each.application.customer_id}
    of |= {proposal.customer_id for each in shown for proposal in each.application.proposals}
    today = await _today(tx)
    shares = await matching.get_shares(tx, today - timedelta(days=RATE_DAYS), today, None)
    ours = [each for each in shares if each.status != "not_ours"]
    entries = sum(each.entries for each in ours)
    return CashQueue(
        entries=shown,
        next=shown[-1].application.id if len(found) > CARDS else None,
        names=await _names(tx, of),
        rate=rate(sum(each.entries for each in ours if each.status == "automatic"), entries),
        rate_entries=entries,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry and what a customer owes in its currency; no customer where none of this number is known."""

    shown: Cash
    customer: Customer | None
    open: Sequence[Invoice]
    today: date


async def draw_choice(tx: Tx, entry_id: UUID, external_id: str) -> Choice:
    """Raises CashApplicationNotFound."""
    shown = await matching.get_application(tx, entry_id)
    found = await customers.find_customers(tx, [], [external_id]) if external_id else []
    entry = shown.application
    owed = await invoices.open_items(tx, found[0].id, entry.entity_id) if found else []
    in_currency = [each for each in owed if each.currency == entry.currency][:OPEN_MAX]
    return Choice(shown, found[0] if found else None, in_currency, await _today(tx))


async def _names(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, str]:
    return {each.id: each.name for each in await customers.find_customers(tx, list(customer_ids), [])}


async def _today(tx: Tx) -> date:
    return (await entities.get_entity(tx, DEFAULT)).today(tx.now)
