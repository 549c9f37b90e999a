"""Turn letters into mails and hand them to the mail server. Nothing here knows the database: the rows that record
the intent were committed before, and the outcome is recorded after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.reminder.mails import rules
from services.reminder.mails.rules import Letter
from shared import log
from shared import mail as mails
from shared.mail import Fate, Parcel, Postman, Unwritable
from shared.mail_address import is_address, subject_line

logger = log.get(__name__)

_TEMPLATES = Path(__file__).parent / "templates"
_WORDING = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, auto_reload=False, trim_blocks=True
)
_LAYOUT = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_TEMPLATES),
    undefined=StrictUndefined,
    auto_reload=False,
    autoescape=lambda name: bool(name and name.endswith(".html.j2")),
    trim_blocks=True,
    lstrip_blocks=True,
)
_PARTS = ("subject", "preview", "heading", "opening", "request", "closing")


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in its words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a letter. `refused_for_now` (the customer's mailbox), `deferred` (the mail server itself) and
    `untried` were certainly not sent and are tried again; `doubtful` may have been, and is not."""

    contact_id: UUID
    customer_id: UUID
    fate: Fate
    reason: str | None = None
    address_refused: bool = False


def compose(letter: Letter) -> Mail:
    """Write the letter. Raises jinja2.TemplateError when a template is broken."""
    view = rules.view_of(letter)
    wording = _WORDING.get_template(f"{rules.language_of(letter.language)}/{letter.template}.j2")
    context = wording.new_context({"letter": view})
    words = {part: " ".join("".join(wording.blocks[part](context)).split()) for part in _PARTS}
    return Mail(
        subject=subject_line(words["subject"]),
        text=_LAYOUT.get_template("mail.txt.j2").render(letter=view, words=words),
        html=_LAYOUT.get_template("mail.html.j2").render(letter=view, words=words),
    )


def as_message(letter: Letter, mail: Mail, sender: str, at: datetime) -> bytes:
    """The mail as it travels. Raises ValueError for a broken address."""
    if not is_address(letter.recipient):
        raise ValueError("it is no e-mail address")
    return mails.as_message(
        id=letter.contact_id,
        sender=sender,
        sender_name=letter.seller,
        recipient=letter.recipient,
        recipient_name=letter.person or "",
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        at=at,
        headers={"X-Dueward-Contact": str(letter.contact_id)},
    )


async def deliver(postman: Postman, letters: Sequence[Letter], at: datetime, seconds: float) -> list[Delivery]:
    """Send the letters, several at a time, none that could not be over within `seconds`. `at` dates the mails.
    Raises nothing: every letter has its fate."""

    async def write(letter: Letter) -> Parcel:
        try:
            return Parcel(letter.recipient, as_message(letter, compose(letter), postman.server.sender, at))
        except (TemplateError, LookupError, TypeError) as fault:
            logger.exception("mail_not_composed", contact_id=str(letter.contact_id), template=letter.template)
            raise Unwritable(f"the mail could not be written: {fault}") from fault
        except ValueError as fault:
            reason = f"the address {letter.recipient!r} cannot be written to: {fault}"
            raise Unwritable(reason, address_refused=True) from fault

    return [
        Delivery(letter.contact_id, letter.customer_id, receipt.fate, receipt.reason, receipt.address_refused)
        for letter, receipt in await postman.deliver(letters, write, seconds)
    ]
