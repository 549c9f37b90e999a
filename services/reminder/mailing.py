"""Mails as a channel: letters go out by the operator's mail server, with the documents that their steps ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

import httpx

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.enclosures import handlers as enclosures
from services.reminder.enclosures.rules import Missing
from services.reminder.mails import handlers as mails
from services.reminder.mails.rules import PLAIN, Letter, Stationery
from shared.mail import Attachment, Postman

LEASE_TIMEOUTS = 4
"""A round's lease, in timeouts of the mail server: what is begun within it is over within it."""


def _together(
    letter: Letter, fetched: Mapping[UUID, tuple[Attachment, ...] | Missing]
) -> tuple[Attachment, ...] | Missing:
    """The documents of all that a letter is about: what is missing for one is missing."""
    files: tuple[Attachment, ...] = ()
    for contact_id in letter.contact_ids:
        found = fetched.get(contact_id, ())
        if isinstance(found, Missing):
            return found
        files += found
    return files


@dataclass(frozen=True)
class MailSender:
    """Sends over a few connections kept open. `invoice` is who has the documents; without it none are attached."""

    postman: Postman
    stationery: Stationery = PLAIN
    invoice: httpx.AsyncClient | None = None

    @property
    def lease_seconds(self) -> float:
        return self.postman.server.timeout_seconds * LEASE_TIMEOUTS

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        """A letter whose documents cannot be had waits, like one whose balance cannot: it never goes without them."""
        begun_at = monotonic()
        wait_seconds = self.postman.server.timeout_seconds
        alone = [part for letter in letters for part in (letter.parts or (letter,))]
        fetched = await enclosures.fetch(self.invoice, alone, wait_seconds) if self.invoice else {}
        fetched = {letter.contact_id: _together(letter, fetched) for letter in letters} if fetched else {}
        missing = {id: files for id, files in fetched.items() if isinstance(files, Missing)}
        files = {id: files for id, files in fetched.items() if not isinstance(files, Missing)}
        ready = [letter for letter in letters if letter.contact_id not in missing]
        left = seconds - (monotonic() - begun_at)
        sent = await mails.deliver(self.postman, ready, at, left, self.stationery, files, leave)
        return [
            *(
                Delivery(letter.contact_id, letter.customer_id, "deferred", missing[letter.contact_id].reason)
                for letter in letters
                if letter.contact_id in missing
            ),
            *(Delivery(m.contact_id, m.customer_id, m.fate, m.reason, m.address_refused) for m in sent),
        ]
