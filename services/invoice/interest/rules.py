"""Interest on late payment, the cost of recovery, and fees: how much, from which day, under which law.

Interest is simple and daily. A day costs interest on what was overdue when it began, so an invoice due on the 10th and
paid on the 15th bears five days, the 11th to the 15th. Nothing bears interest but the principal: no interest on
interest, fees or costs. What was charged counts towards what is owed up to a day, so no day is ever charged twice, and
interest goes on being owed when the principal is paid.

- `eu`: Directive 2011/7/EU. From the day after the payment period (art. 3(3)); the ECB's main refinancing rate in
  force on 1 January for the first half of a year and on 1 July for the second (art. 2(7), 3(2)) plus at least 8
  percentage points (art. 2(6)); EUR 40 for recovery (art. 6(1)); of instalments, only the overdue amounts (art. 5).
- `uk`: Late Payment of Commercial Debts (Interest) Act 1998. From the day after the agreed day (s. 4); 8 percentage
  points above the Bank of England's official dealing rate in force on the 30 June or 31 December before interest
  began to run, for as long as it runs (SI 2002/1675, art. 4); GBP 40, 70 or 100 for recovery (s. 5A).
- `contract`: the rate agreed, or points above a reference rate, following it day by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import InterestTerms
from services.invoice.invoices.rules import ChargeKind, Invoice
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money, exponent

ECB_MAIN_REFINANCING = "ecb_mro"
BANK_OF_ENGLAND = "boe_bank_rate"

EU_RECOVERY_COST = Money(40_00, "EUR")
"""Directive 2011/7/EU, art. 6(1)."""
UK_RECOVERY_COSTS = ((10_000_00, 100_00), (1_000_00, 70_00), (0, 40_00))
"""From a debt of so many pence on, so many pence: Late Payment of Commercial Debts (Interest) Act 1998, s. 5A(2)."""

AllocationOrder = Literal["charges_first", "principal_first"]
ChargeStatus = Literal["standing", "waived", "corrected"]
AS_OF_DAYS_MAX = 366
"""How far ahead interest can be looked at."""

_EXACT_PLACES = 6
_DAY_COUNTS = {"act/365": 365, "act/360": 360}


class NoInterest(Refused):
    slug = "no-interest"
    title = "No interest is agreed or given by law here"


class NothingToCharge(Refused):
    slug = "nothing-to-charge"
    title = "There is nothing to charge"


class ChargedAlready(Conflict):
    slug = "charged-already"
    title = "This was charged already"


class RateUnknown(Refused):
    slug = "interest-rate-unknown"
    title = "A reference rate is missing"


class ChargeRefused(Refused):
    slug = "charge-refused"
    title = "This cannot be charged"


class SeriesNotFound(NotFound):
    slug = "interest-rate-not-found"
    title = "There is no such reference rate"


class ChargeNotFound(NotFound):
    slug = "charge-not-found"
    title = "There is no such charge"


class ChargeClosed(Conflict):
    slug = "charge-closed"
    title = "The charge does not stand any more"


class WaiverRefused(Refused):
    slug = "waiver-refused"
    title = "The charge cannot be waived"


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
class Asked:
    """The rung of a case that asked for a charge; it is charged once for it."""

    case_id: UUID
    episode: int
    step: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Interest, a fee or a recovery cost on an invoice. Interest names its days. `waived` was forgiven by somebody and
    counts as charged; `corrected` was taken back because the facts were others."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    kind: ChargeKind
    status: ChargeStatus
    amount_minor: int
    currency: str
    first_day: date | None
    last_day: date | None
    effective_on: date
    reason: str
    automatic: bool = False
    case_id: UUID | None = None
    case_episode: int | None = None
    case_step: str | None = None
    ended_on: date | None = None
    ended_why: str | None = None

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


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


# --- how much ---


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


# --- at which rate ---


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


# --- what to charge ---


def uncharged(interest: Interest, charges: Iterable[Charge]) -> int:
    """What of the interest up to a day is not charged yet; what was waived counts as charged. Below zero where more
    was charged than turned out to be owed."""
    return interest.minor - charged(charges)


def charged(charges: Iterable[Charge]) -> int:
    return sum(each.amount_minor for each in charges if each.kind == "interest" and each.status != "corrected")


def charged_until(charges: Iterable[Charge]) -> date | None:
    """The last day that interest was charged for."""
    return max((each.last_day for each in charges if each.last_day and each.status != "corrected"), default=None)


@dataclass(frozen=True, slots=True)
class Correction:
    """Charges to take back, and what of the last of them stays charged for the same days (0: nothing)."""

    taken_back: tuple[Charge, ...]
    remaining_minor: int = 0


def correct(interest: Interest, charges: Sequence[Charge], balance_minor: int) -> Correction | None:
    """Lower what was charged to what is owed by the facts as they are known now, the newest charges first; None when
    it is right. No more is taken back than is owed on the invoice: the rest counts towards the interest charged
    next."""
    excess = min(overcharged(interest, charges), balance_minor)
    taken: list[Charge] = []
    for charge in sorted(charges, key=lambda each: (each.effective_on, each.id), reverse=True):
        if excess <= 0:
            break
        if charge.kind == "interest" and charge.status == "standing":
            taken.append(charge)
            if charge.amount_minor > excess:
                return Correction(tuple(taken), charge.amount_minor - excess)
            excess -= charge.amount_minor
    return Correction(tuple(taken)) if taken else None


def overcharged(interest: Interest, charges: Iterable[Charge]) -> int:
    """What of the charges that stand is more than is owed by the facts as they are known now."""
    charges = list(charges)
    standing = sum(each.amount_minor for each in charges if each.kind == "interest" and each.status == "standing")
    return max(min(-uncharged(interest, charges), standing), 0)


def recovery_cost(terms: InterestTerms, debt: Money) -> Money:
    """The lump sum for recovering a debt of this size. Raises ChargeRefused, NoInterest.

    EUR 40: Directive 2011/7/EU, art. 6(1). GBP 40 below 1,000 pounds, 70 below 10,000, else 100: Late Payment of
    Commercial Debts (Interest) Act 1998, s. 5A(2). What the entity's policy names for the currency goes first.
    """
    agreed = next((cost for cost in terms.recovery_cost if cost.currency == debt.currency), None)
    if agreed:
        return agreed
    if terms.law == "eu" and debt.currency == "EUR":
        return EU_RECOVERY_COST
    if terms.law == "uk" and debt.currency == "GBP":
        return Money(next(cost for size, cost in UK_RECOVERY_COSTS if debt.minor >= size), "GBP")
    if terms.law in ("none", "contract"):
        raise NoInterest("the entity's policy has no recovery cost for this customer's country")
    raise ChargeRefused(f"the entity's policy has no recovery cost in {debt.currency}")


def debt_when_late(claim: Claim, as_of: date, *, order: AllocationOrder) -> int:
    """What was overdue on the first day anything was. Raises NothingToCharge when nothing was by `as_of`."""
    reduced = _principal_reductions(claim, order)
    start = _starts(claim.dues, reduced)
    if start is None or start > as_of:
        raise NothingToCharge("nothing was overdue on the invoice")
    return _overdue_principal(claim.dues, reduced, start)


def fee_in(fees: Sequence[Money], currency: str) -> Money | None:
    return next((fee for fee in fees if fee.currency == currency and fee.minor > 0), None)


def chargeable(invoice: Invoice) -> Invoice:
    """The invoice itself when something can be charged on it. Raises ChargeRefused."""
    if invoice.voided_on:
        raise ChargeRefused(f"invoice {invoice.number} is voided")
    if invoice.written_off_minor and invoice.balance_minor == 0:
        raise ChargeRefused(f"invoice {invoice.number} is written off")
    return invoice


def asked_amount(asked: Money | None, invoice: Invoice) -> Money:
    """The amount of a fee as asked for. Raises ChargeRefused."""
    if asked is None:
        raise ChargeRefused("say how much the fee is", field="/amount")
    if asked.currency != invoice.currency:
        raise ChargeRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if asked.minor <= 0:
        raise ChargeRefused("a fee of more than zero is wanted", field="/amount")
    return asked


def interest_until(asked: date | None, today: date) -> date:
    """The last day to be charged: today unless stated, never later. Raises ChargeRefused."""
    day = asked or today
    if day > today:
        raise ChargeRefused(f"interest up to {day} is not owed before that day; today is {today}", field="/to")
    return day


def waive(charge: Charge, movable_minor: int, on: date, reason: str) -> Charge:
    """Forgive a charge. `movable_minor` is what is owed on the invoice and what money has paid of it, which is free
    again then. Raises ChargeClosed, and WaiverRefused when a credit has settled the charge already."""
    if charge.status != "standing":
        raise ChargeClosed(f"the charge was {charge.status} on {charge.ended_on}")
    if charge.amount_minor > movable_minor:
        raise WaiverRefused(
            f"{charge.money} was charged, and {Money(movable_minor, charge.currency)} of what the invoice came to is "
            "neither credited nor written off"
        )
    return replace(charge, status="waived", ended_on=on, ended_why=reason)


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
