"""Notes to people in their chat: incoming webhooks of Slack and of Microsoft Teams.

Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) takes blocks and answers 200 `ok`.
Teams takes an Adaptive Card in a message, at most 28 KB, by a workflow "When a Teams webhook request is received",
which answers 202; the older connectors answer 200 even to what they could not post, and say so in the body
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).

What customers' data says is shown as plain text: neither a link nor a mention can be slipped into it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from shared.outside import Answer, Reply, brief, post

Kind = Literal["slack", "teams"]

_HEADER_MAX, _FIELD_MAX, _FIELDS_MAX = 150, 2_000, 10  # Slack's limits.
_TEAMS_VALUE_MAX, _TEAMS_FACTS_MAX = 1_000, 10
_CONNECTOR_FAULT = re.compile(r"HTTP error (\d{3})")


@dataclass(frozen=True, slots=True)
class Note:
    """What the team reads: a heading, facts by name, and where to look."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    link: str | None = None
    link_label: str = "Open"


async def post_note(client: httpx.AsyncClient, kind: Kind, url: str, note: Note, *, private: bool) -> Answer:
    """Post one note. Raises nothing. `private` allows an address in a private network."""
    body = as_blocks(note) if kind == "slack" else as_card(note)
    reply = await post(client, url, private=private, json=body)
    return reply if isinstance(reply, Answer) else _read(reply)


def as_blocks(note: Note) -> dict[str, Any]:
    """Slack's form; `text` is what notifications and screen readers take."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(note.title, _HEADER_MAX)}]
    for start in range(0, len(note.facts), _FIELDS_MAX // 2):
        shown = note.facts[start : start + _FIELDS_MAX // 2]
        fields = [_plain(part, _FIELD_MAX) for fact in shown for part in fact]
        blocks.append({"type": "section", "fields": fields})
    if note.link:
        button = {"type": "button", "text": _plain(note.link_label, 75), "url": note.link}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(note.title), "blocks": blocks}


def as_card(note: Note) -> dict[str, Any]:
    """Teams' form. Runs of a RichTextBlock know no Markdown, unlike a TextBlock."""
    heading = {"type": "TextRun", "text": note.title, "weight": "Bolder", "size": "Medium"}
    body: list[dict[str, Any]] = [{"type": "RichTextBlock", "inlines": [heading]}]
    for name, value in note.facts[:_TEAMS_FACTS_MAX]:
        runs = [
            {"type": "TextRun", "text": f"{name}: ", "weight": "Bolder"},
            {"type": "TextRun", "text": value[:_TEAMS_VALUE_MAX] or "–"},
        ]
        body.append({"type": "RichTextBlock", "inlines": runs, "spacing": "Small"})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if note.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": note.link_label, "url": note.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _read(reply: Reply) -> Answer:
    said = brief(reply.text)
    if 200 <= reply.status < 300:
        fault = _CONNECTOR_FAULT.search(reply.text)
        if fault is None:
            return Answer("sent")
        return _refused(int(fault[1]), said, None)
    return _refused(reply.status, said, reply.retry_after_seconds)


def _refused(status: int, said: str, retry_after_seconds: float | None) -> Answer:
    reason = f"the chat answers {status}: {said}"
    if status in (429, 503):
        return Answer("deferred", reason, retry_after_seconds=retry_after_seconds)
    if status >= 500:
        return Answer("doubtful", reason)
    return Answer("refused", reason, address_refused=status in (401, 403, 404, 410))


def _plain(text: str, characters_max: int) -> dict[str, Any]:
    shown = text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"
    return {"type": "plain_text", "text": shown or "–", "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
