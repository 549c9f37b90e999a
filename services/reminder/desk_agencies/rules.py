"""What the pages of agencies say, and how their form is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.reminder.placements.rules import Agency, Rate
from shared.errors import Refused
from shared.mail_address import is_address

SAID = {"kept": "Kept. Placements that run keep the commission they were made under."}
"""What a page says after something was done, by the word in its address."""

SPARE_RATES = 2
"""Empty lines for further commissions."""
DAYS_FROM_MAX = 3_650
SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")


class FieldUnreadable(Refused):
    slug = "field-unreadable"
    title = "Something cannot be read"


@dataclass(frozen=True, slots=True)
class Written:
    """The form of an agency as somebody filled it in. `version` is the one that they saw, 0 for a new agency; `rates`
    are the ages and percentages line by line."""

    id: str = ""
    version: int = 0
    name: str = ""
    email: str = ""
    rates: Sequence[tuple[str, str]] = (("0", ""),)

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [*self.rates, *[("", "")] * SPARE_RATES]


def form_of(agency: Agency) -> Written:
    rates = [(str(rate.days_from), f"{rate.percent.normalize():f}") for rate in agency.commission]
    return Written(agency.id, agency.version, agency.name, agency.email or "", rates)


def read_form(written: Written) -> Agency:
    """The agency that was written down, in the version after the one seen. Raises FieldUnreadable."""
    short, name, email = written.id.strip(), written.name.strip(), written.email.strip()
    if not name:
        raise FieldUnreadable("write the agency's name first", field="/name")
    if not SHORT_NAME.fullmatch(short):
        raise FieldUnreadable(
            f"{short!r} is no short name: take small letters, digits and hyphens, as in north-collect", field="/id"
        )
    if email and not is_address(email):
        raise FieldUnreadable(f"{email!r} is no mail address", field="/email")
    rates = tuple(_rate(days, percent) for days, percent in written.rates if days.strip() or percent.strip())
    return Agency(short, written.version + 1, name, email or None, rates)


def _rate(days: str, percent: str) -> Rate:
    days, percent = days.strip(), percent.strip().rstrip("%").strip().replace(",", ".")
    if not days.isdecimal() or int(days) > DAYS_FROM_MAX:
        raise FieldUnreadable(f"{days!r} is no age: write days overdue, 0 to {DAYS_FROM_MAX}", field="/commission")
    if not PERCENT.fullmatch(percent) or Decimal(percent) > 100:
        raise FieldUnreadable(f"{percent!r} is no percentage: write it like 15 or 12.50", field="/commission")
    return Rate(int(days), Decimal(percent))
