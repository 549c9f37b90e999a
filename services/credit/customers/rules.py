"""Who a customer is: what each field may hold, and which events a change amounts to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from functools import cache
from typing import Any, Literal
from uuid import UUID

from babel import Locale, UnknownLocaleError
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from services.credit.terms.rules import Source, Terms
from services.credit.terms.rules import check as check_terms
from shared.errors import Conflict, Refused
from shared.events import credit as events
from shared.events.credit import (
    ContactPerson,
    CustomerEvent,
    CustomerOnboarded,
    CustomerSegmentChanged,
    CustomerState,
    CustomerTermsChanged,
    CustomerUpdated,
    PaymentTerms,
    PostalAddress,
)
from shared.money import Money, exponent

NET_DAYS_MAX = 365
NET_DAYS_DEFAULT = 30
SEGMENT_DEFAULT = "standard"

Role = Literal["billing", "approver", "escalation"]
Requirement = Literal["buyer_reference", "purchase_order"]
"""What an invoice must bear before the customer takes it."""


class DuplicateExternalId(Conflict):
    slug = "duplicate-external-id"
    title = "This external id belongs to another customer"

    def __init__(self, external_id: str, customer_id: UUID | None) -> None:
        whose = f" belongs to customer {customer_id}" if customer_id else " was taken a moment ago"
        extra = {"customer_id": str(customer_id)} if customer_id else {}
        super().__init__(f"The external id {external_id!r}{whose}.", field="/external_id", **extra)


class CustomerClosed(Conflict):
    slug = "customer-closed"
    title = "The customer is closed"

    def __init__(self, customer: Customer) -> None:
        merged_into = customer.merged_into
        whither = f"; it goes on as customer {merged_into}" if merged_into else ""
        extra = {"merged_into": str(merged_into)} if merged_into else {}
        super().__init__(f"Customer {customer.external_id} is closed{whither}.", **extra)


class ParentRefused(Refused):
    slug = "parent-refused"
    title = "That company cannot be the parent"


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact person: somebody at the customer."""

    role: Role
    name: str
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address in the customer's country."""

    lines: tuple[str, ...]
    city: str
    postal_code: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Particulars:
    """All that is known of a customer but for identity and state. `contact_parent`: reminders go to the contact person
    of the parent company. `terms_source` is who set the terms: days, prepayment and deposit."""

    name: str
    country: str
    language: str
    time_zone: str
    currency: str
    segment: str
    net_days: int
    contacts: tuple[Contact, ...] = ()
    address: Address | None = None
    vat_id: str | None = None
    buyer_reference: str | None = None
    requires: tuple[Requirement, ...] = ()
    parent_id: UUID | None = None
    contact_parent: bool = False
    prepaid_percent: int = 0
    deposit: Money | None = None
    terms_source: Source = "manual"

    @property
    def terms(self) -> Terms:
        return Terms(self.net_days, self.prepaid_percent, self.deposit)


TERMS = ("net_days", "prepaid_percent", "deposit")
"""The particulars that are the terms; `terms_source` follows them."""


@dataclass(frozen=True, slots=True)
class Customer:
    """`merged_into` is who a closed customer goes on as."""

    id: UUID
    version: int
    external_id: str
    status: Literal["active", "closed"]
    particulars: Particulars
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The customer afterwards; no events when nothing changed. `terms_before` where the terms did."""

    customer: Customer
    events: tuple[CustomerEvent, ...] = ()
    terms_before: Terms | None = None

    @property
    def moved_limit(self) -> bool:
        """Whether something changed that a limit from the policy hangs on."""
        return any(
            isinstance(event, CustomerSegmentChanged)
            or (isinstance(event, CustomerUpdated) and "currency" in event.changed)
            for event in self.events
        )


def onboard(id: UUID, external_id: str, particulars: Particulars, today: date) -> Outcome:
    """Raises Refused for a deposit that cannot be."""
    check_terms(particulars.terms, particulars.currency)
    customer = Customer(id=id, version=1, external_id=external_id, status="active", particulars=particulars)
    event = CustomerOnboarded(customer_id=id, effective_on=today, booked_on=today, customer=_state(customer))
    return Outcome(customer, (event,))


def change(customer: Customer, wanted: Mapping[str, Any], today: date, reason: str | None = None) -> Outcome:
    """Apply new values of some particulars: one event and one version for each kind of change.

    Particulars come first, then the terms, then the segment; each event shows the customer as of its own version.
    A value that is already held is no change, and nothing changed is no event. Terms are a person's unless
    `terms_source` is wanted too; `reason` is told with them. Raises Refused for a deposit that cannot be.
    """
    changed = tuple(
        field.name
        for field in fields(Particulars)
        if field.name in wanted and wanted[field.name] != getattr(customer.particulars, field.name)
    )
    events: list[CustomerEvent] = []
    terms_before = None
    if plain := tuple(name for name in changed if name not in (*TERMS, "terms_source", "segment")):
        customer = _with(customer, {name: wanted[name] for name in plain})
        events.append(
            CustomerUpdated(
                customer_id=customer.id,
                effective_on=today,
                booked_on=today,
                customer=_state(customer),
                changed=plain,
            )
        )
    if moved := [name for name in TERMS if name in changed]:
        terms_before, source = customer.particulars.terms, wanted.get("terms_source", "manual")
        customer = _with(customer, {"terms_source": source, **{name: wanted[name] for name in moved}})
        events.append(
            CustomerTermsChanged(
                customer_id=customer.id,
                effective_on=today,
                booked_on=today,
                customer=_state(customer),
                previous_terms=_told(terms_before),
                source=source,
                reason=reason,
            )
        )
    if "segment" in changed:
        previous_segment = customer.particulars.segment
        customer = _with(customer, {"segment": wanted["segment"]})
        events.append(
            CustomerSegmentChanged(
                customer_id=customer.id,
                effective_on=today,
                booked_on=today,
                customer=_state(customer),
                previous_segment=previous_segment,
            )
        )
    if not {*TERMS, "currency"}.isdisjoint(changed):
        check_terms(customer.particulars.terms, customer.particulars.currency)
    return Outcome(customer, tuple(events), terms_before)


def close(customer: Customer, merged_into: UUID, reason: str, today: date) -> Outcome:
    """It goes on as another customer. Raises CustomerClosed."""
    expect_active(customer)
    customer = replace(customer, version=customer.version + 1, status="closed", merged_into=merged_into)
    event = events.CustomerClosed(
        customer_id=customer.id, effective_on=today, booked_on=today, customer=_state(customer), reason=reason
    )
    return Outcome(customer, (event,))


def expect_active(customer: Customer) -> None:
    """Raises CustomerClosed."""
    if customer.status != "active":
        raise CustomerClosed(customer)


def check_parent(customer_id: UUID, about: Particulars, ancestors: Sequence[UUID]) -> None:
    """`ancestors` are the parent, its parent ..., empty where the parent is no customer. Raises ParentRefused."""
    if about.parent_id is None:
        if about.contact_parent:
            raise ParentRefused("there is no parent company to write to", field="/contact_parent")
        return
    if not ancestors:
        raise ParentRefused(f"there is no customer {about.parent_id}", field="/parent_id")
    if customer_id in ancestors:
        raise ParentRefused(f"{about.parent_id} belongs to this customer itself", field="/parent_id")


def plausible_phone(number: str) -> str:
    """A number with its country in front (E.164), blanks and hyphens taken out. Raises ValueError."""
    compact = re.sub(r"[\s().-]", "", number)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", compact):
        raise ValueError(f"{number!r} is not a phone number with its country in front, such as +49 30 1234567")
    return compact


def known_currency(code: str) -> str:
    """Raises ValueError for anything that is not an ISO 4217 code in use."""
    exponent(code)
    return code


def known_country(code: str) -> str:
    """ISO 3166-1 alpha-2. Raises ValueError."""
    if code not in _countries():
        raise ValueError(f"unknown country {code!r}, an ISO 3166 code of two capital letters such as DE is wanted")
    return code


def known_language(code: str) -> str:
    """A language, alone or with a country: `de`, `pt-BR` (BCP 47). Raises ValueError."""
    if not _is_language(code):
        raise ValueError(f"unknown language {code!r}, a code such as de or pt-BR is wanted")
    return code


def known_vat_id(text: str) -> str:
    """A VAT number with its country's prefix, checked by form and check digit where the country's are known; returned
    in capitals, without blanks and dots. Raises ValueError."""
    compact = "".join(character for character in text.upper() if character.isalnum())
    prefix = compact[:2]
    if not (prefix.isalpha() and prefix.isascii() and 4 <= len(compact) <= 18):
        raise ValueError(f"{text!r} is not a VAT number with its country in front, such as DE136695976")
    country = _VAT_PREFIXES.get(prefix, prefix)
    if module := get_cc_module(country.lower(), "vat"):
        try:
            module.validate(compact if prefix not in _VAT_PREFIXES else country + compact[2:])
        except ValidationError as error:
            raise ValueError(f"{text!r} is not a VAT number of {prefix}: {error}") from None
    return compact


_VAT_PREFIXES = {"EL": "GR", "XI": "GB"}
"""Greece and Northern Ireland have prefixes that are not their ISO codes (Directive 2006/112/EC, article 215)."""


def plausible_email(address: str) -> str:
    """The shape of RFC 5321, with a dot in the domain; whether it exists a delivery will show. Raises ValueError."""
    local, _, domain = address.rpartition("@")
    short = len(local) <= 64 and len(domain) <= 253
    if not (short and _EMAIL_LOCAL.fullmatch(local) and _EMAIL_DOMAIN.fullmatch(domain)):
        raise ValueError(f"{address!r} is not an e-mail address such as ap@example.com")
    return address


def one_line(text: str) -> str:
    """Text fit for a table cell and for the header of a mail. Raises ValueError."""
    if any(unicodedata.category(character) in _BREAKING for character in text):
        raise ValueError("line breaks and control characters are not allowed")
    return text


_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, halves of surrogate pairs, line and paragraph separators."""


_EMAIL_LOCAL = re.compile(r"[^\s@\x00-\x1f\x7f<>()\[\],;:\\\".]+(\.[^\s@\x00-\x1f\x7f<>()\[\],;:\\\".]+)*")
_EMAIL_DOMAIN = re.compile(r"([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_]([\w-]{0,61}[^\W_])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")

_NOT_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
"""Two-letter regions of CLDR that ISO 3166-1 has no officially assigned code for. XK stays: Kosovo has no other, and
banks and customs use it."""


@cache
def _countries() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NOT_COUNTRIES


@cache
def _is_language(code: str) -> bool:
    if not _LANGUAGE.fullmatch(code):
        return False
    language, _, country = code.partition("-")
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return False
    return not country or country in _countries()


def _with(customer: Customer, values: Mapping[str, Any]) -> Customer:
    return replace(customer, version=customer.version + 1, particulars=replace(customer.particulars, **values))


def _state(customer: Customer) -> CustomerState:
    about = customer.particulars
    return CustomerState(
        id=customer.id,
        version=customer.version,
        external_id=customer.external_id,
        name=about.name,
        status=customer.status,
        country=about.country,
        language=about.language,
        time_zone=about.time_zone,
        currency=about.currency,
        segment=about.segment,
        payment_terms=_told(about.terms),
        contacts=tuple(ContactPerson(role=c.role, name=c.name, email=c.email, phone=c.phone) for c in about.contacts),
        address=PostalAddress(**asdict(about.address)) if about.address else None,
        vat_id=about.vat_id,
        buyer_reference=about.buyer_reference,
        requires=about.requires,
        parent_id=about.parent_id,
        contact_parent=about.contact_parent,
        merged_into=customer.merged_into,
    )


def _told(terms: Terms) -> PaymentTerms:
    return PaymentTerms(net_days=terms.net_days, prepaid_percent=terms.prepaid_percent, deposit=terms.deposit)
