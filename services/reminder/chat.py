"""The account team's chat as a channel, by the incoming webhooks of Slack and of Microsoft Teams (`shared.chat`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic

import httpx

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.mails.rules import Letter
from services.reminder.receivables.rules import totals
from shared.chat import Kind, Note, post_note
from shared.outside import Answer


@dataclass(frozen=True)
class ChatSender:
    """The account team's chat as a channel: one note for each letter, one after the other, since both providers let
    few messages a second through. The address is the operator's, so it may be in a private network."""

    client: httpx.AsyncClient
    kind: Kind
    url: str = field(repr=False)
    timeout_seconds: float

    @property
    def lease_seconds(self) -> float:
        return self.timeout_seconds * 6

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        begin_until = monotonic() + seconds - 2 * self.timeout_seconds
        made: list[Delivery] = []
        for letter in letters:
            if monotonic() >= begin_until or not await leave(letter.contact_id):
                answer = Answer("untried")
            else:
                answer = await post_note(self.client, self.kind, self.url, note_of(letter), private=True)
            if answer.fate == "deferred" and answer.retry_after_seconds:
                begin_until = 0.0  # The others would only hear the same.
            made.append(Delivery(letter.contact_id, letter.customer_id, **asdict(answer)))
        return made


def note_of(letter: Letter) -> Note:
    """What the account's team learns of a step."""
    sums = totals(item.collectable for item in letter.items)
    late = max((item.days_overdue for item in letter.items), default=0)
    facts = [
        ("Open", ", ".join(map(str, sums)) or "nothing"),
        ("Invoices", ", ".join(item.number for item in letter.items[:10]) + (" …" if len(letter.items) > 10 else "")),
        ("Oldest", f"{late} days overdue" if late > 0 else f"due {letter.due_on}"),
        ("Step", letter.step or letter.template),
        ("Seller", letter.seller),
    ]
    return Note(f"{letter.customer or letter.customer_id}: {', '.join(map(str, sums)) or 'nothing'} open", facts)
