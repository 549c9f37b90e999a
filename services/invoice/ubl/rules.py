"""UBL 2.1 (ISO/IEC 19845) of a paper, as EN 16931 binds it (CEN/TS 16931-3-2).

One function a group of business terms. UBL fixes the order of elements, so each function writes its part in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

from services.invoice.papers.rules import (
    Address,
    Adjustment,
    BankAccount,
    Paper,
    PaperLine,
    PaperTax,
    Party,
    electronic,
    payment_terms,
    plain,
    xml_amount,
    xml_rate,
)

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CBC, _CAC = f"{_UBL}CommonBasicComponents-2", f"{_UBL}CommonAggregateComponents-2"
_SPACES = {"cbc": _CBC, "cac": _CAC}

EN_16931 = "urn:cen.eu:en16931:2017"
CREDIT_TRANSFER, SEPA_CREDIT_TRANSFER = "30", "58"
"""Means of payment (UNCL4461)."""
TYPE_CODES = {"invoice": "380", "credit_note": "381"}
"""UNCL1001."""

Node = etree._Element


def write(paper: Paper) -> bytes:
    """The UBL Invoice or CreditNote document, UTF-8. Raises NotElectronic where the standard asks for more."""
    paper = electronic(paper)
    root_name = "Invoice" if paper.kind == "invoice" else "CreditNote"
    space = f"{_UBL}{root_name}-2"
    root = etree.Element(f"{{{space}}}{root_name}", nsmap={None: space, **_SPACES})
    for child in (
        *_header(paper),
        *_references(paper),
        _agg("AccountingSupplierParty", _party(paper.seller, is_seller=True, taxed=_taxed(paper))),
        _agg("AccountingCustomerParty", _party(paper.buyer, is_seller=False, taxed=_taxed(paper))),
        _delivery(paper),
        *_payment_means(paper),
        _payment_terms(paper),
        *(_allowance_charge(each, paper.currency, of_line=False) for each in paper.adjustments),
        _tax_total(paper),
        _totals(paper),
        *(_line(line, paper) for line in paper.lines),
    ):
        if child is not None:
            root.append(child)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _header(paper: Paper) -> Iterator[Node | None]:
    """BT-24, BT-1 to BT-3, BT-9, BT-22, BT-5, BT-10. A credit note has no due date of its own."""
    is_invoice = paper.kind == "invoice"
    yield _text("CustomizationID", EN_16931)
    yield _text("ID", paper.number)
    yield _text("IssueDate", paper.issued_on.isoformat())
    if is_invoice and paper.due_on:
        yield _text("DueDate", paper.due_on.isoformat())
    yield _text("InvoiceTypeCode" if is_invoice else "CreditNoteTypeCode", TYPE_CODES[paper.kind])
    if paper.notes:
        yield _text("Note", "\n".join(paper.notes))
    yield _text("DocumentCurrencyCode", paper.currency)
    yield _text("BuyerReference", paper.buyer_reference)


def _references(paper: Paper) -> Iterator[Node | None]:
    """BG-14, BT-13, BG-3, BT-16, BT-12, BT-11, which only an invoice has an element for."""
    yield _period(paper.period)
    yield _agg("OrderReference", _text("ID", paper.order_reference))
    if paper.preceding:
        document = _agg(
            "InvoiceDocumentReference",
            _text("ID", paper.preceding.number),
            _text("IssueDate", paper.preceding.issued_on.isoformat()),
        )
        yield _agg("BillingReference", document)
    yield _agg("DespatchDocumentReference", _text("ID", paper.delivery_reference))
    yield _agg("ContractDocumentReference", _text("ID", paper.contract_reference))
    if paper.kind == "invoice":
        yield _agg("ProjectReference", _text("ID", paper.project_reference))


def _period(span: tuple[date, date] | None) -> Node | None:
    if span is None:
        return None
    return _agg("InvoicePeriod", _text("StartDate", span[0].isoformat()), _text("EndDate", span[1].isoformat()))


def _party(party: Party, *, is_seller: bool, taxed: bool) -> Node | None:
    """BG-4 or BG-7. VAT identifiers are left out where all is outside the scope of tax (BR-O-02)."""
    contact = party.contact
    email = contact.email if contact else None
    return _agg(
        "Party",
        _text("EndpointID", email, schemeID="EM"),  # BT-34, BT-49
        _agg("PartyIdentification", _text("ID", party.reference)),  # BT-29, BT-46
        _address("PostalAddress", party.address),  # BG-5, BG-8
        _tax_scheme(party.vat_id if taxed else None, "VAT"),  # BT-31, BT-48
        _tax_scheme(party.tax_number if is_seller else None, "FC"),  # BT-32
        _agg("PartyLegalEntity", _text("RegistrationName", party.name), _text("CompanyID", party.registration)),
        contact
        and _agg(  # BG-6, BG-9
            "Contact",
            _text("Name", contact.name),
            _text("Telephone", contact.phone),
            _text("ElectronicMail", contact.email),
        ),
    )


def _tax_scheme(identifier: str | None, scheme: str) -> Node | None:
    if not identifier:
        return None
    return _agg("PartyTaxScheme", _text("CompanyID", identifier), _agg("TaxScheme", _text("ID", scheme)))


def _address(name: str, address: Address) -> Node | None:
    street, more, third = address.three()
    return _agg(
        name,
        _text("StreetName", street),
        _text("AdditionalStreetName", more),
        _text("CityName", address.city),
        _text("PostalZone", address.postal_code),
        _text("CountrySubentity", address.region),
        _agg("AddressLine", _text("Line", third)),
        _agg("Country", _text("IdentificationCode", address.country)),
    )


def _delivery(paper: Paper) -> Node | None:
    """BG-13: the day of supply (BT-72), and where to (BG-15)."""
    place = paper.deliver_to
    return _agg(
        "Delivery",
        _text("ActualDeliveryDate", paper.supplied_on.isoformat() if paper.supplied_on else None),
        _agg("DeliveryLocation", _address("Address", place)) if place else None,
        _agg("DeliveryParty", _agg("PartyName", _text("Name", paper.deliver_to_name))),  # BT-70
    )


def _payment_means(paper: Paper) -> Iterator[Node | None]:
    """BG-16, once for each account (BG-17)."""
    if paper.kind == "invoice":
        for account in paper.accounts:
            yield _agg(
                "PaymentMeans",
                _text("PaymentMeansCode", means_of(account, paper.currency)),
                _text("PaymentID", paper.payment_reference),  # BT-83
                _agg(
                    "PayeeFinancialAccount",
                    _text("ID", account.iban or account.account_number),  # BT-84
                    _text("Name", account.holder),  # BT-85
                    _agg("FinancialInstitutionBranch", _text("ID", account.bic)),  # BT-86
                ),
            )


def means_of(account: BankAccount, currency: str) -> str:
    """SEPA where the account and the currency allow it, else a plain transfer (BT-81)."""
    return SEPA_CREDIT_TRANSFER if account.iban and currency == "EUR" else CREDIT_TRANSFER


def _payment_terms(paper: Paper) -> Node | None:
    """BT-20."""
    return _agg("PaymentTerms", _text("Note", payment_terms(paper)))


def _allowance_charge(each: Adjustment, currency: str, *, of_line: bool) -> Node | None:
    """BG-20 and BG-21 of the whole, BG-27 and BG-28 of a line."""
    return _agg(
        "AllowanceCharge",
        _text("ChargeIndicator", "true" if each.is_charge else "false"),
        _text("AllowanceChargeReasonCode", each.reason_code),
        _text("AllowanceChargeReason", each.xml_reason),
        _text("MultiplierFactorNumeric", None if each.percent is None else plain(each.percent)),
        _amount("Amount", each.amount_minor, currency),
        None if each.base_minor is None else _amount("BaseAmount", each.base_minor, currency),
        None if of_line else _tax_category("TaxCategory", each.tax_category, each.tax_rate_bp),
    )


def _tax_total(paper: Paper) -> Node | None:
    """BT-110 and the breakdown, BG-23."""
    return _agg(
        "TaxTotal",
        _amount("TaxAmount", paper.tax_minor, paper.currency),
        *(_tax_subtotal(tax, paper.currency) for tax in paper.taxes),
    )


def _tax_subtotal(tax: PaperTax, currency: str) -> Node | None:
    return _agg(
        "TaxSubtotal",
        _amount("TaxableAmount", tax.taxable_minor, currency),
        _amount("TaxAmount", tax.tax_minor, currency),
        _tax_category(
            "TaxCategory",
            tax.category,
            tax.rate_bp,
            code=tax.exemption_code,
            reason=tax.exemption_reason,
        ),
    )


def _tax_category(
    name: str, category: str, rate_bp: int, code: str | None = None, reason: str | None = None
) -> Node | None:
    """What is outside the scope of tax has no rate, not even zero (BR-O-05)."""
    return _agg(
        name,
        _text("ID", category),
        None if category == "O" else _text("Percent", xml_rate(rate_bp)),
        _text("TaxExemptionReasonCode", code),
        _text("TaxExemptionReason", reason),
        _agg("TaxScheme", _text("ID", "VAT")),
    )


def _totals(paper: Paper) -> Node | None:
    """BG-22."""
    currency = paper.currency
    return _agg(
        "LegalMonetaryTotal",
        _amount("LineExtensionAmount", paper.lines_minor, currency),
        _amount("TaxExclusiveAmount", paper.net_minor, currency),
        _amount("TaxInclusiveAmount", paper.total_minor, currency),
        _amount("AllowanceTotalAmount", paper.allowances_minor, currency) if paper.allowances_minor else None,
        _amount("ChargeTotalAmount", paper.charges_minor, currency) if paper.charges_minor else None,
        _amount("PrepaidAmount", paper.prepaid_minor, currency) if paper.prepaid_minor else None,
        _amount("PayableAmount", paper.payable_minor, currency),
    )


def _line(line: PaperLine, paper: Paper) -> Node | None:
    """BG-25."""
    is_invoice, currency = paper.kind == "invoice", paper.currency
    return _agg(
        "InvoiceLine" if is_invoice else "CreditNoteLine",
        _text("ID", str(line.position)),
        _text("Note", line.note),
        _text(
            "InvoicedQuantity" if is_invoice else "CreditedQuantity",
            plain(line.quantity),
            unitCode=line.unit,
        ),
        _amount("LineExtensionAmount", line.net_minor, currency),
        _text("AccountingCost", line.accounting_reference),
        _period(line.period),
        _agg("OrderLineReference", _text("LineID", line.order_line)),
        *(_allowance_charge(each, currency, of_line=True) for each in line.adjustments),
        _agg(
            "Item",
            _text("Name", line.description),
            _agg("BuyersItemIdentification", _text("ID", line.buyer_item_number)),
            _agg("SellersItemIdentification", _text("ID", line.item_number)),
            _agg(
                "StandardItemIdentification",
                _text("ID", line.standard_item_number, schemeID=line.standard_scheme),
            ),
            _tax_category("ClassifiedTaxCategory", line.tax_category, line.tax_rate_bp),
        ),
        _agg(
            "Price",
            _text("PriceAmount", price_text(line.unit_price), currencyID=currency),
            None if line.base_quantity == 1 else _text("BaseQuantity", plain(line.base_quantity), unitCode=line.unit),
        ),
    )


def price_text(price: Decimal) -> str:
    """A price has as many decimals as it needs (BT-146)."""
    return plain(price)


def _taxed(paper: Paper) -> bool:
    return any(tax.category != "O" for tax in paper.taxes)


def _agg(name: str, *children: Node | None) -> Node | None:
    """An aggregate of the parts there are; none at all where there is none."""
    found = [child for child in children if child is not None]
    if not found:
        return None
    node = etree.Element(f"{{{_CAC}}}{name}")
    node.extend(found)
    return node


def _text(name: str, text: str | None, **attributes: str) -> Node | None:
    if not text:
        return None
    node = etree.Element(f"{{{_CBC}}}{name}", attributes)
    node.text = text
    return node


def _amount(name: str, minor: int, currency: str) -> Node | None:
    return _text(name, xml_amount(minor, currency), currencyID=currency)
