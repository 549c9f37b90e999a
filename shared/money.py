"""Money as integer minor units with an ISO 4217 currency; `{"amount": "125.00", "currency": "EUR"}` outside.

Exponents come from CLDR through babel (EUR 2, JPY 0, KWD 3). There are no floats: a JSON number is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import cache
from typing import Any

from babel.core import get_global
from babel.numbers import get_currency_precision
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MINOR_MAX = 10**15
"""The largest absolute amount accepted, in minor units: sums of millions of them still fit a bigint."""


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency. Raises ValueError for a code that ISO 4217 does not have in use."""
    if currency not in _currencies():
        raise ValueError(f"unknown currency {currency!r}, an ISO 4217 code such as EUR is wanted")
    return get_currency_precision(currency)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of one currency; adding two currencies raises ValueError."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str | Decimal, currency: str) -> Money:
        """Exact: an amount with more decimals than its currency has is refused, never rounded."""
        places = exponent(currency)
        try:
            scaled = Decimal(amount).scaleb(places)
        except (InvalidOperation, ValueError, TypeError):
            raise ValueError(f"amount {amount!r} is not a decimal number") from None
        if not scaled.is_finite():
            raise ValueError(f"amount {amount!r} is not a decimal number")
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{currency} has {places} decimals, {amount} has more")
        if abs(scaled) > MINOR_MAX:
            raise ValueError(f"amount {amount} is too large")
        return cls(int(scaled), currency)

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
                "amount": core_schema.typed_dict_field(core_schema.str_schema(pattern=r"^-?\d{1,16}(\.\d{1,4})?$")),
                "currency": core_schema.typed_dict_field(core_schema.str_schema(pattern=r"^[A-Z]{3}$")),
            },
            extra_behavior="forbid",
        )
        from_wire = core_schema.no_info_after_validator_function(lambda w: cls.parse(w["amount"], w["currency"]), wire)
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
                    "pattern": r"^-?\d{1,16}(\.\d{1,4})?$",
                    "description": "Decimal text with the currency's own decimals",
                    "examples": ["125.00"],
                },
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217", "examples": ["EUR"]},
            },
        }


def _to_wire(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}


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
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    parts = [minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(minor * weights[i] % whole), i))
    for i in by_remainder[: minor - sum(parts)]:
        parts[i] += 1
    return parts
