"""What an invoice or credit note says, whoever writes it down: the PDF, UBL and CII all come from one `Paper`.

Names in brackets are the business terms (BT) and groups (BG) of EN 16931-1:2017. Amounts are minor units of the
paper's currency and positive also on a credit note, whose kind turns them round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, cast

from services.invoice.credit_notes.rules import CreditNote, NoteLine
from services.invoice.credit_notes.rules import Written as CreditNoteWritten
from services.invoice.customers.rules import Account, Customer
from services.invoice.drafting.rules import QUANTITY_PLACES, DeliveryAddress, InvoiceParticulars
from services.invoice.entities.rules import Entity, Seller
from services.invoice.invoices.rules import Document
from services.invoice.payment_references.rules import payment_reference
from services.invoice.pricing.rules import (
    BP,
    ONE,
    TAXED,
    LineParticulars,
    Period,
    PricedLine,
    PricedSurcharge,
    TaxCategory,
)
from services.invoice.terms_text.rules import describe
from shared.errors import Conflict
from shared.money import exponent, format_minor

Kind = Literal["invoice", "credit_note"]

EXEMPTION_CODES: dict[str, str] = {
    "AE": "VATEX-EU-AE",
    "K": "VATEX-EU-IC",
    "G": "VATEX-EU-G",
    "O": "VATEX-EU-O",
}
"""Why no tax is charged, by category (CEF VATEX code list, BT-121); an exemption (E) names its own."""

EXEMPTION_REASONS: dict[str, str] = {
    "AE": "Reverse charge",
    "K": "Intra-Community supply",
    "G": "Export outside the EU",
    "O": "Not subject to VAT",
}
"""The same in words (BT-120), for the XML; the printed page says it in its own language."""

UNEXEMPTED = TAXED | {"Z"}
"""Categories that name no reason for an exemption (BR-S-10, BR-Z-10, BR-IG-10, BR-IP-10)."""

XML_PLACES_MAX = 2
"""EN 16931 writes amounts with two decimals at most (BR-DEC-01 to 28), also in currencies that have three."""


class NotElectronic(Conflict):
    slug = "document-incomplete"
    title = "The invoice lacks what an electronic invoice must say"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address (BG-5, BG-8, BG-15)."""

    country: str | None = None
    streets: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None

    def lines(self) -> tuple[str, ...]:
        """As on an envelope there, without the country."""
        if self.country in ("US", "CA", "AU"):
            state = " ".join(part for part in (self.region, self.postal_code) if part)
            place = (", ".join(part for part in (self.city, state) if part),)
        elif self.country in ("GB", "IE"):
            place = (self.city, self.region, self.postal_code)
        else:
            place = (" ".join(part for part in (self.postal_code, self.city) if part), self.region)
        return tuple(part for part in (*self.streets, *place) if part)

    def three(self) -> tuple[str | None, str | None, str | None]:
        """The street in the three lines that EN 16931 has for it (BT-35, 36, 162); what is more shares the last."""
        first, second, *more = (*self.streets, "", "")
        return first or None, second or None, ", ".join(part for part in more if part) or None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask (BG-6, BG-9)."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Seller (BG-4) or buyer (BG-7)."""

    name: str
    address: Address = Address()
    vat_id: str | None = None
    tax_number: str | None = None
    registration: str | None = None
    reference: str | None = None
    """The other side's own number for the party (BT-29, BT-46)."""
    contact: Contact | None = None
    website: str | None = None


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where to pay (BG-17)."""

    holder: str | None = None
    iban: str | None = None
    account_number: str | None = None
    bic: str | None = None
    bank: str | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An allowance (BG-20, BG-27) or charge (BG-21, BG-28): an amount off or on, of a line or of the whole."""

    is_charge: bool
    amount_minor: int
    reason: str | None = None
    reason_code: str | None = None
    base_minor: int | None = None
    percent: Decimal | None = None
    tax_category: TaxCategory = "O"
    """Category and rate are of an adjustment of the whole; one of a line has the line's."""
    tax_rate_bp: int = 0

    @property
    def signed_minor(self) -> int:
        return self.amount_minor if self.is_charge else -self.amount_minor

    @property
    def xml_reason(self) -> str | None:
        """The standard asks for a reason or its code (BR-33, BR-38, BR-42, BR-44)."""
        return self.reason or (None if self.reason_code else "Charge" if self.is_charge else "Discount")


@dataclass(frozen=True, slots=True)
class PaperLine:
    """BG-25. `net_minor` is quantity x price, with the line's own allowances and charges."""

    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    net_minor: int
    tax_category: TaxCategory
    tax_rate_bp: int
    unit: str = "C62"
    """UN/ECE Recommendation 20; C62 is a piece."""
    adjustments: tuple[Adjustment, ...] = ()
    note: str | None = None
    order_line: str | None = None
    item_number: str | None = None
    buyer_item_number: str | None = None
    standard_item_number: str | None = None
    standard_scheme: str = "0160"
    base_quantity: Decimal = Decimal(1)
    """For how many the price is (BT-149)."""
    period: tuple[date, date] | None = None
    accounting_reference: str | None = None


@dataclass(frozen=True, slots=True)
class PaperTax:
    """BG-23."""

    category: TaxCategory
    rate_bp: int
    taxable_minor: int
    tax_minor: int
    reason: str | None = None
    reason_code: str | None = None

    @property
    def exemption_code(self) -> str | None:
        if self.category in UNEXEMPTED:
            return None
        return self.reason_code or (None if self.reason else EXEMPTION_CODES.get(self.category))

    @property
    def exemption_reason(self) -> str | None:
        if self.category in UNEXEMPTED:
            return None
        return self.reason or EXEMPTION_REASONS.get(self.category)


@dataclass(frozen=True, slots=True)
class Preceding:
    """The invoice that a credit note takes back (BG-3)."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice or credit note, whole."""

    kind: Kind
    number: str
    issued_on: date
    currency: str
    language: str
    seller: Party
    buyer: Party
    lines: tuple[PaperLine, ...]
    taxes: tuple[PaperTax, ...]
    due_on: date | None = None
    supplied_on: date | None = None
    period: tuple[date, date] | None = None
    deliver_to: Address | None = None
    deliver_to_name: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    prepaid_minor: int = 0
    accounts: tuple[BankAccount, ...] = ()
    payment_reference: str | None = None
    """An ISO 11649 creditor reference, or the number (BT-83)."""
    pay_link: str | None = None
    buyer_reference: str | None = None
    order_reference: str | None = None
    contract_reference: str | None = None
    project_reference: str | None = None
    delivery_reference: str | None = None
    terms: tuple[str, ...] = ()
    """Sentences in the paper's language: when to pay, what paying early earns, what paying late costs (BT-20)."""
    notes: tuple[str, ...] = ()
    preceding: Preceding | None = None
    copy_of: date | None = None
    """The day the original was sent, on a copy of it."""

    @property
    def lines_minor(self) -> int:
        """BT-106."""
        return sum(line.net_minor for line in self.lines)

    @property
    def allowances_minor(self) -> int:
        """BT-107."""
        return sum(each.amount_minor for each in self.adjustments if not each.is_charge)

    @property
    def charges_minor(self) -> int:
        """BT-108."""
        return sum(each.amount_minor for each in self.adjustments if each.is_charge)

    @property
    def net_minor(self) -> int:
        """BT-109."""
        return self.lines_minor - self.allowances_minor + self.charges_minor

    @property
    def tax_minor(self) -> int:
        """BT-110."""
        return sum(tax.tax_minor for tax in self.taxes)

    @property
    def total_minor(self) -> int:
        """BT-112."""
        return self.net_minor + self.tax_minor

    @property
    def payable_minor(self) -> int:
        """BT-115."""
        return self.total_minor - self.prepaid_minor

    def amounts(self) -> Iterator[int]:
        """Every amount that the electronic forms write down."""
        yield from (self.lines_minor, self.net_minor, self.tax_minor, self.prepaid_minor)
        for line in self.lines:
            yield line.net_minor
            yield from (minor for each in line.adjustments for minor in (each.amount_minor, each.base_minor or 0))
        yield from (minor for each in self.adjustments for minor in (each.amount_minor, each.base_minor or 0))
        for tax in self.taxes:
            yield from (tax.taxable_minor, tax.tax_minor)


@dataclass(frozen=True, slots=True)
class Defect:
    """What stands between a paper and EN 16931: the business term, the rule of the standard, and words for people."""

    term: str
    rule: str
    detail: str


def defects(paper: Paper) -> tuple[Defect, ...]:
    """Everything that a complete EN 16931 invoice would need besides, all at once; nothing where it is complete."""
    return (*_of_parties(paper), *_of_taxes(paper), *_of_amounts(paper))


def electronic(paper: Paper) -> Paper:
    """The paper itself, when it can be written as EN 16931. Raises NotElectronic, naming all that is missing."""
    found = defects(paper)
    if found:
        raise NotElectronic(
            "; ".join(defect.detail for defect in found),
            missing=[{"term": each.term, "rule": each.rule, "detail": each.detail} for each in found],
        )
    return paper


def _of_parties(paper: Paper) -> Iterator[Defect]:
    seller, buyer = paper.seller, paper.buyer
    if not seller.address.country:
        yield Defect("BT-40", "BR-9", "the seller's address needs a country")
    if not buyer.address.country:
        yield Defect("BT-55", "BR-11", "the buyer's address needs a country")
    if not (seller.vat_id or seller.registration or seller.reference):
        yield Defect("BT-31", "BR-CO-26", "the seller needs a VAT identifier or a legal registration")
    if paper.payable_minor > 0 and not (paper.due_on or payment_terms(paper)):
        yield Defect("BT-9", "BR-CO-25", "what is to be paid needs a due date or payment terms")


def _of_taxes(paper: Paper) -> Iterator[Defect]:
    categories = {tax.category for tax in paper.taxes}
    seller, buyer = paper.seller, paper.buyer
    for category in sorted(categories - {"O"}):
        if not (seller.vat_id or (seller.tax_number and category in ("S", "Z", "E", "L", "M"))):
            yield Defect("BT-31", f"BR-{_RULES[category]}-02", f"tax category {category} needs the seller's VAT id")
    if "O" in categories and len(categories) > 1:
        yield Defect("BG-23", "BR-O-11", "what is outside the scope of tax (O) cannot stand beside other categories")
    if "AE" in categories and not (buyer.vat_id or buyer.registration):
        yield Defect("BT-48", "BR-AE-02", "reverse charge needs the buyer's VAT id or registration")
    if "K" in categories and not buyer.vat_id:
        yield Defect("BT-48", "BR-IC-02", "an intra-community supply needs the buyer's VAT id")
    if "K" in categories and not (paper.supplied_on or paper.period):
        yield Defect("BT-72", "BR-IC-11", "an intra-community supply needs its date")
    if "K" in categories and not (paper.deliver_to and paper.deliver_to.country):
        yield Defect("BT-80", "BR-IC-12", "an intra-community supply needs the country it goes to")
    for tax in paper.taxes:
        if tax.category == "S" and tax.rate_bp == 0:
            yield Defect("BT-119", "BR-S-05", "the standard rate is above zero; a rate of zero is category Z")
        if tax.category == "E" and not (tax.reason or tax.reason_code):
            yield Defect("BT-120", "BR-E-10", "an exemption needs its reason")


_RULES = {"S": "S", "Z": "Z", "E": "E", "AE": "AE", "K": "IC", "G": "G", "L": "IG", "M": "IP"}


def _of_amounts(paper: Paper) -> Iterator[Defect]:
    beyond = exponent(paper.currency) - XML_PLACES_MAX
    if beyond > 0 and any(amount % 10**beyond for amount in paper.amounts()):
        detail = f"electronic invoices have two decimals at most; amounts in {paper.currency} here have more"
        yield Defect("BT-115", "BR-DEC-18", detail)


def xml_amount(minor: int, currency: str) -> str:
    """`125.00`; at most two decimals, which `defects` has seen to."""
    text = format_minor(minor, currency)
    beyond = exponent(currency) - XML_PLACES_MAX
    return text[:-beyond] if beyond > 0 else text


def xml_rate(rate_bp: int) -> str:
    """A tax rate in percent, `19.00` for 1900 of 10,000."""
    return f"{Decimal(rate_bp) * 100 / BP:.2f}"


def plain(number: Decimal) -> str:
    """Decimal text without exponent and without zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def payment_terms(paper: Paper) -> str | None:
    """BT-20. A credit note has terms too: the standard asks for them wherever an amount is positive (BR-CO-25)."""
    if paper.kind == "credit_note":
        return " ".join(paper.terms) or "Credited to the buyer's account."
    return " ".join(paper.terms) or None


# --- from what is stored ---


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
