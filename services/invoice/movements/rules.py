"""What moves the balance of an invoice: paid, adjusted, and each of these taken back; held back by a dispute.

Every function takes the invoice as it stands and returns it as it stands afterwards with the events that say so; each
event bears a version of its own. `effective_on` never goes back behind the last rise of the balance, so that the sum
of changes up to any date is the balance at the end of that date, and never below zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

from services.invoice.invoices.rules import Adjustment, ChargeKind, Component, DisputeOutcome, Invoice, Outcome
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoiceOverdueCleared,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.money import Money

_FIELD_OF: dict[Component, str] = {
    "charge": "charged_minor",
    "credit_note": "credited_minor",
    "discount": "discounted_minor",
    "small_difference": "difference_minor",
    "write_off": "written_off_minor",
}
SettledBy = Literal["allocation", "credit_note", "discount", "small_difference", "restored"]


def allocate(
    invoice: Invoice, amount_minor: int, *, received_on: date, booked_on: date, effective_on: date | None = None
) -> Outcome:
    """Pay `amount_minor` of the balance with money received on a date; settling it ends its overdue episode at once.

    The disputed amount shrinks to at most what is still owed. The caller has checked the amount, and knows from
    `counts_from` where it counts from an earlier day than the last rise of the balance.
    """
    counts_on = effective_on or effective_date(invoice, received_on)
    paid = _lowered(invoice, "allocated_minor", amount_minor, counts_on)
    return _less_owed(paid, -amount_minor, "allocation", counts_on, booked_on)


def take_off(invoice: Invoice, adjustment: Adjustment) -> Outcome:
    """Lower the balance by a credit note, a discount, a small difference or a write-off. The caller has checked that
    so much is owed; what is disputed or on a plan shrinks to at most what is left."""
    amount, on, booked_on = adjustment.amount_minor, adjustment.effective_on, adjustment.booked_on
    lowered = _lowered(invoice, _FIELD_OF[adjustment.component], amount, on)
    if adjustment.component in ("discount", "small_difference"):
        return _less_owed(lowered, -amount, adjustment.component, on, booked_on)

    about: dict[str, Any] = {
        "customer_id": lowered.customer_id,
        "effective_on": on,
        "booked_on": booked_on,
        "entity_id": lowered.entity_id,
        "invoice": lowered.state(),
        "change": lowered.money(-amount),
        "reason": adjustment.reason,
    }
    if adjustment.component == "write_off":
        told: InvoiceEvent = InvoiceWrittenOff(**about, write_off_id=adjustment.source_id)
    else:
        told = InvoiceCredited(
            **about, credit_note_id=adjustment.source_id, credit_note_number=adjustment.source_number or ""
        )
    if lowered.balance_minor:
        return _up_to_date(Outcome(lowered, (told,)), booked_on)
    if adjustment.component == "write_off":
        ended = _clear_overdue(lowered, on, booked_on)
    else:
        ended = _less_owed(replace(lowered, version=lowered.version + 1), 0, "credit_note", on, booked_on)
    return Outcome(ended.invoice, (told, *ended.events))


def charge(invoice: Invoice, adjustment: Adjustment, kind: ChargeKind) -> Outcome:
    """Add interest, a fee or a recovery cost to what is owed, also on an invoice settled before: it is open again."""
    assert adjustment.component == "charge"
    raised = _raised(invoice, "charged_minor", adjustment.amount_minor, adjustment.effective_on)
    charged = InvoiceCharged(
        customer_id=raised.customer_id,
        effective_on=adjustment.effective_on,
        booked_on=adjustment.booked_on,
        entity_id=raised.entity_id,
        invoice=raised.state(),
        change=raised.money(adjustment.amount_minor),
        charge_id=adjustment.source_id,
        kind=kind,
        reason=adjustment.reason,
    )
    return Outcome(raised, (charged,))


def restore(invoice: Invoice, adjustment: Adjustment, *, on: date) -> Outcome:
    """Take an adjustment back: what a credit note or its like took off is owed again, a charge is waived.

    The caller has checked that a charge waived is still owed (what of it was paid is a credit note's matter).
    """
    field, amount = _FIELD_OF[adjustment.component], adjustment.amount_minor
    assert amount <= getattr(invoice, field)
    if adjustment.component == "charge":
        waived = _lowered(invoice, field, -amount, on)
        return _less_owed(waived, -amount, "restored", on, on)
    return _more_owed(_raised(invoice, field, -amount, on), amount, "restored", on)


def void(invoice: Invoice, adjustment: Adjustment) -> Outcome:
    """Take back an invoice that should not have been issued: a credit note over all that is owed, under a status of
    its own. The caller has checked that nothing was paid of it."""
    assert adjustment.component == "credit_note"
    assert adjustment.amount_minor == invoice.balance_minor
    lowered = _lowered(invoice, "credited_minor", adjustment.amount_minor, adjustment.effective_on)
    voided = replace(lowered, voided_on=adjustment.effective_on)
    event = InvoiceVoided(
        customer_id=voided.customer_id,
        effective_on=adjustment.effective_on,
        booked_on=adjustment.booked_on,
        entity_id=voided.entity_id,
        invoice=voided.state(),
        change=voided.money(-adjustment.amount_minor),
        reason=adjustment.reason,
    )
    cleared = _clear_overdue(voided, adjustment.effective_on, adjustment.booked_on)
    return Outcome(cleared.invoice, (event, *cleared.events))


def _dated(invoice: Invoice) -> Invoice:
    """With the due date of the earliest instalment that is not paid: money fills them in the order of their dates."""
    if invoice.instalment_due is None:
        return invoice
    owed_later = invoice.balance_minor
    due_on = invoice.instalment_due[-1]
    for instalment_due_on, minor in reversed(invoice.instalments):
        if owed_later <= 0:
            break
        due_on = instalment_due_on
        owed_later -= minor
    if due_on == invoice.due_date:
        return invoice
    # Each instalment is announced as due soon by itself, unless its day has been announced before.
    due_soon_on = None if due_on > invoice.due_date else invoice.due_soon_on
    return replace(invoice, due_date=due_on, due_soon_on=due_soon_on)


def _lowered(invoice: Invoice, field: str, by_minor: int, effective_on: date) -> Invoice:
    """With less owed: `field` grows by so much (a charge shrinks), and what is held back fits into the rest."""
    balance = invoice.balance_minor - abs(by_minor)
    assert 0 <= balance < invoice.balance_minor
    moved_on = max(invoice.moved_on, effective_on)
    disputed = min(invoice.disputed_minor, balance)
    lowered = replace(
        invoice,
        **{field: getattr(invoice, field) + by_minor},
        version=invoice.version + 1,
        disputed_minor=disputed,
        planned_minor=min(_still_planned(invoice, field, by_minor), balance - disputed),
        moved_on=moved_on,
        settled_on=None if balance else moved_on,
    )
    return _dated(lowered)


def _still_planned(invoice: Invoice, field: str, by_minor: int) -> int:
    """A payment fills the instalments of a plan before it goes to what was charged since."""
    return max(invoice.planned_minor - by_minor, 0) if field == "allocated_minor" else invoice.planned_minor


def _raised(invoice: Invoice, field: str, by_minor: int, on: date) -> Invoice:
    """With more owed: a charge grows, or what was paid or taken off shrinks."""
    raised = replace(
        invoice,
        **{field: getattr(invoice, field) + by_minor},
        version=invoice.version + 1,
        raised_on=max(invoice.raised_on, on),
        moved_on=max(invoice.moved_on, on),
        reopened_on=on if invoice.balance_minor == 0 else invoice.reopened_on,
        settled_on=None,
    )
    dated = _dated(raised)
    # An instalment that is owed again was paid until today: it is not overdue before.
    return replace(dated, reopened_on=on) if dated.due_date < invoice.due_date else dated


def _less_owed(invoice: Invoice, change_minor: int, reason: SettledBy, effective_on: date, booked_on: date) -> Outcome:
    """Tell of a balance that went down: settled where nothing is left, with the end of its overdue episode."""
    if invoice.balance_minor:
        changed = InvoiceBalanceChanged(
            customer_id=invoice.customer_id,
            effective_on=effective_on,
            booked_on=booked_on,
            entity_id=invoice.entity_id,
            invoice=invoice.state(),
            change=invoice.money(change_minor),
            # A credit note tells of itself (invoice.credited) and comes here only when it settles.
            reason="allocation" if reason == "credit_note" else reason,
        )
        return _up_to_date(Outcome(invoice, (changed,)), booked_on)

    settled = InvoiceSettled(
        customer_id=invoice.customer_id,
        effective_on=effective_on,
        booked_on=booked_on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(change_minor),
        reason=reason,
        days_late=(invoice.moved_on - invoice.due_date).days,
    )
    cleared = _clear_overdue(invoice, invoice.moved_on, booked_on)
    return Outcome(cleared.invoice, (settled, *cleared.events))


def _up_to_date(outcome: Outcome, booked_on: date) -> Outcome:
    """What was told already, and the end of an overdue episode when all instalments that are due are paid."""
    invoice = outcome.invoice
    if invoice.instalment_due is None or invoice.overdue_since is None or invoice.due_date < booked_on:
        return outcome
    cleared = _clear_overdue(invoice, invoice.moved_on, booked_on)
    return Outcome(cleared.invoice, (*outcome.events, *cleared.events))


def _more_owed(invoice: Invoice, change_minor: int, reason: Literal["unallocation", "restored"], on: date) -> Outcome:
    changed = InvoiceBalanceChanged(
        customer_id=invoice.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(change_minor),
        reason=reason,
    )
    return Outcome(invoice, (changed,))


def effective_date(invoice: Invoice, received_on: date) -> date:
    """When money received on a date counts for an invoice: not before it was issued, nor before it last rose."""
    return max(received_on, invoice.raised_on)


def counts_from(changes: Sequence[tuple[date, int]], received_on: date, amount_minor: int) -> list[tuple[date, int]]:
    """From which days the parts of a payment count, given all changes of the balance by their effective dates.

    Each part counts as early as it can from the day it was received, so that the balance as of no day goes below zero:
    of what was owed on that day, no more than what has stayed owed since. So money booked late pays the principal as of
    the day it came in, and a charge made since as of the day of the charge.
    """
    by_day: dict[date, int] = {}
    for day, minor in changes:
        by_day[day] = by_day.get(day, 0) + minor
    days = sorted({received_on, *(day for day in by_day if day > received_on)})
    balances = [sum(minor for day, minor in by_day.items() if day <= on) for on in days]
    parts: list[tuple[date, int]] = []
    taken = 0
    for position, day in enumerate(days):
        part = min(min(balances[position:]), amount_minor) - taken
        if part > 0:
            parts.append((day, part))
            taken += part
    assert taken == amount_minor, "more is paid than is owed"
    return parts


def _clear_overdue(invoice: Invoice, settled_on: date, booked_on: date) -> Outcome:
    """End the running overdue episode of an invoice of which nothing is due; none runs when it was paid in time."""
    since = invoice.overdue_since
    if since is None:
        return Outcome(invoice)
    # Money that came before the episode began and was booked late puts it right: it ends before it began, after 0 days.
    ended_on = settled_on
    cleared = replace(invoice, version=invoice.version + 1, overdue_since=None, aged_days=0)
    event = InvoiceOverdueCleared(
        customer_id=cleared.customer_id,
        effective_on=ended_on,
        booked_on=booked_on,
        entity_id=cleared.entity_id,
        invoice=cleared.state(),
        episode=cleared.overdue_episode,
        # The due date of instalments has moved on with the payment.
        days_overdue=max(
            0, (ended_on - cleared.due_date).days if not cleared.instalments else (ended_on - since).days + 1
        ),
    )
    return Outcome(cleared, (event,))


def unallocate(invoice: Invoice, amount_minor: int, *, on: date, planned_minor: int = 0) -> Outcome:
    """Take back what had been paid; a settled invoice is open again, and may become overdue in a new episode.
    `planned_minor` of it had filled instalments of a plan that runs, and returns to it."""
    assert 0 < amount_minor <= invoice.allocated_minor
    assert 0 <= planned_minor <= amount_minor
    raised = _raised(invoice, "allocated_minor", -amount_minor, on)
    returned = replace(raised, planned_minor=raised.planned_minor + planned_minor)
    return _more_owed(returned, amount_minor, "unallocation", on)


def hold_back(
    invoice: Invoice,
    amount_minor: int,
    *,
    dispute_id: UUID,
    reason: str,
    on: date,
    code: str | None = None,
    answer_by: date | None = None,
) -> Outcome:
    """Keep a disputed amount out of collection. The caller has checked that so much is collectable."""
    assert 0 < amount_minor <= invoice.collectable_minor
    disputed = replace(invoice, version=invoice.version + 1, disputed_minor=invoice.disputed_minor + amount_minor)
    event = InvoiceDisputed(
        customer_id=disputed.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=disputed.entity_id,
        invoice=disputed.state(),
        dispute_id=dispute_id,
        amount=disputed.money(amount_minor),
        reason=reason,
        code=code,
        answer_by=answer_by,
    )
    return Outcome(disputed, (event,))


def release(
    invoice: Invoice,
    held_minor: int,
    *,
    amount: Money,
    dispute_id: UUID,
    outcome: DisputeOutcome,
    on: date,
    accepted: Money | None = None,
    collect_again_on: date | None = None,
) -> Outcome:
    """End a dispute over `amount`: what it still held back (nothing, once it is paid) may be collected again, from
    `collect_again_on` on; what was accepted is for a credit note to take off next."""
    released = replace(invoice, version=invoice.version + 1, disputed_minor=invoice.disputed_minor - held_minor)
    event = InvoiceDisputeResolved(
        customer_id=released.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=released.entity_id,
        invoice=released.state(),
        dispute_id=dispute_id,
        amount=amount,
        outcome=outcome,
        accepted=accepted,
        collect_again_on=collect_again_on,
    )
    return Outcome(released, (event,))
