"""A realistic ledger, the same for the same parameters: `python -m deploy.local.generate --seed 1 > ledger.csv`.

Each customer has a payer type, a size and habits of its own, drawn from a generator seeded with the ledger's seed and
the customer's number; so a ledger of 50 customers is the first 50 of a ledger of 72. docs/generator.md explains the
parameters and shows what comes out.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Annotated, Literal, TextIO

import typer

from deploy.local.ledger import COLUMNS, Channel
from deploy.local.profiles import COUNTRIES, SEGMENTS, profile
from shared.calendar import ONE_DAY, add_months, month_end
from shared.money import Money, exponent

PayerType = Literal["prompt", "habitual_late", "drifting_late", "disputing", "broken"]

PAYER_TYPES: dict[PayerType, int] = {
    "prompt": 51,
    "habitual_late": 24,
    "drifting_late": 9,
    "disputing": 11,
    "broken": 5,
}
"""Payer type -> how many of a hundred customers are of it."""

INVOICES_A_MONTH = {"small": 0.42, "mid": 0.8, "key": 1.7}
"""Segment -> invoices a month of a median customer, before season and growth."""

MEDIAN_AMOUNT = {"small": 620.0, "mid": 2_900.0, "key": 11_500.0}
"""Segment -> median invoice in euros; the spread around it has a long tail."""

SEASON = (0.82, 0.88, 1.05, 0.97, 1.0, 1.08, 0.88, 0.76, 1.1, 1.14, 1.2, 1.12)
"""January to December: how much is sold, against an average month."""

SLOW_MONTHS = {8: 5, 12: 4}
"""Month -> days that a payment due in it waits longer: summer holidays, year end."""

GROWTH_A_YEAR = 0.06

DISPUTED_SHARE: dict[PayerType, float] = {
    "prompt": 0.01,
    "habitual_late": 0.02,
    "drifting_late": 0.02,
    "disputing": 0.34,
    "broken": 0.04,
}
"""Payer type -> share of its invoices that are disputed when they arrive."""

PER_EURO = {"EUR": 1.0, "GBP": 0.86, "USD": 1.09, "CHF": 0.95, "JPY": 162.0, "KWD": 0.33}
LETTER_SHARE = 0.18
JOINS_LATER_SHARE = 0.3
BILLS_AT_MONTH_END_SHARE = 0.35

_SATURDAY = 5
_LETTERS = "BCDFGHJKLMNPRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a ledger depends on, and nothing else."""

    seed: int = 1
    customers: int = 72
    years: int = 2
    start: date = date(2024, 1, 1)

    @property
    def end(self) -> date:
        """The book's last day: nothing is issued, due or settled after it."""
        return add_months(self.start, 12 * self.years) - ONE_DAY


DEFAULT = Parameters()


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer of the ledger and how it buys and pays."""

    ref: str
    currency: str
    segment: str
    type: PayerType
    channel: Channel
    net_days: int
    buys_from: date
    breaks_on: date | None
    buys_until: date
    invoices_a_month: float
    median_amount: float
    lateness_days: float
    bills_at_month_end: bool


@dataclass(frozen=True, slots=True)
class Invoice:
    payer: Payer
    issued: date
    due: date
    amount: Money
    settled: date | None
    disputed: bool


def ledger(parameters: Parameters) -> list[dict[str, str]]:
    """The rows of a ledger, by issue date, with the columns of the ledger file."""
    invoices = sorted(_invoices(parameters), key=lambda invoice: (invoice.issued, invoice.payer.ref))
    numbers: dict[int, int] = {}
    rows = []
    for invoice in invoices:
        year = invoice.issued.year
        numbers[year] = numbers.get(year, 0) + 1
        rows.append(
            {
                "customer_ref": invoice.payer.ref,
                "invoice_number": f"{year}-{numbers[year]:05d}",
                "invoice_date": invoice.issued.isoformat(),
                "due_date": invoice.due.isoformat(),
                "amount": invoice.amount.amount,
                "currency": invoice.amount.currency,
                "settled_date": invoice.settled.isoformat() if invoice.settled else "",
                "disputed": "yes" if invoice.disputed else "no",
                "segment": invoice.payer.segment,
                "channel": invoice.payer.channel,
            }
        )
    return rows


def write(rows: Iterable[dict[str, str]], to: TextIO) -> None:
    writer = csv.DictWriter(to, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def payers(parameters: Parameters) -> Iterator[Payer]:
    """The customers of a ledger, by number."""
    for number in range(1, parameters.customers + 1):
        yield _payer(parameters, number, Random(f"dueward {parameters.seed} payer {number}"))


def _payer(parameters: Parameters, number: int, chance: Random) -> Payer:
    code = chance.choices(list(COUNTRIES), [country.share for country in COUNTRIES.values()])[0]
    ref = f"{code}-{number:04d}-{''.join(chance.choices(_LETTERS, k=3))}"
    currency = COUNTRIES[code].currency
    who = profile(ref, currency)
    segment = who.segment or next(iter(SEGMENTS))
    kind = chance.choices(list(PAYER_TYPES), list(PAYER_TYPES.values()))[0]
    length_days = (parameters.end - parameters.start).days
    joins_after = int(length_days * 0.6 * chance.random()) if chance.random() < JOINS_LATER_SHARE else 0
    starts = parameters.start + timedelta(days=joins_after)
    breaks_on, buys_until = None, parameters.end
    if kind == "broken":
        left_days = (parameters.end - starts).days
        breaks_on = starts + timedelta(days=int(left_days * chance.uniform(0.35, 0.85)))
        buys_until = min(parameters.end, breaks_on + timedelta(days=chance.randint(25, 70)))
    return Payer(
        ref=ref,
        currency=currency,
        segment=segment,
        type=kind,
        channel="letter" if chance.random() < LETTER_SHARE else "email",
        net_days=who.net_days,
        buys_from=starts,
        breaks_on=breaks_on,
        buys_until=buys_until,
        invoices_a_month=INVOICES_A_MONTH[segment] * chance.lognormvariate(0, 0.45),
        median_amount=MEDIAN_AMOUNT[segment] * chance.lognormvariate(0, 0.5),
        lateness_days=_usual_lateness_days(kind, chance),
        bills_at_month_end=chance.random() < BILLS_AT_MONTH_END_SHARE,
    )


def _usual_lateness_days(kind: PayerType, chance: Random) -> float:
    """How late this customer usually is; for one that drifts, how late it is at the end."""
    match kind:
        case "prompt":
            return chance.uniform(-10, 0)
        case "habitual_late":
            return chance.uniform(7, 26)
        case "drifting_late":
            return chance.uniform(45, 110)
        case "disputing":
            return chance.uniform(2, 14)
        case "broken":
            return chance.uniform(4, 18)


def _invoices(parameters: Parameters) -> Iterator[Invoice]:
    for number, payer in enumerate(payers(parameters), start=1):
        chance = Random(f"dueward {parameters.seed} invoices {number}")
        month = parameters.start
        while month <= min(payer.buys_until, parameters.end):
            for _ in range(_count(_expected(payer, parameters, month), chance)):
                issued = _issue_date(payer, month, chance)
                invoice = _invoice(parameters, payer, issued, chance)
                if payer.buys_from <= issued <= min(payer.buys_until, parameters.end):
                    yield invoice
            month = add_months(month, 1)


def _expected(payer: Payer, parameters: Parameters, month: date) -> float:
    years = (month - parameters.start).days / 365.25
    return payer.invoices_a_month * SEASON[month.month - 1] * (1 + GROWTH_A_YEAR) ** years


def _count(expected: float, chance: Random) -> int:
    """A whole number around the expected one: mostly its floor or ceiling, now and then one off."""
    whole = int(expected)
    count = whole + (chance.random() < expected - whole)
    if count and chance.random() < 0.15:
        return count + chance.choice((-1, 1))
    return count


def _issue_date(payer: Payer, month: date, chance: Random) -> date:
    if payer.bills_at_month_end:
        day = month_end(month) - timedelta(days=chance.choice((0, 0, 0, 1, 2)))
    else:
        day = month + timedelta(days=chance.randrange(month_end(month).day - month.day + 1))
    while day.weekday() >= _SATURDAY:
        day -= ONE_DAY
    return day


def _invoice(parameters: Parameters, payer: Payer, issued: date, chance: Random) -> Invoice:
    agreed_due = issued + timedelta(days=payer.net_days)
    disputed = chance.random() < DISPUTED_SHARE[payer.type]
    settled = _settled(parameters, payer, issued, agreed_due, disputed, chance)
    return Invoice(
        payer=payer,
        issued=issued,
        due=min(agreed_due, parameters.end),
        amount=_amount(payer, chance),
        settled=settled if settled is not None and settled <= parameters.end else None,
        disputed=disputed,
    )


def _settled(
    parameters: Parameters, payer: Payer, issued: date, due: date, disputed: bool, chance: Random
) -> date | None:
    """When the money comes, by the customer's habit; None for never."""
    late_days = payer.lateness_days
    match payer.type:
        case "prompt":
            late_days += chance.gauss(0, 3)
        case "habitual_late":
            late_days += chance.gauss(0, 5) + (chance.expovariate(1 / 25) if chance.random() < 0.12 else 0)
        case "drifting_late":
            passed = (issued - parameters.start).days / max(1, (parameters.end - parameters.start).days)
            late_days = late_days * passed**1.6 + chance.gauss(0, 4)
        case "disputing":
            late_days += chance.gauss(0, 4)
        case "broken":
            late_days += chance.gauss(0, 5)
    if disputed:
        late_days += chance.uniform(15, 100)
    if chance.random() < 0.004:
        return None  # Lost between two desks, and nobody dares to write it off.
    paid = due + timedelta(days=round(late_days) + SLOW_MONTHS.get(due.month, 0))
    while paid.weekday() >= _SATURDAY:
        paid += ONE_DAY
    if payer.breaks_on is not None and paid >= payer.breaks_on:
        return None
    return max(paid, issued)


def _amount(payer: Payer, chance: Random) -> Money:
    """Around the customer's median with a long tail; a third are round figures, as contracts and flat fees are."""
    amount = payer.median_amount * chance.lognormvariate(0, 0.65) * PER_EURO[payer.currency]
    places = exponent(payer.currency)
    if chance.random() < 0.33:
        step = 10 ** max(0, len(str(int(amount))) - 2)
        return Money(max(1, round(amount / step)) * step * 10**places, payer.currency)
    return Money(max(1, round(amount * 10**places)), payer.currency)


def main(
    seed: Annotated[int, typer.Option(help="Another seed is another book.")] = DEFAULT.seed,
    customers: Annotated[int, typer.Option(min=1, max=9999)] = DEFAULT.customers,
    years: Annotated[int, typer.Option(min=1, max=20)] = DEFAULT.years,
    start: Annotated[str, typer.Option(help="The first day, a first of a month.")] = DEFAULT.start.isoformat(),
) -> None:
    """Write a realistic ledger as CSV to standard output."""
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise typer.BadParameter(f"{start!r} is not a date such as 2024-01-01", param_hint="--start") from None
    if first.day != 1:
        raise typer.BadParameter("a ledger starts on the first of a month", param_hint="--start")
    write(ledger(Parameters(seed, customers, years, first)), sys.stdout)


if __name__ == "__main__":
    typer.run(main)
