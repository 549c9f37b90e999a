"""What a collector sees of an account: everything that has happened, as one list of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args
from uuid import UUID

from services.reminder.calls.rules import Call, Outcome
from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.desk_offers.rules import in_words as offered
from services.reminder.legal.rules import Proceeding
from services.reminder.notes.rules import Note
from services.reminder.offers.rules import Offer
from services.reminder.pauses.rules import Pause, Why
from services.reminder.placements.rules import Placement
from services.reminder.promises.rules import Promise
from services.reminder.replies.rules import Reply
from services.reminder.worklist.rules import Action
from shared.errors import Refused
from shared.events.reminder import LatePaymentReason
from shared.money import Money
from shared.words import day_words, money_words, words

Kind = Literal["contact", "held", "call", "note", "promise", "pause", "reply", "offer", "placement", "court"]

SAID = {
    "noted": "Your note is kept; who is mentioned in it is asked to read it.",
    "called": "The call is logged and counts for the contact policy.",
    "promised": "The promise is kept: nothing goes out until its day and the days of grace are over.",
    "paused": "Collection is paused.",
    "resumed": "The pause is over.",
    "assigned": "The account has somebody who looks after it.",
    "snoozed": "The account is out of the list until then.",
    "done": "Done.",
    "handed": "The task is theirs now.",
    "read": "The reply is dealt with; collection goes on.",
    "approved": "Approved.",
    "left_out": "The step is left out; the case goes on with the next one.",
    "rejected": "The offer is not made.",
    "arrived": "It arrived, and counts as sent.",
    "not_arrived": "It did not arrive. While its step is the newest, it goes out once more; what has happened says so.",
    "asked": "Another person has to approve that the account goes to the agency; it is on their list.",
    "kept": "Kept.",
    "followed": "They hear of this account from now on.",
}
"""What a page says after something was done, by the word in its address."""

ADVISED: Mapping[Action, str] = {
    Action.PLACE: "Decide about an agency",
    Action.HELP: "Help a colleague",
    Action.FIND_OUT: "Find out what became of it",
}
"""What is to be done, where its identifier alone would not say it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
WHYS: tuple[Why, ...] = get_args(Why)
REASONS: tuple[str, ...] = get_args(get_args(LatePaymentReason)[0])


def advised(action: Action) -> str:
    """Call back"""
    return ADVISED.get(action, words(action))


class AmountUnreadable(Refused):
    slug = "amount-unreadable"
    title = "That is no amount"


class WordMissing(Refused):
    slug = "word-missing"
    title = "Something was left empty"


def said(text: str, field: str) -> str:
    """What was written into a field. Raises WordMissing when that is nothing."""
    if not text.strip():
        raise WordMissing(f"write something under “{field}” first")
    return text.strip()


def read_amount(text: str, currency: str) -> Money:
    """1250.00 as somebody wrote it. Raises AmountUnreadable."""
    try:
        return Money.parse(str(Decimal(text.strip().replace(" ", ""))), currency)
    except (InvalidOperation, ValueError):
        raise AmountUnreadable(f"{text!r} is no amount of {currency}: write it like 1250.00") from None


Mood = Literal["", "good", "warn", "bad"]
_MOODS: dict[str, Mood] = {"kept": "good", "broken": "bad", "accepted": "good", "lapsed": "bad", "refused": "warn"}


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened, `good` or `bad` where it is either."""

    at: datetime
    kind: Kind
    title: str
    detail: str = ""
    who: str = ""
    mood: Mood = ""


def timeline(
    contacts: Iterable[Contact],
    calls: Iterable[Call],
    notes: Iterable[Note],
    promises: Iterable[Promise],
    pauses: Iterable[Pause],
    replies: Iterable[Reply],
    offers: Iterable[Offer] = (),
    placements: Iterable[Placement] = (),
    proceedings: Iterable[Proceeding] = (),
) -> list[Line]:
    """Newest first."""
    lines = [
        *map(_contact, contacts),
        *map(_call, calls),
        *(Line(note.written_at, "note", "Note", note.body, note.author) for note in notes),
        *(line for promise in promises for line in _promise(promise)),
        *(line for pause in pauses for line in _pause(pause)),
        *map(_reply, replies),
        *(line for offer in offers for line in _offer(offer)),
        *(line for placement in placements for line in _placement(placement)),
        *(line for proceeding in proceedings for line in _proceeding(proceeding)),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _contact(contact: Contact) -> Line:
    step = words(contact.step)
    if contact.bounced_at:
        return Line(contact.bounced_at, "held", f"{step} came back", contact.bounce_reason or "", mood="bad")
    if contact.status == "suppressed":
        return Line(contact.due_at, "held", f"{step} not sent", f"Because {_because(contact.reason)}.", mood="warn")
    if contact.status in ("failed", "unknown"):
        known = "failed" if contact.status == "failed" else "may not have arrived"
        return Line(contact.due_at, "held", f"{step} {known}", contact.reason or "", mood="bad")
    at = contact.sent_at or contact.due_at
    about = first_names(contact.invoices)
    title = f"{step} by {contact.channel}" if contact.status == "sent" else f"{step} on its way"
    return Line(at, "contact", title, f"to {contact.recipient or 'nobody yet'}, about {about}", mood="good")


def _because(reason: str | None) -> str:
    try:
        return SUPPRESSED_BECAUSE[Suppression(reason or "")]
    except (ValueError, KeyError):
        return words(reason).lower()


def _call(call: Call) -> Line:
    with_whom = f" with {call.person}" if call.person and call.was_a_conversation else ""
    title = ("They called: " if call.direction == "in" else "Call: ") + words(call.outcome).lower() + with_whom
    detail = ". ".join(part for part in (words(call.reason) if call.reason else "", call.note or "") if part)
    return Line(call.called_at, "call", title, detail, call.caller, "good" if call.was_a_conversation else "")


def _promise(promise: Promise) -> list[Line]:
    made = Line(
        _start(promise.made_on),
        "promise",
        f"Promised {money_words(promise.amount)} by {day_words(promise.promised_on)}",
        promise.note or "",
        promise.made_by,
    )
    if promise.ended_on is None:
        return [made]
    mood = _MOODS.get(promise.status, "")
    return [
        made,
        Line(_start(promise.ended_on, 1), "promise", f"Promise {promise.status}", promise.because or "", mood=mood),
    ]


def _pause(pause: Pause) -> list[Line]:
    title = f"Paused until {day_words(pause.until_on)}: {words(pause.reason).lower()}"
    begun = Line(_start(pause.started_on), "pause", title, pause.note or "", pause.made_by)
    if pause.ended_on is None:
        return [begun]
    return [begun, Line(_start(pause.ended_on, 1), "pause", "Pause over", pause.ended_why or "", pause.ended_by or "")]


def _reply(reply: Reply) -> Line:
    return Line(reply.received_at, "reply", f"They wrote: {reply.subject}", reply.body, reply.sender, "warn")


def _offer(offer: Offer) -> list[Line]:
    made = Line(offer.made_at, "offer", f"Offered: {offered(offer)}", offer.note or "", offer.made_by)
    if offer.ended_on is None:
        return [made]
    at = offer.answered_at or max(_start(offer.ended_on, 1), offer.made_at)
    mood = _MOODS.get(offer.status, "")
    return [made, Line(at, "offer", f"Offer {offer.status}", offer.because or "", offer.answered_by or "", mood)]


def _placement(placement: Placement) -> list[Line]:
    lines = [
        Line(
            placement.requested_at,
            "placement",
            f"Asked that {money_words(placement.amount)} goes to {placement.agency_id}",
            placement.note or "",
            placement.requested_by,
        )
    ]
    if placement.placed_on:
        who = placement.decided_by or ""
        lines.append(Line(_start(placement.placed_on, 1), "placement", "Handed over to the agency", "", who))
    if placement.ended_on:
        title = f"Placement {placement.status}"
        lines.append(Line(_start(placement.ended_on, 2), "placement", title, placement.because or ""))
    return lines


def _proceeding(proceeding: Proceeding) -> list[Line]:
    where = " ".join(part for part in (proceeding.court, proceeding.file_number) if part)
    title = f"{words(proceeding.kind)} opened"
    opened = Line(_start(proceeding.opened_on), "court", title, where, proceeding.made_by, "warn")
    if proceeding.closed_on is None:
        return [opened]
    title = f"{words(proceeding.kind)} closed"
    return [opened, Line(_start(proceeding.closed_on, 1), "court", title, proceeding.outcome or "")]


def _start(day: date, second: int = 0) -> datetime:
    """What is known by its day stands at the beginning of it, what ended after what began."""
    return datetime.combine(day, time(second=second), UTC)


def read_cursor(text: str) -> tuple[float, UUID, str] | None:
    """Where the worklist goes on; what cannot be read counts as left out."""
    parts = text.split("~")
    try:
        points, customer_id, entity_id = parts
        return float(points), UUID(customer_id), entity_id
    except ValueError:
        return None


def cursor(points: float, customer_id: UUID, entity_id: str) -> str:
    return f"{points}~{customer_id}~{entity_id}"


def first_names(lines: Sequence[str], most: int = 4) -> str:
    """R-1, R-2 and 3 more."""
    more = len(lines) - most
    return ", ".join(lines[:most]) + (f" and {more} more" if more > 0 else "")
