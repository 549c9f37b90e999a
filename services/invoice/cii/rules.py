"""UN/CEFACT Cross Industry Invoice (D22B) of a paper in the Factur-X profile EN 16931 (CEN/TS 16931-3-3).

One function a group of business terms; the schema fixes the order of elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

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
from services.invoice.ubl.rules import EN_16931, TYPE_CODES, means_of, price_text

_CEFACT = "urn:un:unece:uncefact:data:"
_SPACES = {
    "rsm": f"{_CEFACT}standard:CrossIndustryInvoice:100",
    "ram": f"{_CEFACT}standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_CEFACT}standard:UnqualifiedDataType:100",
    "qdt": f"{_CEFACT}standard:QualifiedDataType:100",
}

Node = etree._Element


def write(paper: Paper) -> bytes:
    """The CrossIndustryInvoice document, UTF-8. Raises NotElectronic where the standard asks for more."""
    paper = electronic(paper)
    root = etree.Element(_name("rsm:CrossIndustryInvoice"), nsmap=_SPACES)
    parts = (
        _node(
            "rsm:ExchangedDocumentContext",
            _node("ram:GuidelineSpecifiedDocumentContextParameter", _text("ram:ID", EN_16931)),  # BT-24
        ),
        _document(paper),
        _node(
            "rsm:SupplyChainTradeTransaction",
            *(_line(line, paper) for line in paper.lines),
            _agreement(paper),
            _delivery(paper),
            _settlement(paper),
        ),
    )
    root.extend(part for part in parts if part is not None)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _document(paper: Paper) -> Node | None:
    """BT-1, BT-3, BT-2, BT-22."""
    return _node(
        "rsm:ExchangedDocument",
        _text("ram:ID", paper.number),
        _text("ram:TypeCode", TYPE_CODES[paper.kind]),
        _day("ram:IssueDateTime", paper.issued_on),
        *(_node("ram:IncludedNote", _text("ram:Content", note)) for note in paper.notes),
    )


def _line(line: PaperLine, paper: Paper) -> Node | None:
    """BG-25."""
    return _node(
        "ram:IncludedSupplyChainTradeLineItem",
        _node(
            "ram:AssociatedDocumentLineDocument",
            _text("ram:LineID", str(line.position)),  # BT-126
            _node("ram:IncludedNote", _text("ram:Content", line.note)),  # BT-127
        ),
        _node(
            "ram:SpecifiedTradeProduct",
            _text("ram:GlobalID", line.standard_item_number, schemeID=line.standard_scheme),  # BT-157
            _text("ram:SellerAssignedID", line.item_number),  # BT-155
            _text("ram:BuyerAssignedID", line.buyer_item_number),  # BT-156
            _text("ram:Name", line.description),  # BT-153
        ),
        _node(
            "ram:SpecifiedLineTradeAgreement",
            _node("ram:BuyerOrderReferencedDocument", _text("ram:LineID", line.order_line)),  # BT-132
            _node(
                "ram:NetPriceProductTradePrice",
                _text("ram:ChargeAmount", price_text(line.unit_price)),  # BT-146
                None
                if line.base_quantity == 1
                else _text("ram:BasisQuantity", plain(line.base_quantity), unitCode=line.unit),  # BT-149
            ),
        ),
        _node(
            "ram:SpecifiedLineTradeDelivery",
            _text("ram:BilledQuantity", plain(line.quantity), unitCode=line.unit),  # BT-129
        ),
        _node(
            "ram:SpecifiedLineTradeSettlement",
            _category("ram:ApplicableTradeTax", line.tax_category, line.tax_rate_bp),  # BG-30
            _period(line.period),  # BG-26
            *(_allowance_charge(each, paper.currency, of_line=True) for each in line.adjustments),
            _node(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                _amount("ram:LineTotalAmount", line.net_minor, paper),  # BT-131
            ),
            _node("ram:ReceivableSpecifiedTradeAccountingAccount", _text("ram:ID", line.accounting_reference)),
        ),
    )


def _agreement(paper: Paper) -> Node | None:
    """BT-10, BG-4, BG-7, BT-13, BT-12, BT-11."""
    taxed = any(tax.category != "O" for tax in paper.taxes)
    return _node(
        "ram:ApplicableHeaderTradeAgreement",
        _text("ram:BuyerReference", paper.buyer_reference),
        _party("ram:SellerTradeParty", paper.seller, is_seller=True, taxed=taxed),
        _party("ram:BuyerTradeParty", paper.buyer, is_seller=False, taxed=taxed),
        _node("ram:BuyerOrderReferencedDocument", _text("ram:IssuerAssignedID", paper.order_reference)),
        _node("ram:ContractReferencedDocument", _text("ram:IssuerAssignedID", paper.contract_reference)),
        _node(  # BT-11
            "ram:SpecifiedProcuringProject",
            _text("ram:ID", paper.project_reference),
            _text("ram:Name", "Project reference" if paper.project_reference else None),
        ),
    )


def _party(name: str, party: Party, *, is_seller: bool, taxed: bool) -> Node | None:
    """BG-4 or BG-7. VAT identifiers are left out where all is outside the scope of tax (BR-O-02)."""
    contact = party.contact
    return _node(
        name,
        _text("ram:ID", party.reference),  # BT-29, BT-46
        _text("ram:Name", party.name),  # BT-27, BT-44
        _node("ram:SpecifiedLegalOrganization", _text("ram:ID", party.registration)),  # BT-30, BT-47
        contact
        and _node(  # BG-6, BG-9
            "ram:DefinedTradeContact",
            _text("ram:PersonName", contact.name),
            _node("ram:TelephoneUniversalCommunication", _text("ram:CompleteNumber", contact.phone)),
            _node("ram:EmailURIUniversalCommunication", _text("ram:URIID", contact.email)),
        ),
        _address(party.address),  # BG-5, BG-8
        _node(  # BT-34, BT-49
            "ram:URIUniversalCommunication", _text("ram:URIID", contact.email if contact else None, schemeID="EM")
        ),
        _registration(party.vat_id if taxed else None, "VA"),  # BT-31, BT-48
        _registration(party.tax_number if is_seller else None, "FC"),  # BT-32
    )


def _registration(identifier: str | None, scheme: str) -> Node | None:
    return _node("ram:SpecifiedTaxRegistration", _text("ram:ID", identifier, schemeID=scheme))


def _address(address: Address) -> Node | None:
    street, more, third = address.three()
    return _node(
        "ram:PostalTradeAddress",
        _text("ram:PostcodeCode", address.postal_code),
        _text("ram:LineOne", street),
        _text("ram:LineTwo", more),
        _text("ram:LineThree", third),
        _text("ram:CityName", address.city),
        _text("ram:CountryID", address.country),
        _text("ram:CountrySubDivisionName", address.region),
    )


def _delivery(paper: Paper) -> Node | None:
    """BG-13: where to (BG-15), when (BT-72), the despatch advice (BT-16)."""
    ship_to = _node(
        "ram:ShipToTradeParty",
        _text("ram:Name", paper.deliver_to_name or paper.buyer.name),  # BT-70
        _address(paper.deliver_to) if paper.deliver_to else None,
    )
    supplied = _day("ram:OccurrenceDateTime", paper.supplied_on)
    return _node(
        "ram:ApplicableHeaderTradeDelivery",
        ship_to,
        _node("ram:ActualDeliverySupplyChainEvent", supplied),
        _node("ram:DespatchAdviceReferencedDocument", _text("ram:IssuerAssignedID", paper.delivery_reference)),
    )


def _settlement(paper: Paper) -> Node | None:
    """BG-16 to BG-23, BT-9, BT-20, BG-3."""
    return _node(
        "ram:ApplicableHeaderTradeSettlement",
        _text("ram:PaymentReference", paper.payment_reference),  # BT-83
        _text("ram:InvoiceCurrencyCode", paper.currency),  # BT-5
        *(_payment_means(account, paper.currency) for account in paper.accounts if paper.kind == "invoice"),
        *(_tax(tax, paper) for tax in paper.taxes),
        _period(paper.period),  # BG-14
        *(_allowance_charge(each, paper.currency, of_line=False) for each in paper.adjustments),
        _terms(paper),
        _summation(paper),
        *_preceding(paper),
    )


def _payment_means(account: BankAccount, currency: str) -> Node | None:
    """BG-16 and BG-17."""
    return _node(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        _text("ram:TypeCode", means_of(account, currency)),  # BT-81
        _node(
            "ram:PayeePartyCreditorFinancialAccount",
            _text("ram:IBANID", account.iban),  # BT-84
            _text("ram:AccountName", account.holder),  # BT-85
            _text("ram:ProprietaryID", None if account.iban else account.account_number),  # BT-84
        ),
        _node("ram:PayeeSpecifiedCreditorFinancialInstitution", _text("ram:BICID", account.bic)),  # BT-86
    )


def _tax(tax: PaperTax, paper: Paper) -> Node | None:
    """BG-23. What is outside the scope of tax has no rate, not even zero (BR-O-05)."""
    return _node(
        "ram:ApplicableTradeTax",
        _amount("ram:CalculatedAmount", tax.tax_minor, paper),  # BT-117
        _text("ram:TypeCode", "VAT"),
        _text("ram:ExemptionReason", tax.exemption_reason),  # BT-120
        _amount("ram:BasisAmount", tax.taxable_minor, paper),  # BT-116
        _text("ram:CategoryCode", tax.category),  # BT-118
        _text("ram:ExemptionReasonCode", tax.exemption_code),  # BT-121
        _text("ram:RateApplicablePercent", None if tax.category == "O" else xml_rate(tax.rate_bp)),  # BT-119
    )


def _allowance_charge(each: Adjustment, currency: str, *, of_line: bool) -> Node | None:
    """BG-20 and BG-21 of the whole, BG-27 and BG-28 of a line."""
    return _node(
        "ram:SpecifiedTradeAllowanceCharge",
        _node("ram:ChargeIndicator", _text("udt:Indicator", "true" if each.is_charge else "false")),
        _text("ram:CalculationPercent", None if each.percent is None else plain(each.percent)),
        _text("ram:BasisAmount", None if each.base_minor is None else xml_amount(each.base_minor, currency)),
        _text("ram:ActualAmount", xml_amount(each.amount_minor, currency)),
        _text("ram:ReasonCode", each.reason_code),
        _text("ram:Reason", each.xml_reason),
        None if of_line else _category("ram:CategoryTradeTax", each.tax_category, each.tax_rate_bp),
    )


def _period(span: tuple[date, date] | None) -> Node | None:
    if span is None:
        return None
    return _node("ram:BillingSpecifiedPeriod", _day("ram:StartDateTime", span[0]), _day("ram:EndDateTime", span[1]))


def _category(name: str, category: str, rate_bp: int) -> Node | None:
    return _node(
        name,
        _text("ram:TypeCode", "VAT"),
        _text("ram:CategoryCode", category),
        _text("ram:RateApplicablePercent", None if category == "O" else xml_rate(rate_bp)),
    )


def _terms(paper: Paper) -> Node | None:
    """BT-20 and BT-9."""
    return _node(
        "ram:SpecifiedTradePaymentTerms",
        _text("ram:Description", payment_terms(paper)),
        _day("ram:DueDateDateTime", paper.due_on if paper.kind == "invoice" else None),
    )


def _summation(paper: Paper) -> Node | None:
    """BG-22."""
    return _node(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        _amount("ram:LineTotalAmount", paper.lines_minor, paper),
        _amount("ram:ChargeTotalAmount", paper.charges_minor, paper) if paper.charges_minor else None,
        _amount("ram:AllowanceTotalAmount", paper.allowances_minor, paper) if paper.allowances_minor else None,
        _amount("ram:TaxBasisTotalAmount", paper.net_minor, paper),
        _text("ram:TaxTotalAmount", xml_amount(paper.tax_minor, paper.currency), currencyID=paper.currency),
        _amount("ram:GrandTotalAmount", paper.total_minor, paper),
        _amount("ram:TotalPrepaidAmount", paper.prepaid_minor, paper) if paper.prepaid_minor else None,
        _amount("ram:DuePayableAmount", paper.payable_minor, paper),
    )


def _preceding(paper: Paper) -> Iterator[Node | None]:
    """BG-3."""
    if paper.preceding:
        issued = _text("qdt:DateTimeString", f"{paper.preceding.issued_on:%Y%m%d}", format="102")
        yield _node(
            "ram:InvoiceReferencedDocument",
            _text("ram:IssuerAssignedID", paper.preceding.number),
            _node("ram:FormattedIssueDateTime", issued),
        )


def _name(prefixed: str) -> str:
    prefix, _, local = prefixed.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


def _node(name: str, *children: Node | None) -> Node | None:
    """An element of the parts there are; none at all where there is none."""
    found = [child for child in children if child is not None]
    if not found:
        return None
    node = etree.Element(_name(name))
    node.extend(found)
    return node


def _text(name: str, text: str | None, **attributes: str) -> Node | None:
    if not text:
        return None
    node = etree.Element(_name(name), attributes)
    node.text = text
    return node


def _day(name: str, day: date | None) -> Node | None:
    return _node(name, _text("udt:DateTimeString", f"{day:%Y%m%d}" if day else None, format="102"))


def _amount(name: str, minor: int, paper: Paper) -> Node | None:
    return _text(name, xml_amount(minor, paper.currency))
