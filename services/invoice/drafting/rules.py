"""What a caller asks to have invoiced: the fields of `POST /v1/invoices` and of each row of an import."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.invoice.pricing.rules import BP, Line, Priced, TaxCategory, price, scaled
from shared.money import Money

DeliveryChannel = Literal["email", "letter"]

LINES_MAX = 1_000
QUANTITY_PLACES = 6
RATE_PLACES = 2
NET_DAYS_MAX = 3_650
YEARS = range(1950, 2200)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _iso_date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        raise ValueError("a date is written 2024-02-29")
    return value


def _in_our_time(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"a date between {YEARS[0]} and {YEARS[-1]} is wanted")
    return day


def _not_zero(quantity: str) -> str:
    if not scaled(quantity, QUANTITY_PLACES):
        raise ValueError("a quantity of zero is not invoiced")
    return quantity


def _not_negative(price: Money) -> Money:
    if price.minor < 0:
        raise ValueError("a price is not negative; a quantity may be")
    return price


def _a_percentage(rate: str) -> str:
    if scaled(rate, RATE_PLACES) > BP:
        raise ValueError("a tax rate is at most 100 percent")
    return rate


IsoDate = Annotated[date, BeforeValidator(_iso_date), AfterValidator(_in_our_time)]
InvoiceNumber = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/#-]*$", examples=["2024-0815"])
]
Text = Annotated[str, Field(min_length=1, max_length=500)]
ExternalId = Annotated[str, Field(min_length=1, max_length=128)]
Quantity = Annotated[
    str,
    Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["2.5"], description="Decimal text"),
    AfterValidator(_not_zero),
]
Rate = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$", examples=["19.00"], description="Percent, as decimal text"),
    AfterValidator(_a_percentage),
]


class Wire(BaseModel):
    """A part of a request: unknown fields are refused, text is stripped of outer blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class TaxIn(Wire):
    category: TaxCategory = Field(description="EN 16931: S standard, Z zero, E exempt, AE reverse charge, K, G, O")
    rate: Rate = "0"


class LineIn(Wire):
    description: Text
    quantity: Quantity = "1"
    unit_price: Annotated[Money, AfterValidator(_not_negative)]
    tax: TaxIn | None = Field(default=None, description="Left out: outside the scope of tax (O)")

    def line(self) -> Line:
        quantity = scaled(self.quantity, QUANTITY_PLACES)
        if self.tax is None:
            return Line(self.description, quantity, self.unit_price)
        rate_bp = scaled(self.tax.rate, RATE_PLACES)
        return Line(self.description, quantity, self.unit_price, self.tax.category, rate_bp)


class PaymentTermsIn(Wire):
    net_days: Annotated[int, Field(strict=True, ge=0, le=NET_DAYS_MAX)]


class InvoiceIn(Wire):
    """An invoice to issue. The customer is named by its id or by the caller's own; the due date is stated, or follows
    from terms, or from the customer's terms."""

    customer_id: UUID | None = None
    customer_external_id: ExternalId | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MAX)]
    number: InvoiceNumber | None = Field(default=None, description="Left out: the next of the entity's series")
    reference: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The customer's own, such as an order number"
    )
    issue_date: IsoDate | None = Field(default=None, description="Left out: today")
    due_date: IsoDate | None = None
    payment_terms: PaymentTermsIn | None = None
    delivery_channel: DeliveryChannel = "email"

    @model_validator(mode="after")
    def _one_of_each(self) -> InvoiceIn:
        if (self.customer_id is None) == (self.customer_external_id is None):
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        if self.due_date and self.payment_terms:
            raise ValueError("state the due date once, as due_date or as payment_terms")
        return self

    @property
    def net_days(self) -> int | None:
        return self.payment_terms.net_days if self.payment_terms else None

    def priced(self) -> Priced:
        """Raises CurrenciesMixed, TaxRateRefused, InvoiceTotalRefused."""
        return price([line.line() for line in self.lines])
