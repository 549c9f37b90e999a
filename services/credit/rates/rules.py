"""Dated reference rates: read from the European Central Bank's files, and used to hold amounts against each other.

A rate says what one euro costs in a currency, as the ECB quotes it ("1 EUR = 1.0705 USD"). An amount goes from one
currency to another over the euro; what a day has no rate for is not converted, and never guessed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeAlias
from uuid import UUID, uuid5

from lxml import etree

from shared.errors import NotFound, Refused
from shared.events.credit import Rate, RatesPublished, RatesState
from shared.money import Money, exponent

BASE = "EUR"
BYTES_MAX = 8 * 1024 * 1024
DAYS_MAX = 400
"""Days that one file may bring: each is an event. A longer history is imported in parts."""
RATES_KEY = UUID("3f1d8a52-6c0e-5a7b-8f43-0d5a1c9be001")
"""What stands in the place of the customer in events about rates, which belong to none: one key keeps them in order."""

_ECB = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}"
_DECLARES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_Node: TypeAlias = etree._Element


class RatesRefused(Refused):
    slug = "rates-refused"
    title = "These are no reference rates"


class NoRates(NotFound):
    slug = "no-rates"
    title = "There are no rates for that day"


@dataclass(frozen=True, slots=True)
class Rates:
    """What one euro cost on a day, by currency; `version` counts the imports that changed that day."""

    on: date
    version: int
    by_currency: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, currency: str) -> Decimal | None:
        return Decimal(1) if currency == BASE else self.by_currency.get(currency)

    def only(self, currencies: frozenset[str]) -> Rates:
        """The part of it that was used."""
        kept = {code: rate for code, rate in self.by_currency.items() if code in currencies}
        return Rates(self.on, self.version, kept)


def convert(amount: Money, currency: str, rates: Rates | None) -> Money | None:
    """The amount in another currency, rounded half-even once; None where a rate is missing."""
    if amount.currency == currency:
        return amount
    here, there = (rates.of(amount.currency), rates.of(currency)) if rates else (None, None)
    if here is None or there is None:
        return None
    exact = amount.decimal * there / here
    return Money(int(exact.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_EVEN)), currency)


def fresh(rates: Rates | None, today: date, days_max: int) -> Rates | None:
    """Rates that are not too old to be used: the ECB has none for weekends and TARGET holidays, so a day goes by the
    last one before it, as long as that is not further back than the policy allows."""
    return rates if rates and (today - rates.on).days <= days_max else None


def read(file: bytes) -> list[tuple[date, dict[str, Decimal]]]:
    """The days of a file, oldest first: `eurofxref-daily.xml`, `-hist-90d.xml` and `-hist.xml`, or the CSV of the zip
    files (`eurofxref.csv`: "03 June 2021"; `eurofxref-hist.csv`: "2021-06-03"; N/A where there is no rate).

    Format: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates. Raises
    RatesRefused; nothing of a file with a mistake is taken.
    """
    text = file.lstrip(b"\xef\xbb\xbf \t\r\n")
    days = _read_xml(file) if text.startswith(b"<") else _read_csv(text)
    if not days:
        raise RatesRefused("the file holds no day with rates")
    if len(days) > DAYS_MAX:
        raise RatesRefused(f"{len(days)} days; at most {DAYS_MAX} are taken from one file, send it in parts")
    if len({day for day, _ in days}) < len(days):
        raise RatesRefused("a day stands in the file twice")
    return sorted(days, key=lambda one: one[0])


def _read_xml(file: bytes) -> list[tuple[date, dict[str, Decimal]]]:
    if _DECLARES.search(file):
        raise RatesRefused("a document type declaration is not read")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root: _Node = etree.fromstring(file, parser)
    except etree.XMLSyntaxError as error:
        raise RatesRefused(f"this is not well-formed XML: {error.msg}") from None
    days = root.findall(f"{_ECB}Cube/{_ECB}Cube")
    return [(_day(each.get("time") or ""), _rates_of(each)) for each in days]


def _rates_of(day: _Node) -> dict[str, Decimal]:
    return _checked([(each.get("currency") or "", each.get("rate") or "") for each in day], day.get("time") or "")


def _read_csv(file: bytes) -> list[tuple[date, dict[str, Decimal]]]:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(file.decode("utf-8"))) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RatesRefused(f"this is neither the ECB's XML nor its CSV: {error}") from None
    if not rows or rows[0][0] != "Date":
        raise RatesRefused("this is neither the ECB's XML nor its CSV, which begins with the column Date")
    codes = [code for code in rows[0][1:] if code]
    days = []
    for number, row in enumerate(rows[1:], start=2):
        if len([cell for cell in row if cell]) != len(codes) + 1:
            raise RatesRefused(f"line {number} has {len(row)} columns, the head {len(codes) + 1}", line=number)
        told = [(code, rate) for code, rate in zip(codes, row[1:], strict=False) if rate != "N/A"]
        days.append((_day(row[0]), _checked(told, row[0])))
    return days


def _checked(told: list[tuple[str, str]], day: str) -> dict[str, Decimal]:
    rates: dict[str, Decimal] = {}
    for code, text in told:
        if not re.fullmatch("[A-Z]{3}", code) or code == BASE or code in rates:
            raise RatesRefused(f"{day} has a rate for {code!r}, which is no currency or stands there twice")
        if not _RATE.fullmatch(text) or not Decimal(text) > 0:
            raise RatesRefused(f"{day} has the rate {text!r} for {code}; a decimal number above zero is wanted")
        rates[code] = Decimal(text)
    if not rates:
        raise RatesRefused(f"{day} has no rate")
    return rates


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        day, month, year = text.split(" ")
        return date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        raise RatesRefused(f"{text!r} is not a day such as 2021-06-03 or 03 June 2021") from None


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def published(rates: Rates, source: str, today: date) -> RatesPublished:
    """The event of a day's rates: its aggregate is the day."""
    return RatesPublished(
        customer_id=RATES_KEY,
        effective_on=rates.on,
        booked_on=today,
        rates=RatesState(
            id=uuid5(RATES_KEY, rates.on.isoformat()),
            version=rates.version,
            on=rates.on,
            base=BASE,
            source=source,
            rates=tuple(Rate(currency=code, rate=format(rate, "f")) for code, rate in rates.by_currency.items()),
        ),
    )
