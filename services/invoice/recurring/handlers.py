"""Recurring invoices: agreed, paused, ended, and their periods invoiced, each once.

A period's invoice, its row in `recurring_period` and the step of `billed_through` past it are one transaction under the
lock of the customer: killed anywhere, a period is either invoiced or still to come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from services.invoice.billing_days import rules as billing_days
from services.invoice.billing_days.rules import Bill, Period, Recurring
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, CustomerUnknown, billable
from services.invoice.entities.rules import Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.handlers import CreditDesk, IssueInvoice
from services.invoice.invoices.rules import CreditAnswer
from services.invoice.pricing.rules import Priced
from services.invoice.recurrence.rules import ends_after
from services.invoice.recurring import rules, store
from services.invoice.recurring.rules import PeriodNotFound, PeriodNotHeld, RecurringNotFound
from shared.db import Tx
from shared.errors import DomainError, PreconditionFailed, Unavailable
from shared.ids import new_id
from shared.money import Money

NEXT_DUE = store.NEXT_DUE
HAS_ANY = store.HAS_ANY
AT_ONCE = 20
"""Due invoices looked at in one turn of the tick."""
CREDIT_QUESTIONS = UUID("0b6f3a0e-61f5-4f7e-8d0c-3c0f5d0c9a41")


@dataclass(frozen=True, slots=True)
class AgreeRecurring:
    """Everything of a recurring invoice but what follows from it; `count` counts periods, and stands for an end."""

    customer: CustomerRef
    terms: dict[str, Any]
    count: int | None = None


async def agree_recurring(tx: Tx, command: AgreeRecurring, entity_id: str) -> Recurring:
    """Make a recurring invoice. Raises what `rules.agreed` raises, CustomerUnknown, CustomerClosed."""
    account = await customers.lock_account(tx, command.customer, entity_id)
    wanted = Recurring(
        id=new_id(),
        version=1,
        entity_id=account.entity.id,
        customer_id=billable(account.customer).id,
        status="active",
        pauses=(),
        billed_through=None,
        next_bill_on=None,
        created_at=tx.now,
        **command.terms,
    )
    if command.count:
        wanted = replace(wanted, ends_on=ends_after(wanted.rrule, wanted.starts_on, command.count))
    recurring = rules.agreed(wanted, account.entity.today(tx.now))
    await store.insert(tx, recurring, _bill_at(recurring, account.entity))
    return recurring


async def change_recurring(tx: Tx, recurring_id: UUID, expected_version: int, changes: dict[str, Any]) -> Recurring:
    """Raises RecurringNotFound, PreconditionFailed, and what `rules.change` raises."""
    account, recurring = await _lock(tx, recurring_id)
    if recurring.version != expected_version:
        raise PreconditionFailed(
            f"the recurring invoice is at version {recurring.version}, not {expected_version}",
            current_version=recurring.version,
        )
    return await _save(tx, account.entity, rules.change(recurring, changes))


async def pause_recurring(tx: Tx, recurring_id: UUID, first: date | None, until: date | None) -> Recurring:
    """Leave days out, from today unless said. Raises RecurringNotFound, RecurringEnded, ScheduleRefused."""
    account, recurring = await _lock(tx, recurring_id)
    today = account.entity.today(tx.now)
    return await _save(tx, account.entity, rules.pause(recurring, first or today, until, today))


async def resume_recurring(tx: Tx, recurring_id: UUID, on: date | None) -> Recurring:
    """Bill again, from today unless said. Raises RecurringNotFound, RecurringEnded, ScheduleRefused."""
    account, recurring = await _lock(tx, recurring_id)
    today = account.entity.today(tx.now)
    return await _save(tx, account.entity, rules.resume(recurring, on or today, today))


async def end_recurring(tx: Tx, recurring_id: UUID, on: date | None) -> Recurring:
    """Bill no day after `on`, today unless said. Raises RecurringNotFound, RecurringEnded, ScheduleRefused."""
    account, recurring = await _lock(tx, recurring_id)
    return await _save(tx, account.entity, rules.end(recurring, on or account.entity.today(tx.now)))


async def _lock(tx: Tx, recurring_id: UUID) -> tuple[Account, Recurring]:
    """The customer's row first, as everywhere."""
    seen = await get_recurring(tx, recurring_id)
    account = await customers.lock_account(tx, CustomerRef(seen.customer_id), seen.entity_id)
    locked = await store.lock(tx, recurring_id)
    assert locked is not None
    return account, locked


async def _save(tx: Tx, entity: Entity, recurring: Recurring) -> Recurring:
    await store.save(tx, recurring, _bill_at(recurring, entity))
    return recurring


def _bill_at(recurring: Recurring, entity: Entity) -> datetime | None:
    return entity.starts(recurring.next_bill_on) if recurring.next_bill_on else None


async def get_recurring(tx: Tx, recurring_id: UUID) -> Recurring:
    """Raises RecurringNotFound."""
    found = await store.find(tx, recurring_id)
    if found is None:
        raise RecurringNotFound(f"there is no recurring invoice {recurring_id}")
    return found


async def list_recurring(
    tx: Tx, *, after: UUID | None, customer_id: UUID | None, status: billing_days.Status | None, limit: int
) -> list[Recurring]:
    return await store.page(tx, after, customer_id, status, limit)


async def list_periods(
    tx: Tx,
    recurring_id: UUID | None,
    *,
    status: billing_days.PeriodStatus | None,
    after: tuple[UUID, date] | None,
    limit: int,
) -> list[Period]:
    """What became of the periods of one recurring invoice, or of all."""
    return await store.periods(tx, recurring_id, status, after, limit)


@dataclass(frozen=True, slots=True)
class Preview:
    bill: Bill
    priced: Priced | None
    refused: DomainError | None


async def preview_recurring(tx: Tx, recurring_id: UUID, most: int) -> tuple[Recurring, list[Preview]]:
    """The next invoices as they would be, or why one could not be. Raises RecurringNotFound."""
    recurring = await get_recurring(tx, recurring_id)
    account = await customers.find_account(tx, CustomerRef(recurring.customer_id), recurring.entity_id)
    language = account.customer.language if account else "en"
    return recurring, [_preview(recurring, bill, language) for bill in billing_days.bills(recurring, most)]


def _preview(recurring: Recurring, bill: Bill, language: str) -> Preview:
    try:
        return Preview(bill, rules.priced(recurring, bill, language), None)
    except DomainError as error:
        return Preview(bill, None, error)


# --- billing ---


@dataclass(frozen=True, slots=True)
class DueBill:
    """An invoice that is due, as it looked when credit was asked: it is written only while it still looks so."""

    recurring: Recurring
    account: Account
    bill: Bill
    priced: Priced | None
    refused: DomainError | None


async def due_bills(tx: Tx) -> list[DueBill]:
    """The next periods to be invoiced by now, one for each recurring invoice."""
    found: list[DueBill] = []
    for recurring in await store.due(tx, AT_ONCE):
        bill = billing_days.next_bill(recurring)
        assert bill is not None
        found.append(await _look(tx, recurring, bill))
    return found


async def held_bill(tx: Tx, recurring_id: UUID, period_start: date) -> DueBill:
    """A held period, to be tried again with the lines of today's template.

    Raises RecurringNotFound, PeriodNotFound, PeriodNotHeld.
    """
    recurring = await get_recurring(tx, recurring_id)
    return await _look(tx, recurring, _still_held(await _period(tx, recurring_id, period_start)).bill)


async def _look(tx: Tx, recurring: Recurring, bill: Bill) -> DueBill:
    account = await customers.find_account(tx, CustomerRef(recurring.customer_id), recurring.entity_id)
    if account is None:
        raise CustomerUnknown(f"customer {recurring.customer_id} is not known")
    seen = _preview(recurring, bill, account.customer.language)
    return DueBill(recurring, account, bill, seen.priced, seen.refused)


async def ask_credit(desk: CreditDesk, due: DueBill, again: str = "") -> CreditAnswer:
    """For the doors, before their transaction. Asked under a key that follows from the period and its amount, so that
    repeating it asks nothing new; `again` makes it another question."""
    if due.priced is None:
        return CreditAnswer(due.account.entity.credit_policy, "not_asked")
    total = Money(due.priced.total_minor, due.priced.currency)
    question = f"{due.recurring.id}\0{due.bill.days.first}\0{total}\0{again}"
    return await invoices.ask_credit(
        desk,
        due.account,
        total,
        due.recurring.reference,
        asked_as=str(uuid5(CREDIT_QUESTIONS, question)),
        order=due.recurring.reference,
    )


async def bill_period(tx: Tx, due: DueBill, credit: CreditAnswer) -> Period | None:
    """Invoice a period, or hold it with the reason why it cannot be. None when it was changed or billed meanwhile.

    Raises CreditUnavailable while credit has to be asked first and does not answer: the period is due still.
    """
    account, recurring = await _lock(tx, due.recurring.id)
    if recurring.version != due.recurring.version:
        return None
    period = await _invoiced(tx, account, recurring, due, credit)
    if not await store.decide(tx, period):
        raise RuntimeError(f"period {due.bill.days.first} of {recurring.id} was billed before")
    await _save(tx, account.entity, rules.decided(recurring, due.bill))
    return period


async def release_period(tx: Tx, due: DueBill, credit: CreditAnswer) -> Period:
    """Invoice a held period after all. Raises what stands against it, and then it stays held."""
    account, recurring = await _lock(tx, due.recurring.id)
    _still_held(await _period(tx, recurring.id, due.bill.days.first))
    if due.refused:
        raise due.refused
    period = await _issue(tx, account, recurring, due, credit)
    await store.decide(tx, period)
    return period


async def drop_period(tx: Tx, recurring_id: UUID, period_start: date, reason: str) -> Period:
    """Never invoice a held period. Raises RecurringNotFound, PeriodNotFound, PeriodNotHeld."""
    await _lock(tx, recurring_id)
    held = _still_held(await _period(tx, recurring_id, period_start))
    dropped = replace(held, status="dropped", detail=reason, decided_at=tx.now)
    await store.decide(tx, dropped)
    return dropped


async def _invoiced(tx: Tx, account: Account, recurring: Recurring, due: DueBill, credit: CreditAnswer) -> Period:
    try:
        if due.refused:
            raise due.refused
        async with tx.savepoint():
            return await _issue(tx, account, recurring, due, credit)
    except Unavailable:
        raise
    except DomainError as error:
        return Period(recurring.id, due.bill, "held", tx.now, reason=error.slug, detail=error.detail)


async def _issue(tx: Tx, account: Account, recurring: Recurring, due: DueBill, credit: CreditAnswer) -> Period:
    assert due.priced is not None
    terms = recurring.payment_terms
    document = await invoices.issue_invoice(
        tx,
        IssueInvoice(
            customer=CustomerRef(recurring.customer_id),
            priced=due.priced,
            credit=credit,
            delivery_channel=recurring.delivery_channel,
            reference=recurring.reference,
            issue_date=rules.issue_date(recurring, due.bill, account.entity.today(tx.now)),
            net_days=terms.net_days if terms else None,
            terms=terms,
            entity_id=recurring.entity_id,
        ),
    )
    return Period(recurring.id, due.bill, "issued", tx.now, invoice_id=document.invoice.id)


async def _period(tx: Tx, recurring_id: UUID, period_start: date) -> Period:
    found = await store.find_period(tx, recurring_id, period_start)
    if found is None:
        raise PeriodNotFound(f"nothing was decided on a period that begins on {period_start}")
    return found


def _still_held(period: Period) -> Period:
    if period.status != "held":
        raise PeriodNotHeld(f"the period is {period.status}")
    return period
