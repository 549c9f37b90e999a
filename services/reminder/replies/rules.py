"""Replies of customers: which stop automatic contact until a person has looked, and why customers pay late."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.inbound import rules as inbound
from services.reminder.inbound.rules import Mail, Unreadable
from services.reminder.tasks.rules import AssignTask
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import LatePaymentReason, ReplyDone, ReplyReceived, ReplyState

Kind = Literal["reply", "auto_reply", "out_of_office", "bounce", "complaint", "delayed", "unreadable"]
Status = Literal["unmatched", "open", "done", "noted"]
"""`unmatched`: nobody knows whose it is; `open`: a person has to look, and its case rests; `noted`: nothing to do."""
Channel = Literal["email", "sms"]
REMARK_CHARACTERS_MAX = 2_000


class ReplyNotFound(NotFound):
    slug = "reply-not-found"
    title = "There is no such reply"


class ReplyOver(Conflict):
    slug = "reply-over"
    title = "The reply has been dealt with"


class ReplyMatched(Conflict):
    slug = "reply-matched"
    title = "It is known whose the reply is"


class ReasonMissing(Refused):
    slug = "late-payment-reason"
    title = "A reason of late payment is needed"


@dataclass(frozen=True, slots=True)
class Reply:
    """`sender` is a mail address or a phone number; `body` is what the person wrote, without quotes."""

    id: UUID
    version: int
    identity: str
    channel: Channel
    kind: Kind
    status: Status
    customer_id: UUID | None
    entity_id: str | None
    case_id: UUID | None
    contact_id: UUID | None
    sender: str
    sender_name: str
    subject: str
    body: str
    received_at: datetime
    attachments: tuple[dict[str, Any], ...] = ()
    attachment_count: int = 0
    segment: str | None = None
    reason: LatePaymentReason | None = None
    remark: str | None = None
    done_by: str | None = None
    done_on: date | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail as it is in an IMAP folder; of one that is too large only its header lines. `raw` is None for one that
    was deleted meanwhile."""

    uid: int
    raw: bytes | None
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a look brought, in the order of the UIDs; `more`: there is more to fetch."""

    uid_validity: int
    mails: tuple[Fetched, ...]
    more: bool


class MailboxUnusable(Exception):
    """The mail server cannot be reached, does not let us in, or does not say what it should."""


class Mailbox(Protocol):
    """A folder that replies come to. `lease_seconds`: a look is over within it."""

    @property
    def poll_seconds(self) -> float: ...

    @property
    def lease_seconds(self) -> float: ...

    @property
    def reply_key(self) -> bytes | None: ...

    async def fetch_new(self, uid_validity: int | None, last_uid: int) -> Look:
        """The next mails after those that were read. Raises MailboxUnusable."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a reply is, and which message of ours it answers."""

    customer_id: UUID
    entity_id: str
    contact_id: UUID | None = None


def read(raw: bytes, *, too_large: bool = False) -> tuple[Mail, bool]:
    """A mail, and whether it is one that cannot be read: then the reason stands for its text."""
    if too_large:
        return inbound.remains(raw, "the mail is too large to be read"), True
    try:
        return inbound.read(raw), False
    except Unreadable as fault:
        return inbound.remains(raw, str(fault)), True


def of_mail(reply_id: UUID, mail: Mail, kind: Kind, owner: Owner | None, now: datetime) -> Reply:
    """What is kept of a mail. A person's waits for one; a program's is noted."""
    return Reply(
        id=reply_id,
        version=1,
        identity=mail.identity,
        channel="email",
        kind=kind,
        status=_first_status(kind, owner),
        customer_id=owner.customer_id if owner else None,
        entity_id=owner.entity_id if owner else None,
        case_id=None,
        contact_id=owner.contact_id if owner else None,
        sender=mail.sender,
        sender_name=mail.sender_name,
        subject=mail.subject,
        body=mail.text,
        received_at=now,
        attachments=tuple({"name": a.name, "media_type": a.media_type, "bytes": a.size} for a in mail.attachments),
        attachment_count=mail.attachment_count,
    )


def of_text(reply_id: UUID, identity: str, number: str, body: str, owner: Owner | None, now: datetime) -> Reply:
    """What is kept of a text message."""
    mail = Mail(identity, None, "reply", number, "", "", body)
    return replace(of_mail(reply_id, mail, "reply", owner, now), channel="sms")


def _first_status(kind: Kind, owner: Owner | None) -> Status:
    if owner is None:
        return "unmatched"
    return "open" if kind in ("reply", "unreadable") else "noted"


def assigned(reply: Reply, owner: Owner) -> Reply:
    """Somebody knows whose it is. Raises ReplyMatched."""
    if reply.status != "unmatched":
        raise ReplyMatched(f"the reply is {reply.status} and belongs to customer {reply.customer_id}")
    return replace(
        reply,
        version=reply.version + 1,
        status=_first_status(reply.kind, owner),
        customer_id=owner.customer_id,
        entity_id=owner.entity_id,
    )


def done(
    reply: Reply, by: str, reason: LatePaymentReason | None, remark: str | None, segment: str | None, today: date
) -> Reply:
    """A person has looked. A reply says why its customer pays late; what is nobody's is only put aside. Raises
    ReplyOver, ReasonMissing."""
    if reply.status in ("done", "noted"):
        raise ReplyOver(f"the reply is {reply.status}")
    if reply.status == "open" and reason is None:
        raise ReasonMissing("say why the customer pays late; `other` and a remark where nothing fits", field="/reason")
    return replace(
        reply,
        version=reply.version + 1,
        status="done",
        reason=reason if reply.status == "open" else None,
        remark=remark,
        segment=segment,
        done_by=by,
        done_on=today,
    )


def hold(reply: Reply) -> Hold:
    """The case rests until a person has looked."""
    what = "a message" if reply.kind == "reply" else "a message that could not be read"
    return Hold(HoldKind.REPLIED, None, str(reply.id), f"{what} from {reply.sender or 'the customer'}"[:200])


def task(reply: Reply, case_id: UUID, customer: str | None, today: date) -> AssignTask:
    assert reply.customer_id is not None
    assert reply.entity_id is not None
    who = reply.sender_name or customer or reply.sender
    title = f"Read the reply of {who}" if reply.kind == "reply" else f"Look into a message of {who} that is unreadable"
    about = f"About: {reply.subject}. " if reply.subject else ""
    return AssignTask(
        customer_id=reply.customer_id,
        case_id=case_id,
        entity_id=reply.entity_id,
        kind="reply",
        occasion=str(reply.id),
        title=title[:200],
        detail=f"{about}Automatic contact rests until it is done, with the reason why the customer pays late.",
        due_on=today,
    )


def received(reply: Reply, now: datetime) -> ReplyReceived:
    return ReplyReceived(**_published(reply, now))


def finished(reply: Reply, now: datetime) -> ReplyDone:
    return ReplyDone(**_published(reply, now))


def _published(reply: Reply, now: datetime) -> dict[str, Any]:
    """Nothing of what was written, nor by whom."""
    assert reply.customer_id is not None
    assert reply.entity_id is not None
    assert reply.case_id is not None
    assert reply.kind in ("reply", "unreadable")
    assert reply.status in ("open", "done")
    state = ReplyState(
        id=reply.id,
        version=reply.version,
        entity_id=reply.entity_id,
        case_id=reply.case_id,
        contact_id=reply.contact_id,
        channel=reply.channel,
        kind=reply.kind,
        status=reply.status,
        reason=reply.reason,
        attachments=reply.attachment_count,
        received_on=reply.received_at.date(),
    )
    return {
        "customer_id": reply.customer_id,
        "effective_on": now.date(),
        "booked_on": now.date(),
        "entity_id": reply.entity_id,
        "reply": state,
    }
