"""Which account to look at first, and what to do there: by account, never by single invoices.

An account has at most 100 points, the sum of five parts that are shown with it. Each part is a plain proportion, so
that anybody can work out why one account stands above another:

| part | points at most | in full for |
|---|---|---|
| balance | 40 | the account that owes most in its currency (its place among all that owe that currency) |
| age | 20 | 90 days overdue and more |
| risk | 15 | risk class E; a class not known counts as between B and C |
| promises | 15 | three broken promises and more |
| effect | 10 | nobody has talked to it for 14 days: the same words again bring little |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.reminder.holds.rules import Hold, HoldKind
from shared.calendar import local_date
from shared.errors import Refused
from shared.money import Money
from shared.words import day_words

BALANCE_POINTS = 40.0
AGE_POINTS, AGE_DAYS = 20.0, 90
RISK_POINTS: Mapping[str, float] = {"A": 0.0, "B": 4.0, "C": 8.0, "D": 12.0, "E": 15.0}
RISK_UNKNOWN_POINTS = 6.0
PROMISE_POINTS, PROMISES = 15.0, 3
EFFECT_POINTS, EFFECT_DAYS = 10.0, 14

CALL_FROM_DAYS = 15
"""From then on, an account of weight is called rather than written to once more."""
CALL_FROM_PLACE = 0.8
"""Of weight: it owes more than four fifths of those that owe its currency."""
PLACEMENT_FROM_DAYS = 90
SPOKEN_LATELY_DAYS = 7


class SnoozeRefused(Refused):
    slug = "snooze-refused"
    title = "It cannot be put off like this"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account as the worklist sees it. `place` is its place by balance among those that owe its currency, from 0 to
    1 for the one that owes most; `spoken_at` is when somebody last tried to reach it by telephone; `tasks` are the
    kinds of what waits to be done for it, `reply` is an answer nobody has looked at."""

    customer_id: UUID
    entity_id: str
    points: float
    name: str | None
    external_id: str | None
    segment: str | None
    risk_class: str | None
    time_zone: str
    owed: tuple[Money, ...]
    invoices: int
    oldest_due_on: date | None
    place: float
    disputed: int
    broken_promises: int
    spoken_at: datetime | None
    has_email: bool
    has_phone: bool
    owner: str | None
    snoozed_until: date | None
    holds: tuple[Hold, ...]
    step: str | None
    check_at: datetime | None
    tasks: tuple[str, ...]

    def days_overdue(self, today: date) -> int:
        return max((today - self.oldest_due_on).days, 0) if self.oldest_due_on else 0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an account's points, and what it rests on."""

    part: str
    points: float
    because: str


def parts(entry: Entry, now: datetime) -> tuple[Part, ...]:
    """What an account's points are made of. The list is ordered by the same sum, computed where the rows are."""
    today = now.date()
    days = entry.days_overdue(today)
    quiet = (today - entry.spoken_at.date()).days if entry.spoken_at else None
    owed = " and ".join(map(str, entry.owed)) or "nothing"
    return (
        Part("balance", round(BALANCE_POINTS * entry.place, 1), f"{owed} overdue: place {entry.place:.0%} by balance"),
        Part("age", round(AGE_POINTS * min(days, AGE_DAYS) / AGE_DAYS, 1), f"{days} days overdue"),
        Part(
            "risk",
            RISK_POINTS.get(entry.risk_class or "", RISK_UNKNOWN_POINTS),
            f"risk class {entry.risk_class}" if entry.risk_class else "risk class not known",
        ),
        Part(
            "promises",
            round(PROMISE_POINTS * min(entry.broken_promises, PROMISES) / PROMISES, 1),
            f"{entry.broken_promises} broken promises",
        ),
        Part(
            "effect",
            round(EFFECT_POINTS * min(EFFECT_DAYS if quiet is None else quiet, EFFECT_DAYS) / EFFECT_DAYS, 1),
            "nobody has talked to it yet" if quiet is None else f"last talked to {quiet} days ago",
        ),
    )


class Action(StrEnum):
    """The next best thing to do."""

    READ_REPLY = "read_reply"
    DECIDE = "decide"
    FIND_OUT = "find_out"
    FIND_ADDRESS = "find_address"
    CALL = "call"
    CALL_BACK = "call_back"
    ASK_ABOUT_PROMISE = "ask_about_promise"
    SOLVE_DISPUTE = "solve_dispute"
    PLACE = "place"
    HELP = "help"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What to do next and why, what to say, what may be offered."""

    action: Action
    because: str
    say: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()


_TASK_FIRST: tuple[tuple[str, Action, str], ...] = (
    ("reply", Action.READ_REPLY, "The customer has answered, and nothing goes out until somebody has read it."),
    ("fate_unknown", Action.FIND_OUT, "A message was under way when its sender stopped: find out whether it arrived."),
    ("approve_step", Action.DECIDE, "The next step of the strategy waits for somebody's approval."),
    ("approval_wanted", Action.DECIDE, "An offer or a placement waits for a second person's approval."),
    ("pause_asked", Action.DECIDE, "A colleague asks to leave the account in peace: decide on a pause."),
    ("unreachable", Action.FIND_ADDRESS, "No address of the customer works: reminders cannot reach it."),
    ("promise_broken", Action.ASK_ABOUT_PROMISE, "A promise to pay was broken."),
    ("call_back", Action.CALL_BACK, "The customer wanted to be called back."),
    ("call", Action.CALL, "The strategy asks for a call."),
    ("agency_referral", Action.PLACE, "All reminders have gone out: decide whether an agency takes over."),
    ("propose_plan", Action.CALL, "The strategy asks to propose instalments; the task says how much and when."),
    ("handed_over", Action.HELP, "A colleague asks for help with the account."),
    ("to_do", Action.HELP, "A colleague has given a task for the account; it says what to do."),
    ("mentioned", Action.HELP, "A colleague asks you to read a note."),
)
"""What people have to do goes before what a rule would advise, the most pressing first."""


def pressing(kind: str) -> int:
    """The place of a kind of task among those that people have to do, 0 for the most pressing."""
    kinds = [each for each, _, _ in _TASK_FIRST]
    return kinds.index(kind) if kind in kinds else len(kinds)


_RESTS = {
    HoldKind.PROMISED: "The customer has promised to pay; wait for the day.",
    HoldKind.PAUSED: "Collection is paused.",
    HoldKind.REPLIED: "The customer has answered, and nothing goes out until somebody has read it.",
    HoldKind.CONVERSATION: "Somebody has just talked to the customer.",
    HoldKind.PLACED: "A collection agency has the account: leave contact to it.",
    HoldKind.LEGAL: "The matter is before a court: leave contact to the lawyers.",
    HoldKind.INSOLVENT: "The customer is insolvent: claims are filed, not chased.",
}


def next_action(entry: Entry, now: datetime) -> Guidance:
    """The next best action for an account. Calls come with what to say and what may be offered."""
    waiting = set(entry.tasks)
    for kind, action, because in _TASK_FIRST:
        if kind in waiting:
            return _guided(action, because, entry, now)
    today = local_date(now, entry.time_zone)
    rests = next((hold for hold in entry.holds if hold.rests_on(today)), None)
    if rests:
        until = f" It rests until {day_words(rests.until)}." if rests.until else ""
        return Guidance(Action.WAIT, f"{_RESTS[rests.kind]}{until}")
    days = entry.days_overdue(now.date())
    if not entry.owed and entry.disputed:
        return Guidance(
            Action.SOLVE_DISPUTE,
            "What is overdue is disputed: whoever owns the dispute has to answer before money can be asked for.",
        )
    lately = entry.spoken_at is not None and (today - entry.spoken_at.date()).days < SPOKEN_LATELY_DAYS
    if days > PLACEMENT_FROM_DAYS and not lately:
        because = f"It is {days} days overdue. One last call before an agency or a court is thought of."
        return _guided(Action.CALL, because, entry, now)
    if days >= CALL_FROM_DAYS and entry.place >= CALL_FROM_PLACE and not lately:
        because = f"It owes more than most and is {days} days overdue, and nobody has talked to it this week."
        return _guided(Action.CALL, because, entry, now)
    if entry.check_at:
        return Guidance(Action.WAIT, f"The next reminder is decided on {day_words(entry.check_at)}.")
    return Guidance(Action.WAIT, "Nothing is to be done before something changes.")


_TALKS = (Action.CALL, Action.CALL_BACK, Action.ASK_ABOUT_PROMISE)


def _guided(action: Action, because: str, entry: Entry, now: datetime) -> Guidance:
    if action not in _TALKS:
        return Guidance(action, because)
    owed, days = " and ".join(map(str, entry.owed)) or "the open items", entry.days_overdue(now.date())
    say = [f"Say who you are and that it is about {owed}, {days} days overdue on the oldest of {entry.invoices}."]
    if entry.broken_promises:
        say.append("Name the promise that was not kept, without reproach, and ask what came between.")
    say.append("Ask whether the invoices arrived and are in order; note the reason for the delay.")
    if entry.disputed:
        say.append("Part of it is disputed: leave that aside, and ask for what is not.")
    say.append("Agree on a day and an amount, repeat both, and send the pay link while you speak.")
    return Guidance(action, because, tuple(say), _offers(entry, days))


def _offers(entry: Entry, days: int) -> tuple[str, ...]:
    """What a collector may put on the table, from light to heavy; the limits are the entity's authority."""
    offers = ["A promise to pay by a day within the next week"]
    if days >= CALL_FROM_DAYS and entry.broken_promises < PROMISES:
        offers.append("A plan of instalments")
    if days > PLACEMENT_FROM_DAYS:
        offers.append("A settlement, once approved")
    return tuple(offers)


def order(owed: Sequence[Money]) -> tuple[Money, ...]:
    """The amounts of an account, in the order of their currencies."""
    return tuple(sorted(owed, key=lambda money: money.currency))


def check_snooze(until: date, today: date) -> None:
    """Raises SnoozeRefused for a day that is not ahead."""
    if until <= today:
        raise SnoozeRefused(f"{until} is not after today, {today}", field="/until")
