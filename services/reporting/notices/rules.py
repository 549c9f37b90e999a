"""What people and systems are told: by mail, in their chat, or by a webhook. One content, a form for each."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from services.reporting.webhooks.rules import Webhook
from shared.errors import Refused
from shared.sealing import Seals

Channel = Literal["email", "slack", "teams", "webhook"]
Status = Literal["planned", "sending", "sent", "failed", "unknown"]
Fate = Literal["sent", "refused", "refused_for_now", "deferred", "doubtful", "untried"]

CHATS: tuple[Channel, ...] = ("slack", "teams")
ATTEMPTS_MAX = 15
RETRY_SECONDS_MAX = 1_800.0


class UnusableTarget(Refused):
    slug = "unusable-target"
    title = "Nobody can be told there"


@dataclass(frozen=True, slots=True)
class Target:
    """`to` is a mail address, the address of a chat's incoming webhook, or the id of a webhook. Who knows a chat's
    address can post there: where it is kept, it stands in `sealed`, and `to` has the host alone."""

    channel: Channel
    to: str
    sealed: str | None = None

    @property
    def shown(self) -> str:
        return f"https://{urlsplit(self.to).hostname}/…" if self.channel in CHATS else self.to

    def sealed_for(self, place: str, seals: Seals) -> Target:
        """As it is kept."""
        if self.channel not in CHATS or self.sealed:
            return self
        sealed = b64encode(seals.seal(self.to.encode(), place)).decode()
        return Target(self.channel, self.shown, sealed)

    def opened(self, place: str, seals: Seals) -> Target:
        """As it is called. Raises SealBroken."""
        if self.sealed is None:
            return self
        return Target(self.channel, seals.open(b64decode(self.sealed), place).decode())

    def renewed(self, place: str, seals: Seals) -> Target:
        """Sealed under the newest key. Raises SealBroken."""
        if self.sealed and seals.is_current(b64decode(self.sealed)):
            return self
        return self.opened(place, seals).sealed_for(place, seals)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a longer notice; chats leave it out."""

    title: str
    note: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """`kind` and `data` are what programs get, all else is for people."""

    kind: str
    title: str
    intro: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    link: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Content:
        sections = tuple(Section(**{**each, "lines": tuple(each["lines"])}) for each in kept["sections"])
        return cls(**{**kept, "facts": tuple(map(tuple, kept["facts"])), "sections": sections})


@dataclass(frozen=True, slots=True)
class File:
    """What goes along with a mail; `media_type` such as `application/pdf`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """`webhook` is who gets it on that channel; None where it is there no more. `file` goes along with a mail."""

    id: UUID
    target: Target
    content: Content
    made_at: datetime
    attempts: int
    webhook: Webhook | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    status: Status
    reason: str | None = None
    retry_at: datetime | None = None


def place(notice_id: UUID) -> str:
    """What a chat's address is sealed for."""
    return f"notice {notice_id}"


def conclude(attempts: int, fate: Fate, reason: str | None, retry_after: float | None, now: datetime) -> Conclusion:
    """What certainly did not leave is tried again, longer apart each time; what may have left is not."""
    match fate:
        case "sent":
            return Conclusion("sent")
        case "doubtful":
            return Conclusion("unknown", reason)
        case "refused":
            return Conclusion("failed", reason)
        case _ if attempts + 1 >= ATTEMPTS_MAX:
            return Conclusion("failed", reason)
    seconds = max(min(2.0**attempts, RETRY_SECONDS_MAX), retry_after or 0.0)
    return Conclusion("planned", reason, now + timedelta(seconds=seconds))


def text_of(content: Content) -> str:
    """As plain text."""
    parts = [content.intro or content.title, ""]
    parts += [f"{name}: {value}" for name, value in content.facts]
    for section in content.sections:
        parts += ["", f"{section.title} ({section.note})" if section.note else section.title]
        parts += [f"  - {line}" for line in section.lines]
    if content.link:
        parts += ["", content.link]
    return "\n".join(parts) + "\n"


def html_of(content: Content) -> str:
    """The same for programs that show HTML."""
    rows = "".join(
        f"<tr><td style='padding:3px 18px 3px 0;color:#5d6a75'>{escape(name)}</td>"
        f"<td style='padding:3px 0'>{escape(value)}</td></tr>"
        for name, value in content.facts
    )
    facts = f"<table role='presentation' style='border-collapse:collapse;font:inherit'>{rows}</table>" if rows else ""
    intro = f"<p>{escape(content.intro)}</p>" if content.intro else ""
    link = f"<p><a href='{escape(content.link)}' style='color:#1f5fbf'>Open the figures</a></p>" if content.link else ""
    return (
        "<div style='font:15px/1.5 Helvetica,Arial,sans-serif;color:#17222b;max-width:640px'>"
        f"<h1 style='font-size:19px;margin:0 0 8px'>{escape(content.title)}</h1>"
        f"{intro}{facts}{_sections(content.sections)}{link}</div>"
    )


def _sections(sections: Sequence[Section]) -> str:
    shown = []
    for section in sections:
        lines = "".join(f"<li>{escape(line)}</li>" for line in section.lines)
        shown.append(f"<h2 style='font-size:16px;margin:22px 0 2px'>{escape(section.title)}</h2>")
        if section.note:
            shown.append(f"<p style='margin:0;color:#5d6a75'>{escape(section.note)}</p>")
        if lines:
            shown.append(f"<ul style='margin:6px 0 0;padding-left:20px'>{lines}</ul>")
    return "".join(shown)
