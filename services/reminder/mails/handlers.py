"""Turn letters into mails and hand them to the mail server. Nothing here knows the database: the rows that record
the intent were committed before, and the outcome is recorded after."""

from __future__ import annotations

import asyncio
from binascii import b2a_qp
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime, formataddr
from pathlib import Path
from time import monotonic
from typing import Literal
from uuid import UUID

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.reminder.mails import rules
from services.reminder.mails.rules import Letter
from shared import log

logger = log.get(__name__)

Fate = Literal["sent", "refused", "refused_for_now", "deferred", "doubtful", "untried"]

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
_WIRE = compat32.clone(linesep="\r\n")
_PARTS = ("subject", "preview", "heading", "opening", "request", "closing")


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in its words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go, and from whom. `timeout_seconds` bounds each word with the server."""

    host: str
    port: int
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Literal["auto", "always", "never"] = "auto"
    timeout_seconds: float = 10.0


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
        subject=rules.subject_line(words["subject"]),
        text=_LAYOUT.get_template("mail.txt.j2").render(letter=view, words=words),
        html=_LAYOUT.get_template("mail.html.j2").render(letter=view, words=words),
    )


def message_id(contact_id: UUID, sender: str) -> str:
    """The same for a contact however often it is tried, so that a mail program can tell a repeat."""
    return f"<{contact_id}@{sender.rpartition('@')[2]}>"


def as_message(letter: Letter, mail: Mail, sender: str, at: datetime) -> bytes:
    """The mail as it travels: text, and HTML for programs that show it. Raises ValueError for a broken address.

    Written with the standard library's older classes: its newer ones take three milliseconds a mail.
    """
    if not rules.is_address(letter.recipient):
        raise ValueError("it is no e-mail address")
    message = Message(_WIRE)
    message["From"] = formataddr((rules.one_line(letter.seller), sender))
    message["To"] = formataddr((rules.one_line(letter.person or ""), letter.recipient))
    message["Subject"] = mail.subject if mail.subject.isascii() else Header(mail.subject, "utf-8").encode()
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(letter.contact_id, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Dueward-Contact"] = str(letter.contact_id)
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/alternative"
    message.set_payload([_part("plain", mail.text), _part("html", mail.html)])
    return message.as_bytes()


def _part(subtype: str, text: str) -> Message:
    part = Message(_WIRE)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(b2a_qp(text.encode(), istext=True).decode("ascii"))
    return part


class Postman:
    """A few connections to the mail server, kept from one round to the next."""

    def __init__(self, server: MailServer, lines: int = 4) -> None:
        self._server = server
        self._lines = lines
        self._idle: list[SMTP] = []

    @property
    def server(self) -> MailServer:
        return self._server

    async def close(self) -> None:
        while self._idle:
            with suppress(SMTPException, OSError):
                await self._idle.pop().quit()

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float) -> list[Delivery]:
        """Send the letters, several at a time. None is begun that could not be over within `seconds`: what was not
        begun comes back untried. `at` dates the mails. Raises nothing: every letter has its fate."""
        begin_until = monotonic() + seconds - 2 * self._server.timeout_seconds
        todo = list(reversed(letters))
        fates: list[Delivery] = []

        async def carry() -> None:
            while todo:
                letter = todo.pop()
                if monotonic() >= begin_until:
                    fates.append(_fate(letter, "untried"))
                else:
                    fates.append(await self._carry(letter, at))

        await asyncio.gather(*(carry() for _ in range(min(self._lines, len(letters)))))
        return fates

    async def _carry(self, letter: Letter, at: datetime) -> Delivery:
        try:
            message = as_message(letter, compose(letter), self._server.sender, at)
        except (TemplateError, LookupError, TypeError) as fault:
            logger.exception("mail_not_composed", contact_id=str(letter.contact_id), template=letter.template)
            return _fate(letter, "refused", f"the mail could not be written: {fault}")
        except ValueError as fault:
            return _fate(letter, "refused", f"the address {letter.recipient!r} cannot be written to: {fault}", True)
        try:
            # Two words with the server at most three times over, each bounded; this bounds them all together.
            async with asyncio.timeout(2 * self._server.timeout_seconds):
                return await self._hand_over(letter, message)
        except TimeoutError:
            return _fate(letter, "doubtful", "the mail server did not answer in time")

    async def _hand_over(self, letter: Letter, message: bytes) -> Delivery:
        """Nothing has left before DATA, so any fault until then is tried again; a lost answer to it is doubtful."""
        try:
            line = await self._open_envelope(self._server.sender)
        except (SMTPException, OSError) as fault:
            return _fate(letter, "deferred", f"the mail server cannot be used: {_said(fault)}")
        kept = False
        try:
            try:
                await line.rcpt(letter.recipient)
            except SMTPResponseException as fault:
                kept = await _forget_envelope(line)
                fate: Fate = "refused" if fault.code >= 500 else "refused_for_now"
                return _fate(letter, fate, f"the address was refused: {_said(fault)}", fate == "refused")
            except (SMTPException, OSError) as fault:
                return _fate(letter, "deferred", f"the connection was lost: {_said(fault)}")
            try:
                await line.data(message)
            except SMTPResponseException as fault:
                kept = await _forget_envelope(line)
                return _fate(letter, "refused" if fault.code >= 500 else "refused_for_now", f"refused: {_said(fault)}")
            except (SMTPException, OSError) as fault:
                return _fate(letter, "doubtful", f"the connection was lost while sending: {_said(fault)}")
            kept = True
            return _fate(letter, "sent")
        finally:
            if kept:
                self._idle.append(line)
            else:
                line.close()

    async def _open_envelope(self, sender: str) -> SMTP:
        """A connection on which the server has taken MAIL. A kept one may have gone stale: then a new one is made."""
        while self._idle:
            line = self._idle.pop()
            try:
                await line.mail(sender)
            except (SMTPException, OSError):
                line.close()
            else:
                return line
        server = self._server
        line = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            start_tls={"auto": None, "always": True, "never": False}[server.tls],
            timeout=server.timeout_seconds,
        )
        try:
            await line.connect()
            await line.mail(sender)
        except BaseException:
            line.close()
            raise
        return line


async def _forget_envelope(line: SMTP) -> bool:
    """Whether the connection can be used again after a refusal."""
    try:
        await line.rset()
    except (SMTPException, OSError):
        return False
    return True


def _fate(letter: Letter, fate: Fate, reason: str | None = None, address_refused: bool = False) -> Delivery:
    return Delivery(letter.contact_id, letter.customer_id, fate, reason, address_refused)


def _said(fault: BaseException) -> str:
    if isinstance(fault, SMTPResponseException):
        return f"{fault.code} {fault.message}"
    return str(fault) or type(fault).__name__
