"""What the page of a simulation shows: contacts a day as stacked bars, two versions on one scale, and the figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Suppression
from services.reminder.simulations import rules as simulations
from services.reminder.simulations.rules import Job, Side, Tally
from services.reminder.strategies import rules as strategies
from shared.money import Money
from shared.words import day_words

DRAFT = "draft"
"""In the form: what was typed into the editor, in place of a version."""

PAYMENTS = {"none": "nobody pays anything", "as_before": "accounts pay as late as they did so far"}
APPROVALS = {"none": "nobody approves anything", "at_once": "are approved at once"}
RUNNING = {"keep": "keep the version they run on", "move": "are moved to the version that is tried"}

HEIGHT, LEFT, TOP, BOTTOM = 240, 44, 10, 26
_TICKS_MAX = 5
_LABELS_MAX = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the form. `tried` and `against` are `draft`, a version's number, or empty: the newest version,
    and nothing to compare with."""

    tried: str = ""
    against: str = ""
    days: int = 30
    payments: simulations.Payments = "none"
    approvals: simulations.Approvals = "none"
    running: simulations.Running = "keep"
    document: str = ""

    @property
    def sides(self) -> tuple[int | str | None, ...]:
        """As a simulation takes them: a version, a document, or None for the newest version."""
        wanted = (self.tried, self.against) if self.against else (self.tried,)
        return tuple(self.document if each == DRAFT else int(each) if each.isdecimal() else None for each in wanted)


@dataclass(frozen=True, slots=True)
class Look:
    """How a step is drawn: its tone, and how strong its colour is, in percent; later steps of a tone are paler."""

    tone: str
    strength: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Contacts of one step on one day; `said` names them."""

    look: Look
    x: float
    y: float
    width: float
    height: float
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over an axis of days. Numbers are the drawing's own units; `said` is the chart in a sentence."""

    width: int
    bars: tuple[Bar, ...]
    grid: tuple[tuple[float, int], ...]
    days: tuple[tuple[float, str], ...]
    said: str


@dataclass(frozen=True, slots=True)
class Result:
    """What comes with one version; `name` is short, for the head of a column."""

    title: str
    name: str
    tally: Tally
    contacts: int
    suppressed: int
    cost: Money
    chart: Chart


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its counts are one for each version that is shown."""

    name: str
    counts: tuple[int, ...]
    look: Look | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    results: tuple[Result, ...]
    steps: tuple[Row, ...]
    reasons: tuple[Row, ...]
    actions: tuple[Row, ...]
    assumptions: Sequence[str]
    first: date
    last: date


def show(job: Job, tallies: Sequence[Tally]) -> Shown:
    looks = _looks(job.sides)
    daily = [_by_day(job, tally) for tally in tallies]
    most = max((sum(steps.values()) for days in daily for steps in days.values()), default=0)
    width = 560 if len(tallies) > 1 else 1160
    results = tuple(
        Result(
            title=f"Version {side.version}" if side.is_published else f"The draft, version {side.version} if published",
            name=f"Version {side.version}" if side.is_published else "Draft",
            tally=tally,
            contacts=sum(sum(steps.values()) for steps in days.values()),
            suppressed=sum(n for kept, n in tally.suppressed.items() if kept.strategy == job.strategy),
            cost=simulations.cost(_by_channel(job, tally), *simulations.prices(job, {}, None)),
            chart=draw_chart(job.days, days, looks, most, width),
        )
        for side, tally, days in zip(job.sides, tallies, daily, strict=True)
    )
    return Shown(
        results=results,
        steps=_step_rows(job, tallies, looks),
        reasons=_reason_rows(job, tallies),
        actions=_action_rows(job, tallies),
        assumptions=simulations.assumptions(job),
        first=job.days[0],
        last=job.days[-1],
    )


def draw_chart(
    days: Sequence[date], counted: Mapping[date, Mapping[str, int]], looks: Mapping[str, Look], most: int, width: int
) -> Chart:
    """One bar a day, its steps in the order of the ladder from below; `most` is the highest bar of all charts that
    stand side by side."""
    every = _interval(max(most, 1))
    top = -(-max(most, 1) // every) * every
    per_contact = (HEIGHT - TOP - BOTTOM) / top
    pitch = (width - LEFT - 8) / len(days)
    thick = max(pitch * 0.78, 1)
    bars: list[Bar] = []
    for index, day in enumerate(days):
        x, y = LEFT + index * pitch + (pitch - thick) / 2, HEIGHT - BOTTOM
        steps = counted.get(day, {})
        for step in sorted(steps, key=lambda step: list(looks).index(step) if step in looks else len(looks)):
            high = steps[step] * per_contact
            y -= high
            said = f"{day_words(day)}: {step}, {steps[step]}"
            bars.append(Bar(looks.get(step, _OTHER), round(x, 1), round(y, 1), round(thick, 1), round(high, 1), said))
    apart = -(-len(days) // _LABELS_MAX)
    totals = {day: sum(steps.values()) for day, steps in counted.items()}
    highest = max(totals, key=lambda day: totals[day], default=None)
    return Chart(
        width=width,
        bars=tuple(bars),
        grid=tuple((round(HEIGHT - BOTTOM - n * per_contact, 1), n) for n in range(0, top + 1, every)),
        days=tuple(
            (round(LEFT + (index + 0.5) * pitch, 1), f"{day.day} {day:%b}")
            for index, day in enumerate(days)
            if index % apart == 0
        ),
        said=f"{sum(totals.values())} contacts in {len(days)} days"
        + (f", most of them on {day_words(highest)}: {totals[highest]}" if highest else ""),
    )


_OTHER = Look("silent", 60)
"""Of a step that only an earlier version has, which running cases keep."""


def _interval(most: int) -> int:
    """1, 2, 5, 10, 20 ...: the least with which the axis has few lines."""
    unit = 1
    while True:
        for times in (1, 2, 5):
            if most / (unit * times) <= _TICKS_MAX:
                return unit * times
        unit *= 10


def _looks(sides: Sequence[Side]) -> dict[str, Look]:
    """By the name of the step, in the order of the first version's ladder, then those that only the other one has."""
    tones: dict[str, list[str]] = defaultdict(list)
    order: dict[str, str] = {}
    for side in sides:
        for step in strategies.parse(side.document).steps:
            if step.name not in order:
                order[step.name] = step.tone or "silent"
                tones[order[step.name]].append(step.name)
    return {
        name: Look(tone, round(100 - 50 * tones[tone].index(name) / max(len(tones[tone]) - 1, 1)))
        for name, tone in order.items()
    }


def _by_day(job: Job, tally: Tally) -> dict[date, Counter[str]]:
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for sent, n in tally.contacts.items():
        if sent.strategy == job.strategy:
            found[sent.day][sent.step] += n
    return found


def _by_channel(job: Job, tally: Tally) -> Counter[str]:
    found: Counter[str] = Counter()
    for sent, n in tally.contacts.items():
        if sent.strategy == job.strategy:
            found[sent.channel] += n
    return found


def _step_rows(job: Job, tallies: Sequence[Tally], looks: Mapping[str, Look]) -> tuple[Row, ...]:
    found: dict[str, list[int]] = {name: [0] * len(tallies) for name in looks}
    channels: dict[str, set[str]] = defaultdict(set)
    for at, tally in enumerate(tallies):
        for sent, n in sorted(tally.contacts.items()):
            if sent.strategy == job.strategy:
                found.setdefault(sent.step, [0] * len(tallies))[at] += n
                channels[sent.step].add(sent.channel)
    return tuple(
        Row(name, tuple(counts), looks.get(name, _OTHER), ", ".join(sorted(channels[name])))
        for name, counts in found.items()
        if any(counts)
    )


def _reason_rows(job: Job, tallies: Sequence[Tally]) -> tuple[Row, ...]:
    """The most frequent first."""
    found: dict[str, list[int]] = {}
    for at, tally in enumerate(tallies):
        for kept, n in tally.suppressed.items():
            if kept.strategy == job.strategy:
                found.setdefault(kept.reason, [0] * len(tallies))[at] += n
    rows = [Row(reason, tuple(counts), note=_because(reason)) for reason, counts in found.items()]
    return tuple(sorted(rows, key=lambda row: (-max(row.counts), row.name)))


def _action_rows(job: Job, tallies: Sequence[Tally]) -> tuple[Row, ...]:
    found: dict[str, list[int]] = {}
    for at, tally in enumerate(tallies):
        for did, n in tally.actions.items():
            if did.strategy == job.strategy:
                found.setdefault(did.what, [0] * len(tallies))[at] += n
    return tuple(Row(what, tuple(counts)) for what, counts in sorted(found.items()))


def _because(reason: str) -> str:
    try:
        return SUPPRESSED_BECAUSE[Suppression(reason)]
    except (KeyError, ValueError):
        return ""
