"""What a company says of itself when it applies: each piece checked as it comes, and which pieces are missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from services.credit.customers import rules as customers
from services.credit.identifiers import rules as identifiers
from shared.calendar import known_time_zone
from shared.errors import Refused
from shared.money import Money

ROLES: tuple[customers.Role, ...] = ("billing", "approver", "escalation")
FOUNDED_YEAR_MIN = 1000

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(customers.one_line)]
Word = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(customers.one_line)]
Country = Annotated[str, Field(max_length=64, examples=["DE"]), AfterValidator(customers.known_country)]
Language = Annotated[str, Field(max_length=64, examples=["de"]), AfterValidator(customers.known_language)]
Currency = Annotated[str, Field(max_length=64, examples=["EUR"]), AfterValidator(customers.known_currency)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(known_time_zone)]
Email = Annotated[str, Field(max_length=254), AfterValidator(customers.plausible_email)]
Phone = Annotated[str, Field(max_length=40), AfterValidator(customers.plausible_phone)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
NetDays = Annotated[int, Field(ge=0, le=customers.NET_DAYS_MAX)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Identifier(Part):
    """A number of a register, a tax office or a directory, checked by form and check digit."""

    kind: identifiers.Kind
    value: Annotated[str, Field(min_length=2, max_length=80)]

    @field_validator("value")
    @classmethod
    def _checked(cls, value: str, info: ValidationInfo) -> str:
        """Without a kind that is known there is nothing to check it by, and the kind is the fault."""
        kind = info.data.get("kind")
        return identifiers.check(kind, value) if kind else value


class AddressPart(Part):
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    city: Line
    postal_code: Line | None = None
    region: Line | None = None


class ContactPart(Part):
    role: customers.Role
    name: Line
    email: Email | None = None
    phone: Phone | None = None


class Delivery(Part):
    """How the company takes invoices: `e_invoice` names the format its systems read, `buyer_reference` what each
    invoice has to bear (a Leitweg-ID, say)."""

    channel: Literal["email", "letter", "portal"] = "email"
    e_invoice: Literal["none", "factur_x", "xrechnung", "peppol"] = "none"
    purchase_order: bool = False
    buyer_reference: Line | None = None


class Bank(Part):
    """The company's own account, for refunds and to recognise its payments by. `account` where it has no IBAN."""

    holder: Line | None = None
    iban: Annotated[str, Field(max_length=60), AfterValidator(identifiers.check_iban)] | None = None
    bic: Annotated[str, Field(max_length=20), AfterValidator(identifiers.check_bic)] | None = None
    account: Line | None = None


class Form(Part):
    """All that is asked. `parent_id` is the company it belongs to: a customer, or an application that is to be accepted
    before this one; `parent_name` is what the applicant says itself. The first language is what we write in."""

    legal_name: Line | None = None
    trading_names: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    legal_form: Word | None = None
    founded_year: Annotated[int, Field(ge=FOUNDED_YEAR_MIN, le=9999)] | None = None
    country: Country | None = None
    address: AddressPart | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    contacts: Annotated[tuple[ContactPart, ...], Field(max_length=30)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=5)] = ()
    time_zone: TimeZone = "UTC"
    currency: Currency | None = None
    delivery: Delivery | None = None
    bank: Bank | None = None
    parent_id: UUID | None = None
    parent_name: Line | None = None
    segment: Word = customers.SEGMENT_DEFAULT
    wanted_limit: Money | None = None
    wanted_net_days: NetDays | None = None

    @property
    def language(self) -> str:
        return self.languages[0] if self.languages else "en"

    def contact(self, role: customers.Role) -> ContactPart | None:
        return next((each for each in self.contacts if each.role == role), None)

    def numbers(self, *kinds: identifiers.Kind) -> tuple[str, ...]:
        """Those of these kinds, or all."""
        return tuple(each.value for each in self.identifiers if not kinds or each.kind in kinds)


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece that is not there: where it belongs, a name for it, and what it is."""

    field: str
    key: str
    detail: str


def missing(form: Form) -> list[Missing]:
    """Everything that has to be there before it can be submitted, in the order of the form."""
    lacks: list[Missing] = []

    def need(there: object, field: str, key: str, detail: str) -> None:
        if not there:
            lacks.append(Missing(field, key, detail))

    need(form.legal_name, "/legal_name", "legal_name", "the legal name")
    need(form.legal_form, "/legal_form", "legal_form", "the legal form")
    need(form.founded_year, "/founded_year", "founded_year", "the year of foundation")
    need(form.country, "/country", "country", "the country")
    need(form.address, "/address", "address", "the address")
    need(form.identifiers, "/identifiers", "identifiers", "a tax or register number")
    for role in ROLES:
        person, duty = form.contact(role), _DUTIES[role]
        need(person, "/contacts", role, f"the contact person for {duty}")
        if person and role == "billing":
            need(person.email, "/contacts", "billing_email", f"the mail address of the contact person for {duty}")
        elif person:
            there = person.email or person.phone
            need(there, "/contacts", f"{role}_reach", f"how to reach the contact person for {duty}")
    need(form.languages, "/languages", "language", "the language")
    need(form.currency, "/currency", "currency", "the currency")
    need(form.delivery, "/delivery", "delivery", "how invoices are to be delivered")
    if form.delivery and form.delivery.e_invoice == "xrechnung":
        reference = form.delivery.buyer_reference
        need(reference, "/delivery/buyer_reference", "buyer_reference", "the buyer reference (Leitweg-ID)")
    need(form.bank and (form.bank.iban or form.bank.account), "/bank", "bank", "the bank account")
    need(form.wanted_limit, "/wanted_limit", "wanted_limit", "the limit wanted")
    days = form.wanted_net_days
    need(days is not None, "/wanted_net_days", "wanted_net_days", "the days to pay that are wanted")
    return lacks


_DUTIES = {"billing": "invoices", "approver": "approvals", "escalation": "escalations"}


def legal_id(form: Form) -> str | None:
    """What a credit bureau knows the company by: its register's number before a tax number."""
    order = sorted(form.identifiers, key=lambda each: (each.kind in ("vat", "de_tax_number", "gb_utr"), each.kind))
    text = order[0].value if order else None
    return re.sub(r"[^A-Za-z0-9 ./-]", "", text) if text else None


def check_year(form: Form, today: date) -> None:
    if form.founded_year and form.founded_year > today.year:
        raise Refused(f"{form.founded_year} has not come yet.", field="/founded_year")
