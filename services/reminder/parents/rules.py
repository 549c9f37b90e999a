"""One message to a parent company that takes the messages of several of its subsidiaries.

Contacts that were planned for the same party at the same moment share a delivery, each still the contact of its own
case. What of them may go out at the last look is written as one letter, with a statement for each subsidiary; the
highest tone among them, and of equals the oldest debt, chooses the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.reminder.contacts.rules import Contact
from services.reminder.mails.rules import Letter
from shared.events.reminder import Tone

WRITTEN_AS_ONE = ("email", "sms")
"""Printed letters of a day go into one envelope when their batch is posted; of calls each is one's own task."""

_GENTLEST_FIRST: tuple[Tone, ...] = ("friendly", "firm", "formal")


def in_one_message(written: Sequence[tuple[Contact, Letter]]) -> list[Letter]:
    """The letters that go out, in the order of the first contact of each."""
    by_delivery: dict[UUID, list[Letter]] = {}
    for contact, letter in written:
        key = contact.delivery if contact.channel in WRITTEN_AS_ONE else contact.id
        by_delivery.setdefault(key, []).append(letter)
    return [letters[0] if len(letters) == 1 else _merged(letters) for letters in by_delivery.values()]


def _merged(letters: Sequence[Letter]) -> Letter:
    """The leading letter about everything that any of them is about. It names no customer: its parts do."""
    parts = tuple(sorted(letters, key=lambda letter: (letter.customer or "", letter.contact_id)))
    items = tuple(item for part in parts for item in part.items)
    return replace(max(parts, key=_weight), items=items, parts=parts, customer=None)


def _weight(letter: Letter) -> tuple[int, int, int]:
    oldest = max((item.days_overdue for item in letter.items), default=0)
    return _GENTLEST_FIRST.index(letter.tone), oldest, -letter.contact_id.int
