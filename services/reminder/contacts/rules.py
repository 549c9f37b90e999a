"""Messages to customers: what one is, what may become of it, and how many a customer is to be bothered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar
from uuid import UUID

from services.reminder.receivables.rules import Key
from services.reminder.strategies.rules import Channel
from shared.errors import NotFound
from shared.events.reminder import (
    ContactEvent,
    ContactState,
    ReminderBounced,
    ReminderFailed,
    ReminderPlanned,
    ReminderSent,
    ReminderSuppressed,
    Tone,
)
from shared.money import Money
from shared.records import replace

Status = Literal["planned", "sending", "sent", "suppressed", "failed", "unknown"]

Published = TypeVar("Published", bound=ContactEvent)

_BEFORE_DUE = "due-"


class Suppression(StrEnum):
    """Why a message that was due did not go out."""

    NOTHING_COLLECTABLE = "nothing_collectable"
    CONTACT_CAP = "contact_cap"
    CHANNEL_CAP = "channel_cap"
    MIN_GAP = "min_gap"
    REG_F = "reg_f"
    OPTED_OUT = "opted_out"
    CONDITIONS = "conditions"
    MISSED = "missed"
    APPROVAL_REFUSED = "approval_refused"
    UNREACHABLE = "unreachable"
    EPISODE_OVER = "episode_over"
    ALREADY_REMINDED = "already_reminded"
    PROMISED = "promised"
    FRESH_DAYS = "fresh_days"
    PAUSED = "paused"
    REPLIED = "replied"
    CONVERSATION = "conversation"
    PLACED = "placed"
    LEGAL = "legal"
    INSOLVENT = "insolvent"


SUPPRESSED_BECAUSE = {
    Suppression.NOTHING_COLLECTABLE: "nothing was collectable any more when the balance was asked for",
    Suppression.CONTACT_CAP: "the customer had already been written to as often as the contact policy allows",
    Suppression.CHANNEL_CAP: "the customer had already been contacted this way as often as the contact policy allows",
    Suppression.MIN_GAP: "the customer had been contacted shortly before",
    Suppression.REG_F: "12 CFR 1006.14 allows no further call yet",
    Suppression.OPTED_OUT: "the customer does not want to be contacted this way",
    Suppression.CONDITIONS: "the conditions of the step did not hold",
    Suppression.MISSED: "the step had been missed, and the strategy leaves missed steps out",
    Suppression.APPROVAL_REFUSED: "somebody refused to approve the step",
    Suppression.UNREACHABLE: "the customer has no address that works",
    Suppression.EPISODE_OVER: "the case was closed before the message went out",
    Suppression.ALREADY_REMINDED: "this step had already been sent in this episode",
    Suppression.PROMISED: "the customer had promised to pay by a day that had not passed",
    Suppression.FRESH_DAYS: "a dispute had just ended, and its fresh days were not over",
    Suppression.PAUSED: "the case was paused",
    Suppression.REPLIED: "the customer had written, and nobody had looked at it yet",
    Suppression.CONVERSATION: "somebody had just spoken with the customer",
    Suppression.PLACED: "the account was placed with an agency",
    Suppression.LEGAL: "legal action was under way",
    Suppression.INSOLVENT: "the customer was insolvent",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A message to a customer, or the recorded decision against one. Somebody who is sending it has it until
    `lease_until`; from when it is `leaving`, it may be on the wire."""

    id: UUID
    version: int
    customer_id: UUID
    case_id: UUID
    entity_id: str
    episode: str
    step: str
    channel: Channel
    strategy: str
    strategy_version: int
    tone: Tone
    template: str
    status: Status
    reason: str | None
    invoices: tuple[str, ...]
    amounts: tuple[Money, ...]
    recipient: str | None
    due_at: datetime
    sent_at: datetime | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    lease_until: datetime | None = None
    leaving: bool = False
    provider_id: str | None = None
    delivered_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce_reason: str | None = None
    complained_at: datetime | None = None
    delivery_id: UUID | None = None

    @property
    def delivery(self) -> UUID:
        """The message that it is, perhaps together with contacts of other customers."""
        return self.delivery_id or self.id

    @property
    def account(self) -> Key:
        return self.customer_id, self.entity_id

    @property
    def about_due_date(self) -> date | None:
        """The due date that a message before due is about; None for a reminder."""
        return date.fromisoformat(self.episode.removeprefix(_BEFORE_DUE)) if is_before_due(self.episode) else None

    def sending(
        self, invoices: tuple[str, ...], amounts: tuple[Money, ...], recipient: str | None, lease_until: datetime
    ) -> Contact:
        """Somebody has it in hand; it has not left yet."""
        return replace(
            self,
            status="sending",
            invoices=invoices,
            amounts=amounts,
            recipient=recipient,
            lease_until=lease_until,
            retry_at=None,
        )

    def sent(self, at: datetime, provider_id: str | None = None) -> Contact:
        return replace(
            self,
            status="sent",
            version=self.version + 1,
            sent_at=at,
            lease_until=None,
            leaving=False,
            provider_id=provider_id,
        )

    def bounced(self, at: datetime, reason: str) -> Contact:
        return replace(self, version=self.version + 1, bounced_at=at, bounce_reason=reason)

    def decided_against(self, reason: Suppression) -> Contact:
        """Suppressed as soon as it was due: its first and only state."""
        return replace(self, status="suppressed", reason=str(reason))

    def suppressed(self, reason: Suppression) -> Contact:
        return replace(self, status="suppressed", version=self.version + 1, reason=str(reason))

    def failed(self, reason: str) -> Contact:
        return self._ended("failed", reason)

    def unknown(self, reason: str) -> Contact:
        return self._ended("unknown", reason)

    def deferred(self, reason: str, retry_at: datetime) -> Contact:
        """Not sent, for a reason that passes: it stays planned and is tried again."""
        return replace(
            self,
            status="planned",
            reason=reason,
            attempts=self.attempts + 1,
            retry_at=retry_at,
            lease_until=None,
            leaving=False,
        )

    def waiting(self, due_at: datetime | None = None) -> Contact:
        """Not tried at all; it stays planned, perhaps for a later time."""
        return replace(self, status="planned", due_at=due_at or self.due_at, lease_until=None, leaving=False)

    def _ended(self, status: Literal["failed", "unknown"], reason: str) -> Contact:
        version = self.version + 1
        return replace(self, status=status, version=version, reason=reason, lease_until=None, leaving=False)


class ContactNotFound(NotFound):
    slug = "contact-not-found"
    title = "There is no such contact"


def with_their_first(contacts: Sequence[Contact]) -> list[Contact]:
    """The first contact of each shared message bears its delivery's id like the others, which is its own."""
    shared = {contact.delivery_id for contact in contacts if contact.delivery_id}
    return [replace(each, delivery_id=each.id) if each.id in shared else each for each in contacts]


def before_due(due_on: date) -> str:
    """The episode of a message before due: one for each due date."""
    return f"{_BEFORE_DUE}{due_on.isoformat()}"


def is_before_due(episode: str) -> bool:
    return episode.startswith(_BEFORE_DUE)


def retry_seconds(attempts: int) -> float:
    """How long to wait after the n-th attempt, in seconds of real time: 1, 2, 4 up to five minutes."""
    return float(min(2 ** max(attempts - 1, 0), 300))


_EVENTS: dict[str, type[ContactEvent]] = {
    "planned": ReminderPlanned,
    "sent": ReminderSent,
    "suppressed": ReminderSuppressed,
    "failed": ReminderFailed,
    "unknown": ReminderFailed,
}


def event(contact: Contact, now: datetime) -> ContactEvent:
    """What to publish of a contact in its present status."""
    return _event(_EVENTS[contact.status], contact, now)


def bounced(contact: Contact, now: datetime) -> ReminderBounced:
    return _event(ReminderBounced, contact, now, bounce_reason=contact.bounce_reason or "")


def _event(kind: type[Published], contact: Contact, now: datetime, **more: Any) -> Published:
    return kind(
        customer_id=contact.customer_id,
        effective_on=now.date(),
        booked_on=now.date(),
        entity_id=contact.entity_id,
        contact=ContactState(
            id=contact.id,
            version=contact.version,
            entity_id=contact.entity_id,
            channel=contact.channel,
            strategy=contact.strategy,
            strategy_version=contact.strategy_version,
            step=contact.step,
            tone=contact.tone,
            episode=contact.episode,
            status=contact.status,
            invoices=contact.invoices,
            amounts=contact.amounts,
            sent_at=contact.sent_at,
            reason=contact.reason,
        ),
        **more,
    )
