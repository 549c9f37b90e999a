"""A selling entity: in whose name, time zone and numbers invoices are issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from shared.calendar import at_local_time, local_date

DEFAULT = "default"
MIDNIGHT = time(0, 0)

CreditPolicy = Literal["off", "advise", "enforce"]
"""What an issuer does about credit: does not ask, records the answer, or refuses what credit declines."""


@dataclass(frozen=True, slots=True)
class Entity:
    id: str
    version: int
    name: str
    time_zone: str
    currency: str
    credit_policy: CreditPolicy

    def today(self, now: datetime) -> date:
        """The business date at a moment."""
        return local_date(now, self.time_zone)

    def starts(self, day: date) -> datetime:
        """The moment a business date begins."""
        return at_local_time(day, MIDNIGHT, self.time_zone)


def series_number(prefix: str, n: int) -> str:
    """The n-th number of a series: at least six digits, so that numbers sort as they were issued."""
    return f"{prefix}{n:06d}"


def is_of_series(number: str, prefix: str) -> bool:
    """Whether a number is one the series gives out itself, now or later."""
    rest = number.removeprefix(prefix)
    return number.startswith(prefix) and len(rest) >= 6 and rest.isascii() and rest.isdecimal()
