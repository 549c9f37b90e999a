"""Turn letters into mails and hand them to the mail server. Nothing here knows the database: the rows that record
the intent were committed before, and the outcome is recorded after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.reminder.mails import rules
from services.reminder.mails.rules import PLAIN, Letter, Stationery
from services.reminder.wordings import rules as wordings
from services.reminder.wordings.rules import Words
from shared import log
from shared import mail as mails
from shared.errors import DomainError
from shared.mail import Attachment, Fate, Parcel, Postman, Unwritable
from shared.mail_address import is_address, subject_line

logger = log.get(__name__)

_LAYOUT = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(Path(__file__).parent / "layout"),
    undefined=StrictUndefined,
    auto_reload=False,
    autoescape=lambda name: bool(name and name.endswith(".html.j2")),
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in its words. `sms` is the same as a text message, of at most two segments for usual names."""

    subject: str
    text: str
    html: str
    sms: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a letter. `refused_for_now` (the customer's mailbox), `deferred` (the mail server itself) and
    `untried` were certainly not sent and are tried again; `doubtful` may have been, and is not."""

    contact_id: UUID
    customer_id: UUID
    fate: Fate
    reason: str | None = None
    address_refused: bool = False


def words_of(letter: Letter) -> Words:
    """The letter's words, in its own wording or the shipped one. Raises Unspeakable or LookupError where there are
    none."""
    wording = letter.wording or wordings.choose([wordings.shipped()[letter.template]], letter.language, letter.tone)
    if wording is None:
        raise LookupError(f"there is no wording of {letter.template!r}")
    return wordings.say(wording, rules.facts_of(letter))


def compose(letter: Letter, stationery: Stationery = PLAIN) -> Mail:
    """Write the letter. Raises Unspeakable, LookupError or jinja2.TemplateError when a template is broken."""
    words, view = words_of(letter), rules.view_of(letter, stationery)
    return Mail(
        subject=subject_line(words.subject),
        text=_LAYOUT.get_template("mail.txt.j2").render(letter=view, words=words),
        html=_LAYOUT.get_template("mail.html.j2").render(letter=view, words=words),
        sms=words.sms,
    )


def short_message(letter: Letter) -> str:
    """The letter as a text message. Raises Unspeakable or LookupError."""
    return words_of(letter).sms


def as_message(
    letter: Letter,
    mail: Mail,
    sender: str,
    at: datetime,
    stationery: Stationery = PLAIN,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """The mail as it travels, from the entity's own address or else from `sender`. Raises ValueError for a broken
    address.

    Auto-Submitted (RFC 3834) and X-Auto-Response-Suppress (MS-OXCMAIL) keep absence notes and read receipts from
    answering; reports that a mail did not arrive are wanted. There is no
    List-Unsubscribe: these are demands of a running contract, not sent to a list, and nobody can opt out of owing.
    """
    if not is_address(letter.recipient):
        raise ValueError("it is no e-mail address")
    sender = (letter.house.address if letter.house else None) or sender
    headers = {
        "X-Dueward-Contact": str(letter.contact_id),
        "X-Auto-Response-Suppress": "RN, NRN, OOF, AutoReply",
        **rules.thread_headers(letter, sender.rpartition("@")[2]),
    }
    if (reply_to := stationery.reply_to(letter)) and is_address(reply_to):
        headers["Reply-To"] = reply_to
    return mails.as_message(
        id=letter.contact_id,
        sender=sender,
        sender_name=rules.from_name(letter),
        recipient=letter.recipient,
        recipient_name=letter.person or "",
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        at=at,
        headers=headers,
        attachments=attachments,
    )


async def deliver(
    postman: Postman,
    letters: Sequence[Letter],
    at: datetime,
    seconds: float,
    stationery: Stationery = PLAIN,
    attachments: Mapping[UUID, Sequence[Attachment]] | None = None,
    leave: Callable[[UUID], Awaitable[bool]] | None = None,
) -> list[Delivery]:
    """Send the letters, several at a time, none that could not be over within `seconds`. `at` dates the mails;
    `attachments` are by contact; `leave` is asked just before each mail's text goes to the server. Raises nothing:
    every letter has its fate."""

    async def write(letter: Letter) -> Parcel:
        files = attachments.get(letter.contact_id, ()) if attachments else ()
        try:
            mail = compose(letter, stationery)
        except (DomainError, TemplateError, LookupError, TypeError) as fault:
            logger.exception("mail_not_composed", contact_id=str(letter.contact_id), template=letter.template)
            raise Unwritable(f"the mail could not be written: {fault}") from fault
        try:
            message = as_message(letter, mail, postman.server.sender, at, stationery, files)
        except ValueError as fault:
            reason = f"the address {letter.recipient!r} cannot be written to: {fault}"
            raise Unwritable(reason, address_refused=True) from fault
        return Parcel(letter.recipient, message, partial(leave, letter.contact_id) if leave else None)

    return [
        Delivery(letter.contact_id, letter.customer_id, receipt.fate, receipt.reason, receipt.address_refused)
        for letter, receipt in await postman.deliver(letters, write, seconds)
    ]
