"""Champion against challenger, in figures: how many accounts of each side pay within some days, and whether the
difference can be chance.

Sides are compared by the first episode of each account since the trial began, so that no account counts twice: the
tests below are for independent cases. An account counts from its episode's start on the side it was put on, however
its episode ended (disputed, on a plan, written off): only one that was settled is cured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from statistics import NormalDist, median
from typing import Literal, Protocol

from services.reminder.receivables.rules import totals
from services.reminder.strategies.rules import Arm
from shared.errors import NotFound
from shared.events.event import Event
from shared.events.reminder import CaseClosed, CaseEscalated, CaseEvent, CaseMoved, CaseOpened
from shared.money import Money

WINDOWS_DAYS = (7, 14, 30, 60)
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
COUNTED_MIN = 5
"""A normal approximation wants at least five cured and five uncured cases on each side; with fewer nothing is said."""
CURED = "settled"
ESCALATIONS = frozenset({"credit_hold", "formal_notice", "agency_referral", "agency_placement"})
"""Actions of a step after which a case counts as escalated."""


_STAGES = (CaseOpened, CaseEscalated, CaseMoved, CaseClosed)


class NothingToCompare(NotFound):
    slug = "comparison-not-found"
    title = "The strategy is neither challenged nor a challenger"


@dataclass(frozen=True, slots=True)
class Progress:
    """What an event tells of an episode in a trial."""

    event: CaseEvent
    challenger: str
    arm: str

    @property
    def escalates(self) -> bool:
        return isinstance(self.event, CaseEscalated) and not ESCALATIONS.isdisjoint(self.event.actions)

    @property
    def ended_because(self) -> str | None:
        return self.event.reason if isinstance(self.event, CaseClosed) else None


class Tried(Protocol):
    """A case, as far as it matters here."""

    @property
    def challenger(self) -> str | None: ...
    @property
    def arm(self) -> str | None: ...


def progress(case: Tried, events: Iterable[Event]) -> list[Progress]:
    """What is kept of a decision on a case; nothing where its episode is in no trial."""
    if case.challenger is None or case.arm is None:
        return []
    return [Progress(event, case.challenger, case.arm) for event in events if isinstance(event, _STAGES)]


@dataclass(frozen=True, slots=True)
class Trial:
    """One account's episode on one side; `contacts` are those that went out in it."""

    arm: Arm
    started_on: date
    owed: tuple[Money, ...]
    contacts: int
    escalated: bool
    ended_on: date | None
    ended_because: str | None

    @property
    def cured_after_days(self) -> int | None:
        """0 is the day on which the episode began."""
        if self.ended_on is None or self.ended_because != CURED:
            return None
        return (self.ended_on - self.started_on).days

    def cured_within(self, days: int) -> bool:
        return self.cured_after_days is not None and self.cured_after_days <= days


@dataclass(frozen=True, slots=True)
class Share:
    """`cured` of `cases` that began long enough ago to tell; the interval is Wilson's, at 95 %."""

    days: int
    cases: int
    cured: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Side:
    """`collected` is what was overdue at the start of the episodes that were cured; `median_days_to_cure` is of those
    cured alone; `escalations` are episodes with a credit hold, a formal notice or an agency's step."""

    arm: Arm
    cases: int
    open: int
    cured: int
    shares: tuple[Share, ...]
    median_days_to_cure: float | None
    contacts_per_case: float | None
    collected: tuple[Money, ...]
    owed: tuple[Money, ...]
    escalations: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger less champion. `p_value` is how often chance alone makes a difference at least as large; nothing is
    said where a side has too few cases."""

    days: int
    verdict: Literal["too_few_cases", "may_be_chance", "challenger_better", "champion_better"]
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    z: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    champion: Side
    challenger: Side
    differences: tuple[Difference, ...]


def compare(trials: Sequence[Trial], today: date) -> Comparison:
    """Both sides as of today, and what can be said of their difference in each window."""
    champion = side("champion", [trial for trial in trials if trial.arm == "champion"], today)
    challenger = side("challenger", [trial for trial in trials if trial.arm == "challenger"], today)
    pairs = zip(champion.shares, challenger.shares, strict=True)
    return Comparison(champion, challenger, tuple(difference(ours, theirs) for ours, theirs in pairs))


def side(arm: Arm, trials: Sequence[Trial], today: date) -> Side:
    cured = [trial for trial in trials if trial.cured_after_days is not None]
    days = [trial.cured_after_days for trial in cured if trial.cured_after_days is not None]
    return Side(
        arm=arm,
        cases=len(trials),
        open=sum(trial.ended_on is None for trial in trials),
        cured=len(cured),
        shares=tuple(cured_within(trials, window, today) for window in WINDOWS_DAYS),
        median_days_to_cure=median(days) if days else None,
        contacts_per_case=sum(trial.contacts for trial in trials) / len(trials) if trials else None,
        collected=totals(money for trial in cured for money in trial.owed),
        owed=totals(money for trial in trials for money in trial.owed),
        escalations=sum(trial.escalated for trial in trials),
    )


def cured_within(trials: Sequence[Trial], days: int, today: date) -> Share:
    """Of the episodes whose window is over (the last day of it has passed), how many were cured in it."""
    ripe = [trial for trial in trials if (today - trial.started_on).days > days]
    cured = sum(trial.cured_within(days) for trial in ripe)
    if not ripe:
        return Share(days, 0, 0, None, None, None)
    low, high = wilson(cured, len(ripe))
    return Share(days, len(ripe), cured, cured / len(ripe), low, high)


def wilson(cured: int, cases: int) -> tuple[float, float]:
    """The score interval of one share at 95 %: E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, Journal of the American Statistical Association 22 (1927), 209-212."""
    share = cured / cases
    middle = (share + _Z**2 / (2 * cases)) / (1 + _Z**2 / cases)
    half = _Z * sqrt(share * (1 - share) / cases + _Z**2 / (4 * cases**2)) / (1 + _Z**2 / cases)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def difference(champion: Share, challenger: Share) -> Difference:
    """The pooled two-proportion z-test, two-sided: z = (p2 - p1) / sqrt(p (1 - p) (1/n1 + 1/n2)), p the share of both
    sides together. The interval combines the two Wilson intervals (R. G. Newcombe, Interval estimation for the
    difference between independent proportions, Statistics in Medicine 17 (1998), 873-890, method 10). The verdict is
    the test's at 5 %."""
    counts = [champion.cured, challenger.cured, champion.cases - champion.cured, challenger.cases - challenger.cured]
    if min(counts) < COUNTED_MIN:
        return Difference(champion.days, "too_few_cases")
    p1, p2 = champion.cured / champion.cases, challenger.cured / challenger.cases
    pooled = (champion.cured + challenger.cured) / (champion.cases + challenger.cases)
    z = (p2 - p1) / sqrt(pooled * (1 - pooled) * (1 / champion.cases + 1 / challenger.cases))
    p_value = 2 * (1 - NormalDist().cdf(abs(z)))
    low1, high1 = wilson(champion.cured, champion.cases)
    low2, high2 = wilson(challenger.cured, challenger.cases)
    verdict = "may_be_chance"
    if p_value < 1 - CONFIDENCE:
        verdict = "challenger_better" if p2 > p1 else "champion_better"
    return Difference(
        days=champion.days,
        verdict=verdict,
        difference=p2 - p1,
        low=p2 - p1 - sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2),
        high=p2 - p1 + sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2),
        z=z,
        p_value=p_value,
    )
