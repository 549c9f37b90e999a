"""Interest on late payment: how much, from which day, at which rate, under which law.

Interest is simple and daily. A day costs interest on what was overdue when it began, so an invoice due on the 10th and
paid on the 15th bears five days, the 11th to the 15th. Nothing bears interest but the principal: no interest on
interest, fees or costs. What was charged counts towards what is owed up to a day, so no day is ever charged twice, and
interest goes on being owed when the principal is paid.

- `eu`: Directive 2011/7/EU. From the day after the payment period (art. 3(3)); the ECB's main refinancing rate in
  force on 1 January for the first half of a year and on 1 July for the second (art. 2(7), 3(2)) plus at least 8
  percentage points (art. 2(6)); of instalments, only the overdue amounts (art. 5).
- `uk`: Late Payment of Commercial Debts (Interest) Act 1998. From the day after the agreed day (s. 4); 8 percentage
  points above the Bank of England's official dealing rate in force on the 30 June or 31 December before interest
  began to run, for as long as it runs (SI 2002/1675, art. 4).
- `contract`: the rate agreed, or points above a reference rate, following it day by day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.invoice.entities.rules import InterestTerms
from shared.calendar import ONE_DAY
from shared.errors import Refused
from shared.money import exponent

ECB_MAIN_REFINANCING = "ecb_mro"
BANK_OF_ENGLAND = "boe_bank_rate"
AllocationOrder = Literal["charges_first", "principal_first"]
_EXACT_PLACES = 6
_DAY_COUNTS = {"act/365": 365, "act/360": 360}


class NoInterest(Refused):
    slug = "no-interest"
    title = "No interest is agreed or given by law here"


class NothingToCharge(Refused):
    slug = "nothing-to-charge"
    title = "There is nothing to charge"


class RateUnknown(Refused):
    slug = "interest-rate-unknown"
    title = "A reference rate is missing"


@dataclass(frozen=True, slots=True)
class Series:
    """A reference rate's history in percent a year, by the day each rate came into force; what it was is known for days
    up to `known_until`."""

    name: str
    version: int
    title: str
    source: str
    known_until: date
    rates: tuple[tuple[date, Decimal], ...]

    def on(self, day: date) -> Decimal:
        """The rate in force on a day. Raises RateUnknown for a day before the first one."""
        found = next((percent for valid_from, percent in reversed(self.rates) if valid_from <= day), None)
        if found is None:
            raise RateUnknown(f"{self.name} is not known for {day}: PUT it to /v1/interest-rates")
        return found


@dataclass(frozen=True, slots=True)
class Due:
    """A part of the principal with its due date; most invoices have one."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Move:
    """What changed an invoice besides its issue. `on` is the day that counts for interest: of a payment the day the
    money came, whatever the day it was applied. A payment or a charge that was taken back has `until`."""

    kind: Literal["payment", "credit", "charge"]
    on: date
    minor: int
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """Days, both included, on which no interest runs: an instalment plan was kept."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Period:
    """An annual rate from a day on. `provisional`: the reference rate of that time is not known yet, the last one
    known stands for it."""

    first: date
    percent: Decimal
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """Days of one overdue principal at one rate. `exact` is in minor units; `minor` rounds the running total, so that
    the segments add up to the whole."""

    first: date
    last: date
    principal_minor: int
    percent: Decimal
    exact: Fraction
    minor: int
    provisional: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Interest:
    """What an invoice has borne up to the end of a day."""

    as_of: date
    segments: tuple[Segment, ...] = ()

    @property
    def exact(self) -> Fraction:
        return sum((segment.exact for segment in self.segments), start=Fraction(0))

    @property
    def minor(self) -> int:
        return sum(segment.minor for segment in self.segments)

    @property
    def provisional(self) -> bool:
        return any(segment.provisional for segment in self.segments)

    @property
    def known_until(self) -> date:
        """The last day before the first provisional rate."""
        first = next((segment.first for segment in self.segments if segment.provisional), None)
        return first - ONE_DAY if first else self.as_of


@dataclass(frozen=True, slots=True)
class Claim:
    """An invoice as far as interest goes."""

    total_minor: int
    dues: tuple[Due, ...]
    moves: tuple[Move, ...] = ()
    rests: tuple[Rest, ...] = ()

    def without(self, minor: int) -> Claim:
        """As if so much had never been owed: what is disputed and not decided."""
        return replace(self, moves=(*self.moves, Move("credit", date.min, minor))) if minor else self


def interest(
    claim: Claim, terms: InterestTerms, series: Mapping[str, Series], as_of: date, *, order: AllocationOrder
) -> Interest:
    """What a claim has borne up to the end of `as_of`, in segments of one principal and one rate.

    Payments on account of charges first (s. 367 BGB, art. 1343-1 Code civil) or of the principal first, by `order`.
    Raises RateUnknown where a reference rate does not go back so far.
    """
    if terms.law == "none" or not claim.dues:
        return Interest(as_of)
    reduced = _principal_reductions(claim, order)
    start = _starts(claim.dues, reduced)
    if start is None or start > as_of:
        return Interest(as_of)
    periods = annual_rates(terms, series, start, as_of)
    breaks = {start, *(due.on + ONE_DAY for due in claim.dues), *(on + ONE_DAY for on, _ in reduced if on > date.min)}
    breaks |= {period.first for period in periods}
    breaks |= {day for rest in claim.rests for day in (rest.first, rest.last + ONE_DAY)}
    days = sorted(day for day in breaks if start <= day <= as_of)
    basis = 100 * _DAY_COUNTS[terms.day_count]

    segments: list[Segment] = []
    for first, after in zip(days, [*days[1:], as_of + ONE_DAY], strict=True):
        principal = _overdue_principal(claim.dues, reduced, first)
        if principal == 0 or any(rest.first <= first <= rest.last for rest in claim.rests):
            continue
        period = next(period for period in reversed(periods) if period.first <= first)
        exact = Fraction(principal * (after - first).days) * Fraction(period.percent) / basis
        segment = Segment(first, after - ONE_DAY, principal, period.percent, exact, 0, period.provisional)
        segments.append(_joined(segments.pop(), segment) if _continues(segments, segment) else segment)
    return Interest(as_of, _rounded(segments))


def _continues(segments: Sequence[Segment], segment: Segment) -> bool:
    if not segments:
        return False
    before = segments[-1]
    return (before.last + ONE_DAY, before.principal_minor, before.percent, before.provisional) == (
        *(segment.first, segment.principal_minor, segment.percent, segment.provisional),
    )


def _joined(before: Segment, segment: Segment) -> Segment:
    return replace(before, last=segment.last, exact=before.exact + segment.exact)


def _rounded(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Round the running total, half-even, and give each segment what it adds: the parts add up to the whole."""
    rounded, running, so_far = [], Fraction(0), 0
    for segment in segments:
        running += segment.exact
        total = round(running)
        rounded.append(replace(segment, minor=total - so_far))
        so_far = total
    return tuple(rounded)


def _overdue_principal(dues: Sequence[Due], reduced: Sequence[tuple[date, int]], day: date) -> int:
    """What was overdue when the day began: parts due before it, less all that was paid or credited before it."""
    due = sum(each.minor for each in dues if each.on < day)
    return max(due - sum(minor for on, minor in reduced if on < day), 0)


def _starts(dues: Sequence[Due], reduced: Sequence[tuple[date, int]]) -> date | None:
    """The first day on which anything is overdue; None when all was paid in time."""
    looked_at = sorted({each.on + ONE_DAY for each in dues} | {on + ONE_DAY for on, minor in reduced if minor < 0})
    return next((day for day in looked_at if _overdue_principal(dues, reduced, day)), None)


def _principal_reductions(claim: Claim, order: AllocationOrder) -> list[tuple[date, int]]:
    """What each day took off the principal (negative where it came back), payments shared with charges by the order.

    A payment above both waits for the next charge. One that was taken back gives back what it had taken.
    """
    happenings: list[tuple[date, int, int, Move]] = []
    for n, move in enumerate(claim.moves):
        begins, ends = {"credit": (0, 5), "charge": (1, 4), "payment": (2, 3)}[move.kind]
        happenings.append((move.on, begins, n, move))
        if move.until is not None:
            happenings.append((max(move.until, move.on), ends, n, move))
    happenings.sort(key=lambda each: each[:3])

    left, charges, spare = claim.total_minor, 0, 0
    shares: dict[int, tuple[int, int, int]] = {}
    changes: list[tuple[date, int]] = []
    for on, what, n, move in happenings:
        if what == 0:
            principal = min(move.minor, left)
            charges -= min(move.minor - principal, charges)
            shares[n] = (principal, 0, 0)
        elif what == 1:
            used = min(spare, move.minor)
            charges, spare, principal = charges + move.minor - used, spare - used, 0
        elif what == 2:
            if order == "charges_first":
                cost = min(move.minor, charges)
                principal = min(move.minor - cost, left)
            else:
                principal = min(move.minor, left)
                cost = min(move.minor - principal, charges)
            over = move.minor - principal - cost
            charges, spare = charges - cost, spare + over
            shares[n] = (principal, cost, over)
        elif what == 3:
            principal, cost, over = shares.pop(n)
            principal, charges, spare = -principal, charges + cost, max(spare - over, 0)
        elif what == 5:
            principal = -shares.pop(n)[0]
        else:
            unpaid = min(move.minor, charges)
            charges -= unpaid
            principal = min(move.minor - unpaid, left)
        left -= principal
        if principal:
            changes.append((on, principal))
    return changes


def annual_rates(terms: InterestTerms, series: Mapping[str, Series], start: date, end: date) -> list[Period]:
    """The rates for interest that begins to run on `start`, up to `end`. Raises RateUnknown, NoInterest."""
    if terms.law == "none":
        raise NoInterest("the entity's policy has no interest for this customer's country")
    if terms.law == "contract" and terms.rate is not None:
        return [Period(start, terms.rate)]
    reference = _reference(terms, series)
    if terms.law == "uk":
        day = half_year(start) - ONE_DAY
        return [Period(start, reference.on(day) + terms.margin, day > reference.known_until)]
    if terms.law == "eu":
        periods, first = [], half_year(start)
        while first <= end:
            provisional = first > reference.known_until
            periods.append(Period(max(first, start), reference.on(first) + terms.margin, provisional))
            first = half_year(first + timedelta(days=190))
        return periods
    changes = [start, *(on for on, _ in reference.rates if start < on <= end)]
    if start <= reference.known_until < end:
        changes.append(reference.known_until + ONE_DAY)
    return [Period(day, reference.on(day) + terms.margin, day > reference.known_until) for day in sorted({*changes})]


def half_year(day: date) -> date:
    """The first day of the half of the year it falls into."""
    return date(day.year, 1 if day.month <= 6 else 7, 1)


def _reference(terms: InterestTerms, series: Mapping[str, Series]) -> Series:
    name = series_of(terms)
    assert name is not None
    if name not in series:
        raise RateUnknown(f"there is no series {name}: PUT its rates to /v1/interest-rates")
    return series[name]


def series_of(terms: InterestTerms) -> str | None:
    """The reference rate that the terms follow."""
    if terms.reference:
        return terms.reference
    return {"eu": ECB_MAIN_REFINANCING, "uk": BANK_OF_ENGLAND}.get(terms.law)


def known(interest: Interest) -> Interest:
    """The interest itself when every rate in it is known. Raises RateUnknown."""
    if interest.provisional:
        raise RateUnknown(
            f"the reference rate after {interest.known_until} is not known yet: PUT it to /v1/interest-rates, or "
            f"charge up to {interest.known_until}",
            field="/to",
        )
    return interest


def debt_when_late(claim: Claim, as_of: date, *, order: AllocationOrder) -> int:
    """What was overdue on the first day anything was. Raises NothingToCharge when nothing was by `as_of`."""
    reduced = _principal_reductions(claim, order)
    start = _starts(claim.dues, reduced)
    if start is None or start > as_of:
        raise NothingToCharge("nothing was overdue on the invoice")
    return _overdue_principal(claim.dues, reduced, start)


def exact_text(minor: Fraction, currency: str) -> str:
    """An amount before rounding, in the currency's major unit with six decimals more than it has."""
    places = exponent(currency) + _EXACT_PLACES
    return f"{Decimal(round(minor * 10**_EXACT_PLACES)).scaleb(-places):.{places}f}"


def percent_text(percent: Decimal) -> str:
    """At least two decimals: `10.15`, `9.00`, `9.125`."""
    whole, _, decimals = f"{percent.normalize():f}".partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def changed_from(before: Series | None, after: Series) -> date | None:
    """The first day on which another rate was in force than was thought; None when only later days were added."""
    differing = set(before.rates if before else ()) ^ set(after.rates)
    return min((day for day, _ in differing), default=None)
