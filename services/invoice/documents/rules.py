"""The paper of an invoice or credit note, made from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import cast

from services.invoice.credit_notes.rules import CreditNote, NoteLine
from services.invoice.credit_notes.rules import Written as CreditNoteWritten
from services.invoice.customers.rules import Account, Customer
from services.invoice.drafting.rules import QUANTITY_PLACES, DeliveryAddress, InvoiceParticulars
from services.invoice.entities.rules import Entity, Seller
from services.invoice.invoices.rules import Document
from services.invoice.papers.rules import (
    Address,
    Adjustment,
    BankAccount,
    Contact,
    Paper,
    PaperLine,
    PaperTax,
    Party,
    Preceding,
)
from services.invoice.payment_references.rules import payment_reference
from services.invoice.pricing.rules import BP, ONE, LineParticulars, Period, PricedLine, PricedSurcharge, TaxCategory
from services.invoice.terms_text.rules import describe
from shared.money import exponent


def paper_of(document: Document, account: Account, language: str | None = None) -> Paper:
    """The paper of an issued invoice, in the customer's language unless another is asked for."""
    invoice, customer, entity = document.invoice, account.customer, account.entity
    currency, language = invoice.currency, language or customer.language
    about = document.particulars or InvoiceParticulars()
    buyer = buyer_of(customer)
    return Paper(
        kind="invoice",
        number=invoice.number,
        issued_on=invoice.issue_date,
        due_on=document.terms.due_date if document.terms else invoice.due_date,
        supplied_on=document.supplied_on,
        period=_span(about.period),
        currency=currency,
        language=language,
        seller=seller_of(entity),
        buyer=buyer,
        lines=tuple(_paper_line(line, currency) for line in document.lines),
        adjustments=tuple(_adjustment(each) for each in about.surcharges),
        taxes=tuple(
            PaperTax(
                cast(TaxCategory, group.category),
                group.rate_bp,
                group.taxable_minor,
                group.tax_minor,
                group.exemption_reason,
                group.exemption_code,
            )
            for group in document.taxes
        ),
        deliver_to=_place(about.deliver_to, buyer, {group.category for group in document.taxes}),
        deliver_to_name=about.deliver_to.name if about.deliver_to else None,
        accounts=accounts_of(entity.seller, currency),
        payment_reference=payment_reference(invoice.number),
        buyer_reference=about.buyer_reference or customer.buyer_reference,
        order_reference=about.order_reference or invoice.reference,
        contract_reference=about.contract_reference,
        project_reference=about.project_reference,
        delivery_reference=about.despatch_reference,
        terms=tuple(describe(document.terms, language, total=invoice.money(invoice.total_minor)))
        if document.terms
        else (),
        notes=about.notes,
    )


def credit_note_paper(
    written: CreditNoteWritten, document: Document, account: Account, language: str | None = None
) -> Paper:
    """The paper of a credit note, with what it has from the invoice that it takes back: references, units, reasons."""
    note = written.note
    invoice = paper_of(document, account, language)
    lines = {line.position: line for line in invoice.lines}
    reasons = {(tax.category, tax.rate_bp): tax for tax in invoice.taxes}
    return replace(
        invoice,
        kind="credit_note",
        number=note.number,
        issued_on=note.issue_date,
        due_on=None,
        preceding=Preceding(written.invoice_number, written.invoice_date),
        lines=tuple(_credited_line(line, lines.get(line.invoice_position or 0), note) for line in written.credit.lines),
        adjustments=(),
        taxes=tuple(
            replace(
                reasons[cast(TaxCategory, tax.category), tax.rate_bp],
                taxable_minor=tax.taxable_minor,
                tax_minor=tax.tax_minor,
            )
            for tax in written.credit.taxes
        ),
        payment_reference=None,
        terms=(),
        notes=(note.reason,),
    )


def _credited_line(line: NoteLine, invoiced: PaperLine | None, note: CreditNote) -> PaperLine:
    quantity = Decimal(line.quantity_millionths).scaleb(-QUANTITY_PLACES)
    price = Decimal(line.unit_price_minor).scaleb(-exponent(note.currency))
    category = cast(TaxCategory, line.tax_category)
    if invoiced is None:
        return PaperLine(line.position, line.description, quantity, price, line.net_minor, category, line.tax_rate_bp)
    of_the_same = line.quantity_millionths == line.of_quantity_millionths
    return replace(
        invoiced,
        position=line.position,
        description=line.description,
        quantity=quantity,
        unit_price=price,
        base_quantity=Decimal(1),
        unit=invoiced.unit if of_the_same else "C62",
        net_minor=line.net_minor,
        adjustments=(),
    )


def _paper_line(line: PricedLine, currency: str) -> PaperLine:
    more = line.particulars or LineParticulars()
    minor = Decimal(line.unit_price_minor) + Decimal(more.price_millionths) / ONE
    return PaperLine(
        position=line.position,
        description=line.description,
        quantity=Decimal(line.quantity_millionths).scaleb(-QUANTITY_PLACES),
        unit_price=minor.scaleb(-exponent(currency)),
        net_minor=line.net_minor,
        tax_category=cast(TaxCategory, line.tax_category),
        tax_rate_bp=line.tax_rate_bp,
        unit=more.unit_code,
        adjustments=tuple(_adjustment(each) for each in more.surcharges),
        note=_remarks(more),
        order_line=more.order_line,
        item_number=more.seller_item_id,
        buyer_item_number=more.buyer_item_id,
        standard_item_number=more.standard_item_id,
        standard_scheme=more.standard_item_scheme,
        base_quantity=Decimal(more.base_quantity_millionths).scaleb(-QUANTITY_PLACES),
        period=_span(more.period),
        accounting_reference=more.accounting_reference,
    )


def _remarks(more: LineParticulars) -> str | None:
    """What the standard has no place for on a line goes into its note (BT-127)."""
    proof = more.proof_of_delivery
    parts = (
        more.note,
        more.order_reference,
        more.contract_reference,
        more.despatch_reference,
        more.delivered_on.isoformat() if more.delivered_on else None,
        proof.signed_by if proof else None,
    )
    return " · ".join(part for part in parts if part) or None


def _adjustment(each: PricedSurcharge) -> Adjustment:
    return Adjustment(
        is_charge=each.is_charge,
        amount_minor=each.amount_minor,
        reason=each.reason,
        reason_code=each.code,
        base_minor=each.base_minor,
        percent=None if each.percent_bp is None else Decimal(each.percent_bp) * 100 / BP,
        tax_category=each.tax_category or "O",
        tax_rate_bp=each.tax_rate_bp or 0,
    )


def _span(period: Period | None) -> tuple[date, date] | None:
    return (period.since, period.until) if period else None


def _place(stated: DeliveryAddress | None, buyer: Party, categories: set[str]) -> Address | None:
    """Where it went: as stated, and for an intra-community supply, which has to say so, else to the buyer."""
    if stated:
        return Address(stated.country, stated.lines, stated.postal_code, stated.city, stated.region)
    return buyer.address if "K" in categories else None


def seller_of(entity: Entity) -> Party:
    """The selling entity as it stands on documents."""
    seller = entity.seller
    at = seller.address
    reachable = seller.contact_name or seller.phone or seller.email
    return Party(
        name=seller.legal_name or entity.name,
        address=Address(at.country, at.lines, at.postal_code, at.city, at.region) if at else Address(),
        vat_id=seller.vat_id,
        tax_number=seller.tax_number,
        registration=seller.registration,
        contact=Contact(seller.contact_name, seller.phone, seller.email) if reachable else None,
        website=seller.website,
    )


def buyer_of(customer: Customer) -> Party:
    """The customer as it stands on documents, with whoever deals with its invoices."""
    at = customer.address or {}
    person = next((each for each in customer.contacts if each.get("role") == "billing"), None)
    return Party(
        name=customer.name,
        address=Address(
            customer.country, tuple(at.get("lines", ())), at.get("postal_code"), at.get("city"), at.get("region")
        ),
        vat_id=customer.vat_id,
        reference=customer.external_id,
        contact=Contact(person.get("name"), None, person.get("email")) if person else None,
    )


def accounts_of(seller: Seller, currency: str) -> tuple[BankAccount, ...]:
    """The account to pay into: the first of the invoice's currency, else the first there is."""
    fitting = [account for account in seller.bank_accounts if account.currency == currency]
    chosen = (fitting or list(seller.bank_accounts))[:1]
    return tuple(
        BankAccount(each.holder or seller.legal_name, each.iban, None, each.bic, each.bank_name) for each in chosen
    )
