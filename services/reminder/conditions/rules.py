"""What strategies ask about an account: whether it is one of theirs, and whether a step is to be taken for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from shared.documents import Part, broken
from shared.money import Money, exponent

DAYS_MAX = 3_650


def _decimal(value: Any) -> Decimal:
    """Whole numbers, decimals and plain text; a YAML decimal reads as it is written (`0.1` is a tenth)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdecimal():
        return Decimal(value)
    raise ValueError("an amount is a number, such as 100 or 45.50")


def _currency(code: str) -> str:
    exponent(code)
    return code


def _whole_minor(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    for currency, amount in amounts.items():
        Money.parse(amount, currency)
    return amounts


Label = Annotated[str, Field(min_length=1, max_length=64)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2", examples=["DE"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", description="ISO 639; `de` fits de-AT too", examples=["de"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}
    ),
]
Amounts = Annotated[dict[Currency, Amount], Field(min_length=1), AfterValidator(_whole_minor)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an account the strategies ask about, at one moment. Amounts are one a currency; `collectable` and
    `invoices` are what may be asked for now, `open_balance` all that is owed. `average_days_late` is how many days
    after due it paid on average, None while it paid nothing."""

    customer_id: UUID
    segment: str | None = None
    country: str | None = None
    language: str | None = None
    risk_class: str | None = None
    open_balance: tuple[Money, ...] = ()
    collectable: tuple[Money, ...] = ()
    invoices: int = 0
    average_days_late: float | None = None
    broken_promises: int = 0


class AmountRange(Part):
    """From `min` to `max`, both included."""

    min: Amount | None = Field(default=None, description="Not less than this")
    max: Amount | None = Field(default=None, description="Not more than this")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise broken("no_bound", "", "a range needs a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise broken("empty_range", "/min", "min is above max, nothing is between them")
        return self


class DaysRange(Part):
    """From `min` to `max` days, both included; negative is before due."""

    min: int | None = Field(default=None, ge=-DAYS_MAX, le=DAYS_MAX, description="Not sooner than this")
    max: int | None = Field(default=None, ge=-DAYS_MAX, le=DAYS_MAX, description="Not later than this")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise broken("no_bound", "", "a range needs a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise broken("empty_range", "/min", "min is above max, nothing is between them")
        return self


class Fits(Part):
    """Which accounts the strategy is for. What is left out is not asked about; all that is given must be so."""

    segments: tuple[Label, ...] = Field(default=(), strict=False, description="Any of these", examples=[["key"]])
    countries: tuple[Country, ...] = Field(default=(), strict=False, description="Any of these")
    languages: tuple[Language, ...] = Field(default=(), strict=False, description="Any of these")
    risk_classes: tuple[Label, ...] = Field(default=(), strict=False, description="Any of these, as credit names them")
    open_balance: dict[Currency, AmountRange] = Field(
        default={},
        description=(
            "What the account owes in all, due or not. A `min` is to be reached in one of the currencies. With a `max`"
            " the account may owe in no currency that is not named, and in none more than its max"
        ),
        examples=[{"EUR": {"max": 2500}, "USD": {"max": 3000}}],
    )
    average_days_late: DaysRange | None = Field(
        default=None, description="Days after due the account paid on average; one that paid nothing yet does not fit"
    )
    broken_promises_min: int | None = Field(default=None, ge=1, le=1_000, description="Promises to pay it broke")

    @property
    def specificity(self) -> int:
        """How many things are asked about."""
        return sum(
            value not in ((), {}, None)
            for value in (
                self.segments,
                self.countries,
                self.languages,
                self.risk_classes,
                self.open_balance,
                self.average_days_late,
                self.broken_promises_min,
            )
        )

    def take(self, facts: Facts) -> bool:
        """Whether the account is one of these."""
        language = (facts.language or "").replace("_", "-").partition("-")[0].lower()
        return (
            (not self.segments or facts.segment in self.segments)
            and (not self.countries or facts.country in self.countries)
            and (not self.languages or language in self.languages)
            and (not self.risk_classes or facts.risk_class in self.risk_classes)
            and (not self.open_balance or _within(self.open_balance, facts.open_balance))
            and (self.average_days_late is None or _late_within(self.average_days_late, facts.average_days_late))
            and (self.broken_promises_min is None or facts.broken_promises >= self.broken_promises_min)
        )


class Conditions(Part):
    """When a step is taken; one whose conditions do not hold on its day is passed over. All of them must hold."""

    amount_at_least: Amounts | None = Field(
        default=None,
        description="What may be asked for reaches this in one of the currencies",
        examples=[{"EUR": 50, "GBP": "45.00"}],
    )
    invoices_at_least: int | None = Field(default=None, ge=1, le=10_000, description="So many invoices are overdue")
    risk_classes: tuple[Label, ...] = Field(default=(), strict=False, description="The account is in one of these")
    broken_promises_at_least: int | None = Field(
        default=None, ge=1, le=1_000, description="So many promises to pay were broken"
    )

    def hold(self, facts: Facts) -> bool:
        return (
            (self.amount_at_least is None or _reached(self.amount_at_least, facts.collectable))
            and (self.invoices_at_least is None or facts.invoices >= self.invoices_at_least)
            and (not self.risk_classes or facts.risk_class in self.risk_classes)
            and (self.broken_promises_at_least is None or facts.broken_promises >= self.broken_promises_at_least)
        )


def _sums(amounts: Iterable[Money]) -> dict[str, Decimal]:
    return {money.currency: money.decimal for money in amounts if money.minor}


def _within(ranges: Mapping[str, AmountRange], owed: Iterable[Money]) -> bool:
    sums = _sums(owed)
    least = {currency: range.min for currency, range in ranges.items() if range.min is not None}
    if least and not any(sums.get(currency, Decimal(0)) >= amount for currency, amount in least.items()):
        return False
    if all(range.max is None for range in ranges.values()):
        return True
    return all(
        currency in ranges and (ranges[currency].max is None or amount <= ranges[currency].max)  # pyright: ignore[reportOperatorIssue]
        for currency, amount in sums.items()
    )


def _late_within(range: DaysRange, days: float | None) -> bool:
    if days is None:
        return False
    return (range.min is None or days >= range.min) and (range.max is None or days <= range.max)


def _reached(least: Mapping[str, Decimal], owed: Iterable[Money]) -> bool:
    sums = _sums(owed)
    return any(sums.get(currency, Decimal(0)) >= amount for currency, amount in least.items())
