"""What moves a balance besides payments, as rules: credit notes, discounts, write-offs, charges, each taken back."""

from __future__ import annotations

from datetime import date

import pytest

from services.invoice.invoices import rules
from services.invoice.invoices.rules import Adjustment, Component, Invoice
from services.invoice.movements import rules as movements
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceCredited,
    InvoiceOverdueCleared,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.ids import new_id

ISSUED, DUE, LATER = date(2026, 1, 5), date(2026, 2, 4), date(2026, 3, 1)


def invoice(**more: int | date) -> Invoice:
    return Invoice(
        **{
            "id": new_id(),
            "version": 1,
            "entity_id": "default",
            "customer_id": new_id(),
            "number": "A-1",
            "currency": "EUR",
            "issue_date": ISSUED,
            "due_date": DUE,
            "net_minor": 100_00,
            "tax_minor": 19_00,
            "raised_on": ISSUED,
            "moved_on": ISSUED,
            "delivery_channel": "email",
            **more,
        }
    )


def overdue() -> Invoice:
    return invoice(overdue_episode=1, overdue_since=date(2026, 2, 5))


def adjustment(of: Invoice, component: Component, minor: int, on: date = LATER) -> Adjustment:
    return Adjustment(new_id(), of.id, component, minor, on, on, "because", new_id(), "CN-1")


def test_a_credit_note_over_a_part_leaves_the_rest_owed() -> None:
    before = overdue()
    after, events = unpacked(movements.take_off(before, adjustment(before, "credit_note", 19_00)))

    assert (after.balance_minor, after.status) == (100_00, "partly_paid")
    [credited] = events
    assert isinstance(credited, InvoiceCredited)
    assert (credited.change.minor, credited.credit_note_number) == (-19_00, "CN-1")
    assert credited.invoice.credited == after.money(19_00)


def test_a_credit_note_over_all_settles_and_ends_the_overdue_episode_each_with_its_version() -> None:
    before = overdue()
    after, events = unpacked(movements.take_off(before, adjustment(before, "credit_note", 119_00)))

    assert (after.status, after.settled_on, after.overdue_since) == ("settled", LATER, None)
    assert [type(event) for event in events] == [InvoiceCredited, InvoiceSettled, InvoiceOverdueCleared]
    assert [event.version for event in events] == [2, 3, 4]
    assert sum(event.change.minor for event in events if not isinstance(event, InvoiceOverdueCleared)) == -119_00


def test_a_write_off_of_all_has_a_status_of_its_own_and_is_no_settlement() -> None:
    before = overdue()
    after, events = unpacked(movements.take_off(before, adjustment(before, "write_off", 119_00)))

    assert (after.status, after.balance_minor) == ("written_off", 0)
    assert [type(event) for event in events] == [InvoiceWrittenOff, InvoiceOverdueCleared]


@pytest.mark.parametrize("component", ["discount", "small_difference"])
def test_a_discount_or_a_small_difference_that_takes_the_rest_settles(component: Component) -> None:
    before = movements.allocate(invoice(), 117_00, received_on=LATER, booked_on=LATER).invoice
    after, [settled] = unpacked(movements.take_off(before, adjustment(before, component, 2_00)))

    assert isinstance(settled, InvoiceSettled)
    assert (settled.reason, settled.change.minor, after.status) == (component, -2_00, "settled")


def test_a_charge_on_a_settled_invoice_opens_it_again() -> None:
    paid = movements.allocate(invoice(), 119_00, received_on=LATER, booked_on=LATER).invoice
    after, [charged] = unpacked(movements.charge(paid, adjustment(paid, "charge", 40_00), "recovery_cost"))

    assert isinstance(charged, InvoiceCharged)
    assert (after.balance_minor, after.status, after.reopened_on, after.settled_on) == (
        40_00,
        "partly_paid",
        LATER,
        None,
    )


def test_what_is_held_back_shrinks_to_what_is_still_owed() -> None:
    before = invoice(disputed_minor=60_00, planned_minor=50_00)
    after, _ = unpacked(movements.take_off(before, adjustment(before, "credit_note", 40_00)))

    assert (after.balance_minor, after.disputed_minor, after.planned_minor) == (79_00, 60_00, 19_00)
    assert after.collectable_minor == 0


@pytest.mark.parametrize("component", ["credit_note", "discount", "small_difference", "write_off"])
def test_what_was_taken_off_and_is_restored_is_owed_again(component: Component) -> None:
    before = overdue()
    taken = adjustment(before, component, 119_00)
    after = movements.take_off(before, taken).invoice
    back, [changed] = unpacked(movements.restore(after, taken, on=LATER))

    assert isinstance(changed, InvoiceBalanceChanged)
    assert (changed.reason, changed.change.minor) == ("restored", 119_00)
    assert (back.balance_minor, back.status, back.reopened_on) == (119_00, "open", LATER)


def test_a_waived_charge_is_no_longer_owed() -> None:
    before = invoice()
    charge = adjustment(before, "charge", 40_00)
    charged = movements.charge(before, charge, "fee").invoice
    after, [changed] = unpacked(movements.restore(charged, charge, on=LATER))

    assert isinstance(changed, InvoiceBalanceChanged)
    assert (changed.change.minor, after.balance_minor, after.charged_minor) == (-40_00, 119_00, 0)


def test_a_void_takes_back_the_whole_under_its_own_status() -> None:
    before = overdue()
    after, events = unpacked(movements.void(before, adjustment(before, "credit_note", 119_00)))

    assert (after.status, after.voided_on, after.balance_minor) == ("voided", LATER, 0)
    assert [type(event) for event in events] == [InvoiceVoided, InvoiceOverdueCleared]


def unpacked(outcome: rules.Outcome) -> tuple[Invoice, list]:
    return outcome.invoice, list(outcome.events)
