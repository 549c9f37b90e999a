"""Mails as a channel: letters go out by the operator's mail server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reminder.deliveries.rules import Delivery
from services.reminder.mails import handlers as mails
from services.reminder.mails.rules import PLAIN, Letter, Stationery
from shared.mail import Postman

LEASE_TIMEOUTS = 4
"""A round's lease, in timeouts of the mail server: what is begun within it is over within it."""


@dataclass(frozen=True)
class MailSender:
    """Sends over a few connections kept open."""

    postman: Postman
    stationery: Stationery = PLAIN

    @property
    def lease_seconds(self) -> float:
        return self.postman.server.timeout_seconds * LEASE_TIMEOUTS

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float) -> list[Delivery]:
        return [
            Delivery(mail.contact_id, mail.customer_id, mail.fate, mail.reason, mail.address_refused)
            for mail in await mails.deliver(self.postman, letters, at, seconds, self.stationery)
        ]
