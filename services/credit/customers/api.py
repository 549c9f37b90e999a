"""Customers over HTTP: onboard, look at, list, find by the caller's own id, change."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from services.credit.customers import handlers, rules
from services.credit.customers.handlers import ChangeCustomer, OnboardCustomer
from services.credit.customers.rules import Address, Contact, Customer, Particulars
from services.credit.terms.rules import Source
from shared.calendar import known_time_zone, local_date
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["customers"])

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(rules.one_line)]
ExternalId = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(rules.one_line)]
Segment = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(rules.one_line)]
Country = Annotated[
    str,
    Field(max_length=64, examples=["DE"], json_schema_extra={"pattern": "^[A-Z]{2}$"}),
    AfterValidator(rules.known_country),
]
Language = Annotated[
    str,
    Field(max_length=64, examples=["de"], json_schema_extra={"pattern": "^[a-z]{2,3}(-[A-Z]{2})?$"}),
    AfterValidator(rules.known_language),
]
TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(known_time_zone)]
Currency = Annotated[
    str,
    Field(max_length=64, examples=["EUR"], json_schema_extra={"pattern": "^[A-Z]{3}$"}),
    AfterValidator(rules.known_currency),
]
VatId = Annotated[str, Field(max_length=64, examples=["DE136695976"]), AfterValidator(rules.known_vat_id)]
Requirements = Annotated[list[rules.Requirement], Field(max_length=2)]
Email = Annotated[str, Field(max_length=254, examples=["ap@example.com"]), AfterValidator(rules.plausible_email)]


Phone = Annotated[str, Field(max_length=40, examples=["+49 30 1234567"]), AfterValidator(rules.plausible_phone)]


def _left_out() -> Any:
    """A field that is not sent stays as it is; null is a value, where a field may be null."""


class PaymentTermsIn(Body):
    """What is left out stays as it is; a customer that is onboarded pays nothing in advance then."""

    net_days: int = Field(ge=0, le=rules.NET_DAYS_MAX, description="Days from the invoice date to the due date")
    prepaid_percent: int = Field(default_factory=_left_out, ge=0, le=100, description="Of each order, before delivery")
    deposit: Money | None = Field(default_factory=_left_out, description="What the customer is asked for")


class ContactIn(Body):
    role: rules.Role
    name: Line
    email: Email | None = None
    phone: Phone | None = None


class AddressIn(Body):
    lines: list[Line] = Field(min_length=1, max_length=6)
    city: Line
    postal_code: Line | None = None
    region: Line | None = None


Contacts = Annotated[list[ContactIn], Field(max_length=50)]


class OnboardCustomerIn(Body):
    external_id: ExternalId = Field(description="Your own id of the customer, unique")
    name: Line
    country: Country
    currency: Currency = Field(description="What the customer is kept in; the credit limit is in this currency")
    language: Language = "en"
    time_zone: TimeZone = "UTC"
    segment: Segment = rules.SEGMENT_DEFAULT
    payment_terms: PaymentTermsIn = PaymentTermsIn(net_days=rules.NET_DAYS_DEFAULT)
    contacts: Contacts = Field(default_factory=list)
    address: AddressIn | None = None
    vat_id: VatId | None = None
    buyer_reference: Line | None = Field(
        default=None, description="The same for all its invoices, such as a Leitweg-ID"
    )
    requires: Requirements = Field(default_factory=list, description="What an invoice must bear to be accepted")
    parent_id: UUID | None = Field(default=None, description="The company it belongs to, a customer too")
    contact_parent: bool = Field(default=False, description="Whether reminders go to the parent's contact person")


class ChangeCustomerIn(Body):
    name: Line = Field(default_factory=_left_out)
    country: Country = Field(default_factory=_left_out)
    currency: Currency = Field(default_factory=_left_out)
    language: Language = Field(default_factory=_left_out)
    time_zone: TimeZone = Field(default_factory=_left_out)
    segment: Segment = Field(default_factory=_left_out)
    payment_terms: PaymentTermsIn = Field(default_factory=_left_out)
    contacts: Contacts = Field(default_factory=_left_out)
    address: AddressIn | None = Field(default_factory=_left_out)
    vat_id: VatId | None = Field(default_factory=_left_out)
    buyer_reference: Line | None = Field(default_factory=_left_out)
    requires: Requirements = Field(default_factory=_left_out)
    parent_id: UUID | None = Field(default_factory=_left_out)
    contact_parent: bool = Field(default_factory=_left_out)


class PaymentTermsOut(BaseModel):
    """`deposit` is what the customer is asked for; what was received of it stands with its limit. `source` is who set
    the terms."""

    net_days: int
    prepaid_percent: int
    deposit: Money | None
    source: Source


class CustomerOut(BaseModel):
    id: UUID
    version: int
    external_id: str
    name: str
    status: Literal["active", "closed"]
    country: str
    language: str
    time_zone: str
    currency: str
    segment: str
    payment_terms: PaymentTermsOut
    contacts: tuple[Contact, ...]
    address: Address | None
    vat_id: str | None
    buyer_reference: str | None
    requires: tuple[rules.Requirement, ...]
    parent_id: UUID | None
    contact_parent: bool
    merged_into: UUID | None = None

    @classmethod
    def of(cls, customer: Customer) -> "CustomerOut":
        about = customer.particulars
        return cls(
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
            payment_terms=PaymentTermsOut(
                net_days=about.net_days,
                prepaid_percent=about.prepaid_percent,
                deposit=about.deposit,
                source=about.terms_source,
            ),
            contacts=about.contacts,
            address=about.address,
            vat_id=about.vat_id,
            buyer_reference=about.buyer_reference,
            requires=about.requires,
            parent_id=about.parent_id,
            contact_parent=about.contact_parent,
            merged_into=customer.merged_into,
        )


@router.post("/customers", status_code=201, response_model=CustomerOut, dependencies=[scope("customers:write")])
async def onboard_customer(body: OnboardCustomerIn, once: Once) -> Response:
    """Onboard a customer: it may be invoiced from now on, and has the credit limit of the policy."""
    async with once as tx:
        command = OnboardCustomer(
            external_id=body.external_id,
            particulars=Particulars(
                name=body.name,
                country=body.country,
                language=body.language,
                time_zone=body.time_zone,
                currency=body.currency,
                segment=body.segment,
                **_terms(body.payment_terms),
                terms_source="manual" if "payment_terms" in body.model_fields_set else "default",
                contacts=_contacts(body.contacts),
                address=_address(body.address),
                vat_id=body.vat_id,
                buyer_reference=body.buyer_reference,
                requires=tuple(dict.fromkeys(body.requires)),
                parent_id=body.parent_id,
                contact_parent=body.contact_parent,
            ),
            today=local_date(tx.now, "UTC"),
        )
        customer = await handlers.onboard_customer(tx, command)
        return once.answer(
            201, CustomerOut.of(customer), etag=customer.version, location=f"/v1/customers/{customer.id}"
        )


@router.get("/customers", response_model=Page[CustomerOut], dependencies=[scope("customers:read")])
async def find_customers(
    database: DatabaseDep,
    page: PageParams,
    external_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
) -> Page[CustomerOut]:
    """All customers in the order they were onboarded, or the one with your `external_id`."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        if external_id is not None:
            customers = await handlers.find_customers(tx, external_id)
        else:
            customers = await handlers.list_customers(tx, after, page.limit + 1)
    shown, more = page.cut(customers, lambda last: [last.id])
    return Page[CustomerOut](items=[CustomerOut.of(customer) for customer in shown], next_cursor=more)


@router.get("/customers/{customer_id}", response_model=CustomerOut, dependencies=[scope("customers:read")])
async def show_customer(customer_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        customer = await handlers.get_customer(tx, customer_id)
    return respond(CustomerOut.of(customer), etag=customer.version)


@router.patch("/customers/{customer_id}", response_model=CustomerOut, dependencies=[scope("customers:write")])
async def change_customer(
    customer_id: UUID, body: ChangeCustomerIn, version: IfMatch, database: DatabaseDep
) -> Response:
    """Change what is sent and leave the rest; `contacts` replaces the whole list, and `address: null` removes it."""
    async with transaction(database) as tx:
        command = ChangeCustomer(customer_id, _wanted(body), version, local_date(tx.now, "UTC"))
        customer = await handlers.change_customer(tx, command)
    return respond(CustomerOut.of(customer), etag=customer.version)


def _wanted(body: ChangeCustomerIn) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "payment_terms" in wanted:
        wanted |= _terms(wanted.pop("payment_terms"))
    if "contacts" in wanted:
        wanted["contacts"] = _contacts(wanted["contacts"])
    if "address" in wanted:
        wanted["address"] = _address(wanted["address"])
    if "requires" in wanted:
        wanted["requires"] = tuple(dict.fromkeys(wanted["requires"]))
    return wanted


def _terms(terms: PaymentTermsIn) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: getattr(terms, name) for name in terms.model_fields_set}
    if (deposit := wanted.get("deposit")) and deposit.minor == 0:
        wanted["deposit"] = None
    return wanted


def _contacts(contacts: list[ContactIn]) -> tuple[Contact, ...]:
    return tuple(Contact(contact.role, contact.name, contact.email, contact.phone) for contact in contacts)


def _address(address: AddressIn | None) -> Address | None:
    if address is None:
        return None
    return Address(tuple(address.lines), address.city, address.postal_code, address.region)
