"""What those who answer for a policy and a scorecard look at: outcomes by class, overrides, losses.

A default is what Article 178(1) of Regulation (EU) No 575/2013 calls one, as far as a seller sees it: an invoice more
than 90 days past due, or written off. It counts within a year (365 days) of the assessment, as the calibration's
probabilities do.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal
from uuid import UUID

from services.credit.decisions.rules import Decision, Reason, Verdict
from services.credit.exposure.rules import InvoiceOutcome
from services.credit.policy_rules.rules import CLASSES, RiskClass
from shared.errors import Refused
from shared.money import Money

HORIZON = timedelta(days=365)
PAST_DUE_DAYS_MAX = 90
DAYS_MAX = 1_100
OVERRIDES_LISTED_MAX = 200
PLACES = Decimal("0.0001")

Became = Literal["written_off", "paid", "open", "not_invoiced"]


@dataclass(frozen=True, slots=True)
class Observed:
    """A customer's first assessment in the period, and when it defaulted after it, if it did. `in_default`: it had
    defaulted already when it was assessed."""

    customer_id: UUID
    assessed_on: date
    score: int
    risk_class: RiskClass
    probability_of_default: Decimal
    in_default: bool
    defaulted_on: date | None

    @property
    def defaulted(self) -> bool:
        """Within the year that the probability is about, its last day included."""
        return self.defaulted_on is not None and self.defaulted_on <= self.assessed_on + HORIZON

    def is_over(self, today: date) -> bool:
        """Its year has passed, or it has defaulted in it: what becomes of it is known."""
        return self.defaulted or self.assessed_on + HORIZON < today


@dataclass(frozen=True, slots=True)
class ClassOutcome:
    """`expected` is the mean of the probabilities given, `actual` the share that defaulted. `tail` is how likely so
    many defaults, or more, would be if the mean were right: near zero the class is riskier than it says."""

    risk_class: RiskClass
    customers: int
    defaults: int
    expected: Decimal | None
    actual: Decimal | None
    tail: Decimal | None


@dataclass(frozen=True, slots=True)
class ScorecardOutcome:
    """How well the scores told who would default. `too_early` are customers whose year is not over, `in_default` those
    who had defaulted before; neither counts. Gini and KS are None while nobody, or everybody, has defaulted."""

    name: str
    versions: tuple[int, ...]
    owner: str
    review_on: date
    review_overdue: bool
    customers: int
    defaults: int
    too_early: int
    in_default: int
    classes: tuple[ClassOutcome, ...]
    gini: Decimal | None
    ks: Decimal | None


@dataclass(frozen=True, slots=True)
class Overridden:
    """What a person let pass, and what became of it."""

    decision_id: UUID
    customer_id: UUID
    reference: str
    amount: Money
    reason: str
    overridden_by: str
    overridden_at: datetime
    declined_for: tuple[str, ...]
    became: Became
    lost: Money | None


@dataclass(frozen=True, slots=True)
class Sold:
    """Invoices that a decision named, by what was decided last: their number and amount, and what was lost."""

    outcome: Verdict | Literal["overridden"]
    risk_class: RiskClass | None
    invoices: int
    amount: Money
    lost_invoices: int
    lost: Money


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """`reasons` counts each reason of the decisions."""

    decisions: tuple[tuple[Verdict, int], ...]
    reasons: tuple[tuple[str, int], ...]
    overrides: tuple[tuple[Became, int], ...]
    overridden: tuple[Overridden, ...]
    sold: tuple[Sold, ...]


def check_period(since: date, until: date, today: date) -> None:
    """Both days are included. Raises Refused."""
    if until < since:
        raise Refused(f"{until} is before {since}.", field="/to")
    if until > today:
        raise Refused(f"{until} has not come.", field="/to")
    if (until - since).days >= DAYS_MAX:
        raise Refused(f"A period is {DAYS_MAX} days at most.", field="/from")


def class_outcomes(observed: Iterable[Observed]) -> tuple[ClassOutcome, ...]:
    """Of those whose outcome is known; every class, the best first."""
    members: dict[RiskClass, list[Observed]] = {name: [] for name in CLASSES}
    for each in observed:
        members[each.risk_class].append(each)
    return tuple(_class_outcome(name, found) for name, found in members.items())


def _class_outcome(name: RiskClass, members: Sequence[Observed]) -> ClassOutcome:
    customers, defaults = len(members), sum(each.defaulted for each in members)
    if not customers:
        return ClassOutcome(name, 0, 0, None, None, None)
    expected = sum((each.probability_of_default for each in members), Decimal(0)) / customers
    return ClassOutcome(
        name,
        customers,
        defaults,
        _rounded(expected),
        _rounded(Decimal(defaults) / customers),
        _rounded(Decimal(str(binomial_tail(customers, defaults, float(expected))))),
    )


def binomial_tail(trials: int, successes: int, probability: float) -> float:
    """P(X >= successes): the binomial test of a calibration, as in Basel Committee on Banking Supervision, Working
    Paper 14, Studies on the Validation of Internal Rating Systems (2005). It takes defaults to be independent, which
    they are not quite: a low value is a reason to look, not a proof."""
    if successes <= 0 or probability >= 1:
        return 1.0
    if probability <= 0:
        return 0.0
    ln_p, ln_q = math.log(probability), math.log1p(-probability)
    terms = (
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * ln_p + (trials - k) * ln_q
        for k in range(successes, trials + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def gini(good: Sequence[int], bad: Sequence[int]) -> Decimal | None:
    """Somers' D of the scores: of all pairs of one who paid and one who defaulted, the share in which the first scored
    higher, less the share in which it scored lower. It is the accuracy ratio, 2 AUC - 1.

    Source: M. Řezáč and F. Řezáč, How to Measure the Quality of Credit Scoring Models, Finance a úvěr - Czech Journal
    of Economics and Finance 61 (2011), no. 5, section on indices based on distribution functions.
    """
    if not good or not bad:
        return None
    ranked = sorted(bad)
    above = sum(bisect_left(ranked, score) for score in good)
    below = sum(len(ranked) - bisect_right(ranked, score) for score in good)
    return _fraction(above - below, len(good) * len(bad))


def ks(good: Sequence[int], bad: Sequence[int]) -> Decimal | None:
    """The largest distance between the two cumulative distributions of scores (Kolmogorov-Smirnov); the same source."""
    if not good or not bad:
        return None
    goods, bads = sorted(good), sorted(bad)
    distances = (
        abs(bisect_right(bads, score) * len(goods) - bisect_right(goods, score) * len(bads))
        for score in {*goods, *bads}
    )
    return _fraction(max(distances), len(goods) * len(bads))


def scorecard_outcome(
    name: str, versions: Sequence[int], owner: str, review_on: date, observed: Sequence[Observed], today: date
) -> ScorecardOutcome:
    sound = [each for each in observed if not each.in_default]
    known = [each for each in sound if each.is_over(today)]
    good, bad = ([each.score for each in known if each.defaulted is how] for how in (False, True))
    return ScorecardOutcome(
        name=name,
        versions=tuple(sorted(versions)),
        owner=owner,
        review_on=review_on,
        review_overdue=review_on < today,
        customers=len(known),
        defaults=len(bad),
        too_early=len(sound) - len(known),
        in_default=len(observed) - len(sound),
        classes=class_outcomes(known),
        gini=gini(good, bad),
        ks=ks(good, bad),
    )


def became(invoices: Sequence[InvoiceOutcome]) -> tuple[Became, Money | None]:
    """What became of an order: the worst of its invoices, with what was lost."""
    lost = [each.written_off for each in invoices if each.is_loss]
    if lost:
        return "written_off", sum(lost[1:], lost[0])
    if not invoices:
        return "not_invoiced", None
    return ("paid" if all(each.is_paid for each in invoices) else "open"), None


@dataclass(frozen=True, slots=True)
class Named:
    """An invoice with the last decision that named it, and the customer's class then."""

    invoice: InvoiceOutcome
    decision: Decision
    risk_class: RiskClass | None


def sold(named: Iterable[Named]) -> tuple[Sold, ...]:
    """By outcome, class and currency."""
    counts: Counter[tuple[str, str, str]] = Counter()
    sums: dict[tuple[str, str, str], list[int]] = {}
    for each in named:
        how = "overridden" if Reason.OVERRIDDEN in each.decision.reasons else each.decision.outcome
        key = (how, each.risk_class or "", each.invoice.total.currency)
        counts[key] += 1
        into = sums.setdefault(key, [0, 0, 0])
        into[0] += each.invoice.total.minor
        into[1] += each.invoice.is_loss
        into[2] += each.invoice.written_off.minor
    return tuple(_sold(key, counts[key], sums[key]) for key in sorted(counts))


def _sold(key: tuple[str, str, str], invoices: int, sums: Sequence[int]) -> Sold:
    how, risk_class, currency = key
    total, lost_invoices, lost = sums
    return Sold(
        outcome=how,  # pyright: ignore[reportArgumentType]  # Came from there.
        risk_class=risk_class or None,  # pyright: ignore[reportArgumentType]
        invoices=invoices,
        amount=Money(total, currency),
        lost_invoices=lost_invoices,
        lost=Money(lost, currency),
    )


def counted(decisions: Iterable[Decision]) -> tuple[Mapping[Verdict, int], Mapping[str, int]]:
    """By outcome, and by reason."""
    outcomes: Counter[Verdict] = Counter()
    reasons: Counter[str] = Counter()
    for each in decisions:
        outcomes[each.outcome] += 1
        reasons.update(map(str, each.reasons))
    return outcomes, reasons


def _fraction(numerator: int, denominator: int) -> Decimal:
    exact = Fraction(numerator, denominator)
    return _rounded(Decimal(exact.numerator) / exact.denominator)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(PLACES, ROUND_HALF_EVEN)
