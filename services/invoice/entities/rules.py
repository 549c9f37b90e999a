"""A selling entity: in whose name, time zone and numbers invoices are issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.calendar import at_local_time, local_date
from shared.money import Money

DEFAULT = "default"
MIDNIGHT = time(0, 0)

SeriesKind = Literal["invoice", "credit_note"]

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


class Policies(Document):
    """What an entity does by itself. Every default is the quiet one: nothing is sent, charged or granted unasked."""

    cash_application: CashApplication = CashApplication()


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

    @classmethod
    def of(cls, row: Sequence[Any]) -> Entity:
        """From its row, whose last two values are the JSON texts of seller and policies."""
        return cls(*row[:-2], seller=_seller(row[-2]), policies=_policies(row[-1]))

    def today(self, now: datetime) -> date:
        """The business date at a moment."""
        return local_date(now, self.time_zone)

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
