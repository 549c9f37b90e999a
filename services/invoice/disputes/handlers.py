"""Disputes: opened, answered, escalated, resolved, and shrunk by payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.disputes import rules, store
from services.invoice.disputes.rules import (
    Attachment,
    AttachmentNotFound,
    Count,
    CountedBy,
    Dispute,
    DisputeNotFound,
    Message,
    OpenedBy,
    Resolution,
    SoldLine,
)
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Document, Invoice, Outcome
from services.invoice.movements.rules import hold_back, release
from services.invoice.pricing.rules import PricedLine
from shared import outbox
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id
from shared.money import Money, split

NEXT_ESCALATION = store.NEXT_ESCALATION
CHUNK = 200


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """`lines` are positions on the invoice; without an amount it is what they come to, without lines all that is
    left. `dispute_id` is the caller's own, which `was_opened` asks for."""

    invoice_id: UUID
    reason: str
    amount: Money | None = None
    code: str = "other"
    lines: tuple[int, ...] = ()
    owner: str | None = None
    answer_by: date | None = None
    opened_by: OpenedBy = "staff"
    dispute_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    invoice_id: UUID
    dispute_id: UUID
    outcome: Resolution
    note: str | None = None
    fresh_days: int | None = None


@dataclass(frozen=True, slots=True)
class AssignDispute:
    """What is None stays as it is."""

    dispute_id: UUID
    expected_version: int
    owner: str | None = None
    answer_by: date | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class AddMessage:
    dispute_id: UUID
    author: str
    body: str
    from_customer: bool = False


@dataclass(frozen=True, slots=True)
class AddAttachment:
    dispute_id: UUID
    author: str
    name: str
    media_type: str
    content: bytes
    from_customer: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A dispute with all that was said and sent about it."""

    dispute: Dispute
    invoice: Invoice
    messages: tuple[Message, ...]
    attachments: tuple[Attachment, ...]


# --- opened ---


async def open_dispute(tx: Tx, command: OpenDispute) -> tuple[Dispute, Invoice]:
    """Hold back a part or the whole of what is owed. Raises InvoiceNotFound, DisputeRefused, CodeUnknown, LinesUnknown,
    DeadlineRefused."""
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    today, policy = account.entity.today(tx.now), account.entity.policies.disputes
    lines = rules.named_lines(command.lines, sold_lines(await invoices.get_document(tx, invoice.id)))
    asked = command.amount
    if asked is None and command.lines:
        asked = rules.amount_of_lines(invoice, lines)
    amount = rules.disputed_amount(invoice, asked)
    dispute = Dispute(
        id=command.dispute_id or new_id(),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        status="open",
        reason=command.reason,
        amount_minor=amount,
        held_minor=amount,
        opened_on=today,
        code=rules.known_code(command.code, policy),
        lines=sorted(command.lines),
        opened_by=command.opened_by,
        owner=command.owner,
        answer_by=rules.answer_by(command.answer_by, policy, today),
        acknowledgement="wanted" if policy.acknowledge else "none",
    )
    outcome = hold_back(
        invoice,
        amount,
        dispute_id=dispute.id,
        reason=dispute.reason,
        on=today,
        code=dispute.code,
        answer_by=dispute.answer_by,
    )

    await store.insert(tx, dispute, rules.shares(amount, lines), _escalates_at(account.entity, dispute))
    await invoices.save(tx, account.entity, [outcome.invoice])
    await outbox.append(tx, *outcome.events)
    if policy.acknowledge and await deliveries.notify(
        tx,
        account.entity,
        account.customer,
        "dispute_acknowledged",
        invoice_id=invoice.id,
        dispute_id=dispute.id,
    ):
        await acknowledged(tx, dispute.id)
        dispute = replace(dispute, acknowledgement="sent")
    return dispute, outcome.invoice


async def was_opened(tx: Tx, dispute_id: UUID) -> bool:
    return await store.find(tx, dispute_id) is not None


def sold_lines(document: Document) -> list[SoldLine]:
    """An invoice's lines with their part of the tax: the tax of a group is shared among its lines by their net."""
    gross = {line.position: line.net_minor for line in document.lines}
    for group in document.taxes:
        own = [
            line
            for line in document.lines
            if (line.tax_category, line.tax_rate_bp) == (group.category, group.rate_bp) and line.net_minor > 0
        ]
        if own and group.tax_minor:
            parts = split(group.tax_minor, [line.net_minor for line in own])
            for line, part in zip(own, parts, strict=True):
                gross[line.position] += part
    return [
        SoldLine(
            line.position, gross[line.position], line.net_minor, (line.tax_category, line.tax_rate_bp), *_codes(line)
        )
        for line in document.lines
    ]


def _codes(line: PricedLine) -> tuple[str | None, str | None]:
    about = line.particulars
    return (about.product_code, about.seller_code) if about else (None, None)


def _escalates_at(entity: Entity, dispute: Dispute) -> datetime | None:
    day = rules.escalates_on(dispute)
    return entity.starts(day) if day else None


# --- worked on ---


async def assign_dispute(tx: Tx, command: AssignDispute) -> Record:
    """Say whose it is, by when it should be answered, and what it is counted under.

    Raises DisputeNotFound, PreconditionFailed, DisputeClosed, CodeUnknown, DeadlineRefused.
    """
    account, invoice, dispute = await lock_dispute(tx, command.dispute_id)
    if dispute.version != command.expected_version:
        raise PreconditionFailed(f"the dispute is at version {dispute.version}, not {command.expected_version}")
    if dispute.status != "open":
        raise rules.DisputeClosed(f"the dispute was {dispute.status} on {dispute.resolved_on}")
    policy, today = account.entity.policies.disputes, account.entity.today(tx.now)
    assigned = replace(
        dispute,
        version=dispute.version + 1,
        owner=command.owner or dispute.owner,
        code=rules.known_code(command.code, policy) if command.code else dispute.code,
        answer_by=rules.answer_by(command.answer_by, policy, today) if command.answer_by else dispute.answer_by,
    )
    await store.assign(tx, assigned, _escalates_at(account.entity, assigned))
    return await _record(tx, assigned, invoice)


async def add_message(tx: Tx, command: AddMessage) -> Message:
    """Write into the dispute's thread, also after its end. Raises DisputeNotFound."""
    await _found(tx, command.dispute_id)
    message = Message(new_id(), command.dispute_id, command.author, command.from_customer, command.body, tx.now)
    await store.add_message(tx, message)
    return message


async def add_attachment(tx: Tx, command: AddAttachment) -> Attachment:
    """Keep a file with the dispute; the same one again is the one that is there.

    Raises DisputeNotFound, AttachmentRefused.
    """
    _, _, dispute = await lock_dispute(tx, command.dispute_id)
    digest = sha256(command.content).digest()
    if same := await store.find_same(tx, dispute.id, digest):
        return same
    already = len(await store.attachments_of(tx, dispute.id))
    content = rules.attached(command.media_type, command.content, already)
    attachment = Attachment(
        id=new_id(),
        dispute_id=dispute.id,
        name=command.name,
        media_type=command.media_type,
        size_bytes=len(content),
        sha256=digest,
        author=command.author,
        from_customer=command.from_customer,
        added_at=tx.now,
    )
    await store.attach(tx, attachment, content)
    return attachment


async def escalate_disputes(tx: Tx) -> bool:
    """Mark disputes that should have been answered by now; whether there was any."""
    found = await store.to_escalate(tx, tx.now, CHUNK)
    if not found:
        return False
    await customers.lock_customers(tx, {customer_id for _, customer_id in found})
    disputes = await store.find_many(tx, [dispute_id for dispute_id, _ in found])
    escalated: list[Dispute] = []
    days: dict[str, date] = {}
    for dispute in disputes:
        invoice = await invoices.get_invoice(tx, dispute.invoice_id)
        if invoice.entity_id not in days:
            days[invoice.entity_id] = (await entities.get_entity(tx, invoice.entity_id)).today(tx.now)
        if marked := rules.escalate(dispute, days[invoice.entity_id]):
            escalated.append(marked)
    if escalated:
        await store.save(tx, escalated)
    return bool(escalated)


# --- ended ---


async def resolve_dispute(tx: Tx, command: ResolveDispute) -> tuple[Dispute, Invoice]:
    """End a dispute in the seller's favour: collection goes on, after fresh days when it was rejected. Raises
    InvoiceNotFound, DisputeNotFound, DisputeClosed."""
    account, invoice, dispute = await _lock_of_invoice(tx, command.invoice_id, command.dispute_id)
    today = account.entity.today(tx.now)
    fresh_days = command.fresh_days
    if fresh_days is None:
        fresh_days = account.entity.policies.disputes.fresh_days
    resolved = rules.resolve(dispute, command.outcome, today, note=command.note, fresh_days=fresh_days)
    return resolved, await _end(tx, account, invoice, dispute, resolved)


async def accept_dispute(
    tx: Tx, invoice_id: UUID, dispute_id: UUID, amount: Money | None, note: str | None, fresh_days: int | None
) -> tuple[Dispute, Invoice]:
    """End a dispute in the customer's favour; the credit note over what was accepted is the caller's, in the same
    transaction, and told to `credited`. Raises InvoiceNotFound, DisputeNotFound, DisputeClosed, DisputeRefused."""
    account, invoice, dispute = await _lock_of_invoice(tx, invoice_id, dispute_id)
    if fresh_days is None:
        fresh_days = account.entity.policies.disputes.fresh_days
    accepted = rules.accept(
        dispute, amount, invoice.currency, account.entity.today(tx.now), note=note, fresh_days=fresh_days
    )
    return accepted, await _end(tx, account, invoice, dispute, accepted)


async def credited(tx: Tx, dispute: Dispute, credit_note_id: UUID) -> Dispute:
    """Note the credit note that an accepted dispute led to."""
    await store.credited(tx, dispute.id, credit_note_id)
    return replace(dispute, credit_note_id=credit_note_id)


async def _end(tx: Tx, account: Account, invoice: Invoice, before: Dispute, ended: Dispute) -> Invoice:
    assert ended.status in ("rejected", "withdrawn", "accepted")
    assert ended.resolved_on is not None
    outcome = release(
        invoice,
        before.held_minor,
        amount=invoice.money(before.held_minor),
        dispute_id=ended.id,
        outcome=ended.status,
        on=ended.resolved_on,
        collect_again_on=ended.collect_again_on,
        accepted=invoice.money(ended.accepted_minor) if ended.accepted_minor else None,
    )
    await store.save(tx, [ended])
    await invoices.save(tx, account.entity, [outcome.invoice])
    await outbox.append(tx, *outcome.events)
    return outcome.invoice


async def shrink_disputes(
    tx: Tx, paid: Sequence[tuple[Invoice, Outcome]], on: date, *, credit_note: tuple[UUID, int] | None = None
) -> list[Outcome]:
    """What becomes of invoices a payment or a credit note moved: their disputes hold back at most what is still owed.

    Takes each invoice as it was with what was made of it, and returns the latter, gone on where a dispute was paid or
    credited (by a credit note, given with its total) in full and so ended; the caller saves and publishes.
    """
    touched = [after.invoice.id for before, after in paid if after.invoice.disputed_minor < before.disputed_minor]
    if not touched:
        return [after for _, after in paid]
    disputes: dict[UUID, list[Dispute]] = defaultdict(list)
    for dispute in await store.open_of(tx, touched):
        disputes[dispute.invoice_id].append(dispute)

    outcomes: list[Outcome] = []
    changed: list[Dispute] = []
    for _, after in paid:
        held = {dispute.id: dispute.held_minor for dispute in disputes[after.invoice.id]}
        shrunk = rules.shrink(
            disputes[after.invoice.id], after.invoice.disputed_minor, on, credited=credit_note is not None
        )
        changed += shrunk
        outcomes.append(_end_shrunk(after, shrunk, held, on))
    await store.save(tx, changed)
    if credit_note:
        await _note_credit(tx, [each for each in changed if each.status == "accepted"], *credit_note)
    return outcomes


async def _note_credit(tx: Tx, accepted: Sequence[Dispute], credit_note_id: UUID, total_minor: int) -> None:
    """A credit note over exactly what was disputed is what the dispute led to: so much was never owed. One over more
    is about other things too."""
    if sum(dispute.accepted_minor or 0 for dispute in accepted) == total_minor:
        for dispute in accepted:
            await store.credited(tx, dispute.id, credit_note_id)


def _end_shrunk(outcome: Outcome, shrunk: Sequence[Dispute], held: dict[UUID, int], on: date) -> Outcome:
    for dispute in shrunk:
        if dispute.status in ("paid", "accepted"):
            amount = outcome.invoice.money(held[dispute.id])
            ended = release(
                outcome.invoice,
                0,
                amount=amount,
                dispute_id=dispute.id,
                outcome=dispute.status,
                on=on,
                accepted=amount if dispute.status == "accepted" else None,
            )
            outcome = Outcome(ended.invoice, outcome.events + ended.events)
    return outcome


# --- word to the customer ---


async def acknowledged(tx: Tx, dispute_id: UUID) -> None:
    await store.acknowledged(tx, dispute_id)


# --- read ---


async def list_disputes(
    tx: Tx,
    *,
    after: UUID | None,
    limit: int,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    status: rules.Status | None = None,
    code: str | None = None,
    owner: str | None = None,
    escalated: bool | None = None,
) -> list[tuple[Dispute, Invoice]]:
    """The oldest first. Raises InvoiceNotFound."""
    if invoice_id:
        await invoices.get_invoice(tx, invoice_id)
    found = await store.page(
        tx,
        after=after,
        invoice_id=invoice_id,
        customer_id=customer_id,
        status=status,
        code=code,
        owner=owner,
        escalated=escalated,
        limit=limit,
    )
    of = {each: await invoices.get_invoice(tx, each) for each in {dispute.invoice_id for dispute in found}}
    return [(dispute, of[dispute.invoice_id]) for dispute in found]


async def get_dispute(tx: Tx, dispute_id: UUID) -> Record:
    """Raises DisputeNotFound."""
    dispute = await _found(tx, dispute_id)
    return await _record(tx, dispute, await invoices.get_invoice(tx, dispute.invoice_id))


async def get_attachment(tx: Tx, dispute_id: UUID, attachment_id: UUID) -> tuple[Attachment, bytes]:
    """Raises AttachmentNotFound."""
    found = await store.content_of(tx, dispute_id, attachment_id)
    if found is None:
        raise AttachmentNotFound(f"dispute {dispute_id} has no attachment {attachment_id}")
    return found


async def count_disputes(
    tx: Tx, by: CountedBy, first: date, last: date, entity_id: str | None, limit: int
) -> list[Count]:
    """Disputes opened between two days, both included, by what or whom they are about, the largest sum first."""
    return await store.count(tx, by, first, last, entity_id, limit)


async def credit_notes_of(tx: Tx, invoice_ids: Sequence[UUID]) -> set[UUID]:
    """The credit notes over what was disputed with reason: that much was never owed."""
    return await store.credit_notes_of(tx, invoice_ids)


async def lock_dispute(tx: Tx, dispute_id: UUID) -> tuple[Account, Invoice, Dispute]:
    """A dispute for writing, under the lock of its account. Raises DisputeNotFound."""
    seen = await _found(tx, dispute_id)
    account, invoice = await invoices.lock_invoice(tx, seen.invoice_id)
    return account, invoice, await _found(tx, dispute_id)


async def _lock_of_invoice(tx: Tx, invoice_id: UUID, dispute_id: UUID) -> tuple[Account, Invoice, Dispute]:
    account, invoice = await invoices.lock_invoice(tx, invoice_id)
    dispute = await store.find(tx, dispute_id)
    if dispute is None or dispute.invoice_id != invoice.id:
        raise DisputeNotFound(f"invoice {invoice.number} has no dispute {dispute_id}")
    return account, invoice, dispute


async def _found(tx: Tx, dispute_id: UUID) -> Dispute:
    dispute = await store.find(tx, dispute_id)
    if dispute is None:
        raise DisputeNotFound(f"there is no dispute {dispute_id}")
    return dispute


async def _record(tx: Tx, dispute: Dispute, invoice: Invoice) -> Record:
    messages = await store.messages_of(tx, dispute.id)
    return Record(dispute, invoice, tuple(messages), tuple(await store.attachments_of(tx, dispute.id)))
