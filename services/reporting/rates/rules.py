"""Amounts of several currencies in one, by the reference rates that held on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from shared.errors import Refused
from shared.money import exponent


class NoRate(Refused):
    slug = "no-rate"
    title = "No exchange rate is known for this day"


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of `base` cost in each currency on `on`, the last day before the one asked for that has rates."""

    on: date
    base: str
    by_currency: Mapping[str, Decimal]

    def convert(self, minor: int, currency: str, to: str) -> int:
        """Minor units of the other currency, half-even. Raises NoRate."""
        if currency == to or minor == 0:
            return minor
        with localcontext(prec=50):
            units = Decimal(minor).scaleb(-exponent(currency)) / self._rate(currency) * self._rate(to)
            return int(units.scaleb(exponent(to)).quantize(Decimal(1), ROUND_HALF_EVEN))

    def _rate(self, currency: str) -> Decimal:
        if currency == self.base:
            return Decimal(1)
        if currency not in self.by_currency:
            raise NoRate(f"the rates of {self.on} have none for {currency}", field="query.reporting_currency")
        return self.by_currency[currency]
