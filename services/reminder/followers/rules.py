"""Colleagues who follow an account, in sales or service say, and the digest of what has happened there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from shared.errors import NotFound, Refused
from shared.money import Money
from shared.words import day_words, money_words, words

HAPPENINGS_MAX = 12
"""Of one account; a digest says how many more there were."""
ATTEMPTS_MAX = 15

Status = Literal["planned", "sending", "sent", "failed", "unknown"]


class NotFollowing(NotFound):
    slug = "not-following"
    title = "The colleague does not follow this account"


class Unreachable(Refused):
    slug = "colleague-unreachable"
    title = "A follower needs an e-mail address"


@dataclass(frozen=True, slots=True)
class Follower:
    subject: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened with an account; `kind` says what (`sent`, `reply` ...), `detail` more."""

    subject: str
    customer_id: UUID
    entity_id: str
    name: str
    owed: tuple[Money, ...]
    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A mail to a colleague. `news` is one mapping an account: name, owed, lines."""

    id: UUID
    subject: str
    day: date
    news: tuple[Mapping[str, Any], ...]
    status: Status = "planned"
    attempts: int = 0


_SAID = {
    "sent": "Reminder sent",
    "reminder.suppressed": "Reminder held back",
    "reminder.failed": "Reminder failed, or in doubt",
    "reminder.bounced": "Reminder came back",
    "reply": "The customer answered",
    "call": "Call",
    "note": "Note",
    "promise.made": "Promise to pay made",
    "promise.kept": "Promise to pay kept",
    "promise.broken": "Promise to pay broken",
    "promise.ended": "Promise to pay over",
    "pause.made": "Collection paused",
    "pause.ended": "The pause is over",
    "offer.made": "Offer made",
    "offer.accepted": "Offer accepted",
    "offer.lapsed": "Offer not taken",
    "placement.made": "Handed over to an agency",
    "placement.recalled": "Taken back from the agency",
    "placement.closed": "Given back by the agency",
    "proceeding.begun": "Before a court",
    "proceeding.ended": "No longer before a court",
    "tell_sales": "For sales",
}


def line_of(happening: Happening) -> str:
    """2 Mar 2026: Reminder sent, first reminder."""
    said = _SAID.get(happening.kind, words(happening.kind))
    detail = f", {happening.detail}" if happening.detail else ""
    return f"{day_words(happening.at)}: {said}{detail}"


def news_of(happenings: Sequence[Happening]) -> tuple[Mapping[str, Any], ...]:
    """A colleague's news by account, in the order of their names."""
    by_account = sorted(happenings, key=lambda each: (each.name, str(each.customer_id), each.entity_id, each.at))
    news = []
    for _, group in groupby(by_account, key=lambda each: (each.customer_id, each.entity_id)):
        of_one = list(group)
        lines = [line_of(each) for each in of_one[:HAPPENINGS_MAX]]
        if len(of_one) > HAPPENINGS_MAX:
            lines.append(f"and {len(of_one) - HAPPENINGS_MAX} more")
        owed = " and ".join(map(money_words, of_one[0].owed))
        news.append({"name": of_one[0].name, "owed": owed, "lines": lines})
    return tuple(news)


def text_of(digest: Digest, name: str) -> str:
    """The digest as plain text: short, for colleagues who look at it on their way."""
    parts = [f"Hello {name},", "", "this happened with the accounts you follow:", ""]
    for account in digest.news:
        owes = f"{account['owed']} overdue" if account["owed"] else "nothing overdue"
        parts += [f"{account['name']} ({owes})", *(f"  - {line}" for line in account["lines"]), ""]
    parts.append("You get this because you follow these accounts. Stop following one to hear no more of it.")
    return "\n".join(parts) + "\n"


def html_of(digest: Digest, name: str) -> str:
    """The same for programs that show HTML."""
    accounts = []
    for account in digest.news:
        owes = f"{account['owed']} overdue" if account["owed"] else "nothing overdue"
        lines = "".join(f"<li>{escape(line)}</li>" for line in account["lines"])
        accounts.append(
            f"<h2 style='font-size:16px;margin:22px 0 4px'>{escape(account['name'])}</h2>"
            f"<p style='margin:0;color:#5d6a75'>{escape(owes)}</p>"
            f"<ul style='margin:8px 0 0;padding-left:20px'>{lines}</ul>"
        )
    return (
        "<div style='font:15px/1.5 Helvetica,Arial,sans-serif;color:#17222b;max-width:600px'>"
        f"<p>Hello {escape(name)},</p><p>this happened with the accounts you follow:</p>{''.join(accounts)}"
        "<p style='color:#5d6a75;font-size:13px;margin-top:24px'>You get this because you follow these accounts. Stop"
        " following one to hear no more of it.</p></div>"
    )


def subject_of(digest: Digest) -> str:
    count = len(digest.news)
    first = digest.news[0]["name"]
    more = f" and {count - 1} more" if count > 1 else ""
    return f"News of {first}{more}, {day_words(digest.day)}"
