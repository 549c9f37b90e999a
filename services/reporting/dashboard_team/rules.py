"""How collection goes, put together from rows: contacts by step, promises by month, disputes by reason and age, and
what stands beside each collector's name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.reporting.ageing.rules import Buckets
from shared.calendar import add_months, month_start

TONES = ("friendly", "firm", "formal")
PROMISE_MONTHS = 12
DISPUTE_DAYS = (7, 30, 60)
"""The last days of the ages of disputes; the last age is open ended."""
DISPUTE_AGES = ("0–7 days", "8–30", "31–60", "61+")
REASONS_MAX = 10
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Step:
    """A step's messages, and how many of them by each channel."""

    name: str
    tone: str
    messages: int
    by_channel: Mapping[str, int]


def steps(rows: Iterable[Any]) -> list[Step]:
    """Rows of (step, tone, channel, messages): friendlier first, then the more frequent."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["step"], row["tone"]][row["channel"]] = row["messages"]
    listed = [Step(step, tone, sum(by_channel.values()), by_channel) for (step, tone), by_channel in found.items()]
    return sorted(listed, key=lambda step: (_tone_order(step.tone), -step.messages, step.name))


def _tone_order(tone: str) -> int:
    """A tone not known here comes last."""
    return TONES.index(tone) if tone in TONES else len(TONES)


def channels(listed: Iterable[Step]) -> list[str]:
    """The channels used, busiest first."""
    sums: dict[str, int] = defaultdict(int)
    for step in listed:
        for channel, messages in step.by_channel.items():
            sums[channel] += messages
    return sorted(sums, key=lambda channel: (-sums[channel], channel))


@dataclass(frozen=True, slots=True)
class Promises:
    """Promises decided in a month, or by one collector's customers; minor units."""

    kept: int = 0
    broken: int = 0
    kept_minor: int = 0
    broken_minor: int = 0

    @property
    def kept_percent(self) -> float | None:
        decided = self.kept + self.broken
        return 100 * self.kept / decided if decided else None


def months_shown(as_of: date) -> list[date]:
    return [add_months(month_start(as_of), -back) for back in range(PROMISE_MONTHS - 1, -1, -1)]


def together(many: Iterable[Promises]) -> Promises:
    listed = list(many)
    return Promises(
        sum(each.kept for each in listed),
        sum(each.broken for each in listed),
        sum(each.kept_minor for each in listed),
        sum(each.broken_minor for each in listed),
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Open disputes for one reason, by age: how many, and what they contest, minor units."""

    reason: str
    counts: tuple[int, ...]
    minor: int

    @property
    def disputes(self) -> int:
        return sum(self.counts)


def reasons(rows: Iterable[Any]) -> list[Reason]:
    """Rows of (reason, age, disputes, minor), the most money first."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(DISPUTE_AGES))
    minor: dict[str, int] = defaultdict(int)
    for row in rows:
        reason = row["reason"] or "no reason given"
        counts[reason][row["age"]] += row["disputes"]
        minor[reason] += row["minor"]
    return sorted(
        (Reason(reason, tuple(of), minor[reason]) for reason, of in counts.items()), key=lambda each: -each.minor
    )


@dataclass(frozen=True, slots=True)
class Collector:
    """What a collector's customers owe and promised, and how many tasks the collector did; minor units."""

    name: str
    owed_minor: int
    overdue_minor: int
    open_invoices: int
    promises: Promises
    tasks_done: int


def collectors(
    aged: Sequence[Buckets], promises: Mapping[str, Promises], tasks_done: Mapping[str, int]
) -> list[Collector]:
    """Everybody of whom something is known, the most overdue first; what nobody looks after comes last."""
    owed = {each.group or NOBODY: each for each in aged}
    names = {name for name, each in owed.items() if each.open_invoices} | promises.keys() | tasks_done.keys()
    listed = [
        Collector(
            name=name,
            owed_minor=owed[name].total if name in owed else 0,
            overdue_minor=owed[name].overdue if name in owed else 0,
            open_invoices=owed[name].open_invoices if name in owed else 0,
            promises=promises.get(name, Promises()),
            tasks_done=tasks_done.get(name, 0),
        )
        for name in names
    ]
    return sorted(listed, key=lambda each: (each.name == NOBODY, -each.overdue_minor, each.name))
