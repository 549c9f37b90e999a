"""What may be agreed with a customer, and by whom: how far a promise may reach, how long a pause may last, which offers
a collector makes alone and which take a second person, and when an account may go to an agency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.calendar import ONE_DAY, is_business_day
from shared.money import Money

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Promises(Part):
    days_max: int = Field(default=60, ge=1, le=365, description="How far ahead a payment may be promised")
    grace_business_days: int = Field(
        default=3, ge=0, le=30, description="After the promised day, in the customer's country; then it is broken"
    )
    tell_when_broken: bool = Field(
        default=False,
        description="Whether the next message after a broken promise speaks of it (template `promise-broken`), in place"
        " of its step's own words",
    )


class Pauses(Part):
    days_max: int = Field(default=90, ge=1, le=365)


class Offers(Part):
    """A collector makes an offer alone within the first limit; up to the second one another person approves it; beyond
    that it is refused. Settlements always take a second person."""

    valid_days_max: int = Field(default=30, ge=1, le=365, description="How long an offer may stay open")
    extension_days_alone: int = Field(default=14, ge=0, le=365)
    extension_days_max: int = Field(default=90, ge=1, le=730)
    instalments_alone: int = Field(default=3, ge=0, le=60)
    instalments_max: int = Field(default=12, ge=1, le=60)
    given_up_percent_max: Percent = Field(
        default=Decimal(50), description="Of what is owed, the most that a settlement may give up"
    )
    amounts_alone: tuple[Money, ...] = Field(
        default=(),
        description="One for each currency: offers about more than this take a second person. Once there is any, "
        "offers in other currencies always do",
    )


class Placements(Part):
    days_overdue_min: int = Field(default=91, ge=1, le=1_095, description="Of the oldest invoice that is handed over")


class Limitations(Part):
    governing_law: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None,
        description="The country whose law governs the entity's claims; without one, the customer's. Unless chosen "
        "otherwise, a sale is under the law of the seller's country (Rome I, Regulation (EC) 593/2008, art. 4(1)(a), "
        "and that law governs limitation as well, art. 12(1)(d))",
    )
    warn_months: int = Field(default=6, ge=1, le=36, description="So long before a claim lapses there is a task")


class Authority(Part):
    """The whole of it, for one selling entity."""

    promises: Promises = Promises()
    pauses: Pauses = Pauses()
    offers: Offers = Offers()
    placements: Placements = Placements()
    limitations: Limitations = Limitations()


@dataclass(frozen=True, slots=True)
class Given:
    """What may be agreed as it stands; version 0 is the house's own, which nobody has changed."""

    entity_id: str
    version: int
    authority: Authority


def business_days_after(day: date, days: int, country: str | None) -> date:
    """The so-many-th business day after a day; the day itself for none."""
    while days:
        day += ONE_DAY
        days -= is_business_day(day, country or "")
    return day
