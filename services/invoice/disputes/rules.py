"""Disputes: a part or the whole of an invoice that the customer contests; only that much is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from services.invoice.entities.rules import DisputePolicy
from services.invoice.invoices.rules import Invoice
from services.invoice.pricing.rules import BP, divide_half_even
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money, split

Status = Literal["open", "rejected", "withdrawn", "paid", "accepted"]
Resolution = Literal["rejected", "withdrawn"]
OpenedBy = Literal["staff", "customer"]
Acknowledgement = Literal["none", "wanted", "sent"]
CountedBy = Literal["reason", "product", "seller"]

ANSWER_DAYS_MAX = 365
MESSAGE_CHARACTERS_MAX = 5_000
ATTACHMENT_BYTES_MAX = 5 * 1024 * 1024
ATTACHMENTS_MAX = 20

_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "text/plain": (b"",),
}
MEDIA_TYPES = tuple(_BEGINNINGS)
"""What may be attached: nothing that a browser would run. The first bytes have to be what the type says."""


class DisputeNotFound(NotFound):
    slug = "dispute-not-found"
    title = "There is no such dispute"


class DisputeRefused(Refused):
    slug = "dispute-amount"
    title = "So much cannot be disputed"


class CodeUnknown(Refused):
    slug = "dispute-code"
    title = "Disputes are not counted under this reason"


class LinesUnknown(Refused):
    slug = "dispute-lines"
    title = "The invoice does not have these lines"


class DeadlineRefused(Refused):
    slug = "dispute-deadline"
    title = "A dispute cannot be answered by then"


class DisputeClosed(Conflict):
    slug = "dispute-closed"
    title = "The dispute is resolved already"


class AttachmentRefused(Refused):
    slug = "attachment-refused"
    title = "This cannot be attached"


class AttachmentNotFound(NotFound):
    slug = "attachment-not-found"
    title = "There is no such attachment"


@dataclass(frozen=True, slots=True)
class Dispute:
    """`amount_minor` is what was contested, `held_minor` what of it is still held back from collection. `reason` is
    what the customer says, `code` what it is counted under. `accepted_minor` was credited, the rest is owed again."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    status: Status
    reason: str
    amount_minor: int
    held_minor: int
    opened_on: date
    resolved_on: date | None = None
    version: int = 1
    code: str = "other"
    lines: Sequence[int] = ()
    opened_by: OpenedBy = "staff"
    owner: str | None = None
    answer_by: date | None = None
    escalated_on: date | None = None
    acknowledgement: Acknowledgement = "none"
    resolution_note: str | None = None
    accepted_minor: int | None = None
    credit_note_id: UUID | None = None
    collect_again_on: date | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What of a disputed amount falls on a line of the invoice, and what and who it was sold by."""

    position: int
    amount_minor: int
    product_code: str | None = None
    seller_code: str | None = None


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as far as disputes go: its net and tax, what it adds to the total with its part of the tax, its codes."""

    position: int
    gross_minor: int
    net_minor: int = 0
    tax: tuple[str, int] = ("O", 0)
    product_code: str | None = None
    seller_code: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    id: UUID
    dispute_id: UUID
    author: str
    from_customer: bool
    body: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    id: UUID
    dispute_id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: bytes
    author: str
    from_customer: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """Disputes of one reason, product or seller in one currency. `days_to_resolve` is the mean over those that were
    decided."""

    key: str | None
    currency: str
    disputes: int
    open: int
    escalated: int
    accepted: int
    rejected: int
    amount_minor: int
    credited_minor: int
    days_to_resolve: Decimal | None


def disputed_amount(invoice: Invoice, asked: Money | None) -> int:
    """What a new dispute holds back, in minor units: the amount asked, or all that is not disputed yet.

    Raises DisputeRefused.
    """
    free = invoice.collectable_minor
    if invoice.balance_minor == 0:
        raise DisputeRefused(f"nothing is owed on invoice {invoice.number} any more")
    if free == 0 and invoice.planned_minor:
        raise DisputeRefused(f"invoice {invoice.number} is paid by a plan; call that off to dispute it")
    if free == 0:
        raise DisputeRefused(f"all of invoice {invoice.number} is disputed already")
    if asked is None:
        return free
    if asked.currency != invoice.currency:
        raise DisputeRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if not 0 < asked.minor <= free:
        raise DisputeRefused(
            f"{asked} cannot be disputed; between nothing and {invoice.money(free)} can", field="/amount"
        )
    return asked.minor


def known_code(code: str, policy: DisputePolicy) -> str:
    """The code itself when the entity counts disputes under it. Raises CodeUnknown."""
    if code not in policy.codes:
        raise CodeUnknown(f"disputes are counted as {', '.join(policy.codes)}, not as {code}", field="/code")
    return code


def answer_by(stated: date | None, policy: DisputePolicy, today: date) -> date | None:
    """The day by which the seller should answer: as stated, else so many days from today. Raises DeadlineRefused."""
    if stated is None:
        return today + timedelta(days=policy.answer_days) if policy.answer_days else None
    if not today <= stated <= today + timedelta(days=ANSWER_DAYS_MAX):
        raise DeadlineRefused(f"a day from {today} on is wanted, at most {ANSWER_DAYS_MAX} later", field="/answer_by")
    return stated


def named_lines(wanted: Sequence[int], lines: Sequence[SoldLine]) -> list[SoldLine]:
    """The lines of these positions; all when none is named. Raises LinesUnknown."""
    if not wanted:
        return list(lines)
    by_position = {line.position: line for line in lines}
    for n, position in enumerate(wanted):
        if position not in by_position:
            raise LinesUnknown(f"the invoice has no line {position}", field=f"/lines/{n}")
    if len(set(wanted)) != len(wanted):
        raise LinesUnknown("a line is named twice", field="/lines")
    return [by_position[position] for position in sorted(wanted)]


def amount_of_lines(invoice: Invoice, lines: Sequence[SoldLine]) -> Money | None:
    """What lines come to, as a credit note over them would (the tax of each group rounded once, EN 16931, BR-CO-17), as
    far as it can still be disputed; None (all that is left) when that is nothing."""
    nets: dict[tuple[str, int], int] = {}
    for line in lines:
        nets[line.tax] = nets.get(line.tax, 0) + line.net_minor
    gross = sum(net + divide_half_even(net * rate_bp, BP) for (_, rate_bp), net in nets.items())
    minor = min(gross, invoice.collectable_minor)
    return invoice.money(minor) if minor > 0 else None


def shares(amount_minor: int, lines: Sequence[SoldLine]) -> list[Share]:
    """A disputed amount by lines, in proportion to what each comes to; the parts add up to the whole."""
    weights = [max(line.gross_minor, 0) for line in lines]
    if not any(weights):
        return []
    parts = split(amount_minor, weights)
    return [
        Share(line.position, part, line.product_code, line.seller_code) for line, part in zip(lines, parts, strict=True)
    ]


def resolve(
    dispute: Dispute, outcome: Resolution, on: date, *, note: str | None = None, fresh_days: int = 0
) -> Dispute:
    """Close it in the seller's favour; what it held back may be collected again, after fresh days when it was
    rejected. Raises DisputeClosed."""
    _still_open(dispute)
    again_on = on + timedelta(days=fresh_days) if fresh_days and outcome == "rejected" else None
    return replace(
        dispute,
        version=dispute.version + 1,
        status=outcome,
        held_minor=0,
        resolved_on=on,
        resolution_note=note,
        collect_again_on=again_on,
    )


def accept(
    dispute: Dispute, asked: Money | None, currency: str, on: date, *, note: str | None = None, fresh_days: int = 0
) -> Dispute:
    """Close it in the customer's favour: what is still held is credited, or the part of it that is named; the rest is
    owed. Raises DisputeClosed, DisputeRefused."""
    _still_open(dispute)
    accepted = asked.minor if asked else dispute.held_minor
    if asked and asked.currency != currency:
        raise DisputeRefused(f"the dispute is in {currency}, not {asked.currency}", field="/amount/currency")
    if not 0 < accepted <= dispute.held_minor:
        held = Money(dispute.held_minor, currency)
        raise DisputeRefused(f"between nothing and {held} can be accepted, not {asked}", field="/amount")
    rest = dispute.held_minor - accepted
    return replace(
        dispute,
        version=dispute.version + 1,
        status="accepted",
        held_minor=0,
        resolved_on=on,
        resolution_note=note,
        accepted_minor=accepted,
        collect_again_on=on + timedelta(days=fresh_days) if rest and fresh_days else None,
    )


def _still_open(dispute: Dispute) -> None:
    if dispute.status != "open":
        raise DisputeClosed(f"the dispute was {dispute.status} on {dispute.resolved_on}")


def escalate(dispute: Dispute, today: date) -> Dispute | None:
    """The dispute escalated when the day it should have been answered by has passed; None while it has not."""
    if dispute.status != "open" or dispute.escalated_on or dispute.answer_by is None or today <= dispute.answer_by:
        return None
    return replace(dispute, version=dispute.version + 1, escalated_on=today)


def escalates_on(dispute: Dispute) -> date | None:
    """The day on which nobody will have answered in time; None when it is escalated or over already."""
    if dispute.status != "open" or dispute.escalated_on or dispute.answer_by is None:
        return None
    return dispute.answer_by + ONE_DAY


def attached(media_type: str, content: bytes, already: int) -> bytes:
    """The content itself when it may be attached. Raises AttachmentRefused."""
    if media_type not in _BEGINNINGS:
        raise AttachmentRefused(f"one of {', '.join(MEDIA_TYPES)} is wanted, not {media_type}", field="/media_type")
    if not 0 < len(content) <= ATTACHMENT_BYTES_MAX:
        raise AttachmentRefused(f"between 1 and {ATTACHMENT_BYTES_MAX:,} bytes are wanted", field="/content")
    if already >= ATTACHMENTS_MAX:
        raise AttachmentRefused(f"a dispute has at most {ATTACHMENTS_MAX} attachments")
    if not content.startswith(_BEGINNINGS[media_type]):
        raise AttachmentRefused(f"the content is no {media_type}", field="/content")
    if media_type == "text/plain":
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise AttachmentRefused("text is taken as UTF-8", field="/content") from None
        if "\0" in text:
            raise AttachmentRefused("the content is no text/plain", field="/content")
    return content


def shrink(disputes: Sequence[Dispute], to_minor: int, on: date, *, credited: bool = False) -> list[Dispute]:
    """The disputes that change when no more than `to_minor` may be held back, the oldest giving way first.

    One that holds nothing any more is over: it was paid, or (`credited`) a credit note gave the customer right.
    """
    excess = sum(dispute.held_minor for dispute in disputes) - to_minor
    changed = []
    for dispute in sorted(disputes, key=lambda each: (each.opened_on, each.id)):
        given_up = min(dispute.held_minor, max(excess, 0))
        if given_up:
            excess -= given_up
            held = dispute.held_minor - given_up
            over = held == 0
            by_credit = credited and over
            changed.append(
                replace(
                    dispute,
                    version=dispute.version + 1,
                    held_minor=held,
                    status="open" if not over else "accepted" if by_credit else "paid",
                    resolved_on=on if over else None,
                    accepted_minor=given_up if by_credit else None,
                )
            )
    return changed


class DisputeOut(BaseModel):
    """A dispute as it is answered. `held` is what of the amount is still kept out of collection; it shrinks as the
    invoice is paid. `code` is what it is counted under. `escalated_on` is the day on which an answer was missing. What
    was `accepted` is credited by `credit_note_id`; what is owed again is not chased before `collect_again_on`."""

    id: UUID
    invoice_id: UUID
    invoice_number: str
    customer_id: UUID
    status: Status
    code: str
    reason: str
    lines: list[int]
    amount: Money
    held: Money
    opened_on: date
    opened_by: OpenedBy
    owner: str | None
    answer_by: date | None
    escalated_on: date | None
    acknowledgement: Acknowledgement
    resolved_on: date | None
    resolution_note: str | None
    accepted: Money | None
    credit_note_id: UUID | None
    collect_again_on: date | None
    version: int

    @classmethod
    def of(cls, dispute: Dispute, invoice: Invoice) -> DisputeOut:
        return cls(**shown(dispute, invoice))


def shown(dispute: Dispute, invoice: Invoice) -> dict[str, Any]:
    """The fields of a dispute as it is answered."""
    return {
        "id": dispute.id,
        "invoice_id": dispute.invoice_id,
        "invoice_number": invoice.number,
        "customer_id": dispute.customer_id,
        "status": dispute.status,
        "code": dispute.code,
        "reason": dispute.reason,
        "lines": list(dispute.lines),
        "amount": invoice.money(dispute.amount_minor),
        "held": invoice.money(dispute.held_minor),
        "opened_on": dispute.opened_on,
        "opened_by": dispute.opened_by,
        "owner": dispute.owner,
        "answer_by": dispute.answer_by,
        "escalated_on": dispute.escalated_on,
        "acknowledgement": dispute.acknowledgement,
        "resolved_on": dispute.resolved_on,
        "resolution_note": dispute.resolution_note,
        "accepted": invoice.money(dispute.accepted_minor) if dispute.accepted_minor else None,
        "credit_note_id": dispute.credit_note_id,
        "collect_again_on": dispute.collect_again_on,
        "version": dispute.version,
    }
