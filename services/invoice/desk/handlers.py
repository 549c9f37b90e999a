"""The pages' contents, gathered from the other features, and the one action that has no handler of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from services.invoice.approvals import handlers as approvals
from services.invoice.approvals.rules import Approval
from services.invoice.completeness import handlers as completeness
from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.rules import CreditNote
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, Customer
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries.rules import Delivery
from services.invoice.desk import rules, store
from services.invoice.desk.rules import (
    DisputeRow,
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
from services.invoice.documents.rules import Defect, defects, paper_of
from services.invoice.drafting.rules import Finding
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts.rules import Draft
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, QUIET, Entity
from services.invoice.import_rows.rules import BadRow
from services.invoice.imports import handlers as imports
from services.invoice.imports.rules import Import
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import Adjustment, CreditAnswer, Document
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Booked, Chart, EntryFilter
from services.invoice.matching import handlers as matching
from services.invoice.matching.rules import Shown as Cash
from services.invoice.matching.rules import Status as CashStatus
from services.invoice.matching.rules import rate
from services.invoice.pricing.rules import Priced
from services.invoice.reconciliation import handlers as reconciliation
from services.invoice.reconciliation.rules import Listed
from shared.db import Tx

ROWS = 50
CARDS = 20
QUEUE_MAX = 500
OF_INVOICE_MAX = 200
RATE_DAYS = 30
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


# --- drafts ---


@dataclass(frozen=True, slots=True)
class DraftRow:
    draft: Draft
    priced: Priced
    customer_name: str
    days: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class DraftShown:
    """A draft with what it lacks, as it stands."""

    draft: Draft
    priced: Priced
    account: Account
    findings: Sequence[Finding]


async def list_drafts(tx: Tx, after: UUID | None) -> tuple[list[DraftRow], UUID | None]:
    """The oldest first, and behind which the next page begins."""
    found = await drafts.list_drafts(tx, after, None, ROWS + 1)
    shown = found[:ROWS]
    names = await store.names(tx, [draft.customer_id for draft in shown])
    days_max = {name: await _draft_days_max(tx, name) for name in {draft.entity_id for draft in shown}}
    rows = [
        DraftRow(
            draft,
            draft.wanted.priced(),
            names[draft.customer_id],
            (tx.now - draft.created_at).days,
            tx.now - draft.created_at >= timedelta(days=days_max[draft.entity_id]),
        )
        for draft in shown
    ]
    return rows, shown[-1].id if len(found) > ROWS else None


async def _draft_days_max(tx: Tx, entity_id: str) -> int:
    return (await entities.get_entity(tx, entity_id)).policies.draft_days_max


async def draw_draft(tx: Tx, draft_id: UUID) -> DraftShown:
    """Raises DraftNotFound."""
    draft = await drafts.get_draft(tx, draft_id)
    account = await _account(tx, draft.customer_id, draft.entity_id)
    command = asked(draft, CreditAnswer("", "not_asked"))
    subject = invoices.subject_of(command, account.customer, account.entity)
    issued_on = draft.wanted.issue_date or account.entity.today(tx.now)
    return DraftShown(draft, command.priced, account, await completeness.find(tx, subject, issued_on))


def asked(draft: Draft, credit: CreditAnswer) -> IssueInvoice:
    """What a draft asks to have issued, under its own id."""
    wanted = draft.wanted
    command = IssueInvoice.asked(CustomerRef(draft.customer_id), wanted, wanted.priced(), credit)
    return replace(command, invoice_id=draft.id)


async def issue_draft(tx: Tx, draft: Draft, credit: CreditAnswer) -> Document:
    """Issue a draft as it was read; credit has been asked. Raises DraftChanged, and what issuing may raise."""
    await drafts.hand_over(tx, draft)
    return await invoices.issue_invoice(tx, asked(draft, credit))


# --- cash application ---


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
        names=await store.names(tx, list(of)),
        rate=rate(sum(each.entries for each in ours if each.status == "automatic"), entries),
        rate_entries=entries,
    )


# --- disputes, approvals ---


async def list_disputes(tx: Tx, *, are_open: bool) -> list[DisputeRow]:
    """By deadline, or the latest that are over first; at most 500."""
    return await store.disputes(tx, are_open=are_open, limit=QUEUE_MAX)


@dataclass(frozen=True, slots=True)
class DisputeShown:
    record: disputes.Record
    customer_name: str
    today: date


async def draw_dispute(tx: Tx, dispute_id: UUID) -> DisputeShown:
    """Raises DisputeNotFound."""
    record = await disputes.get_dispute(tx, dispute_id)
    account = await _account(tx, record.dispute.customer_id, record.invoice.entity_id)
    return DisputeShown(record, account.customer.name, account.entity.today(tx.now))


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


# --- imports, reconciliations ---


async def list_imports(tx: Tx, before: UUID | None) -> tuple[list[Import], UUID | None]:
    found = await imports.list_imports(tx, before, ROWS + 1)
    return found[:ROWS], found[ROWS - 1].id if len(found) > ROWS else None


async def draw_import(tx: Tx, import_id: UUID, after_line: int) -> tuple[Import, list[BadRow], int | None]:
    """An import with its refused rows, and behind which line the next page of them begins. Raises ImportNotFound."""
    one = await imports.get_import(tx, import_id)
    found = await imports.list_errors(tx, import_id, after_line, ROWS + 1)
    return one, found[:ROWS], found[ROWS - 1].line if len(found) > ROWS else None


async def list_reconciliations(tx: Tx, before: UUID | None) -> tuple[list[Listed], UUID | None]:
    found = await reconciliation.list_reconciliations(tx, before, differing=False, limit=ROWS + 1)
    return found[:ROWS], found[ROWS - 1].id if len(found) > ROWS else None
