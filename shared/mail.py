"""Mails over SMTP. Nothing here knows the database: the rows that record the intent were committed before, and the
outcome is recorded after."""

from __future__ import annotations

import asyncio
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime, formataddr
from time import monotonic
from typing import Literal, TypeVar
from uuid import UUID

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from shared.mail_address import one_line

Fate = Literal["sent", "refused", "refused_for_now", "deferred", "doubtful", "untried"]
"""`refused_for_now` (the recipient's mailbox), `deferred` (the mail server itself) and `untried` were certainly not
sent and may be tried again; `doubtful` may have been, and may not."""

Item = TypeVar("Item")

_WIRE = compat32.clone(linesep="\r\n")


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
class Attachment:
    """A file that goes along; `media_type` such as `application/pdf`, `name` of ASCII letters."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as it travels, and whom it is for. `leave` is asked just before it goes: whether it still may."""

    recipient: str
    message: bytes
    leave: Callable[[], Awaitable[bool]] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a parcel."""

    fate: Fate
    reason: str | None = None
    address_refused: bool = False


class Unwritable(Exception):
    """The mail could not be made, and never will be as it is."""

    def __init__(self, reason: str, *, address_refused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.address_refused = address_refused


def message_id(of: UUID, sender: str) -> str:
    """The same for a message however often it is tried, so that a mail program can tell a repeat."""
    return f"<{of}@{sender.rpartition('@')[2]}>"


def as_message(
    *,
    id: UUID,
    sender: str,
    sender_name: str,
    recipient: str,
    recipient_name: str,
    subject: str,
    text: str,
    html: str,
    at: datetime,
    headers: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """The mail as it travels: text, HTML for programs that show it, and the files.

    Written with the standard library's older classes: its newer ones take three milliseconds a mail.
    """
    message = Message(_WIRE)
    message["From"] = formataddr((one_line(sender_name), sender))
    message["To"] = formataddr((one_line(recipient_name), recipient))
    message["Subject"] = subject if subject.isascii() else Header(subject, "utf-8", header_name="Subject").encode()
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(id, sender)
    message["Auto-Submitted"] = "auto-generated"
    for name, value in (headers or {}).items():
        message[name] = value
    message["MIME-Version"] = "1.0"
    both: list[Message | str] = [_part("plain", text), _part("html", html)]
    if not attachments:
        message["Content-Type"] = "multipart/alternative"
        message.set_payload(both)
        return message.as_bytes()
    body = Message(_WIRE)
    body["Content-Type"] = "multipart/alternative"
    body.set_payload(both)
    message["Content-Type"] = "multipart/mixed"
    parts: list[Message | str] = [body, *map(_file, attachments)]
    message.set_payload(parts)
    return message.as_bytes()


def _part(subtype: str, text: str) -> Message:
    part = Message(_WIRE)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(b2a_qp(text.encode(), istext=True).decode("ascii"))
    return part


def _file(attachment: Attachment) -> Message:
    part = Message(_WIRE)
    part["Content-Type"] = f'{attachment.media_type}; name="{attachment.name}"'
    part["Content-Transfer-Encoding"] = "base64"
    part["Content-Disposition"] = f'attachment; filename="{attachment.name}"'
    part.set_payload(encodebytes(attachment.content).decode("ascii"))
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

    async def deliver(
        self, items: Sequence[Item], write: Callable[[Item], Awaitable[Parcel]], seconds: float
    ) -> list[tuple[Item, Receipt]]:
        """Write and send the items, several at a time. None is begun that could not be over within `seconds`: what was
        not begun comes back untried. `write` raises Unwritable for one that cannot be sent; nothing is raised here,
        every item has its receipt."""
        begin_until = monotonic() + seconds - 2 * self._server.timeout_seconds
        todo = list(reversed(items))
        receipts: list[tuple[Item, Receipt]] = []

        async def carry() -> None:
            while todo:
                item = todo.pop()
                if monotonic() >= begin_until:
                    receipts.append((item, Receipt("untried")))
                else:
                    receipts.append((item, await self._carry(item, write)))

        await asyncio.gather(*(carry() for _ in range(min(self._lines, len(items)))))
        return receipts

    async def _carry(self, item: Item, write: Callable[[Item], Awaitable[Parcel]]) -> Receipt:
        try:
            parcel = await write(item)
        except Unwritable as fault:
            return Receipt("refused", fault.reason, fault.address_refused)
        try:
            # Two words with the server at most three times over, each bounded; this bounds them all together.
            async with asyncio.timeout(2 * self._server.timeout_seconds):
                return await self._hand_over(parcel)
        except TimeoutError:
            return Receipt("doubtful", "the mail server did not answer in time")

    async def _hand_over(self, parcel: Parcel) -> Receipt:
        """Nothing has left before DATA, so any fault until then is tried again; a lost answer to it is doubtful."""
        try:
            line = await self._open_envelope(self._server.sender)
        except (SMTPException, OSError) as fault:
            return Receipt("deferred", f"the mail server cannot be used: {_said(fault)}")
        kept = False
        try:
            try:
                await line.rcpt(parcel.recipient)
            except SMTPResponseException as fault:
                kept = await _forget_envelope(line)
                fate: Fate = "refused" if fault.code >= 500 else "refused_for_now"
                return Receipt(fate, f"the address was refused: {_said(fault)}", fate == "refused")
            except (SMTPException, OSError) as fault:
                return Receipt("deferred", f"the connection was lost: {_said(fault)}")
            if parcel.leave and not await parcel.leave():
                kept = await _forget_envelope(line)
                return Receipt("untried")
            try:
                await line.data(parcel.message)
            except SMTPResponseException as fault:
                kept = await _forget_envelope(line)
                return Receipt("refused" if fault.code >= 500 else "refused_for_now", f"refused: {_said(fault)}")
            except (SMTPException, OSError) as fault:
                return Receipt("doubtful", f"the connection was lost while sending: {_said(fault)}")
            kept = True
            return Receipt("sent")
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


def _said(fault: BaseException) -> str:
    if isinstance(fault, SMTPResponseException):
        return f"{fault.code} {fault.message}"
    return str(fault) or type(fault).__name__
