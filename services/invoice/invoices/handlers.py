"""Invoices: issued one or many at a time, read, and saved by the features that move their balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from services.invoice.completeness import handlers as completeness
from services.invoice.completeness.rules import Subject
from services.invoice.credit_standings import handlers as credit_standings
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, Customer, billable
from services.invoice.deliveries import handlers as deliveries
from services.invoice.drafting.rules import NOTHING_MORE, Finding, InvoiceAbout, InvoiceIn, particulars_of
from services.invoice.entities.rules import DEFAULT, Entity, is_of_series
from services.invoice.invoices import rules, store
from services.invoice.invoices.rules import (
    Adjustment,
    CreditAnswer,
    DeliveryChannel,
    Document,
    Filed,
    Invoice,
    InvoiceNotFound,
    NumberReserved,
    NumberTaken,
    Outcome,
    Status,
)
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Entry, invoice_issued
from services.invoice.pricing.rules import Priced, net_by_product_line
from services.invoice.terms.rules import PaymentTerms
from shared import outbox
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money

NEXT_LOOK = store.NEXT_LOOK


class CreditDesk(Protocol):
    """Who is asked before an invoice is issued: the credit service."""

    async def decide(
        self, customer_id: UUID, amount: Money, reference: str | None, *, asked_as: str, order: str | None = None
    ) -> CreditAnswer | None:
        """The decision (its policy left to the asker), None when credit cannot be reached. `asked_as` makes asking
        twice harmless."""
        ...


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    customer: CustomerRef
    priced: Priced
    credit: CreditAnswer
    delivery_channel: DeliveryChannel | None
    number: str | None = None
    reference: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    net_days: int | None = None
    entity_id: str = DEFAULT
    terms: PaymentTerms | None = None
    about: InvoiceAbout = NOTHING_MORE
    accept: frozenset[str] = frozenset()
    invoice_id: UUID | None = None

    @classmethod
    def asked(cls, customer: CustomerRef, wanted: InvoiceIn, priced: Priced, credit: CreditAnswer) -> IssueInvoice:
        """What a request or a row of an import asks for."""
        return cls(
            customer=customer,
            priced=priced,
            credit=credit,
            delivery_channel=wanted.delivery_channel,
            number=wanted.number,
            reference=wanted.reference,
            issue_date=wanted.issue_date,
            due_date=wanted.due_date,
            net_days=wanted.net_days,
            entity_id=wanted.entity_id,
            terms=wanted.payment_terms,
            about=NOTHING_MORE if wanted.is_plain else wanted,
            accept=wanted.accept,
        )

    def delivered_by(self, preferred: DeliveryChannel) -> IssueInvoice:
        """As the customer wants its documents, where nothing else is said."""
        return self if self.delivery_channel else replace(self, delivery_channel=preferred)


async def ask_credit(
    desk: CreditDesk, account: Account, amount: Money, reference: str | None, *, asked_as: str, order: str | None = None
) -> CreditAnswer:
    """What credit says under the entity's policy: for the door, before its transaction, since it is a call."""
    policy = account.entity.credit_policy
    if policy == "off":
        return CreditAnswer(policy, "not_asked")
    answer = await desk.decide(account.customer.id, amount, reference, asked_as=asked_as, order=order)
    return replace(answer, policy=policy) if answer else CreditAnswer(policy, "unavailable")


async def issue_invoice(tx: Tx, command: IssueInvoice) -> Document:
    """Issue it: dates, number, journal and event are one fact.

    Raises CustomerUnknown, CustomerClosed, InvoiceIncomplete, DatesRefused, TermsRefused, NumberReserved, NumberTaken,
    CreditDeclined, and CreditUnavailable.
    """
    account = await customers.lock_account(tx, command.customer, command.entity_id)
    customer, entity, priced = account.customer, account.entity, command.priced
    today = entity.today(tx.now)
    if command.delivery_channel is None:
        command = command.delivered_by(account.channel)
    subject = subject_of(command, customer, entity)
    findings = await completeness.findings_to_keep(tx, subject, command.issue_date or today, command.accept)
    command = replace(command, credit=await _answered(tx, account, priced, command.credit))
    document = compose(command, customer, entity, account.series_prefix, now=tx.now, findings=findings)
    invoice = document.invoice
    rules.allowed_by_credit(command.credit)

    await journal.post(
        tx,
        invoice_issued(
            entity_id=entity.id,
            customer_id=customer.id,
            invoice_id=invoice.id,
            currency=priced.currency,
            net_minor=priced.net_minor,
            tax_minor=priced.tax_minor,
            effective_on=invoice.raised_on,
            booked_on=today,
        ),
    )
    # Last of the writes: whoever takes a number of the series makes other issuers wait until the commit.
    try:
        number = await store.insert(tx, document, look_at(entity, invoice))
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "invoice_number_unique":
            raise NumberTaken(f"invoice number {command.number} exists already", field="/number") from None
        raise
    issued = document.numbered(number)
    await deliveries.invoice_issued(tx, entity, customer, invoice.id, invoice.delivery_channel)
    outcome = rules.issue(issued.invoice, booked_on=today, sold=net_by_product_line(issued.lines))
    await outbox.append(tx, *outcome.events)
    return issued


async def _answered(tx: Tx, account: Account, priced: Priced, answer: CreditAnswer) -> CreditAnswer:
    """Credit's answer; where it gave none, what follows from what it said last, if anything does."""
    if answer.outcome != "unavailable":
        return answer
    verdict = await credit_standings.decide(tx, account, Money(priced.total_minor, priced.currency))
    return replace(answer, outcome=verdict.outcome, reasons=verdict.reasons) if verdict else answer


def subject_of(command: IssueInvoice, customer: Customer, entity: Entity) -> Subject:
    """What the completeness check looks at."""
    return Subject(command.priced, customer, entity, command.about, command.reference, command.delivery_channel)


def compose(
    command: IssueInvoice,
    customer: Customer,
    entity: Entity,
    series_prefix: str,
    *,
    now: datetime,
    findings: Sequence[Finding] = (),
) -> Document:
    """An invoice as it is asked for, with its dates and terms; its number is empty where the series gives it.

    Raises CustomerClosed, DatesRefused, TermsRefused, NumberReserved.
    """
    priced, about = command.priced, command.about
    issued_on = rules.issue_date(command.issue_date, entity.today(now))
    home = entity.seller.address
    due_on, terms = rules.agreed_terms(
        command.terms,
        issued_on=issued_on,
        stated=command.due_date,
        net_days=customer.net_days if command.net_days is None else command.net_days,
        total=Money(priced.total_minor, priced.currency),
        country=home.country if home else customer.country,
    )
    invoice = rules.draft(
        priced,
        invoice_id=command.invoice_id or new_id(),
        entity_id=entity.id,
        customer_id=billable(customer).id,
        number=own_number(command.number, series_prefix),
        issued_on=issued_on,
        due_on=due_on,
        delivery_channel=command.delivery_channel or "email",
        reference=command.reference,
        booked_from=entity.open_day(issued_on),
        terms=terms,
    )
    return Document(
        Filed(invoice, command.credit, now),
        priced.lines,
        priced.taxes,
        terms,
        about.supplied_on,
        particulars_of(about, priced.surcharges, findings),
    )


def own_number(number: str | None, series_prefix: str) -> str:
    """The caller's own number, empty for none. Raises NumberReserved for one that the series gives out itself."""
    if number and is_of_series(number, series_prefix):
        raise NumberReserved(
            f"numbers such as {number} come from the entity's own series; leave it out to get the next one",
            field="/number",
        )
    return number or ""


async def file_invoices(
    tx: Tx,
    entity: Entity,
    documents: Sequence[Document],
    import_id: UUID,
    today: date,
    entries: Sequence[Entry] | None = None,
) -> None:
    """Issue many invoices that have their numbers, of customers locked already: the same facts, written as sets.

    They are booked as sales, or by `entries` where they are none, such as what was owed in a former system.
    """
    are_sales = entries is None
    if entries is None:
        entries = [
            entry
            for document in documents
            for entry in invoice_issued(
                entity_id=entity.id,
                customer_id=document.invoice.customer_id,
                invoice_id=document.invoice.id,
                currency=document.invoice.currency,
                net_minor=document.invoice.net_minor,
                tax_minor=document.invoice.tax_minor,
                effective_on=document.invoice.raised_on,
                booked_on=today,
            )
        ]
    await journal.post(tx, entries)
    await store.copy(tx, documents, [look_at(entity, document.invoice) for document in documents], import_id)
    if are_sales:
        sold = [document.invoice for document in documents]
        await deliveries.invoices_issued(tx, entity, [(i.customer_id, i.id, i.delivery_channel) for i in sold])
    issued = (
        rules.issue(document.invoice, booked_on=today, sold=net_by_product_line(document.lines))
        for document in documents
    )
    await outbox.append(tx, *(event for outcome in issued for event in outcome.events))


async def numbers_taken(tx: Tx, entity_id: str, numbers: Sequence[str]) -> set[str]:
    return await store.numbers_taken(tx, entity_id, numbers)


def look_at(entity: Entity, invoice: Invoice) -> datetime | None:
    """The moment the overdue tick has next to do with the invoice."""
    day = rules.next_look_on(invoice)
    return entity.starts(day) if day else None


async def save(
    tx: Tx, entity: Entity, invoices: Sequence[Invoice], *, episodes_announced_on: Sequence[date | None] | None = None
) -> None:
    """Write invoices that the caller has moved under the lock of their customers, each with its next look."""
    if not invoices:
        return
    looks = [look_at(entity, invoice) for invoice in invoices]
    saved = await store.save(tx, invoices, looks, episodes_announced_on or [None] * len(invoices))
    if saved != len(invoices):
        raise RuntimeError(f"{len(invoices) - saved} of {len(invoices)} invoices were changed without the lock")


async def look_later(tx: Tx, entity: Entity, invoices: Sequence[Invoice]) -> None:
    """Note when to look next at invoices of which there was nothing to tell."""
    if invoices:
        await store.look_later(tx, invoices, [look_at(entity, invoice) for invoice in invoices])


async def adjust(
    tx: Tx, account: Account, moved: Sequence[tuple[Adjustment, Outcome]], entries: Sequence[Entry]
) -> None:
    """Write adjustments, the invoices that they made (by take_off, charge or void), their journal entries, and
    their events. Each invoice once, under the lock of its account; disputes are the caller's to shrink before."""
    await store.adjust(tx, [adjustment for adjustment, _ in moved])
    await save(tx, account.entity, [outcome.invoice for _, outcome in moved])
    await journal.post(tx, entries)
    await outbox.append(tx, *(event for _, outcome in moved for event in outcome.events))


async def restore(
    tx: Tx, account: Account, moved: Sequence[tuple[Adjustment, Outcome]], *, on: date, booked_on: date
) -> None:
    """Take adjustments back (by restore), with their journal entries the other way round."""
    await store.take_back(tx, [adjustment.id for adjustment, _ in moved], on)
    await save(tx, account.entity, [outcome.invoice for _, outcome in moved])
    await journal.reverse_source(tx, [adjustment.id for adjustment, _ in moved], effective_on=on, booked_on=booked_on)
    await outbox.append(tx, *(event for _, outcome in moved for event in outcome.events))


async def adjustments_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Adjustment]:
    """Every adjustment of these invoices, also those taken back, in the order they were made."""
    return await store.adjustments_of(tx, invoice_ids)


async def adjustments_from(tx: Tx, source_id: UUID) -> list[Adjustment]:
    """What still stands of the adjustments that come from one credit note, charge, write-off or payment."""
    return await store.adjustments_from(tx, source_id)


async def get_invoice(tx: Tx, invoice_id: UUID) -> Invoice:
    """Raises InvoiceNotFound."""
    invoice = await store.find(tx, invoice_id)
    if invoice is None:
        raise InvoiceNotFound(f"there is no invoice {invoice_id}")
    return invoice


async def find_document(tx: Tx, invoice_id: UUID) -> Document | None:
    return await store.find_document(tx, invoice_id)


async def get_document(tx: Tx, invoice_id: UUID) -> Document:
    """The invoice as written, with lines and taxes. Raises InvoiceNotFound."""
    document = await store.find_document(tx, invoice_id)
    if document is None:
        raise InvoiceNotFound(f"there is no invoice {invoice_id}")
    return document


async def lock_invoice(tx: Tx, invoice_id: UUID) -> tuple[Account, Invoice]:
    """An invoice for writing: its customer's row is locked first, then it is read. Raises InvoiceNotFound."""
    found = await store.account_of(tx, invoice_id)
    if found is None:
        raise InvoiceNotFound(f"there is no invoice {invoice_id}")
    customer_id, entity_id = found
    account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id), entity_id)
    return account, await get_invoice(tx, invoice_id)


async def list_invoices(
    tx: Tx,
    *,
    after: UUID | None,
    number: str | None,
    customer_id: UUID | None,
    status: Status | None,
    limit: int,
) -> list[Filed]:
    return await store.page(tx, after=after, number=number, customer_id=customer_id, status=status, limit=limit)


async def open_items(tx: Tx, customer_id: UUID, entity_id: str) -> list[Invoice]:
    """What the customer owes, the oldest due first."""
    return await store.open_items(tx, customer_id, entity_id)


async def customers_of(tx: Tx, entity_id: str, numbers: Sequence[str], invoice_ids: Sequence[UUID]) -> list[UUID]:
    """Whose invoices these are; at most two customers are named, enough to see that it is not one."""
    return await store.customers_of(tx, entity_id, numbers, invoice_ids)


async def named(
    tx: Tx, customer_id: UUID, entity_id: str, numbers: Sequence[str], invoice_ids: Sequence[UUID]
) -> list[Invoice]:
    """The customer's invoices with one of these numbers or ids, paid or not."""
    return await store.named(tx, customer_id, entity_id, numbers, invoice_ids)


async def referenced(
    tx: Tx, entity_id: str, numbers: Sequence[str], payment_references: Sequence[str], limit: int
) -> list[Invoice]:
    """Invoices of any customer with one of these numbers or RF references, paid or not."""
    return await store.referenced(tx, entity_id, numbers, payment_references, limit)


async def owing_exactly(tx: Tx, entity_id: str, balance: Money, limit: int) -> list[Invoice]:
    """Invoices of any customer of which exactly so much is owed; a search for a person's eyes, not a quick one."""
    return await store.owing_exactly(tx, entity_id, balance.currency, balance.minor, limit)


async def payable(
    tx: Tx, customer_id: UUID, entity_id: str, numbers: Sequence[str], invoice_ids: Sequence[UUID], amount_minor: int
) -> list[Invoice]:
    """The invoices named, paid or not, and the open ones that an amount reaches, the oldest due first."""
    return await store.payable(tx, customer_id, entity_id, numbers, invoice_ids, amount_minor)


async def customers_to_look_at(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    return await store.customers_to_look_at(tx, now, limit)


async def to_look_at(tx: Tx, customer_ids: Sequence[UUID], now: datetime, limit: int) -> list[Invoice]:
    return await store.to_look_at(tx, customer_ids, now, limit)
