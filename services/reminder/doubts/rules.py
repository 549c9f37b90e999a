"""Messages of which nobody knows whether they left: what a person may say of one, and whether it is sent once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.reminder.contacts.rules import Contact
from services.reminder.next_steps.rules import Case
from shared.errors import Conflict


class NotInDoubt(Conflict):
    slug = "contact-not-in-doubt"
    title = "What became of the message is known"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What somebody found out. `repeated_by` is the contact that sends it once more; `not_repeated_because` says why
    there is none."""

    contact_id: UUID
    arrived: bool
    note: str | None
    settled_by: str
    settled_at: datetime
    repeated_by: UUID | None = None
    not_repeated_because: str | None = None


def settle(contact: Contact, *, arrived: bool, by: str) -> Contact:
    """Arrived, it counts as sent when it was decided; else it has failed, and its step is free again. Raises
    NotInDoubt."""
    if contact.status != "unknown":
        raise NotInDoubt(f"it is {contact.status}")
    if arrived:
        return replace(contact.sent(contact.due_at, contact.provider_id), reason=None)
    return contact.failed(f"it did not arrive, as {by} found out")


def why_not_again(
    contact: Contact, case: Case, under_way: Collection[str], today: date, *, is_repetition: bool
) -> str | None:
    """Why a message that did not arrive is not sent once more; None when it is. `under_way` are the steps whose
    messages are."""
    if is_repetition:
        return "it was sent once more already"
    if any(step != contact.step for step in under_way):
        return "another step is under way"
    due_on = contact.about_due_date
    if due_on is not None:
        return None if today <= due_on else "its due date has passed"
    if not case.is_open or contact.episode != case.episode_key:
        return "its episode is over"
    if case.step != contact.step and not under_way:
        return f"the case has gone on to {case.step!r}"
    return None


def once_more(contact: Contact, contact_id: UUID, recipient: str | None, at: datetime) -> Contact:
    """The same message anew: what it is about is asked again before it leaves."""
    return replace(
        contact,
        id=contact_id,
        version=1,
        status="planned",
        reason=None,
        recipient=recipient,
        due_at=at,
        sent_at=None,
        attempts=0,
        retry_at=None,
        lease_until=None,
        provider_id=None,
        delivered_at=None,
        bounced_at=None,
        bounce_reason=None,
        complained_at=None,
    )
