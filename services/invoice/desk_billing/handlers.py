"""What the pages of drafts, imports and held periods show, and the one action that has no handler of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.invoice.billing_days.rules import Period, Recurring
from services.invoice.completeness import handlers as completeness
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.drafting.rules import Finding
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts.rules import Draft
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import Entity
from services.invoice.import_rows.rules import BadRow
from services.invoice.imports import handlers as imports
from services.invoice.imports.rules import Import
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditAnswer, Document
from services.invoice.mappings import handlers as mappings
from services.invoice.mappings.rules import Saved
from services.invoice.pricing.rules import Priced
from services.invoice.recurring import handlers as recurring
from shared.db import Tx

ROWS = 50
HELD_MAX = 500
CHOICES_MAX = 200


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
    names = await _names(tx, {draft.customer_id for draft in shown})
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


# --- recurring invoices ---


@dataclass(frozen=True, slots=True)
class HeldRow:
    recurring: Recurring
    period: Period
    customer_name: str


async def list_held(tx: Tx) -> list[HeldRow]:
    """Periods that wait for somebody, at most 500."""
    held = await recurring.list_periods(tx, None, status="held", after=None, limit=HELD_MAX)
    agreed = {each: await recurring.get_recurring(tx, each) for each in {period.recurring_id for period in held}}
    names = await _names(tx, {each.customer_id for each in agreed.values()})
    rows = [HeldRow(agreed[each.recurring_id], each, names[agreed[each.recurring_id].customer_id]) for each in held]
    return sorted(rows, key=lambda row: (row.period.bill.bill_on, row.customer_name))


# --- imports ---


@dataclass(frozen=True, slots=True)
class Imports:
    """A page of imports, behind which the next begins, and what a new one may be read by and for."""

    rows: Sequence[Import]
    older: UUID | None
    profiles: Sequence[Saved]
    entities: Sequence[Entity]


async def draw_imports(tx: Tx, before: UUID | None) -> Imports:
    found = await imports.list_imports(tx, before, ROWS + 1)
    return Imports(
        found[:ROWS],
        found[ROWS - 1].id if len(found) > ROWS else None,
        await mappings.list_profiles(tx, None, CHOICES_MAX),
        await entities.list_entities(tx, None, CHOICES_MAX),
    )


async def draw_import(tx: Tx, import_id: UUID, after_line: int) -> tuple[Import, list[BadRow], int | None]:
    """An import with its refused rows, and behind which line the next page of them begins. Raises ImportNotFound."""
    one = await imports.get_import(tx, import_id)
    found = await imports.list_errors(tx, import_id, after_line, ROWS + 1)
    return one, found[:ROWS], found[ROWS - 1].line if len(found) > ROWS else None


async def _names(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, str]:
    return {each.id: each.name for each in await customers.find_customers(tx, list(customer_ids), [])}


async def _account(tx: Tx, customer_id: UUID, entity_id: str) -> Account:
    account = await customers.find_account(tx, CustomerRef(customer_id), entity_id)
    assert account is not None
    return account
