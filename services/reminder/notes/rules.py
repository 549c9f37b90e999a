"""What people know of an account and write down for each other."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.errors import Refused

BODY_CHARACTERS_MAX = 4_000
MENTIONS_MAX = 20

_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Note:
    """`mentions` are the subjects of colleagues whose attention is asked for."""

    id: UUID
    customer_id: UUID
    entity_id: str
    author: str
    body: str
    mentions: tuple[str, ...]
    written_at: datetime


class MentionRefused(Refused):
    slug = "mention-refused"
    title = "A colleague who is mentioned is not known"


def mentioned(body: str, named: Collection[str], team: Collection[str]) -> tuple[str, ...]:
    """Whom a note calls: who is named beside it, and each `@subject` in it who is a colleague (another @ is just text).
    Raises MentionRefused for somebody named who is none."""
    strangers = sorted(set(named) - set(team))
    if strangers:
        raise MentionRefused(f"there is no colleague {strangers[0]!r}", field="/mentions")
    called = {*named, *(found for found in _MENTION.findall(body) if found in team)}
    if len(called) > MENTIONS_MAX:
        raise MentionRefused(
            f"at most {MENTIONS_MAX} colleagues can be mentioned, not {len(called)}", field="/mentions"
        )
    return tuple(sorted(called))
