"""What an invoice lacks before it leaves, all of it at once: by EN 16931, by law, and by what the customer asks for.

An `error` is something that the standard or the law requires, a `warning` something that is probably a mistake; the
entity's policy says whether either keeps the invoice from being issued.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from services.invoice.customers.rules import Customer
from services.invoice.drafting.rules import DeliveryChannel, Finding, InvoiceAbout
from services.invoice.entities.rules import UNDESCRIBED, Entity
from services.invoice.pricing.rules import TAXED, Priced
from shared.errors import Refused

Policy = Literal["off", "record", "block"]

DUPLICATE_DAYS = 30
"""Invoices of one amount to one customer this close together are suspected of being one and the same."""

EU = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI"),
    )
)
"""Member states, with Northern Ireland, which is one for goods."""


class InvoiceIncomplete(Refused):
    slug = "invoice-incomplete"
    title = "The invoice lacks something"


@dataclass(frozen=True, slots=True)
class Similar:
    """An invoice that stands in the books already and may be the same."""

    number: str
    issue_date: date
    same_reference: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: an invoice to be, in whose name, and to whom."""

    priced: Priced
    customer: Customer
    entity: Entity
    about: InvoiceAbout
    reference: str | None
    delivery_channel: DeliveryChannel | None


def check(subject: Subject, similar: Sequence[Similar] = ()) -> tuple[Finding, ...]:
    """Every finding, in the order of the invoice: the parties, what the customer asks for, tax, and duplicates."""
    return (
        *_of_the_seller(subject),
        *_of_the_buyer(subject),
        *_asked_for(subject),
        *_of_tax(subject),
        *_duplicates(similar),
    )


def allowed(findings: Sequence[Finding], policy: Policy, accepted: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings to keep with the invoice. Raises InvoiceIncomplete under the policy `block`, naming all of them,
    unless they are warnings that the caller answers for."""
    if policy == "off":
        return ()
    if policy == "block":
        blocking = [each for each in findings if each.severity == "error" or each.code not in accepted]
        if blocking:
            raise InvoiceIncomplete(
                f"{len(blocking)} things are missing or do not fit" if len(blocking) > 1 else blocking[0].detail,
                errors=[{"pointer": f"#{each.field}", "detail": each.detail} for each in blocking],
                findings=[each.model_dump(exclude_none=True) for each in blocking],
            )
    return tuple(findings)


def _error(code: str, field: str, detail: str, rule: str | None = None) -> Finding:
    return Finding(code=code, severity="error", field=field, detail=detail, rule=rule)


def _warning(code: str, field: str, detail: str, rule: str | None = None) -> Finding:
    return Finding(code=code, severity="warning", field=field, detail=detail, rule=rule)


# The commonest findings say the same of every invoice.
_UNDESCRIBED = _error("seller-undescribed", "/entity_id", "the selling entity has no address and no tax id", "BR-08")
_NO_BUYER_ADDRESS = _error("buyer-address-missing", "/customer_id", "the customer has no postal address", "BR-10")


def _of_the_seller(subject: Subject) -> Iterator[Finding]:
    seller = subject.entity.seller
    if seller == UNDESCRIBED:
        yield _UNDESCRIBED
        return
    if seller.address is None:
        yield _error("seller-address-missing", "/entity_id", "the selling entity has no postal address", "BR-08")
    categories = {group.category for group in subject.priced.taxes}
    if categories & {"S", "Z", "E", "AE", "K", "G", "L", "M"} and not (seller.vat_id or seller.tax_number):
        yield _error(
            "seller-tax-id-missing", "/entity_id", "the selling entity has neither VAT id nor tax number", "BR-CO-26"
        )
    if "K" in categories and not seller.vat_id:
        yield _error("seller-vat-id-missing", "/entity_id", "an intra-community supply needs a VAT id", "BR-IC-02")
    if seller.vat_id and not is_vat_id(seller.vat_id):
        yield _error("seller-vat-id-invalid", "/entity_id", f"{seller.vat_id} is not a VAT id", "BR-CO-09")
    at = seller.address
    if at and at.country == "DE" and not (subject.about.supplied_on or subject.about.period):
        yield _warning(
            *("supply-date-missing", "/supplied_on"),
            "a German invoice states the day of supply, also where it is the invoice date (s. 14(4) no. 6 UStG)",
            "BT-72",
        )


def _of_the_buyer(subject: Subject) -> Iterator[Finding]:
    customer = subject.customer
    if not customer.address:
        yield _NO_BUYER_ADDRESS
    if customer.vat_id and not is_vat_id(customer.vat_id):
        yield _error("buyer-vat-id-invalid", "/customer_id", f"{customer.vat_id} is not a VAT id", "BR-CO-09")
    if subject.delivery_channel == "email" and not any(_email(contact) for contact in customer.contacts):
        yield _warning("recipient-missing", "/delivery_channel", "no contact person of the customer has a mail address")


def _email(contact: dict[str, Any]) -> str | None:
    return contact.get("email")


def _asked_for(subject: Subject) -> Iterator[Finding]:
    customer, about = subject.customer, subject.about
    if "buyer_reference" in customer.requires and not (about.buyer_reference or customer.buyer_reference):
        yield _error(
            *("buyer-reference-missing", "/buyer_reference"),
            "the customer takes no invoice without its reference",
            "BT-10",
        )
    if "purchase_order" in customer.requires and not (about.order_reference or subject.reference):
        yield _error(
            *("purchase-order-missing", "/order_reference"),
            "the customer takes no invoice without a purchase order number",
            "BT-13",
        )


def _of_tax(subject: Subject) -> Iterator[Finding]:
    groups = {group.category: group for group in subject.priced.taxes}
    for group in subject.priced.taxes:
        if group.category == "S" and group.rate_bp == 0:
            yield _error("tax-rate-missing", "/lines", "the standard rate (S) is above zero", "BR-S-05")
    if groups.keys() <= TAXED | {"O"} and not ("O" in groups and len(groups) > 1):
        return
    if "O" in groups and len(groups) > 1:
        yield _error(
            "tax-mixed", "/lines", "what is outside the scope of tax (O) stands alone on an invoice", "BR-O-11"
        )
    exempt = groups.get("E")
    if exempt and not (exempt.exemption_code or exempt.exemption_reason):
        yield _error("exemption-reason-missing", "/lines", "an exemption (E) states its reason", "BR-E-10")
    if "AE" in groups and not subject.customer.vat_id:
        yield _error("buyer-vat-id-missing", "/customer_id", "reverse charge needs the customer's VAT id", "BR-AE-02")
    if "K" in groups:
        yield from _of_a_supply_to_another_member_state(subject)
    if "G" in groups and _destination(subject) in EU:
        yield _warning(
            "export-inside-the-union", "/deliver_to/country", f"{_destination(subject)} is no export", "BR-G-01"
        )


def _of_a_supply_to_another_member_state(subject: Subject) -> Iterator[Finding]:
    customer, about, seller = subject.customer, subject.about, subject.entity.seller
    if not customer.vat_id:
        yield _error(
            "buyer-vat-id-missing", "/customer_id", "an intra-community supply needs the customer's VAT id", "BR-IC-02"
        )
    if about.deliver_to is None:
        yield _error(
            *("delivery-country-missing", "/deliver_to/country"),
            "an intra-community supply states the country it goes to",
            "BR-IC-12",
        )
    if not (about.supplied_on or about.period):
        yield _error(
            "supply-date-missing", "/supplied_on", "an intra-community supply states its day or period", "BR-IC-11"
        )
    destination = _destination(subject)
    home = seller.address.country if seller.address else None
    if destination == home or destination not in EU:
        yield _error(
            *("not-intra-community", "/deliver_to/country"),
            f"{destination} is not another member state: this is no intra-community supply (K)",
            "BR-IC-01",
        )
    if customer.vat_id and seller.vat_id and customer.vat_id[:2] == seller.vat_id[:2]:
        yield _error(
            *("not-intra-community", "/customer_id"),
            "the customer's VAT id is of the seller's own country: this is no intra-community supply (K)",
            "BR-IC-01",
        )


def _destination(subject: Subject) -> str:
    deliver_to = subject.about.deliver_to
    return deliver_to.country if deliver_to else subject.customer.country


def _duplicates(similar: Sequence[Similar]) -> Iterator[Finding]:
    for each in similar:
        why = "reference and amount" if each.same_reference else "amount"
        yield _warning(
            *("suspected-duplicate", "/lines"),
            f"invoice {each.number} of {each.issue_date} has the same customer, {why}; "
            "accept suspected-duplicate if both are meant",
        )


@lru_cache(maxsize=4096)
def is_vat_id(text: str) -> bool:
    """Whether a VAT id has the form and check digits of its country; of a country without known rules, only a prefix.

    VIES is not asked: whether the number is registered today is another question.
    """
    from stdnum import get_cc_module  # Here, because only some customers have one.

    compact = "".join(c for c in text if c.isalnum()).upper()
    prefix = compact[:2]
    country = {"EL": "GR", "XI": "GB"}.get(prefix, prefix)
    if not country.isalpha() or len(compact) < 4:
        return False
    if prefix == "GR":
        return False
    module = get_cc_module(country.lower(), "vat")
    return True if module is None else module.is_valid(compact if country not in ("GB",) else compact[2:])
