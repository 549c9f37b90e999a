"""What the strategy pages show: a strategy in words and as a picture, how two versions differ, and the small changes
that are made to a document without somebody typing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Literal

from services.reminder.conditions.rules import AmountRange, Conditions, DaysRange, Fits
from services.reminder.strategies import rules as strategies
from services.reminder.strategies.rules import DEFAULT, TO_CUSTOMER, InvalidStrategy, Step, Strategy
from shared.documents import Fault
from shared.errors import Refused

SAID = {
    "published": "Published. New episodes start on this version; cases that run keep theirs until they are moved.",
    "activated": "The strategy is active: new episodes of the accounts it fits start on it.",
    "deactivated": "The strategy is switched off: no new episode starts on it, and cases that run on it go on.",
    "moved": "The cases are moved.",
}
"""What a page says after something was done, by the word in its address."""

VERDICTS = {
    "too_few_cases": "too few cases to say anything",
    "may_be_chance": "the difference may be chance",
    "challenger_better": "the challenger is better",
    "champion_better": "the champion is better",
}

NEW = """\
# Who it is for and what happens on which day; the fields are in docs/strategies.md.
name: {name}
title: {title}
active: false
fits:
  segments: [small]
priority: 5

steps:
  - name: first-reminder
    days_from_due: 3
    channel: email
    tone: friendly
    template: first-reminder

  - name: agency-referral
    days_from_due: 91
    actions: [agency_referral]
"""


class NotSwitched(Refused):
    slug = "strategy-not-switched"
    title = "The strategy was not switched"


class NothingChanged(Refused):
    slug = "strategy-not-changed"
    title = "There is no new version"


@dataclass(frozen=True, slots=True)
class Version:
    """A version, when it was published, and how many cases run on it. The shipped ones were there from the start."""

    version: int
    published_at: datetime
    running: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What publishing a document would say. `ladder` is None where it cannot be read as a strategy."""

    faults: Sequence[Fault]
    warnings: Sequence[Fault]
    ladder: Ladder | None

    @property
    def lines(self) -> frozenset[int]:
        return frozenset(fault.line for fault in self.faults)


# --- in words ---


def fits_words(strategy: Strategy) -> list[str]:
    """Whose accounts a strategy is for; each entry is one kind of account."""
    if strategy.challenger:
        return [f"{strategy.challenger.share_percent} % of the accounts of {strategy.challenger.of}"]
    if strategy.name == DEFAULT:
        return ["Every account that no other strategy fits"]
    return [_kind(fits) for fits in strategy.kinds]


def _kind(fits: Fits) -> str:
    parts = [
        f"segment {_any(fits.segments)}" if fits.segments else "",
        f"country {_any(fits.countries)}" if fits.countries else "",
        f"language {_any(fits.languages)}" if fits.languages else "",
        f"risk class {_any(fits.risk_classes)}" if fits.risk_classes else "",
        f"owes {_any([_range(money, currency) for currency, money in fits.open_balance.items()])}"
        if fits.open_balance
        else "",
        f"pays {_range(fits.average_days_late, 'days')} late" if fits.average_days_late else "",
        f"broke {fits.broken_promises_min} promises or more" if fits.broken_promises_min else "",
    ]
    said = ", ".join(part for part in parts if part)
    return said[:1].upper() + said[1:] if said else "Every account"


def conditions_words(conditions: Conditions) -> str:
    """When a step is taken: `from 100 EUR, risk class high`; empty where it always is."""
    parts = [
        f"from {_any([f'{amount:,} {currency}' for currency, amount in conditions.amount_at_least.items()])}"
        if conditions.amount_at_least
        else "",
        f"{conditions.invoices_at_least} invoices or more" if conditions.invoices_at_least else "",
        f"risk class {_any(conditions.risk_classes)}" if conditions.risk_classes else "",
        f"{conditions.broken_promises_at_least} broken promises or more" if conditions.broken_promises_at_least else "",
    ]
    return ", ".join(part for part in parts if part)


def _range(bounds: AmountRange | DaysRange, unit: str) -> str:
    if bounds.min is None:
        return f"at most {bounds.max:,} {unit}"
    if bounds.max is None:
        return f"at least {bounds.min:,} {unit}"
    return f"{bounds.min:,} to {bounds.max:,} {unit}"


def _any(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


# --- as a picture ---

AXIS_WIDTH = 880
LEFT, TOP = 24, 30
LANE_HEIGHT, CARD_HEIGHT, FLAG_GAP = 54, 46, 22
_TICKS_MAX = 11
_TICK_DAYS = (1, 2, 5, 7, 10, 15, 30, 60, 90, 180, 365, 730)
_BUCKETS = (("current", 0), ("d1_30", 30), ("d31_60", 60), ("d61_90", 90), ("d91_plus", None))


Word = Literal["channel", "action", "note"]


@dataclass(frozen=True, slots=True)
class Label:
    """A small word on a flag, at its place from the flag's left."""

    text: str
    kind: Word
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A step: its pole stands at `x`, its card's upper edge at `y`. `days` is the day as it is written: `day 7`, `7
    days later`."""

    step: Step
    day: int
    days: str
    x: int
    y: int
    width: int
    labels: tuple[Label, ...]
    look: str

    @property
    def said(self) -> str:
        """The step in a sentence, for those who do not see the picture."""
        return ", ".join([self.days, self.step.tone or "no message", *(label.text for label in self.labels)])


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the axis: an ageing bucket."""

    bucket: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps as flags on an axis of days. All numbers are the drawing's own units; `due_x` is the due date."""

    flags: tuple[Flag, ...]
    ticks: tuple[tuple[int, int], ...]
    bands: tuple[Band, ...]
    due_x: int
    axis_y: int
    width: int
    height: int

    @property
    def has_notice(self) -> bool:
        return self.flags[0].day <= 0


def draw_ladder(strategy: Strategy) -> Ladder:
    """Flags never cover each other nor another's pole: an earlier one stands higher than all that it reaches over."""
    days = strategy.earliest_days
    first, last = min(0, days[0]), max(days[-1], 7)
    scale = AXIS_WIDTH / (last - first)

    def x(day: int) -> int:
        return round(LEFT + (day - first) * scale)

    laid = [_labels(step) for step in strategy.steps]
    widths = [
        max(_text_width(step.name, 8.6) + _text_width(_days(step), 7.2) + 30, (labels[-1].x + labels[-1].width + 8))
        for step, labels in zip(strategy.steps, laid, strict=True)
    ]
    lanes: list[int] = [0] * len(days)
    for index in reversed(range(len(days))):
        end = x(days[index]) + widths[index] + 6
        under = [lanes[later] for later in range(index + 1, len(days)) if x(days[later]) < end]
        lanes[index] = max(under) + 1 if under else 0
    axis_y = TOP + (max(lanes) + 1) * LANE_HEIGHT + FLAG_GAP
    flags = tuple(
        Flag(
            step,
            day,
            _days(step),
            x(day),
            axis_y - FLAG_GAP - (lane + 1) * LANE_HEIGHT,
            width,
            labels,
            step.tone or "silent",
        )
        for step, day, lane, width, labels in zip(strategy.steps, days, lanes, widths, laid, strict=True)
    )
    return Ladder(
        flags=flags,
        ticks=tuple((x(day), day) for day in _ticks(first, last)),
        bands=tuple(_bands(first, last, x)),
        due_x=x(0),
        axis_y=axis_y,
        width=max(LEFT + AXIS_WIDTH, *(flag.x + flag.width for flag in flags)) + 12,
        height=axis_y + 42,
    )


def _ticks(first: int, last: int) -> Iterator[int]:
    every = next((days for days in _TICK_DAYS if (last - first) / days <= _TICKS_MAX), _TICK_DAYS[-1])
    while (last - first) / every > _TICKS_MAX:
        every *= 2
    yield from (day for day in range(-(-first // every) * every, last + 1, every))


def _bands(first: int, last: int, x: Callable[[int], int]) -> Iterator[Band]:
    begin = first
    for bucket, until in _BUCKETS:
        end = last if until is None else min(until, last)
        if end > begin:
            yield Band(bucket, x(begin), x(end) - x(begin))
            begin = end


def _days(step: Step) -> str:
    if step.days_from_due is None:
        return f"{step.days_after_previous} days later"
    if step.is_before_due:
        return f"{-step.days_from_due} days before due" if step.days_from_due else "on the due date"
    return f"day {step.days_from_due}"


def _labels(step: Step) -> tuple[Label, ...]:
    words: list[tuple[str, Word]] = [(channel, "channel") for channel in step.channels]
    if step.fallback:
        words.append((f"else {step.fallback}", "note"))
    for action in step.actions:
        words.append((action.replace("_", " "), "action"))
    if step.approval:
        words.append(("after approval", "note"))
    if asked := conditions_words(step.conditions):
        words.append((asked if len(asked) < 34 else "conditions", "note"))
    if not TO_CUSTOMER.isdisjoint(step.channels) and step.attachments:
        words.append(("with " + " and ".join(step.attachments), "note"))
    placed, at = [], 9
    for text, kind in words:
        width = _text_width(text, 6.8) + (12 if kind != "note" else 4)
        placed.append(Label(text, kind, at, width))
        at += width + 5
    return tuple(placed)


def _text_width(text: str, per_letter: float) -> int:
    """About as wide as it is drawn: the page's font is not known here."""
    return round(len(text) * per_letter)


# --- how versions differ ---


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a comparison: added, gone, the same, or a `gap` where lines that did not change are left out."""

    kind: Literal["added", "gone", "same", "gap"]
    text: str = ""


def differences(before: str, after: str) -> list[Change]:
    """What was changed, with three lines around each change; empty where nothing was."""
    kinds: dict[str, Literal["added", "gone", "same"]] = {"+": "added", "-": "gone", " ": "same"}
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
    found = [Change("gap") if line.startswith("@@") else Change(kinds[line[0]], line[1:]) for line in lines]
    return found[1:] if found and found[0].kind == "gap" else found


# --- small changes to a document ---


def clean(document: str) -> str:
    """As a browser sends it, with the line ends that documents have."""
    text = document.replace("\r\n", "\n").replace("\r", "\n")
    return text if not text or text.endswith("\n") else f"{text}\n"


def switched(document: str, *, active: bool) -> str:
    """The document with `active` as wanted, all else as it was written, comments included. Raises NotSwitched where
    it says so in a way that is not touched here."""
    word = "true" if active else "false"
    try:
        strategy, written = strategies.parse(document), strategies.read(document)
    except InvalidStrategy as invalid:
        raise NotSwitched(f"the document cannot be used: {invalid.detail}") from None
    lines = document.split("\n")
    if "/active" in written.lines:
        at = written.lines["/active"] - 1
        lines[at] = re.sub(r"(active[\"']?\s*:\s*)(true|false)", rf"\g<1>{word}", lines[at], count=1, flags=re.I)
    else:
        at = written.lines["/title"] - 1
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        is_json = document.lstrip().startswith("{")
        lines.insert(at, f'{indent}"active": {word},' if is_json else f"{indent}active: {word}")
    made = "\n".join(lines)
    try:
        if strategies.parse(made) == strategy.model_copy(update={"active": active}):
            return made
    except InvalidStrategy as invalid:
        if strategy.name == DEFAULT:
            raise NotSwitched("'default' is for every account that nothing else fits, and is always active") from None
        raise NotSwitched(f"write it into the document: {invalid.detail}") from None
    raise NotSwitched("write `active` into the document: it is not on a line of its own there")


def renamed(document: str, name: str) -> str:
    """The document under another name, switched off, as the beginning of a new strategy."""
    lines = document.split("\n")
    at = strategies.read(document).lines["/name"] - 1
    lines[at] = re.sub(r"(name[\"']?\s*:\s*[\"']?)[a-z0-9-]+", rf"\g<1>{name}", lines[at], count=1)
    return "\n".join(lines)
