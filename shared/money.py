"""Money as integer minor units with an ISO 4217 currency; `{"amount": "125.00", "currency": "EUR"}` outside.

Exponents are ISO 4217's own (EUR 2, JPY 0, KWD 3). CLDR's are not used: they say how a currency is shown, and give
the Serbian dinar 0 decimals and the Iraqi dinar 0 where accounts have 2 and 3. No floats: a JSON number is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MINOR_MAX = 10**15
"""The largest absolute amount accepted, in minor units: sums of thousands of them still fit a bigint."""

AMOUNT_PATTERN = r"^-?[0-9]{1,16}(\.[0-9]{1,4})?$"
"""An amount on the wire, as far as a schema can say it without knowing the currency."""

_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
        COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
        INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
        MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
        ANG BGN CUC HRK SLL ZWL
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: places for places, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
"""ISO 4217 list one without metals, bond units and test codes; the last line of 2 was withdrawn since 2020, and open
items of those years are still kept in it."""

_DECIMAL = re.compile(r"(-?[0-9]{1,16})(?:\.([0-9]{1,4}))?", re.ASCII)


def exponent(currency: str) -> int:
    """Decimals of a currency. Raises ValueError for a code that ISO 4217 does not have in use."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"unknown currency {currency!r}, an ISO 4217 code such as EUR is wanted") from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of one currency; adding two currencies raises ValueError."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str | Decimal, currency: str) -> Money:
        """Exact, never rounded: an amount written with more decimals than its currency has is refused.

        Text is plain digits with a point (`125.00`, `-3`); that excludes `100.00` JPY, where a reader cannot tell a
        hundred yen from ten thousand. Raises ValueError.
        """
        places = exponent(currency)
        if isinstance(amount, str):
            minor = _minor(amount, places, currency)
        elif not amount.is_finite():
            raise ValueError(f"amount {amount} is not a decimal number")
        elif abs(amount) > MINOR_MAX:
            raise ValueError(f"amount {amount} is too large")
        elif (scaled := amount.scaleb(places)) == scaled.to_integral_value():
            minor = int(scaled)
        else:
            raise ValueError(f"{currency} has {places} decimals, {amount} has more")
        if abs(minor) > MINOR_MAX:
            raise ValueError(f"amount {amount} is too large")
        return cls(minor, currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def amount(self) -> str:
        """The amount as text with exactly the currency's decimals, `125.00`."""
        return format_minor(self.minor, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        wire = core_schema.typed_dict_schema(
            {
                "amount": core_schema.typed_dict_field(core_schema.str_schema(pattern=AMOUNT_PATTERN)),
                "currency": core_schema.typed_dict_field(core_schema.str_schema(pattern=r"^[A-Z]{3}$")),
            },
            extra_behavior="forbid",
        )
        from_wire = core_schema.no_info_after_validator_function(_from_wire, wire)
        return core_schema.json_or_python_schema(
            json_schema=from_wire,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_wire]),
            serialization=core_schema.plain_serializer_function_ser_schema(_to_wire),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "object",
            "title": "Money",
            "required": ["amount", "currency"],
            "additionalProperties": False,
            "properties": {
                "amount": {
                    "type": "string",
                    "pattern": AMOUNT_PATTERN,
                    "description": "Decimal text with the currency's own decimals",
                    "examples": ["125.00"],
                },
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217", "examples": ["EUR"]},
            },
        }


def _from_wire(wire: dict[str, str]) -> Money:
    return _parsed(wire["amount"], wire["currency"])


@lru_cache(maxsize=65_536)
def _parsed(amount: str, currency: str) -> Money:
    """An event says the same few amounts again and again: total, balance, collectable, zero."""
    return Money.parse(amount, currency)


def _to_wire(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}


def _minor(amount: str, places: int, currency: str) -> int:
    written = _DECIMAL.fullmatch(amount)
    if written is None:
        raise ValueError(f"amount {amount[:40]!r} is not a decimal number such as 125.00")
    whole, decimals = written[1], written[2] or ""
    if len(decimals) > places:
        raise ValueError(f"{currency} has {places} decimals, {amount} has more")
    return int(whole + decimals.ljust(places, "0"))


def format_minor(minor: int, currency: str) -> str:
    places = exponent(currency)
    if places == 0:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def round_half_even(value: Decimal) -> int:
    """The house's rounding: once, at the line, to whole minor units, ties to even."""
    return int(value.quantize(Decimal(1), ROUND_HALF_EVEN))


def total(amounts: Iterable[Money], currency: str) -> Money:
    return sum(amounts, start=Money.zero(currency))


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Share `minor` in proportion to non-negative weights; the parts always add up to the whole.

    Largest remainder: each part is rounded down, left-over units go to the largest remainders, first come first.
    A negative whole is shared as its mirror, so that a reversal's parts cancel the original's one by one.
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    if minor < 0:
        return [-part for part in split(-minor, weights)]
    parts = [minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(minor * weights[i] % whole), i))
    for i in by_remainder[: minor - sum(parts)]:
        parts[i] += 1
    return parts
