"""Interest, fees and recovery costs: shown, charged, waived, and put right when the facts turn out to be others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.invoice.accruals import rules as accruals
from services.invoice.accruals.rules import Claim, Due, Interest, Move, NothingToCharge, Series
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.disputes import handlers as disputes
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import InterestTerms
from services.invoice.interest import rules, store
from services.invoice.interest.rules import Asked, Charge, ChargeNotFound
from services.invoice.interest.store import Run
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, ChargeKind, Invoice
from services.invoice.journal.rules import Entry
from services.invoice.movements.rules import charge as charge_to
from services.invoice.movements.rules import restore
from services.invoice.payments import handlers as payments
from services.invoice.plans import handlers as plans
from shared.calendar import ONE_DAY, add_months, month_start
from shared.db import Tx
from shared.errors import PreconditionFailed, Refused
from shared.ids import new_id
from shared.money import Money

TO_REVIEW = store.TO_REVIEW
NEXT_RUN = store.NEXT_RUN
CHUNK = 100


@dataclass(frozen=True, slots=True)
class ChargeInvoice:
    """`until` is for interest, `amount` for a fee."""

    invoice_id: UUID
    kind: ChargeKind
    reason: str | None = None
    until: date | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class WaiveCharge:
    charge_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ChargeForReminder:
    """What a rung of a collection case wants: a fee, interest to date, or both."""

    customer_id: UUID
    entity_id: str
    asked: Asked
    fee: bool
    interest: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """What an invoice bears up to a day, under which terms, and what of it was charged."""

    invoice: Invoice
    terms: InterestTerms
    interest: Interest
    charges: tuple[Charge, ...]


# --- look ---


async def get_statement(tx: Tx, invoice_id: UUID, as_of: date | None) -> Statement:
    """The computation up to a day, today unless stated. Raises InvoiceNotFound, RateUnknown, Refused."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    account = await customers.find_account(tx, CustomerRef(customer_id=invoice.customer_id), invoice.entity_id)
    assert account is not None
    today = account.entity.today(tx.now)
    day = as_of or today
    if (day - today).days > rules.AS_OF_DAYS_MAX:
        raise Refused(f"interest can be looked at up to {rules.AS_OF_DAYS_MAX} days ahead", field="query.as_of")
    terms = _terms(account)
    claims = await _claims(tx, [invoice], day)
    charges = await store.charges_of(tx, [invoice.id])
    found = accruals.interest(
        claims[invoice.id].without(invoice.disputed_minor), terms, await _series(tx, terms), day, order=_order(account)
    )
    return Statement(invoice, terms, found, tuple(charges))


async def get_charge(tx: Tx, charge_id: UUID) -> Charge:
    """Raises ChargeNotFound."""
    charge = await store.find(tx, charge_id)
    if charge is None:
        raise ChargeNotFound(f"there is no charge {charge_id}")
    return charge


async def list_charges(tx: Tx, invoice_id: UUID, after: UUID | None, limit: int) -> list[Charge]:
    """Raises InvoiceNotFound."""
    await invoices.get_invoice(tx, invoice_id)
    return await store.page(tx, invoice_id, after, limit)


async def _claims(tx: Tx, of: Sequence[Invoice], as_of: date) -> dict[UUID, Claim]:
    """Each invoice as interest sees it.

    Money counts from the day it was received. What a dispute was credited for was never owed; other credits count from
    their date. While a plan runs or after it was kept, its days bear nothing.
    """
    ids = [invoice.id for invoice in of]
    moves: dict[UUID, list[Move]] = defaultdict(list)
    for receipt in await payments.receipts_of(tx, ids):
        moves[receipt.invoice_id].append(
            Move("payment", receipt.received_on, receipt.amount_minor, receipt.reversed_on)
        )
    justified = await disputes.credit_notes_of(tx, ids)
    for each in await invoices.adjustments_of(tx, ids):
        if each.component == "charge":
            move = Move("charge", each.effective_on, each.amount_minor, each.reversed_on)
        else:
            never_owed = each.component == "credit_note" and each.source_id in justified
            on = date.min if never_owed else each.effective_on
            move = Move("credit", on, each.amount_minor, each.reversed_on)
        moves[each.invoice_id].append(move)
    rests = await plans.rests_of(tx, ids, as_of)
    return {
        invoice.id: Claim(
            0 if invoice.voided_on else invoice.total_minor,
            () if invoice.voided_on else _dues(invoice),
            tuple(moves[invoice.id]),
            tuple(accruals.Rest(rest.first, rest.last) for rest in rests if rest.invoice_id == invoice.id),
        )
        for invoice in of
    }


def _dues(invoice: Invoice) -> tuple[Due, ...]:
    """Each instalment is late by itself: interest runs on overdue amounts only (Directive 2011/7/EU, art. 5)."""
    if invoice.instalment_due and invoice.instalment_minor:
        return tuple(map(Due, invoice.instalment_due, invoice.instalment_minor))
    return (Due(invoice.due_date, invoice.total_minor),)


async def _series(tx: Tx, terms: InterestTerms) -> dict[str, Series]:
    name = accruals.series_of(terms)
    return await store.find_series(tx, [name]) if name else {}


def _terms(account: Account) -> InterestTerms:
    return account.entity.policies.interest.terms(account.customer.country)


def _order(account: Account) -> accruals.AllocationOrder:
    return account.entity.policies.cash_application.allocation_order


# --- charge ---


async def charge_invoice(tx: Tx, command: ChargeInvoice) -> tuple[Charge, Invoice]:
    """Add interest, a fee or the recovery cost to what is owed on an invoice.

    Raises InvoiceNotFound, NoInterest, NothingToCharge, ChargedAlready, RateUnknown, ChargeRefused.
    """
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    rules.chargeable(invoice)
    today = account.entity.today(tx.now)
    if command.kind == "interest":
        until = rules.interest_until(command.until, today)
        [found] = await _charge_interest(tx, account, [invoice], until, today, reason=command.reason, strict=True)
        return found
    charges = await store.charges_of(tx, [invoice.id])
    if command.kind == "fee":
        amount = rules.asked_amount(command.amount, invoice)
    else:
        if any(each.kind == "recovery_cost" and each.status != "corrected" for each in charges):
            raise rules.ChargedAlready(f"the cost of recovery was charged on invoice {invoice.number} before")
        claims = await _claims(tx, [invoice], today)
        claim = claims[invoice.id].without(invoice.disputed_minor)
        debt = accruals.debt_when_late(claim, today, order=_order(account))
        amount = rules.recovery_cost(_terms(account), invoice.money(debt))
    default = "cost of recovery" if command.kind == "recovery_cost" else "fee"
    charge = _new_charge(invoice, command.kind, amount.minor, today, command.reason or default)
    return charge, await _book(tx, account, invoice, charge)


async def _charge_interest(
    tx: Tx,
    account: Account,
    of: Sequence[Invoice],
    until: date,
    today: date,
    *,
    reason: str | None = None,
    automatic: bool = False,
    asked: Asked | None = None,
    strict: bool = False,
) -> list[tuple[Charge, Invoice]]:
    """Charge what each invoice has borne up to a day and was not charged yet. Not strict, invoices without anything
    to charge are left out, and days whose rate is not known yet are left for later."""
    terms, charged = _terms(account), defaultdict(list)
    if strict:
        accruals.annual_rates(terms, await _series(tx, terms), today, today)
    claims, series = await _claims(tx, of, until), await _series(tx, terms)
    for charge in await store.charges_of(tx, [invoice.id for invoice in of]):
        charged[charge.invoice_id].append(charge)
    booked = []
    for invoice in of:
        claim, before = claims[invoice.id].without(invoice.disputed_minor), charged[invoice.id]
        try:
            found = accruals.interest(claim, terms, series, until, order=_order(account))
            if found.provisional and not strict:
                found = accruals.interest(claim, terms, series, found.known_until, order=_order(account))
            amount = rules.uncharged(accruals.known(found), before)
        except accruals.RateUnknown:
            if strict:
                raise
            continue
        if amount <= 0:
            if strict:
                raise NothingToCharge(
                    f"invoice {invoice.number} has borne {invoice.money(found.minor)} up to {found.as_of}, "
                    f"and {invoice.money(rules.charged(before))} were charged before"
                )
            continue
        first = (rules.charged_until(before) or found.segments[0].first - ONE_DAY) + ONE_DAY
        new = replace(
            _new_charge(invoice, "interest", amount, today, reason or "interest on late payment", asked),
            first_day=min(first, found.as_of),
            last_day=found.as_of,
            automatic=automatic,
        )
        booked.append((new, await _book(tx, account, invoice, new)))
    return booked


def _new_charge(
    invoice: Invoice, kind: ChargeKind, minor: int, today: date, reason: str, asked: Asked | None = None
) -> Charge:
    return Charge(
        id=new_id(),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        kind=kind,
        status="standing",
        amount_minor=minor,
        currency=invoice.currency,
        first_day=None,
        last_day=None,
        effective_on=today,
        reason=reason,
        case_id=asked.case_id if asked else None,
        case_episode=asked.episode if asked else None,
        case_step=asked.step if asked else None,
    )


async def _book(tx: Tx, account: Account, invoice: Invoice, charge: Charge) -> Invoice:
    """The charge, the invoice that owes it, its journal entry and its event: one fact."""
    on = charge.effective_on
    adjustment = Adjustment(
        new_id(), invoice.id, "charge", charge.amount_minor, on, on, charge.reason, source_id=charge.id
    )
    entry = Entry(
        entity_id=invoice.entity_id,
        customer_id=invoice.customer_id,
        effective_on=on,
        booked_on=on,
        kind="charge",
        debit="trade_receivables",
        credit="interest_income" if charge.kind == "interest" else "fee_income",
        amount_minor=charge.amount_minor,
        currency=charge.currency,
        invoice_id=invoice.id,
        source_id=adjustment.id,
    )
    outcome = charge_to(invoice, adjustment, charge.kind)
    await store.insert(tx, charge)
    await invoices.adjust(tx, account, [(adjustment, outcome)], [entry])
    return outcome.invoice


async def waive_charge(tx: Tx, command: WaiveCharge) -> tuple[Charge, Invoice]:
    """Forgive a charge; its days are not charged again. What of it was paid becomes unapplied cash.

    Raises ChargeNotFound, ChargeClosed, WaiverRefused.
    """
    seen = await get_charge(tx, command.charge_id)
    account, invoice = await invoices.lock_invoice(tx, seen.invoice_id)
    today = account.entity.today(tx.now)
    charge = await get_charge(tx, seen.id)
    waived = rules.waive(charge, invoice.balance_minor + invoice.allocated_minor, today, command.reason)
    invoice = await _make_room(tx, account, invoice, waived.amount_minor, today)
    return waived, await _take_back(tx, account, invoice, waived, today)


async def _make_room(tx: Tx, account: Account, invoice: Invoice, minor: int, today: date) -> Invoice:
    """The invoice when it owes so much: of money that has paid it, what is missing is unapplied cash again."""
    missing = min(minor - invoice.balance_minor, invoice.allocated_minor)
    return await payments.take_back_allocations(tx, account, invoice, missing, today) if missing > 0 else invoice


async def _take_back(tx: Tx, account: Account, invoice: Invoice, ended: Charge, today: date) -> Invoice:
    [adjustment] = await invoices.adjustments_from(tx, ended.id)
    lowered = restore(invoice, adjustment, on=today)
    [outcome] = await disputes.shrink_disputes(tx, [(invoice, lowered)], today)
    await store.end(tx, ended)
    await invoices.restore(tx, account, [(adjustment, outcome)], on=today, booked_on=today)
    return outcome.invoice


# --- asked for by a reminder ---


async def charge_for_reminder(tx: Tx, command: ChargeForReminder) -> list[Charge]:
    """Charge what a rung of a case asks for, once for it: the entity's fee on the invoice due longest, interest to date
    on every overdue one. Nothing where the policy has none, or nothing overdue may be collected."""
    account = await customers.lock_account(tx, CustomerRef(customer_id=command.customer_id), command.entity_id)
    today = account.entity.today(tx.now)
    overdue = [
        invoice
        for invoice in await invoices.open_items(tx, command.customer_id, command.entity_id)
        if invoice.overdue_minor(today) and invoice.collectable_minor
    ]
    charges: list[Charge] = []
    if command.interest and overdue and _terms(account).law != "none":
        booked = await _charge_interest(tx, account, overdue, today, today, asked=command.asked)
        charges += [charge for charge, _ in booked]
        after = {invoice.id: invoice for _, invoice in booked}
        overdue = [after.get(invoice.id, invoice) for invoice in overdue]
    if command.fee and not await store.fee_was_charged(tx, command.asked):
        fees = ((invoice, rules.fee_in(account.entity.policies.reminder_fee, invoice.currency)) for invoice in overdue)
        invoice, fee = next(((invoice, fee) for invoice, fee in fees if fee), (None, None))
        if invoice and fee:
            charge = _new_charge(invoice, "fee", fee.minor, today, f"reminder: {command.asked.step}", command.asked)
            await _book(tx, account, invoice, charge)
            charges.append(charge)
    return charges


# --- put right ---


async def review_charges(tx: Tx) -> bool:
    """Look again at interest that was charged before a payment, a credit or a rate was known; whether there was any."""
    found = await store.to_review(tx, CHUNK)
    if not found:
        return False
    await customers.lock_customers(tx, {customer_id for _, customer_id in found})
    for invoice_id, _ in found:
        await _review(tx, invoice_id)
    await store.reviewed(tx, [invoice_id for invoice_id, _ in found])
    return True


async def _review(tx: Tx, invoice_id: UUID) -> None:
    """Lower what was charged too much: the right amount is charged for the same days, then the wrong one taken back,
    so that an invoice is not settled in between. What of it was paid becomes unapplied cash."""
    account, invoice = await invoices.lock_invoice(tx, invoice_id)
    charges = await store.charges_of(tx, [invoice_id])
    until = rules.charged_until(charges)
    if until is None:
        return
    today, terms = account.entity.today(tx.now), _terms(account)
    claims = await _claims(tx, [invoice], until)
    try:
        found = accruals.interest(claims[invoice_id], terms, await _series(tx, terms), until, order=_order(account))
    except accruals.RateUnknown:  # A series was shortened: what was charged by it stands.
        return
    invoice = await _make_room(tx, account, invoice, rules.overcharged(found, charges), today)
    correction = rules.correct(found, charges, invoice.balance_minor)
    if correction is None:
        return
    if correction.remaining_minor:
        wrong = correction.taken_back[-1]
        right = replace(
            wrong,
            id=new_id(),
            amount_minor=correction.remaining_minor,
            effective_on=today,
            reason=f"{wrong.reason}, put right",
        )
        invoice = await _book(tx, account, invoice, right)
    for wrong in correction.taken_back:
        ended = replace(wrong, status="corrected", ended_on=today, ended_why="less was owed than was known then")
        invoice = await _take_back(tx, account, invoice, ended, today)


# --- by itself ---


async def charge_monthly(tx: Tx) -> bool:
    """On the first of a month, charge a chunk of an entity's invoices what they bore until the month before ended;
    whether there was anything to do. An entity that begins to do so is charged for from the next month on."""
    run = await store.run_due(tx)
    if run is None:
        return False
    if isinstance(run, str):
        entity = await entities.get_entity(tx, run)
        today = entity.today(tx.now)
        await store.save_run(tx, Run(run, today, add_months(month_start(today), 1), None))
        return True
    found = await store.bearing(tx, run, CHUNK)
    await _charge_chunk(tx, run, found)
    if len(found) < CHUNK:
        run = replace(run, next_on=add_months(run.next_on, 1), after_invoice=None)
    else:
        run = replace(run, after_invoice=found[-1][0])
    await store.save_run(tx, run)
    return True


async def _charge_chunk(tx: Tx, run: Run, found: Collection[tuple[UUID, UUID]]) -> None:
    await customers.lock_customers(tx, {customer_id for _, customer_id in found})
    by_customer: dict[UUID, list[UUID]] = defaultdict(list)
    for invoice_id, customer_id in found:
        by_customer[customer_id].append(invoice_id)
    for customer_id, invoice_ids in by_customer.items():
        account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id), run.entity_id)
        if _terms(account).law == "none":
            continue
        of = await invoices.named(tx, customer_id, run.entity_id, [], invoice_ids)
        today = account.entity.today(tx.now)
        await _charge_interest(tx, account, of, run.next_on - ONE_DAY, today, automatic=True)


# --- reference rates ---


async def list_series(tx: Tx, after: str | None, limit: int) -> list[Series]:
    return await store.page_of_series(tx, after, limit)


async def get_series(tx: Tx, name: str) -> Series:
    """Raises SeriesNotFound."""
    found = await store.find_series(tx, [name])
    if name not in found:
        raise rules.SeriesNotFound(f"there is no reference rate {name!r}")
    return found[name]


async def put_series(tx: Tx, series: Series, expected_version: int) -> Series:
    """Write a reference rate's history; charges that rested on a rate which is another now are looked at again.

    Raises PreconditionFailed.
    """
    version = await store.lock_series(tx, series.name) or 0
    if version != expected_version:
        raise PreconditionFailed(f"the series is at version {version}, not {expected_version}")
    before = (await store.find_series(tx, [series.name])).get(series.name)
    saved = replace(series, version=version + 1)
    await store.save_series(tx, saved)
    changed = accruals.changed_from(before, saved)
    if changed:
        await store.ask_review_from(tx, changed)
    return saved
