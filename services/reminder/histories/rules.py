"""A past day of a case in plain words, from the events, contacts and versions that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.holds.rules import Hold, HoldKind, holding
from services.reminder.policies.rules import PolicyVersion
from services.reminder.receivables.rules import Account
from services.reminder.sayings import rules as sayings
from services.reminder.sayings.rules import Explanation, Fact, day, days, moment
from services.reminder.strategies.rules import Published
from shared.calendar import local_date
from shared.money import Money

NOT_KNOWN = (
    "Not known any more for that day: what had been paid or disputed since the case's last event before it, which "
    "addresses were on file, and what was foreseen then; what came next is what really happened."
)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the case: when it was decided, what it is, and what it tells."""

    at: datetime
    type: str
    data: Mapping[str, Any]

    @property
    def short(self) -> str:
        """`opened`, `held`, `step_skipped` ..."""
        return self.type.removeprefix("dueward.case.").rpartition(".")[0]

    @property
    def case(self) -> Mapping[str, Any]:
        return self.data["case"]


@dataclass(frozen=True, slots=True)
class Past:
    """What is kept: all events of the case, oldest first, and all of its contacts, newest first. `until` is the end of
    the day, which is no part of it."""

    day: date
    until: datetime
    happened: Sequence[Happened]
    contacts: Sequence[Contact]
    policy: PolicyVersion

    @property
    def before(self) -> Sequence[Happened]:
        return [each for each in self.happened if each.at < self.until]

    @property
    def after(self) -> Sequence[Happened]:
        return [each for each in self.happened if each.at >= self.until]


def strategy_at(past: Past) -> tuple[str, int] | None:
    """What the case ran on that day; None before anything is known of it."""
    before = past.before
    return (before[-1].case["strategy"], before[-1].case["strategy_version"]) if before else None


def explain(past: Past, account: Account, strategy: Published) -> Explanation:
    known = past.before
    sent = _latest(past, "sent")
    held = _latest(past, "suppressed", "failed", "unknown")
    if held and sent and held.id < sent.id:
        held = None
    return Explanation(
        situation=_situation(past, account),
        last_contact=sayings.last_contact(sent, strategy, account),
        last_suppression=sayings.held_back(held, account) if held else None,
        silence=_silence(past, account, sent, strategy),
        next=_came_next(past, account),
        not_known=NOT_KNOWN,
        facts=_facts(past, sent, held),
        strategy=known[-1].case["strategy"] if known else strategy.name,
        strategy_version=known[-1].case["strategy_version"] if known else strategy.version,
    )


def _latest(past: Past, *statuses: str) -> Contact | None:
    """As far as it had come by then: what was sent later was not sent yet."""
    for contact in past.contacts:
        if contact.status in statuses and (contact.sent_at or contact.due_at) < past.until:
            return contact
    return None


def _situation(past: Past, account: Account) -> str:
    who, on = account.name or "This customer", day(past.day)
    known = past.before
    if not known:
        return f"On {on} {who} had no case yet: nothing overdue could have been chased by then."
    last = known[-1]
    case, told = last.case, moment(last.at, account)
    if case["status"] == "closed":
        closed = next((each for each in reversed(known) if each.short == "closed"), None)
        if closed is None:
            return f"On {on} {who} had no open case: nothing overdue could have been chased by then."
        because, when = sayings.closed_because(closed.data.get("reason")), moment(closed.at, account)
        return f"On {on} {who} had no open case: the last one was closed on {when}, because {because}."
    owed = sayings.sums([Money.parse(each["amount"], each["currency"]) for each in case["collectable"]])
    oldest = case["oldest_due_on"]
    since = ""
    if oldest:
        due_on = date.fromisoformat(oldest)
        since = f", the oldest invoice was due on {day(due_on)}, {days((past.day - due_on).days)} before"
    taken = f"its last step was {case['step']!r}" if case["step"] else "no step had been taken"
    return (
        f"On {on} {who} had an open case, number {case['episode']}, on strategy {case['strategy']!r} version "
        f"{case['strategy_version']}; {taken}. When it was last told of, on {told}, {owed} could be asked for{since}."
    )


def holds_at(past: Past) -> tuple[Hold, ...]:
    """What the case rested for at the end of the day: held and neither released nor over."""
    held: dict[tuple[str, str], Hold] = {}
    for each in past.before:
        if each.short == "held":
            until = each.data["until"]
            kind, source = HoldKind(each.data["kind"]), each.data["source"]
            held[kind, source] = Hold(kind, date.fromisoformat(until) if until else None, source, "")
        elif each.short == "released":
            held.pop((each.data["kind"], each.data["source"]), None)
    return tuple(hold for hold in held.values() if hold.rests_on(past.day))


def _silence(past: Past, account: Account, sent: Contact | None, strategy: Published) -> str:
    if sent and sent.sent_at and local_date(sent.sent_at, account.time_zone) == past.day:
        return f"It was contacted on that day: {sent.step!r} went out."
    hold = holding(holds_at(past), past.day)
    if hold:
        through = f", through {day(hold.until)}" if hold.until else ""
        return f"Nothing went out on that day, because the case rested{through}: {_then(sayings.rests(hold))}."
    skipped = [
        each
        for each in past.before
        if each.short == "step_skipped" and local_date(each.at, account.time_zone) == past.day
    ]
    if skipped:
        because = SUPPRESSED_BECAUSE[Suppression(skipped[-1].data["reason"])]
        return f"The step {skipped[-1].data['skipped']!r} was passed over on that day, because {because}."
    known = past.before
    if not known or known[-1].case["status"] == "closed":
        return "Nothing went out on that day, because no case was open."
    rung = strategy.strategy.rung_after(known[-1].case["level"])
    if rung is None:
        return "Nothing went out on that day: the last step of the strategy had been taken."
    return f"Nothing went out on that day. The next step of the strategy was {rung.name!r}: {sayings.rule(rung)}."


def _then(said: str) -> str:
    """Of a day that is past."""
    for now, then in (
        (" is ", " was "),
        ("has written", "had written"),
        ("has looked", "had looked"),
        (" has ", " had "),
    ):
        said = said.replace(now, then)
    return said


def _came_next(past: Past, account: Account) -> str:
    """What really happened first after the day."""
    told = [
        (contact.sent_at, f"the message {contact.step!r} went out by {contact.channel}")
        for contact in past.contacts
        if contact.status == "sent" and contact.sent_at and contact.sent_at >= past.until
    ]
    for each in past.after[:1]:
        told.append((each.at, _SAID.get(each.short, each.short.replace("_", " "))))
    if not told:
        return "Nothing has happened since that is kept here."
    at, what = min(told, key=lambda each: each[0])
    return f"What came next: on {moment(at, account)} {what}."


_SAID: Mapping[str, str] = {
    "opened": "a case was opened",
    "closed": "the case was closed",
    "held": "the case began to rest",
    "released": "what the case rested for was over",
    "escalated": "the next step was taken",
    "step_skipped": "a step was passed over",
    "moved": "the case was moved to another version of its strategy",
}


def _facts(past: Past, sent: Contact | None, held: Contact | None) -> tuple[Fact, ...]:
    found = []
    if known := past.before:
        last = known[-1]
        case, source = last.case, f"event {last.type} of {last.at.isoformat()}"
        found += [
            Fact("case", f"{case['status']}, episode {case['episode']}", source),
            Fact("strategy", f"{case['strategy']} version {case['strategy_version']}", source),
            Fact("steps_taken", str(case["level"]), source),
        ]
        if case["step"]:
            found.append(Fact("last_step", case["step"], source))
        if case["oldest_due_on"]:
            found.append(Fact("oldest_due_on", case["oldest_due_on"], source))
        found += [Fact("may_be_asked_for", f"{m['amount']} {m['currency']}", source) for m in case["collectable"]]
    for hold in holds_at(past):
        until = f"through {hold.until.isoformat()}" if hold.until else "until released"
        found.append(Fact(f"rests_{hold.kind}", until, f"{hold.kind} {hold.source}"))
    if sent and sent.sent_at:
        said = f"{sent.step} by {sent.channel} to {sent.recipient} at {sent.sent_at.isoformat()}"
        found.append(Fact("last_contact", said, f"contact {sent.id}"))
    if held:
        found.append(Fact(f"contact_{held.status}", f"{held.step}: {held.reason}", f"contact {held.id}"))
    version = f"version {past.policy.version}" if past.policy.version else "the built-in one"
    found.append(Fact("contact_policy", version, "contact policy"))
    return tuple(found)
