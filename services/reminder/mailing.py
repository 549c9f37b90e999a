"""Mails as a channel: letters go out by the operator's mail server, with the documents that their steps ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import httpx

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.enclosures import handlers as enclosures
from services.reminder.enclosures.rules import Missing
from services.reminder.mails import handlers as mails
from services.reminder.mails.rules import PLAIN, Letter, Stationery
from shared.mail import Postman

LEASE_TIMEOUTS = 4
"""A round's lease, in timeouts of the mail server: what is begun within it is over within it."""


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
        fetched = await enclosures.fetch(self.invoice, letters, wait_seconds) if self.invoice else {}
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
