"""Write-offs: booked at once or after a second person's approval, and taken back when the money comes after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.invoice.approvals import handlers as approvals
from services.invoice.approvals.rules import Approval
from services.invoice.customers.rules import Account
from services.invoice.disputes import handlers as disputes
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Invoice
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Entry
from services.invoice.movements.rules import restore, take_off
from services.invoice.write_offs import rules, store
from services.invoice.write_offs.rules import ReasonCode, Status, WriteOff, WriteOffNotFound
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class WriteOffInvoice:
    invoice_id: UUID
    amount: Money | None
    reason_code: ReasonCode
    note: str | None
    requested_by: str


@dataclass(frozen=True, slots=True)
class DecideWriteOff:
    approval_id: UUID
    approved: bool
    decided_by: str
    note: str | None = None


async def write_off_invoice(tx: Tx, command: WriteOffInvoice) -> tuple[WriteOff, Invoice]:
    """Give up a part or the whole of what is owed, or ask a second person to, by the entity's policy.

    Raises InvoiceNotFound, WriteOffRefused.
    """
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    amount = rules.written_off_amount(invoice, command.amount)
    asked = WriteOff(
        id=new_id(),
        entity_id=invoice.entity_id,
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        currency=invoice.currency,
        amount_minor=amount,
        reason_code=command.reason_code,
        note=command.note,
        status="awaiting_approval",
        requested_by=command.requested_by,
        requested_at=tx.now,
    )
    if rules.needs_approval(account.entity.policies.write_offs, invoice.money(amount)):
        approval = _approval(asked)
        await approvals.request_approval(tx, approval)
        waiting = replace(asked, approval_id=approval.id)
        await store.insert(tx, waiting)
        return waiting, invoice

    booked, invoice = await _book(tx, account, invoice, asked)
    await store.insert(tx, booked)
    return booked, invoice


def _approval(asked: WriteOff) -> Approval:
    return Approval(
        id=new_id(),
        entity_id=asked.entity_id,
        customer_id=asked.customer_id,
        kind="write_off",
        subject_id=asked.id,
        invoice_id=asked.invoice_id,
        currency=asked.currency,
        amount_minor=asked.amount_minor,
        reason=f"{asked.reason_code}: {asked.note}" if asked.note else asked.reason_code,
        status="open",
        requested_by=asked.requested_by,
        requested_at=asked.requested_at,
    )


async def decide_write_off(tx: Tx, command: DecideWriteOff) -> tuple[Approval, WriteOff]:
    """Approve, which writes off at once, or reject.

    Raises ApprovalNotFound, ApprovalDecided, SecondPersonNeeded, and WriteOffRefused when less is owed by now than was
    asked to be written off.
    """
    seen = await approvals.get_approval(tx, command.approval_id)
    asked = await get_write_off(tx, seen.subject_id)
    account, invoice = await invoices.lock_invoice(tx, asked.invoice_id)
    approval = await approvals.decide_approval(
        tx, command.approval_id, approved=command.approved, by=command.decided_by, note=command.note
    )
    if command.approved:
        rules.written_off_amount(invoice, asked.amount)
        decided, _ = await _book(tx, account, invoice, asked)
    else:
        decided = replace(asked, status="rejected")
    await store.save(tx, decided)
    return approval, decided


async def _book(tx: Tx, account: Account, invoice: Invoice, asked: WriteOff) -> tuple[WriteOff, Invoice]:
    today = account.entity.today(tx.now)
    adjustment = Adjustment(
        id=new_id(),
        invoice_id=invoice.id,
        component="write_off",
        amount_minor=asked.amount_minor,
        effective_on=today,
        booked_on=today,
        reason=asked.reason_code,
        source_id=asked.id,
    )
    [outcome] = await disputes.shrink_disputes(tx, [(invoice, take_off(invoice, adjustment))], today)
    entries = rules.entries(invoice, adjustment, tax_relief=account.entity.policies.write_offs.tax_relief)
    await invoices.adjust(tx, account, [(adjustment, outcome)], entries)
    return replace(asked, status="written_off", written_off_on=today), outcome.invoice


async def take_back_write_offs(
    tx: Tx, account: Account, invoice: Invoice, amount_minor: int, *, payment_id: UUID | None = None
) -> Invoice:
    """Make so much of what was written off owed again, with effect from today, and return the invoice afterwards.

    With a payment it is a recovery, and what it was worth is booked as such; without one the write-off was wrong. Each
    write-off comes back whole, and what is too much of the last one is written off anew.
    """
    today = account.entity.today(tx.now)
    standing = [
        each
        for each in await invoices.adjustments_of(tx, [invoice.id])
        if each.component == "write_off" and each.reversed_on is None
    ]
    for taken in rules.take_back(standing, amount_minor):
        invoice = await _take_back(tx, account, invoice, taken, today, payment_id)
    return invoice


async def _take_back(
    tx: Tx, account: Account, invoice: Invoice, taken: rules.TakenBack, today: date, payment_id: UUID | None
) -> Invoice:
    tax_relief = account.entity.policies.write_offs.tax_relief
    back = restore(invoice, taken.adjustment, on=today)
    await invoices.restore(tx, account, [(taken.adjustment, back)], on=today, booked_on=today)
    invoice, lost_again = back.invoice, 0
    if taken.again_minor:
        again = replace(
            taken.adjustment,
            id=new_id(),
            amount_minor=taken.again_minor,
            effective_on=today,
            booked_on=today,
        )
        entries = rules.entries(invoice, again, tax_relief=tax_relief)
        lost_again = _bad_debt(entries)
        outcome = take_off(invoice, again)
        await invoices.adjust(tx, account, [(again, outcome)], entries)
        invoice = outcome.invoice
    if payment_id:
        was_lost = await journal.debited(tx, taken.adjustment.id, "bad_debt")
        recovered = _recovered(invoice, was_lost - lost_again, today, payment_id)
        await journal.post(tx, recovered)
    return invoice


def _bad_debt(entries: Sequence[Entry]) -> int:
    return sum(entry.amount_minor for entry in entries if entry.debit == "bad_debt")


def _recovered(invoice: Invoice, minor: int, today: date, payment_id: UUID) -> list[Entry]:
    """The loss stays where it was booked, and what came back of it stands beside it."""
    if minor <= 0:
        return []
    return [
        Entry(
            invoice.entity_id,
            invoice.customer_id,
            today,
            today,
            "recovery",
            debit="bad_debt",
            credit="bad_debt_recovered",
            amount_minor=minor,
            currency=invoice.currency,
            invoice_id=invoice.id,
            payment_id=payment_id,
        )
    ]


async def get_write_off(tx: Tx, write_off_id: UUID) -> WriteOff:
    """Raises WriteOffNotFound."""
    found = await store.find(tx, write_off_id)
    if found is None:
        raise WriteOffNotFound(f"there is no write-off {write_off_id}")
    return found


async def list_write_offs(
    tx: Tx, *, after: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, status: Status | None, limit: int
) -> list[WriteOff]:
    """In the order they were asked for."""
    return await store.page(tx, after, invoice_id, customer_id, status, limit)
