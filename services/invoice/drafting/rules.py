"""What a caller asks to have invoiced: the fields of `POST /v1/invoices` and of each row of an import."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from services.invoice.code_lists.rules import ALLOWANCE_REASONS, CHARGE_REASONS, EXEMPTIONS
from services.invoice.pricing.rules import (
    BP,
    FinePrice,
    Line,
    LineAbout,
    LineDetails,
    Period,
    Priced,
    PricedSurcharge,
    Short,
    Surcharge,
    TaxCategory,
    UnitPrice,
    Wire,
    price,
    scaled,
)
from services.invoice.terms.rules import PaymentTerms
from shared.money import Money

DeliveryChannel = Literal["email", "letter"]
PaymentTermsIn = PaymentTerms

LINES_MAX = 1_000
QUANTITY_PLACES = 6
RATE_PLACES = 2
SURCHARGES_MAX = 20
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


def _positive_quantity(quantity: str) -> str:
    if scaled(quantity, QUANTITY_PLACES) <= 0:
        raise ValueError("a price is for more than nothing")
    return quantity


def _not_negative(price: UnitPrice) -> UnitPrice:
    if price.minor < 0:
        raise ValueError("a price is not negative; a quantity may be")
    return price


def _more_than_nothing(amount: Money) -> Money:
    if amount.minor <= 0:
        raise ValueError("an amount of more than zero is wanted")
    return amount


def _an_exemption(code: str) -> str:
    if code not in EXEMPTIONS:
        raise ValueError("a code of the VATEX list is wanted, such as VATEX-EU-AE")
    return code


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


class TaxIn(Wire):
    category: TaxCategory = Field(
        description="EN 16931: S standard, Z zero, E exempt, AE reverse charge, K intra-community, G export, O, L, M"
    )
    rate: Rate = "0"
    exemption_code: Annotated[str, AfterValidator(_an_exemption)] | None = Field(
        default=None, description="Why no tax is charged, by the VATEX list (BT-121)", examples=["VATEX-EU-132-1I"]
    )
    exemption_reason: Text | None = Field(default=None, description="The same in words (BT-120)")


class _SurchargeIn(Wire):
    """An amount, or a percentage; why, in words or by a code."""

    amount: Annotated[Money, AfterValidator(_more_than_nothing)] | None = None
    percent: Rate | None = None
    base: Annotated[Money, AfterValidator(_more_than_nothing)] | None = Field(
        default=None, description="What the percentage is of; left out: the line, or the lines together"
    )
    reason: Short | None = None

    @model_validator(mode="after")
    def _once_and_why(self) -> _SurchargeIn:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("say how much once, as amount or as percent")
        if self.percent is not None and not scaled(self.percent, RATE_PLACES):
            raise ValueError("zero percent is not written down")
        if self.base is not None and self.percent is None:
            raise ValueError("an amount has no base; a percentage may")
        if self.reason is None and getattr(self, "code", None) is None:
            raise ValueError("say why, as reason or as code")
        return self

    def surcharge(self, field: str) -> Surcharge:
        tax = getattr(self, "tax", None)
        return Surcharge(
            is_charge=isinstance(self, ChargeIn),
            amount=self.amount,
            percent_bp=None if self.percent is None else scaled(self.percent, RATE_PLACES),
            reason=self.reason,
            code=getattr(self, "code", None),
            tax=(tax.category, scaled(tax.rate, RATE_PLACES)) if tax else None,
            field=field,
            base=self.base,
        )


def _an_allowance(code: str) -> str:
    if code not in ALLOWANCE_REASONS:
        raise ValueError("a code of UNCL5189 is wanted, such as 95 (discount)")
    return code


def _a_charge(code: str) -> str:
    if code not in CHARGE_REASONS:
        raise ValueError("a code of UNCL7161 is wanted, such as FC (freight)")
    return code


class AllowanceIn(_SurchargeIn):
    code: Annotated[str, AfterValidator(_an_allowance)] | None = Field(
        default=None, description="UNCL5189; 95 discount"
    )


class ChargeIn(_SurchargeIn):
    code: Annotated[str, AfterValidator(_a_charge)] | None = Field(default=None, description="UNCL7161; FC freight")


class DocumentAllowanceIn(AllowanceIn):
    tax: TaxIn | None = Field(default=None, description="Left out: spread over the taxes of the lines")


class DocumentChargeIn(ChargeIn):
    tax: TaxIn | None = Field(default=None, description="Left out: spread over the taxes of the lines")


_PLAIN_LINE = frozenset(("description", "quantity", "unit_price", "tax"))


class LineIn(LineAbout):
    description: Text
    quantity: Quantity = "1"
    unit_price: Annotated[UnitPrice, AfterValidator(_not_negative)] = Field(
        description="For `base_quantity` of the unit; may be finer than the currency's minor unit"
    )
    base_quantity: Annotated[Quantity, AfterValidator(_positive_quantity)] = Field(
        default="1", description="How many the price is for (BT-149)"
    )
    tax: TaxIn | None = Field(default=None, description="Left out: outside the scope of tax (O)")
    allowances: Annotated[tuple[AllowanceIn, ...], Field(max_length=SURCHARGES_MAX)] = ()
    charges: Annotated[tuple[ChargeIn, ...], Field(max_length=SURCHARGES_MAX)] = ()

    def line(self) -> Line:
        quantity = scaled(self.quantity, QUANTITY_PLACES)
        details = self._details()
        if self.tax is None:
            return Line(self.description, quantity, self.unit_price, details=details)
        rate_bp = scaled(self.tax.rate, RATE_PLACES)
        return Line(self.description, quantity, self.unit_price, self.tax.category, rate_bp, details)

    def _details(self) -> LineDetails | None:
        tax, fine = self.tax, isinstance(self.unit_price, FinePrice)
        exempt = tax is not None and (tax.exemption_code or tax.exemption_reason)
        if not fine and not exempt and self.model_fields_set <= _PLAIN_LINE:
            return None
        about = {name: value for name in LineAbout.model_fields if (value := getattr(self, name)) is not None}
        return LineDetails(
            price_millionths=self.unit_price.millionths if isinstance(self.unit_price, FinePrice) else 0,
            base_quantity_millionths=scaled(self.base_quantity, QUANTITY_PLACES),
            surcharges=_surcharges(self.allowances, self.charges),
            exemption=(tax.exemption_code, tax.exemption_reason) if tax and exempt else None,
            about=about,
        )


def _surcharges(allowances: tuple[_SurchargeIn, ...], charges: tuple[_SurchargeIn, ...]) -> tuple[Surcharge, ...]:
    return (
        *(each.surcharge(f"/allowances/{n}") for n, each in enumerate(allowances)),
        *(each.surcharge(f"/charges/{n}") for n, each in enumerate(charges)),
    )


Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])]


class DeliveryAddress(Wire):
    """Where it went (BG-13, BG-15); a supply to another member state needs the country."""

    name: Short | None = None
    lines: Annotated[tuple[Short, ...], Field(max_length=6)] = ()
    city: Short | None = None
    postal_code: Short | None = None
    region: Short | None = None
    country: Country


class InvoiceAbout(Wire):
    """What an invoice says besides its lines and terms. Names in brackets are EN 16931's."""

    buyer_reference: Short | None = Field(default=None, description="Such as a Leitweg-ID (BT-10)")
    order_reference: Short | None = Field(default=None, description="The customer's purchase order (BT-13)")
    contract_reference: Short | None = Field(default=None, description="BT-12")
    project_reference: Short | None = Field(default=None, description="BT-11")
    despatch_reference: Short | None = Field(default=None, description="Despatch advice or delivery note (BT-16)")
    supplied_on: IsoDate | None = Field(default=None, description="When it was delivered or done (BT-72)")
    period: Period | None = Field(default=None, description="BG-14")
    deliver_to: DeliveryAddress | None = None
    seller_code: Short | None = Field(default=None, description="Who sold it, where the lines do not say")
    notes: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=2_000)], ...], Field(max_length=10)] = ()


class Finding(Wire):
    """Something that an invoice lacks or that does not fit; `field` is a JSON pointer into the request."""

    code: str
    severity: Literal["error", "warning"]
    field: str
    detail: str
    rule: str | None = Field(default=None, description="The rule of EN 16931, where it is one")


NOTHING_MORE = InvoiceAbout()


class InvoiceParticulars(InvoiceAbout):
    """All of an invoice that a plain one does not have, as it is kept; `findings` are what the completeness check had
    to say when it was issued."""

    surcharges: tuple[PricedSurcharge, ...] = ()
    findings: tuple[Finding, ...] = ()

    def about(self) -> InvoiceAbout:
        return InvoiceAbout.model_construct(**{name: getattr(self, name) for name in InvoiceAbout.model_fields})


class InvoiceIn(InvoiceAbout):
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
    payment_terms: PaymentTerms | None = None
    delivery_channel: DeliveryChannel | None = Field(
        default=None, description="Left out: by letter to customers who want paper, else by mail"
    )
    entity_id: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        default="default", description="The selling entity in whose name it is issued"
    )
    allowances: Annotated[tuple[DocumentAllowanceIn, ...], Field(max_length=SURCHARGES_MAX)] = ()
    charges: Annotated[tuple[DocumentChargeIn, ...], Field(max_length=SURCHARGES_MAX)] = ()
    accept: frozenset[str] = Field(
        default=frozenset(), description="Codes of warnings that the caller answers for, such as suspected-duplicate"
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> InvoiceIn:
        if (self.customer_id is None) == (self.customer_external_id is None):
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        terms = self.payment_terms
        if self.due_date and terms and (terms.instalments or not terms.says_nothing):
            raise ValueError("state the due date once, as due_date or as payment_terms")
        return self

    @property
    def net_days(self) -> int | None:
        return self.payment_terms.net_days if self.payment_terms else None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said of it that only some invoices say."""
        return self.model_fields_set.isdisjoint(InvoiceAbout.model_fields)

    def priced(self) -> Priced:
        """Raises CurrenciesMixed, TaxRateRefused, ExemptionsMixed, InvoiceTotalRefused."""
        return price([line.line() for line in self.lines], _surcharges(self.allowances, self.charges))


def particulars_of(
    about: InvoiceAbout, surcharges: Sequence[PricedSurcharge], findings: Sequence[Finding]
) -> InvoiceParticulars | None:
    """What is kept of an invoice besides its lines and terms; None where that is nothing."""
    if about is NOTHING_MORE and not surcharges and not findings:
        return None
    said = {name: value for name in InvoiceAbout.model_fields if (value := getattr(about, name)) is not None}
    return InvoiceParticulars(**said, surcharges=tuple(surcharges), findings=tuple(findings))
