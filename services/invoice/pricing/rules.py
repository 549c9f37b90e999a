"""What an invoice adds up to: lines, tax and total, in minor units.

Quantities are whole millionths and tax rates whole hundredths of a percent (basis points), so that everything here is
exact integers. Rounding is half-even and happens twice at most, never on a sum: the net amount of a line is rounded
once (quantity x unit price), and the tax of each group of lines with one category and rate is rounded once, on the
group's net total (EN 16931, BR-CO-17: VAT category tax amount = taxable amount x rate / 100). So the tax is not the sum
of taxes worked out line by line, which would drift by a cent every few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.money import MINOR_MAX, Money

TaxCategory = Literal["S", "Z", "E", "AE", "K", "G", "O"]
"""EN 16931 (UNCL5305): standard, zero rated, exempt, reverse charge, intra-community, export, outside the scope."""

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


@dataclass(frozen=True, slots=True)
class Line:
    description: str
    quantity_millionths: int
    unit_price: Money
    tax_category: TaxCategory = "O"
    tax_rate_bp: int = 0


@dataclass(frozen=True, slots=True)
class PricedLine:
    position: int
    description: str
    quantity_millionths: int
    unit_price_minor: int
    net_minor: int
    tax_category: str
    tax_rate_bp: int


@dataclass(frozen=True, slots=True)
class TaxGroup:
    category: str
    rate_bp: int
    taxable_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Priced:
    currency: str
    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor


def price(lines: Sequence[Line]) -> Priced:
    """Add up an invoice of at least one line.

    Raises CurrenciesMixed, TaxRateRefused, and InvoiceTotalRefused for a total of zero or less, or one too large.
    """
    currency = lines[0].unit_price.currency
    priced = tuple(_price_line(position, line, currency) for position, line in enumerate(lines, start=1))
    taxable: dict[tuple[str, int], int] = {}
    for line in priced:
        group = (line.tax_category, line.tax_rate_bp)
        taxable[group] = taxable.get(group, 0) + line.net_minor
    taxes = tuple(
        TaxGroup(category, rate_bp, net, divide_half_even(net * rate_bp, BP))
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
    return Priced(currency, priced, taxes, net_minor, tax_minor)


def _price_line(position: int, line: Line, currency: str) -> PricedLine:
    price_minor = line.unit_price.minor
    if line.unit_price.currency != currency:
        raise CurrenciesMixed(
            f"line {position} is in {line.unit_price.currency}, the first line in {currency}",
            field=f"/lines/{position - 1}/unit_price/currency",
        )
    if line.tax_category != "S" and line.tax_rate_bp:
        raise TaxRateRefused(
            f"category {line.tax_category} has no tax, so its rate is 0, not {decimal_text(line.tax_rate_bp, 2)}",
            field=f"/lines/{position - 1}/tax/rate",
        )
    exact = line.quantity_millionths * price_minor
    if abs(exact) > MINOR_MAX * ONE:
        raise InvoiceTotalRefused(f"line {position} comes to more than can be booked", field=f"/lines/{position - 1}")
    return PricedLine(
        position,
        line.description,
        line.quantity_millionths,
        price_minor,
        divide_half_even(exact, ONE),
        line.tax_category,
        line.tax_rate_bp,
    )


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
