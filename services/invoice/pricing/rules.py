"""What an invoice adds up to: lines, allowances and charges, tax and total, in minor units.

Quantities are whole millionths, tax rates whole hundredths of a percent (basis points), and a price may have millionths
of a minor unit, so that everything here is exact integers. Rounding is half-even and never on a sum: once for a line
(quantity x unit price / base quantity), once for an allowance or charge that is a percentage, and once for the tax of
each group of one category and rate, on the group's net total (EN 16931, BR-CO-17: VAT category tax amount = taxable
amount x rate / 100). So the tax is not the sum of taxes worked out line by line, which would drift by a cent every few
lines. docs/money.md has the formulas with their rules of the standard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from services.invoice.code_lists.rules import UNITS
from shared.errors import Refused
from shared.money import MINOR_MAX, Money, exponent, format_minor, split

TaxCategory = Literal["S", "Z", "E", "AE", "K", "G", "O", "L", "M"]
"""EN 16931 (UNCL5305): standard, zero rated, exempt, reverse charge, intra-community, export, outside the scope, and
the taxes of the Canary Islands (IGIC) and of Ceuta and Melilla (IPSI)."""
TAXED: frozenset[str] = frozenset(("S", "L", "M"))

ONE = 1_000_000
"""A quantity of one, in millionths."""
BP = 10_000
"""The whole of an amount, in basis points."""


class InvoiceTotalRefused(Refused):
    slug = "invoice-total"
    title = "The invoice does not come to an amount that can be owed"


class CurrenciesMixed(Refused):
    slug = "currencies-mixed"
    title = "One invoice, one currency"


class TaxRateRefused(Refused):
    slug = "tax-rate"
    title = "The tax rate does not fit its category"


class ExemptionsMixed(Refused):
    slug = "tax-exemption"
    title = "One tax category has one reason for exemption"


class Wire(BaseModel):
    """A part of a request: unknown fields are refused, text is stripped of outer blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


PRICE_PLACES = 6
"""Decimals that a price may have beyond those of its currency (EN 16931 limits those of amounts, not of BT-146)."""
PRICE_PATTERN = r"^-?[0-9]{1,16}(\.[0-9]{1,10})?$"
_PRICE = re.compile(r"(-?[0-9]{1,16})\.([0-9]{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FinePrice:
    """A price with a part below the minor unit: `minor` and `millionths` of one. Whole ones are Money."""

    minor: int
    millionths: int
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> FinePrice:
        """Raises ValueError, also for a price that needs no such decimals: 100.00 yen may be meant as ten thousand."""
        written, places = _PRICE.fullmatch(amount), exponent(currency)
        if written is None or amount.startswith("-"):
            raise ValueError("a price is not negative; a quantity may be")
        if not places < len(written[2]) <= places + PRICE_PLACES:
            raise ValueError(f"a price in {currency} has at most {places + PRICE_PLACES} decimals")
        digits = written[2].ljust(places + PRICE_PLACES, "0")
        millionths = int(digits[places:])
        if not millionths:
            raise ValueError(f"{currency} has {places} decimals, {amount} has more")
        minor = int(written[1] + digits[:places])
        if minor > MINOR_MAX:
            raise ValueError(f"price {amount} is too large")
        return cls(minor, millionths, currency)

    @property
    def amount(self) -> str:
        """`0.0125`: the currency's decimals and as many more as it takes."""
        more = f"{self.millionths:06d}".rstrip("0")
        whole = format_minor(self.minor, self.currency)
        return f"{whole}{'' if '.' in whole else '.'}{more}"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class _PriceOnTheWire:
    """A price as it is sent: Money where whole minor units say it, else a FinePrice."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        wire = core_schema.typed_dict_schema(
            {
                "amount": core_schema.typed_dict_field(core_schema.str_schema(pattern=PRICE_PATTERN)),
                "currency": core_schema.typed_dict_field(core_schema.str_schema(pattern=r"^[A-Z]{3}$")),
            },
            extra_behavior="forbid",
        )
        from_wire = core_schema.no_info_after_validator_function(_price_of, wire)
        instances = [core_schema.is_instance_schema(Money), core_schema.is_instance_schema(FinePrice)]
        return core_schema.json_or_python_schema(
            json_schema=from_wire,
            python_schema=core_schema.union_schema([*instances, from_wire]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda price: {"amount": price.amount, "currency": price.currency}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "object",
            "title": "UnitPrice",
            "required": ["amount", "currency"],
            "additionalProperties": False,
            "properties": {
                "amount": {
                    "type": "string",
                    "pattern": PRICE_PATTERN,
                    "description": "Decimal text with the currency's own decimals, or up to six more",
                    "examples": ["0.0125"],
                },
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217", "examples": ["EUR"]},
            },
        }


def _price_of(wire: dict[str, str]) -> Money | FinePrice:
    amount, currency = wire["amount"], wire["currency"]
    decimals = len(amount.partition(".")[2])
    return Money.parse(amount, currency) if decimals <= exponent(currency) else FinePrice.parse(amount, currency)


UnitPrice = Annotated[Money | FinePrice, _PriceOnTheWire]


def _a_known_unit(code: str) -> str:
    if code not in UNITS:
        raise ValueError("a unit of UN/ECE Recommendation 20 is wanted, such as C62 (one), HUR (hour) or KGM")
    return code


def _in_order(period: Period) -> Period:
    if period.until < period.since:
        raise ValueError("a period ends after it begins")
    return period


class Period(Wire):
    """From the first to the last day (BG-14, BG-26)."""

    since: date
    until: date


Short = Annotated[str, Field(min_length=1, max_length=200)]
ProductLine = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", examples=["CLOUD"])]


class ProofOfDelivery(Wire):
    """What shows that the goods arrived: where it can be seen, or an attachment of this service."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=1_000)] | None = None
    attachment_id: Short | None = None
    signed_by: Short | None = None


class LineAbout(Wire):
    """What a line says besides what it costs. Names in brackets are EN 16931's.

    `product_code` and `seller_code` (who sold it) are what disputes are counted by; `product_line` is what reports are
    grouped by; the references and the proof go to whoever has to settle a dispute about a delivery.
    """

    unit_code: Annotated[str, AfterValidator(_a_known_unit)] = Field(
        default="C62", description="UN/ECE Recommendation 20: C62 one, HUR hour (BT-130)"
    )
    period: Annotated[Period, AfterValidator(_in_order)] | None = None
    note: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(default=None, description="BT-127")
    seller_item_id: Short | None = Field(default=None, description="BT-155")
    buyer_item_id: Short | None = Field(default=None, description="BT-156")
    standard_item_id: Short | None = Field(default=None, description="Such as a GTIN (BT-157)")
    standard_item_scheme: Annotated[str, Field(pattern="^[0-9]{4}$")] = Field(
        default="0160", description="ISO 6523; 0160 is GTIN"
    )
    product_code: Short | None = None
    product_line: ProductLine | None = Field(default=None, description="A short code of what is sold; told in events")
    seller_code: Short | None = None
    order_reference: Short | None = Field(default=None, description="The customer's order, where lines differ")
    order_line: Short | None = Field(default=None, description="The line of that order (BT-132)")
    contract_reference: Short | None = None
    despatch_reference: Short | None = Field(default=None, description="The despatch advice or delivery note")
    delivered_on: date | None = None
    proof_of_delivery: ProofOfDelivery | None = None
    accounting_reference: Short | None = Field(default=None, description="Where the buyer books it (BT-133)")


@dataclass(frozen=True, slots=True)
class Surcharge:
    """An allowance or charge as asked for: an amount, or a percentage of the line or of the lines together, or of a
    `base` of its own (BT-93, BT-100, BT-137, BT-142).

    `tax` is of one on the whole document; without it, it is spread over the taxes that the lines have.
    """

    is_charge: bool
    amount: Money | None
    percent_bp: int | None
    reason: str | None = None
    code: str | None = None
    tax: tuple[TaxCategory, int] | None = None
    field: str = ""
    base: Money | None = None


class PricedSurcharge(Wire):
    """An allowance or charge in money (BG-20, BG-21, BG-27, BG-28). On a line, it has the line's tax."""

    is_charge: bool = False
    amount_minor: int
    base_minor: int | None = None
    percent_bp: int | None = None
    reason: str | None = None
    code: str | None = None
    tax_category: TaxCategory | None = None
    tax_rate_bp: int | None = None

    @property
    def signed_minor(self) -> int:
        return self.amount_minor if self.is_charge else -self.amount_minor


class LineParticulars(LineAbout):
    """All of a line that a plain one does not have, as it is kept: what it says, how fine its price is, for how many
    that price is (BT-149, in millionths), and its allowances and charges."""

    price_millionths: int = 0
    base_quantity_millionths: int = 1_000_000
    surcharges: tuple[PricedSurcharge, ...] = ()

    def about(self) -> LineAbout:
        return LineAbout.model_construct(**{name: getattr(self, name) for name in LineAbout.model_fields})


PLAIN = LineParticulars()


@dataclass(frozen=True, slots=True)
class LineDetails:
    """What the price of a line depends on besides quantity and price, and what it says."""

    price_millionths: int = 0
    base_quantity_millionths: int = ONE
    surcharges: tuple[Surcharge, ...] = ()
    exemption: tuple[str | None, str | None] | None = None
    about: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    description: str
    quantity_millionths: int
    unit_price: UnitPrice
    tax_category: TaxCategory = "O"
    tax_rate_bp: int = 0
    details: LineDetails | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """`particulars` is None for a plain line: one piece at a whole price, and nothing more to say."""

    position: int
    description: str
    quantity_millionths: int
    unit_price_minor: int
    net_minor: int
    tax_category: str
    tax_rate_bp: int
    particulars: LineParticulars | None = None

    def unit_price(self, currency: str) -> UnitPrice:
        millionths = self.particulars.price_millionths if self.particulars else 0
        minor = self.unit_price_minor
        return FinePrice(minor, millionths, currency) if millionths else Money(minor, currency)


@dataclass(frozen=True, slots=True)
class TaxGroup:
    category: str
    rate_bp: int
    taxable_minor: int
    tax_minor: int
    exemption_code: str | None = None
    exemption_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """`net_minor` is the lines less allowances and plus charges on the whole (BR-CO-13)."""

    currency: str
    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    surcharges: tuple[PricedSurcharge, ...] = ()

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor


def price(lines: Sequence[Line], surcharges: Sequence[Surcharge] = ()) -> Priced:
    """Add up an invoice of at least one line, with the allowances and charges on the whole of it.

    Raises CurrenciesMixed, TaxRateRefused, ExemptionsMixed, and InvoiceTotalRefused for a total of zero or less, or
    one too large.
    """
    currency = lines[0].unit_price.currency
    priced = tuple(_price_line(position, line, currency) for position, line in enumerate(lines, start=1))
    taxable: dict[tuple[str, int], int] = {}
    for line in priced:
        group = (line.tax_category, line.tax_rate_bp)
        taxable[group] = taxable.get(group, 0) + line.net_minor
    on_the_whole = _on_the_whole(surcharges, taxable, currency) if surcharges else ()
    for each in on_the_whole:
        group = (each.tax_category or "O", each.tax_rate_bp or 0)
        taxable[group] = taxable.get(group, 0) + each.signed_minor
    exemptions = _exemptions(lines)
    taxes = tuple(
        TaxGroup(category, rate_bp, net, divide_half_even(net * rate_bp, BP), *exemptions.get(category, ()))
        for (category, rate_bp), net in taxable.items()
    )
    net_minor, tax_minor = sum(taxable.values()), sum(group.tax_minor for group in taxes)
    total = net_minor + tax_minor
    if total <= 0:
        raise InvoiceTotalRefused(
            f"the lines come to {Money(total, currency)}; an invoice is for more than nothing", field="/lines"
        )
    if max(total, abs(net_minor), abs(tax_minor)) > MINOR_MAX:
        raise InvoiceTotalRefused("the lines come to more than can be booked", field="/lines")
    return Priced(currency, priced, taxes, net_minor, tax_minor, on_the_whole)


def net_by_product_line(lines: Sequence[PricedLine]) -> dict[str, int]:
    """What the lines that name a product line come to, by its code in the order they do; empty where none does."""
    found: dict[str, int] = {}
    for line in lines:
        code = line.particulars and line.particulars.product_line
        if code:
            found[code] = found.get(code, 0) + line.net_minor
    return found


def _price_line(position: int, line: Line, currency: str) -> PricedLine:
    price_minor = line.unit_price.minor
    if line.unit_price.currency != currency:
        raise CurrenciesMixed(
            f"line {position} is in {line.unit_price.currency}, the first line in {currency}",
            field=f"/lines/{position - 1}/unit_price/currency",
        )
    if line.tax_rate_bp and line.tax_category not in TAXED:
        raise _no_rate(line.tax_category, line.tax_rate_bp, f"/lines/{position - 1}/tax/rate")
    exact = line.quantity_millionths * price_minor
    if abs(exact) > MINOR_MAX * ONE:
        raise InvoiceTotalRefused(f"line {position} comes to more than can be booked", field=f"/lines/{position - 1}")
    if line.details is None:
        net, particulars = divide_half_even(exact, ONE), None
    else:
        net, particulars = _detailed(position, line, line.details, currency)
    return PricedLine(
        position,
        line.description,
        line.quantity_millionths,
        price_minor,
        net,
        line.tax_category,
        line.tax_rate_bp,
        particulars,
    )


def _no_rate(category: str, rate_bp: int, field: str) -> TaxRateRefused:
    return TaxRateRefused(
        f"category {category} has no tax, so its rate is 0, not {decimal_text(rate_bp, 2)}", field=field
    )


def _detailed(position: int, line: Line, details: LineDetails, currency: str) -> tuple[int, LineParticulars | None]:
    """The net amount of a line: quantity x price / base quantity, rounded, less allowances and plus charges, each of
    which is rounded itself where it is a percentage of that (PEPPOL-EN16931-R120, -R040)."""
    exact = line.quantity_millionths * (line.unit_price.minor * ONE + details.price_millionths)
    gross = divide_half_even(exact, details.base_quantity_millionths * ONE)
    priced = []
    for each in details.surcharges:
        field = f"/lines/{position - 1}{each.field}"
        priced.append(_priced(each, gross, currency, field))
    net = gross + sum(each.signed_minor for each in priced)
    if max(abs(net), abs(gross)) > MINOR_MAX:
        raise InvoiceTotalRefused(f"line {position} comes to more than can be booked", field=f"/lines/{position - 1}")
    particulars = LineParticulars(
        **(details.about or {}),
        price_millionths=details.price_millionths,
        base_quantity_millionths=details.base_quantity_millionths,
        surcharges=tuple(priced),
    )
    return net, None if particulars == PLAIN else particulars


def _priced(each: Surcharge, base_minor: int, currency: str, field: str) -> PricedSurcharge:
    if each.percent_bp is not None:
        if each.base is not None:
            if each.base.currency != currency:
                raise CurrenciesMixed(
                    f"an allowance or charge is of {each.base.currency}, the lines are in {currency}",
                    field=f"{field}/base/currency",
                )
            base_minor = each.base.minor
        amount = divide_half_even(base_minor * each.percent_bp, BP)
        about: dict[str, Any] = {"base_minor": base_minor, "percent_bp": each.percent_bp}
    else:
        assert each.amount is not None
        if each.amount.currency != currency:
            raise CurrenciesMixed(
                f"an allowance or charge is in {each.amount.currency}, the lines are in {currency}",
                field=f"{field}/amount/currency",
            )
        amount, about = each.amount.minor, {}
    return PricedSurcharge(is_charge=each.is_charge, amount_minor=amount, reason=each.reason, code=each.code, **about)


def _on_the_whole(
    surcharges: Sequence[Surcharge], lines_minor: dict[tuple[str, int], int], currency: str
) -> tuple[PricedSurcharge, ...]:
    """Allowances and charges on the document, each of one tax (BT-95, BT-102).

    One that names no tax is spread over those of the lines: a percentage is taken of the lines of each; an amount, or
    the base of a percentage, is shared by what the lines of each come to, largest remainders first. Percentages are of
    the lines alone where they have no base of their own.
    """
    found: list[PricedSurcharge] = []
    for each in surcharges:
        if each.tax:
            category, rate_bp = each.tax
            if rate_bp and category not in TAXED:
                raise _no_rate(category, rate_bp, f"{each.field}/tax/rate")
            groups = {each.tax: lines_minor.get(each.tax, 0)}
        else:
            groups = lines_minor
        weights = list(groups.values())
        parts = zip(groups.items(), _shares(each.amount, weights), _shares(each.base, weights), strict=True)
        for ((category, rate_bp), lines_of_it), amount, base in parts:
            priced = _priced(replace(each, amount=amount, base=base), lines_of_it, currency, each.field)
            if priced.amount_minor:
                found.append(priced.model_copy(update={"tax_category": category, "tax_rate_bp": rate_bp}))
    return tuple(found)


def _shares(amount: Money | None, weights: list[int]) -> list[Money | None]:
    if amount is None or len(weights) == 1:
        return [amount] * len(weights)
    positive = [max(weight, 0) for weight in weights]
    parts = split(amount.minor, positive if any(positive) else [1] * len(positive))
    return [Money(part, amount.currency) for part in parts]


def _exemptions(lines: Sequence[Line]) -> dict[str, tuple[str | None, str | None]]:
    """Why no tax is charged, by category (BT-120, BT-121): said on one of its lines, or the same on several."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for position, line in enumerate(lines):
        exemption = line.details.exemption if line.details else None
        if exemption and found.setdefault(line.tax_category, exemption) != exemption:
            raise ExemptionsMixed(
                f"category {line.tax_category} is exempt for one reason on an invoice, and here for another",
                field=f"/lines/{position}/tax",
            )
    return found


def divide_half_even(amount: int, by: int) -> int:
    """The nearest whole number, ties to the even one: 5/2 is 2, 7/2 is 4, -3/2 is -2. `by` is positive."""
    whole, rest = divmod(amount, by)
    return whole + 1 if 2 * rest > by or (2 * rest == by and whole % 2) else whole


def scaled(text: str, places: int) -> int:
    """Decimal text of at most so many places in whole units of the last place: `2.5` to two places is 250."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(places, "0"))


def decimal_text(units: int, places: int) -> str:
    """The reverse, without zeros at the end: 250 of two places is `2.5`, and 1900 is `19`."""
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).rjust(places + 1, "0")
    return sign + f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
