"""A selling entity: in whose name, time zone and numbers invoices are issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.calendar import ONE_DAY, at_local_time, local_date
from shared.errors import Refused
from shared.money import Money

DEFAULT = "default"
MIDNIGHT = time(0, 0)

SeriesKind = Literal["invoice", "credit_note"]


class EntityUnknown(Refused):
    """422, since it is the request's content that names it."""

    slug = "entity-unknown"
    title = "There is no such selling entity"


CreditPolicy = Literal["off", "advise", "enforce"]
"""What an issuer does about credit: does not ask, records the answer, or refuses what credit declines."""


Text = Annotated[str, Field(min_length=1, max_length=200)]


class Document(BaseModel):
    """A part of an entity that is stored and sent as one JSON document."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SellerAddress(Document):
    lines: Annotated[tuple[Text, ...], Field(min_length=1, max_length=6)]
    city: Text
    postal_code: Text | None = None
    region: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])]


class BankAccount(Document):
    """Where customers pay to; the first one of the invoice's currency is printed, else the first."""

    iban: Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$", examples=["DE02120300000000202051"])]
    bic: Annotated[str, Field(pattern="^[A-Z0-9]{8}([A-Z0-9]{3})?$")] | None = None
    holder: Text | None = None
    bank_name: Text | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None


class Seller(Document):
    """Who the entity is on its documents: what EN 16931 asks of a seller (BG-4), and how to reach a person there."""

    legal_name: Text | None = None
    address: SellerAddress | None = None
    vat_id: Text | None = None
    tax_number: Text | None = None
    registration: Text | None = Field(default=None, examples=["HRB 12345, Amtsgericht Berlin"])
    contact_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    website: Text | None = None
    sepa_creditor_id: Text | None = None
    bank_accounts: tuple[BankAccount, ...] = ()


class CashApplication(Document):
    """How bank entries find their invoices. A payment that is short by at most the tolerance settles its invoices, and
    the rest is booked as a small difference; without an amount in the currency there is no tolerance in it."""

    auto_match_confidence_min: Annotated[int, Field(ge=50, le=101)] = Field(
        default=90, description="In percent: proposals as sure as this are applied by themselves; 101: none is"
    )
    tolerance_amounts: tuple[Money, ...] = Field(default=(), description="One for each currency")
    tolerance_percent: Annotated[int, Field(ge=0, le=10)] = Field(
        default=10, description="Of what is owed: the tolerance is the amount or this, whichever is less"
    )
    allocation_order: Literal["charges_first", "principal_first"] = Field(
        default="charges_first",
        description="What of an invoice a payment settles first: costs and interest (s. 367 BGB)",
    )


Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4, examples=["9.00"])]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class InterestTerms(Document):
    """What late payment costs a customer. `eu`: Directive 2011/7/EU; `uk`: Late Payment of Commercial Debts (Interest)
    Act 1998; `contract`: a rate of its own, fixed or above a reference rate; `none`: nothing."""

    law: Literal["none", "eu", "uk", "contract"] = "none"
    rate: Percent | None = Field(default=None, description="Percent a year, of a contract with a fixed rate")
    reference: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{1,39}$")] | None = Field(
        default=None, description="A series of /v1/interest-rates; the law's own when left out"
    )
    margin: Percent = Field(default=Decimal(8), description="Percentage points above the reference rate")
    day_count: Literal["act/365", "act/360"] = "act/365"
    recovery_cost: tuple[Money, ...] = Field(
        default=(), description="Lump sum for the cost of recovery by currency, where it is not the law's own"
    )

    @model_validator(mode="after")
    def _one_rate(self) -> InterestTerms:
        if self.law == "contract" and (self.rate is None) == (self.reference is None):
            raise ValueError("a contract has either a rate, or a reference rate and a margin")
        return self


class InterestPolicy(Document):
    """By the customer's country, and for all others."""

    countries: dict[Country, InterestTerms] = {}
    otherwise: InterestTerms = InterestTerms()
    charge: Literal["on_request", "monthly"] = Field(
        default="on_request", description="monthly: on the first of each month what the months before have cost"
    )

    def terms(self, country: str) -> InterestTerms:
        return self.countries.get(country, self.otherwise)


class DisputePolicy(Document):
    codes: tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{1,39}$")], ...] = (
        *("not_received", "damaged", "wrong_price", "wrong_quantity", "duplicate", "already_paid", "other"),
    )
    answer_days: int | None = Field(default=14, ge=1, le=365, description="Until the seller should have answered")
    fresh_days: int = Field(default=7, ge=0, le=90, description="Before collection goes on after a rejection")
    acknowledge: bool = Field(default=False, description="Tell the customer at once that the dispute arrived")


class PlanPolicy(Document):
    """What the customer may agree by itself on its page, and when a plan is broken."""

    self_service: bool = False
    months_max: int = Field(default=6, ge=1, le=60)
    instalment_min: tuple[Money, ...] = Field(default=(), description="The smallest instalment by currency")
    down_payment: Percent = Field(default=Decimal(0), description="Percent to be paid on the day it is agreed")
    grace_days: int = Field(default=3, ge=0, le=60)
    missed_max: int = Field(default=1, ge=1, le=12, description="So many missed instalments break the plan")
    remind_days_before: Annotated[int, Field(ge=0, le=30)] | None = Field(
        default=3,
        description="Each instalment is reminded of so many days before its date, where the entity sends by itself "
        "(0: on the day; null: never)",
    )
    remind_missed: bool = Field(
        default=True, description="An instalment that did not come is asked for the day after, if the plan still runs"
    )


class WriteOffs(Document):
    """When a claim may be given up by one person, and what of its tax comes back."""

    approval_from: tuple[Money, ...] = Field(
        default=(),
        description="One for each currency: from this amount on a second person approves. Once there is any, "
        "write-offs in other currencies always need approval",
    )
    tax_relief: bool = Field(
        default=False, description="Books the tax within a write-off back (Directive 2006/112/EC, article 90)"
    )


class DeliveryPolicy(Document):
    """How documents reach customers, and when somebody has to see to it."""

    automatic: bool = Field(
        default=False,
        description="Invoices leave as soon as they are issued, and word of disputes, plans and failed collections",
    )
    days_max: Annotated[int, Field(ge=0, le=365)] | None = Field(
        default=None, description="An invoice not delivered after so many days stands in the delivery queue"
    )
    owner: Text | None = Field(default=None, description="Who sees to the delivery queue")
    receipts: bool = Field(default=False, description="Each payment is thanked for with a receipt by mail")
    statements: Literal["never", "monthly"] = Field(
        default="never", description="monthly: a statement of account by mail on the first of each month"
    )


class CollectionPolicy(Document):
    """What is collected by methods that customers saved."""

    notice_days: int = Field(
        default=14,
        ge=1,
        le=60,
        description="A SEPA debit is announced so many days before it: 14 unless fewer were agreed with the customer "
        "(SEPA Direct Debit Core rulebook, EPC016-06, pre-notification)",
    )


class Policies(Document):
    """What an entity does by itself. Every default is the quiet one: nothing is sent, charged or granted unasked."""

    completeness: Literal["off", "record", "block"] = Field(
        default="record", description="What is done about an invoice that lacks something: nothing, a note, a refusal"
    )
    draft_days_max: int = Field(default=7, ge=0, le=365, description="Drafts older than this stand in the draft queue")
    discount_corrects_tax: bool = Field(
        default=True, description="A discount taken lowers the tax with the price (s. 17(1) UStG)"
    )
    interest: InterestPolicy = InterestPolicy()
    reminder_fee: tuple[Money, ...] = Field(default=(), description="By currency; charged where a reminder asks for it")
    disputes: DisputePolicy = DisputePolicy()
    plans: PlanPolicy = PlanPolicy()
    delivery: DeliveryPolicy = DeliveryPolicy()
    collection: CollectionPolicy = CollectionPolicy()
    cash_application: CashApplication = CashApplication()
    write_offs: WriteOffs = WriteOffs()
    pass_on_bank_charges: bool = Field(
        default=False, description="What the bank charges for a payment that bounced is charged to the customer"
    )


UNDESCRIBED = Seller()
QUIET = Policies()


@dataclass(frozen=True, slots=True)
class Entity:
    id: str
    version: int
    name: str
    time_zone: str
    currency: str
    credit_policy: CreditPolicy
    seller: Seller = UNDESCRIBED
    policies: Policies = QUIET
    locked_until: date | None = None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Entity:
        """From its row, whose last values are the period lock and the JSON texts of seller and policies."""
        return cls(*row[:-3], locked_until=row[-3], seller=_seller(row[-2]), policies=_policies(row[-1]))

    def today(self, now: datetime) -> date:
        """The business date at a moment."""
        return local_date(now, self.time_zone)

    def open_day(self, day: date) -> date:
        """The day that something of `day` is booked with effect of: itself, or the first after the closed books.

        Documents keep their own dates; every date that goes into the journal or into `effective_on` comes through here.
        """
        return day if self.locked_until is None else max(day, self.locked_until + ONE_DAY)

    def starts(self, day: date) -> datetime:
        """The moment a business date begins."""
        return at_local_time(day, MIDNIGHT, self.time_zone)


# Every write reads its entity, and entities hardly ever change.
@lru_cache
def _seller(text: str) -> Seller:
    return Seller.model_validate_json(text)


@lru_cache
def _policies(text: str) -> Policies:
    return Policies.model_validate_json(text)


def series_number(prefix: str, n: int) -> str:
    """The n-th number of a series: at least six digits, so that numbers sort as they were issued."""
    return f"{prefix}{n:06d}"


def is_of_series(number: str, prefix: str) -> bool:
    """Whether a number is one the series gives out itself, now or later."""
    rest = number.removeprefix(prefix)
    return number.startswith(prefix) and len(rest) >= 6 and rest.isascii() and rest.isdecimal()
