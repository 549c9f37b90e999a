"""When a figure is worth an alert: beyond a bound that people set, or unlike its own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import median
from typing import Any, Literal
from uuid import UUID

from services.reporting.notices.rules import Content, Target
from shared.calendar import ONE_DAY, is_business_day
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money
from shared.words import day_words, money_words

Metric = Literal[
    "dso",
    "overdue_share",
    "overdue",
    "receivables",
    "concentration",
    "forecast_miss",
    "customer_balance",
    "customer_overdue",
]
Direction = Literal["above", "below", "either"]
Verdict = Literal["raised", "cleared", "unchanged"]

OF_CUSTOMERS = ("customer_balance", "customer_overdue")
AMOUNTS = ("overdue", "receivables", *OF_CUSTOMERS)

METRIC_WORDS: dict[Metric, str] = {
    "dso": "Days sales outstanding",
    "overdue_share": "Share overdue",
    "overdue": "Overdue",
    "receivables": "Receivables",
    "concentration": "Concentration",
    "forecast_miss": "Shortfall against the week's forecast",
    "customer_balance": "Balance",
    "customer_overdue": "Overdue",
}

EVALUATED_AT = time(6, tzinfo=UTC)
"""On business days, the end of the day before."""
CLEARS_WITHIN = Decimal("0.05")
"""Without a bound for it, an alert is over when the figure is back by so much of the bound that raised it."""
POINTS_MIN = 10
SCORE_MAX = Decimal("99.99")
HUNDREDTH = Decimal("0.01")

# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): 0.6745 makes the median absolute deviation comparable
# with a standard deviation, beyond 3.5 a value counts as an outlier. The mean absolute deviation stands in where more
# than half of the values are alike; its factor is sqrt(pi / 2).
MEDIAN_DEVIATION_FACTOR = Decimal("0.6745")
MEAN_DEVIATION_FACTOR = Decimal("1.253314")


class RuleNotFound(NotFound):
    slug = "alert-rule-not-found"
    title = "There is no such alert rule"

    def __init__(self, rule_id: UUID) -> None:
        super().__init__(f"No alert rule has the id {rule_id}.")


class AlertNotFound(NotFound):
    slug = "alert-not-found"
    title = "There is no such alert"

    def __init__(self, alert_id: UUID) -> None:
        super().__init__(f"No alert has the id {alert_id}.")


class AlreadyAcknowledged(Conflict):
    slug = "already-acknowledged"
    title = "Somebody has seen to the alert"


class MeaninglessRule(Refused):
    slug = "meaningless-rule"
    title = "Such an alert would make no sense"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Raised beyond `bound`, over when back at `clear_at` or better; in between nothing changes, so that a figure that
    hovers about the bound is told once. Amounts are in whole units of the currency."""

    direction: Direction
    bound: Decimal
    clear_at: Decimal


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Raised when the robust z-score against the last `days` business days reaches `score`, over below half of it."""

    direction: Direction
    score: Decimal
    days: int


Condition = Threshold | Anomaly


@dataclass(frozen=True, slots=True)
class Rule:
    """`window_days` counts for the DSO, `largest` for the concentration; `customer_id` is None for each customer."""

    id: UUID
    version: int
    name: str
    metric: Metric
    currency: str
    customer_id: UUID | None
    window_days: int
    largest: int
    condition: Condition
    targets: tuple[Target, ...]
    country: str | None
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime
    evaluated_on: date | None = None
    fault: str | None = None

    @property
    def is_of_each_customer(self) -> bool:
        return self.metric in OF_CUSTOMERS and self.customer_id is None


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure at the end of a day. `subject` is a customer's id as text, empty for the whole."""

    subject: str
    name: str | None
    value: Decimal | None
    score: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    id: UUID
    version: int
    rule_id: UUID
    subject: str
    subject_name: str | None
    opened_on: date
    value: Decimal
    score: Decimal | None = None
    cleared_on: date | None = None
    cleared_value: Decimal | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    note: str | None = None


def place(rule_id: UUID) -> str:
    """What the addresses of its chats are sealed for."""
    return f"alert_rule {rule_id}"


def threshold(direction: Direction, bound: Decimal, clear_at: Decimal | None) -> Threshold:
    """Raises MeaninglessRule when it would be raised and over at once."""
    if direction == "either":
        raise MeaninglessRule("a bound is passed above or below", field="/condition/direction")
    sign = 1 if direction == "above" else -1
    clears = bound - sign * abs(bound) * CLEARS_WITHIN if clear_at is None else clear_at
    if (clears - bound) * sign > 0:
        raise MeaninglessRule(
            f"at {clears} it would be over while it is still {direction} {bound}", field="/condition/clear_at"
        )
    return Threshold(direction, bound, clears)


def check(metric: Metric, currency: str, customer_id: UUID | None, condition: Condition) -> None:
    """Raises MeaninglessRule."""
    if metric in AMOUNTS and isinstance(condition, Threshold):
        try:
            Money.parse(condition.bound, currency)
        except ValueError as fault:
            raise MeaninglessRule(str(fault), field="/condition/bound") from None
    if metric == "forecast_miss" and isinstance(condition, Anomaly):
        raise MeaninglessRule("a forecast's miss is held against a bound", field="/condition/kind")
    if customer_id is not None and metric not in OF_CUSTOMERS:
        raise MeaninglessRule(f"{metric} is a figure of the whole", field="/customer_id")
    if metric in OF_CUSTOMERS and customer_id is None:
        if isinstance(condition, Anomaly):
            raise MeaninglessRule("an anomaly is looked for in one customer's figures", field="/customer_id")
        if condition.direction != "above":
            raise MeaninglessRule("most customers owe less than any bound", field="/condition/direction")


def judge(condition: Condition, reading: Reading, *, is_open: bool) -> Verdict:
    """What a reading means for an episode. A figure that there is not (nothing was sold) changes nothing."""
    if isinstance(condition, Anomaly):
        return _judge_score(condition, reading.score, is_open=is_open)
    if reading.value is None:
        return "unchanged"
    sign = 1 if condition.direction == "above" else -1
    if not is_open:
        return "raised" if (reading.value - condition.bound) * sign > 0 else "unchanged"
    return "cleared" if (reading.value - condition.clear_at) * sign <= 0 else "unchanged"


def _judge_score(condition: Anomaly, score: Decimal | None, *, is_open: bool) -> Verdict:
    if score is None:
        return "unchanged"
    far = {"above": score, "below": -score, "either": abs(score)}[condition.direction]
    if not is_open:
        return "raised" if far >= condition.score else "unchanged"
    return "cleared" if far < condition.score / 2 else "unchanged"


def robust_score(value: Decimal | None, past: Sequence[Decimal]) -> Decimal | None:
    """How many deviations a value is from the median of its past, two decimals; None with too little past. A past
    without any deviation makes every other value as unlike it as can be."""
    if value is None or len(past) < POINTS_MIN:
        return None
    middle = median(past)
    distances = [abs(each - middle) for each in past]
    if typical := median(distances):
        score = MEDIAN_DEVIATION_FACTOR * (value - middle) / typical
    elif average := sum(distances, Decimal()) / len(distances):
        score = (value - middle) / (MEAN_DEVIATION_FACTOR * average)
    else:
        score = SCORE_MAX * ((value > middle) - (value < middle))
    return max(-SCORE_MAX, min(SCORE_MAX, score)).quantize(HUNDREDTH, ROUND_HALF_EVEN)


def business_days_before(day: date, count: int, country: str | None) -> list[date]:
    """Oldest first."""
    days: list[date] = []
    while len(days) < count:
        day -= ONE_DAY
        if is_business_day(day, country or ""):
            days.append(day)
    return days[::-1]


def next_due_at(after: datetime, country: str | None) -> datetime:
    """The first business morning after a moment."""
    day = after.astimezone(UTC).date()
    while datetime.combine(day, EVALUATED_AT) <= after or not is_business_day(day, country or ""):
        day += timedelta(days=1)
    return datetime.combine(day, EVALUATED_AT)


def condition_kept(condition: Condition) -> dict[str, Any]:
    kind = "anomaly" if isinstance(condition, Anomaly) else "threshold"
    names = Anomaly.__slots__ if isinstance(condition, Anomaly) else Threshold.__slots__
    shown = {name: getattr(condition, name) for name in names}
    return {"kind": kind, **{name: str(v) if isinstance(v, Decimal) else v for name, v in shown.items()}}


def condition_of(kept: Mapping[str, Any]) -> Condition:
    if kept["kind"] == "anomaly":
        return Anomaly(kept["direction"], Decimal(kept["score"]), kept["days"])
    return Threshold(kept["direction"], Decimal(kept["bound"]), Decimal(kept["clear_at"]))


def told(rule: Rule, alert: Alert, reading: Reading, on: date, address: str) -> Content:
    """What the targets of a rule are told when an episode begins, and when it is over."""
    over = alert.cleared_on is not None
    subject = alert.subject_name or ("A customer" if alert.subject else rule.currency)
    said = f"{METRIC_WORDS[rule.metric]} {'is back at' if over else 'is'} {_in_words(rule, reading.value)}"
    facts = [
        ("Rule", rule.name),
        (METRIC_WORDS[rule.metric], _in_words(rule, reading.value)),
        ("At the end of", day_words(on)),
        *_bounds(rule, reading),
    ]
    if over:
        facts.append(("Since", f"{day_words(alert.opened_on)}, when it was {_in_words(rule, alert.value)}"))
    data = {
        "alert_id": str(alert.id),
        "rule_id": str(rule.id),
        "rule": rule.name,
        "metric": rule.metric,
        "currency": rule.currency,
        "customer_id": alert.subject or None,
        "as_of": on.isoformat(),
        "value": str(reading.value),
        "score": str(reading.score) if reading.score is not None else None,
        "opened_on": alert.opened_on.isoformat(),
        "cleared_on": alert.cleared_on.isoformat() if alert.cleared_on else None,
    }
    kind = "dueward.alert.cleared.v1" if over else "dueward.alert.raised.v1"
    link = f"{address.rstrip('/')}/customers/{alert.subject}" if alert.subject else f"{address.rstrip('/')}/"
    return Content(kind, f"{'Over: ' if over else ''}{subject}: {said}", facts=tuple(facts), link=link, data=data)


def _bounds(rule: Rule, reading: Reading) -> list[tuple[str, str]]:
    if isinstance(rule.condition, Anomaly):
        return [("Unlike its past by", f"{reading.score} deviations, told from {rule.condition.score} on")]
    return [("Told", f"{rule.condition.direction} {_in_words(rule, rule.condition.bound)}")]


def _in_words(rule: Rule, value: Decimal | None) -> str:
    if value is None:
        return "–"
    if rule.metric in AMOUNTS:
        return money_words(Money.parse(value, rule.currency))
    return f"{value} {'days' if rule.metric == 'dso' else '%'}"
