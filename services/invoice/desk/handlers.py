"""The pages' contents, gathered from the other features, and the one action that has no handler of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.approvals import handlers as approvals
from services.invoice.approvals.rules import Approval
from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.rules import CreditNote
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, Customer
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries.rules import Delivery
from services.invoice.desk import rules, store
from services.invoice.desk.rules import (
    ImportCount,
    InvoiceRow,
    PaidPart,
    Pile,
    Search,
    Stuck,
)
from services.invoice.dispatch import handlers as dispatch
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.rules import Dispute
from services.invoice.documents.rules import paper_of
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, QUIET, Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Document
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Booked, Chart, EntryFilter
from services.invoice.papers.rules import Defect, defects
from services.invoice.reconciliation import handlers as reconciliation
from services.invoice.reconciliation.rules import Listed
from shared.db import Tx

ROWS = 50
CARDS = 20
QUEUE_MAX = 500
OF_INVOICE_MAX = 200
IMPORT_DAYS = 7
"""So long an import with refused rows is brought to mind on the overview."""


# --- the overview ---


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits for somebody. `matching` is None for who may not see payments."""

    today: date
    receivables: Pile
    drafts: Pile
    undelivered: Pile
    matching: Pile | None
    disputes: Pile
    approvals: Pile
    imports: ImportCount
    reconciliation: Listed | None


async def draw_overview(tx: Tx, *, payments: bool) -> Overview:
    runs = await reconciliation.list_reconciliations(tx, None, differing=False, limit=1)
    return Overview(
        today=await _today(tx),
        receivables=await store.receivables(tx),
        drafts=await store.drafts(tx, QUIET.draft_days_max),
        undelivered=rules.undelivered(await list_undelivered(tx)),
        matching=await store.matching_queue(tx) if payments else None,
        disputes=await store.open_disputes(tx),
        approvals=await store.approvals(tx),
        imports=await store.imports(tx, IMPORT_DAYS),
        reconciliation=runs[0] if runs else None,
    )


async def _today(tx: Tx) -> date:
    return (await entities.get_entity(tx, DEFAULT)).today(tx.now)


async def list_undelivered(tx: Tx) -> list[Stuck]:
    """Invoices that nobody has received for too long, and those whose last delivery failed; at most 500 of each."""
    failed = await store.stuck(tx, QUEUE_MAX)
    known = {each.invoice_id for each in failed}
    waiting = [
        Stuck(
            each.invoice_id,
            each.number,
            each.customer_name,
            each.issue_date,
            each.total.minor,
            each.total.currency,
            None,
            each.channel,
            each.status,
            None,
            each.reason,
        )
        for each in await dispatch.undelivered(tx, None, None, QUEUE_MAX)
        if each.invoice_id not in known
    ]
    return sorted([*failed, *waiting], key=lambda each: (each.issue_date, each.number))


# --- invoices ---


async def list_invoices(tx: Tx, search: Search, before: UUID | None) -> tuple[list[InvoiceRow], UUID | None]:
    """The newest first, and behind which the next page begins."""
    found = await store.invoices(tx, search, before, ROWS + 1)
    return found[:ROWS], found[ROWS - 1].id if len(found) > ROWS else None


@dataclass(frozen=True, slots=True)
class InvoiceShown:
    document: Document
    customer: Customer
    entity: Entity
    today: date
    paid: Sequence[PaidPart]
    adjustments: Sequence[Adjustment]
    credit_notes: Sequence[CreditNote]
    disputes: Sequence[Dispute]
    deliveries: Sequence[Delivery]
    entries: Sequence[Booked]
    chart: Chart
    lacks: Sequence[Defect]
    """What keeps it from being an electronic invoice (EN 16931)."""


async def draw_invoice(tx: Tx, invoice_id: UUID) -> InvoiceShown:
    """Raises InvoiceNotFound."""
    document = await invoices.get_document(tx, invoice_id)
    invoice = document.invoice
    account = await _account(tx, invoice.customer_id, invoice.entity_id)
    found = await disputes.list_disputes(tx, after=None, limit=OF_INVOICE_MAX, invoice_id=invoice_id)
    of_it = EntryFilter(customer_id=invoice.customer_id, invoice_id=invoice_id)
    return InvoiceShown(
        document=document,
        customer=account.customer,
        entity=account.entity,
        today=account.entity.today(tx.now),
        paid=await store.paid_parts(tx, invoice_id, OF_INVOICE_MAX),
        adjustments=await invoices.adjustments_of(tx, [invoice_id]),
        credit_notes=await credit_notes.list_credit_notes(
            tx, after=None, invoice_id=invoice_id, customer_id=None, number=None, limit=OF_INVOICE_MAX
        ),
        disputes=[dispute for dispute, _ in found],
        deliveries=await deliveries.list_deliveries(tx, before=None, invoice_id=invoice_id, limit=OF_INVOICE_MAX),
        entries=await journal.list_entries(tx, of_it, None, OF_INVOICE_MAX),
        chart=await journal.get_chart(tx, invoice.entity_id),
        lacks=defects(paper_of(document, account)),
    )


async def _account(tx: Tx, customer_id: UUID, entity_id: str) -> Account:
    account = await customers.find_account(tx, CustomerRef(customer_id), entity_id)
    assert account is not None
    return account


# --- approvals ---


@dataclass(frozen=True, slots=True)
class Approvals:
    """`customers` and `invoices` are the names of those that the requests are about."""

    waiting: Sequence[Approval]
    decided: Sequence[Approval]
    customers: Mapping[UUID, str]
    invoices: Mapping[UUID, str]


async def draw_approvals(tx: Tx) -> Approvals:
    waiting = await approvals.list_approvals(tx, None, "open", QUEUE_MAX)
    decided = await store.decided(tx, CARDS)
    both = [*waiting, *decided]
    return Approvals(
        waiting,
        decided,
        await store.names(tx, [each.customer_id for each in both]),
        await store.numbers(tx, [each.invoice_id for each in both if each.invoice_id]),
    )


# --- reconciliations ---


async def list_reconciliations(tx: Tx, before: UUID | None) -> tuple[list[Listed], UUID | None]:
    found = await reconciliation.list_reconciliations(tx, before, differing=False, limit=ROWS + 1)
    return found[:ROWS], found[ROWS - 1].id if len(found) > ROWS else None
