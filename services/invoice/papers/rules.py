"""What an invoice or credit note says, whoever writes it down: the PDF, UBL and CII all come from one `Paper`.

Names in brackets are the business terms (BT) and groups (BG) of EN 16931-1:2017. Amounts are minor units of the
paper's currency and positive also on a credit note, whose kind turns them round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from services.invoice.pricing.rules import BP, TAXED, TaxCategory
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
