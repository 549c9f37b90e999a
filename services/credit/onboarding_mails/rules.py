"""Mails to applicants: written down before they are sent, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from shared.errors import Conflict, NotFound

Kind = Literal["invitation", "terms", "welcome"]
Status = Literal["planned", "sending", "sent", "refused", "unknown"]
Fate = Literal["sent", "refused", "refused_for_now", "deferred", "doubtful", "untried"]
"""As `shared.mail` has them."""

ATTEMPTS_MAX = 8
RETRY_MINUTES = (1, 5, 15, 60, 240, 720, 1_440)


class MailNotFound(NotFound):
    slug = "onboarding-mail-not-found"
    title = "There is no such mail"


class MailUnderWay(Conflict):
    slug = "onboarding-mail-under-way"
    title = "The mail is still under way"


@dataclass(frozen=True, slots=True)
class Mail:
    """As it is read. `pdf` goes along as a file where there is one; `reason` says why it did not arrive."""

    id: UUID
    application_id: UUID
    kind: Kind
    agreement_id: UUID | None
    recipient: str
    recipient_name: str
    sender_name: str
    subject: str
    plain: str
    html: str
    planned_at: datetime
    planned_by: str
    status: Status = "planned"
    attempts: int = 0
    ended_at: datetime | None = None
    reason: str | None = None
    pdf: bytes | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is written down of an attempt; `retry_at` is real time."""

    status: Status
    reason: str | None
    retry_at: datetime | None = None


class Tried(Protocol):
    """Anything that is sent, and was so many times before."""

    @property
    def attempts(self) -> int: ...


def after(mail: Tried, fate: Fate, reason: str | None, real_now: datetime) -> Outcome:
    """What certainly did not leave is tried again, later each time; what may have is never sent again by itself."""
    match fate:
        case "sent":
            return Outcome("sent", None)
        case "refused":
            return Outcome("refused", reason)
        case "doubtful":
            return Outcome("unknown", reason)
        case "untried":
            return Outcome("planned", None, real_now)
        case "deferred" | "refused_for_now":
            if mail.attempts + 1 >= ATTEMPTS_MAX:
                return Outcome("refused", f"after {mail.attempts + 1} attempts: {reason}")
            wait = timedelta(minutes=RETRY_MINUTES[mail.attempts])
            return Outcome("planned", reason, real_now + wait)


def expect_ended(mail: Mail) -> None:
    """Only a mail that has come to an end may be written once more. Raises MailUnderWay."""
    if mail.status in ("planned", "sending"):
        raise MailUnderWay("It is still to be sent; look again in a moment.")
