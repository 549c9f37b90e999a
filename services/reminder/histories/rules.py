"""A past day of a case in plain words, from the events, contacts and versions that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.evidence.rules import of_holds
from services.reminder.holds.rules import Hold, HoldKind, holding
from services.reminder.legal import rules as legal
from services.reminder.legal.rules import Proceeding
from services.reminder.next_steps.rules import Reason
from services.reminder.offers import rules as offers
from services.reminder.offers.rules import Offer
from services.reminder.pauses import rules as pauses
from services.reminder.pauses.rules import Pause
from services.reminder.placements import rules as placements
from services.reminder.placements.rules import Agency, Placement
from services.reminder.policies.rules import PolicyVersion
from services.reminder.promises import rules as promises
from services.reminder.promises.rules import Promise
from services.reminder.receivables.rules import Account
from services.reminder.replies import rules as replies
from services.reminder.replies.rules import Reply
from services.reminder.sayings import rules as sayings
from services.reminder.sayings.rules import Explanation, Fact, day, days, moment
from services.reminder.strategies.rules import Published
from services.reminder.tasks.rules import Task
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
class Kept:
    """What people agreed with the account or asked for it, of all time; `approvals` are the tasks about steps."""

    pauses: Sequence[Pause] = ()
    promises: Sequence[Promise] = ()
    offers: Sequence[Offer] = ()
    placements: Sequence[Placement] = ()
    agencies: Mapping[str, Agency] = field(default_factory=dict)
    proceedings: Sequence[Proceeding] = ()
    replies: Sequence[Reply] = ()
    approvals: Sequence[Task] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a case rests for as it was told then, by whom, and on which day; nobody where a rule did."""

    hold: Hold
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Past:
    """What is kept: all events of the case, oldest first, and all of its contacts, newest first. `until` is the end of
    the day, which is no part of it."""

    day: date
    until: datetime
    happened: Sequence[Happened]
    contacts: Sequence[Contact]
    policy: PolicyVersion
    kept: Kept = Kept()

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
        reason=_reason(past, strategy),
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


def told(kept: Kept) -> dict[str, Told]:
    """By the id that a hold names as its source."""
    found = [
        *(Told(pauses.hold_of(each), each.made_by, each.started_on) for each in kept.pauses),
        *(Told(promises.hold_of(each), each.made_by, each.made_on) for each in kept.promises),
        *(Told(offers.hold_of(each), each.made_by, each.made_at.date()) for each in kept.offers),
        *(
            Told(placements.hold_of(each, kept.agencies[each.agency_id]), each.decided_by, each.decided_at.date())
            for each in kept.placements
            if each.decided_by and each.decided_at and each.agency_id in kept.agencies
        ),
        *(Told(legal.hold_of(each), each.made_by, each.opened_on) for each in kept.proceedings),
        *(Told(replies.hold(each), "", each.received_at.date()) for each in kept.replies),
    ]
    return {each.hold.source: each for each in found}


def holds_at(past: Past) -> tuple[Hold, ...]:
    """What the case rested for at the end of the day: held and neither released nor over."""
    known = told(past.kept)
    held: dict[tuple[str, str], Hold] = {}
    for each in past.before:
        if each.short == "held":
            until = each.data["until"]
            kind, source = HoldKind(each.data["kind"]), each.data["source"]
            said = known[source].hold if source in known else Hold(kind, None, source, "")
            held[kind, source] = replace(said, kind=kind, until=date.fromisoformat(until) if until else None)
        elif each.short == "released":
            held.pop((each.data["kind"], each.data["source"]), None)
    return tuple(hold for hold in held.values() if hold.rests_on(past.day))


def _silence(past: Past, account: Account, sent: Contact | None, strategy: Published) -> str:
    if sent and sent.sent_at and local_date(sent.sent_at, account.time_zone) == past.day:
        return f"It was contacted on that day: {sent.step!r} went out."
    rested = _rested(past)
    if rested:
        return f"Nothing went out on that day, because the case rested{rested}"
    return _went_on(past, account, strategy) + _besides(past)


def _rested(past: Past) -> str:
    """Everything that the case rested for, the reason that counted first: why, until when, and who said so."""
    holds, known = holds_at(past), told(past.kept)
    counted = holding(holds, past.day)
    if counted is None:
        return ""
    said = []
    for hold in (counted, *(each for each in holds if each is not counted)):
        through = f", through {day(hold.until)}" if hold.until else ""
        detail = f" ({hold.detail})" if hold.detail else ""
        who = known.get(hold.source)
        by = f"; {who.by} said so on {day(who.on)}" if who and who.by else ""
        said.append(f"{through}: {_then(sayings.rests(replace(hold, detail='')))}{detail}{by}.")
    return " It also rested".join(said) + _besides(past)


def _besides(past: Past) -> str:
    """What was agreed or asked for without the whole case resting for it."""
    return "".join(f" {each}" for each in _agreed(past))


def _agreed(past: Past) -> Iterator[str]:
    for pause in past.kept.pauses:
        if pause.items and pause.started_on <= past.day <= pause.until_on and not _ended(pause.ended_on, past):
            yield (
                f"{sayings.numbers(pause.items)} was left in peace through {day(pause.until_on)} "
                f"({pause.reason}, asked by {pause.asked_by})."
            )
    resting = {hold.source for hold in holds_at(past)}
    for offer in past.kept.offers:
        if str(offer.id) not in resting and offer.made_at < past.until and not _ended(offer.ended_on, past):
            stood = f"an offer of {offer.made_by} stood until {day(offer.expires_on)}: {offer.in_words}."
            yield stood[:1].upper() + stood[1:]
    for placement in past.kept.placements:
        decided = placement.decided_at is not None and placement.decided_at < past.until
        if placement.requested_at < past.until and not decided and not _ended(placement.ended_on, past):
            yield f"{placement.requested_by} had asked that it goes to an agency, and nobody had decided on that."


def _ended(on: date | None, past: Past) -> bool:
    return on is not None and on <= past.day


def _awaited(past: Past, step: str) -> bool:
    """Whether the step waited for somebody's approval at the end of the day."""
    occasion = f"{past.before[-1].case['episode']}:{step}"
    return any(
        task.occasion == occasion and task.assigned_at < past.until and not (task.done_at and task.done_at < past.until)
        for task in past.kept.approvals
    )


def _reason(past: Past, strategy: Published) -> str | None:
    """The engine's own name of why nothing more went out at the end of the day, where that is still known."""
    late = [each for each in past.contacts if each.due_at < past.until]
    if any(each.sent_at is not None and each.sent_at >= past.until for each in late):
        return str(Reason.UNDER_WAY)
    hold = holding(holds_at(past), past.day)
    if hold:
        return str(hold.kind)
    known = past.before
    if not known:
        return None
    if known[-1].case["status"] == "closed":
        closed = next((each.data.get("reason") for each in reversed(known) if each.short == "closed"), None)
        return closed if closed in (Reason.DISPUTED, Reason.ON_PLAN) else None
    rung = strategy.strategy.rung_after(known[-1].case["level"])
    if rung is None:
        return str(Reason.LADDER_EXHAUSTED)
    if _awaited(past, rung.name):
        return str(Reason.AWAITS_APPROVAL)
    if late and late[0].step == rung.name and late[0].reason == Suppression.UNREACHABLE:
        return str(Reason.UNREACHABLE)
    return str(Reason.TOO_EARLY)


def _went_on(past: Past, account: Account, strategy: Published) -> str:
    """Why nothing went out while nothing was rested for."""
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
    if _awaited(past, rung.name):
        return f"Nothing went out on that day, because the step {rung.name!r} waited for somebody to approve it."
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
    found += of_holds(holds_at(past), past.day)
    if sent and sent.sent_at:
        said = f"{sent.step} by {sent.channel} to {sent.recipient} at {sent.sent_at.isoformat()}"
        found.append(Fact("last_contact", said, f"contact {sent.id}"))
    if held:
        found.append(Fact(f"contact_{held.status}", f"{held.step}: {held.reason}", f"contact {held.id}"))
    version = f"version {past.policy.version}" if past.policy.version else "the built-in one"
    found.append(Fact("contact_policy", version, "contact policy"))
    return tuple(found)
