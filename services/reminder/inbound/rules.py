"""A mail that came in, read: whom it is from, which of our messages it is about, what it says, and whether a person
wrote it. Pure: bytes in, facts out; a mail that cannot be read says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr
from hashlib import sha256
from html.parser import HTMLParser
from typing import Literal
from uuid import UUID

Kind = Literal["reply", "auto_reply", "out_of_office", "bounce", "complaint", "delayed", "own"]
"""`reply`: a person wrote it. `auto_reply`: a program did (RFC 3834), `out_of_office` says that somebody is away.
`bounce`: a message came back; `delayed`: it is still being tried; `complaint`: it was called unwanted. `own`: one of
our own messages, come round."""

BYTES_MAX = 10 * 1024 * 1024
TEXT_CHARACTERS_MAX = 20_000
HEADER_BYTES_MAX = 64 * 1024
PARTS_MAX = 200
DEPTH_MAX = 20
ATTACHMENTS_LISTED_MAX = 50


class Unreadable(ValueError):
    """What came in is no mail, or none that can be taken apart."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was attached; its content is not kept. `size` is in bytes."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says of one of our messages. `final`: it will not arrive; `lasting`: nor will any other to this
    address (RFC 3463: class 5, mailbox or domain at fault)."""

    final: bool
    lasting: bool
    recipient: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Mail:
    """`identity` tells a repeat, by whatever way it comes. `recipients` are the addresses it was sent to; `contacts`
    and `cases` are the messages and cases of ours that it names as what it answers, the nearest first."""

    identity: str
    message_id: str | None
    kind: Kind
    sender: str
    sender_name: str
    subject: str
    text: str
    recipients: tuple[str, ...] = ()
    contacts: tuple[UUID, ...] = ()
    cases: tuple[UUID, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    attachment_count: int = 0
    bounce: Bounce | None = None


def read(raw: bytes) -> Mail:
    """Take a mail apart. Raises Unreadable."""
    if len(raw) > BYTES_MAX:
        raise Unreadable(f"the mail has {len(raw):,} bytes, at most {BYTES_MAX:,} are read")
    try:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return _read(message, raw)
    except Unreadable:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError) as fault:
        # The standard library's parser meets some broken headers with whatever error comes up.
        raise Unreadable(f"the mail is broken: {type(fault).__name__}: {fault}"[:300]) from fault


def remains(raw: bytes, why: str) -> Mail:
    """What can still be seen of a mail that cannot be read: its header lines, taken as plain text."""
    found: dict[str, str] = {}
    for line in raw[:HEADER_BYTES_MAX].decode("utf-8", errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            break
        if colon and name.lower() not in found:
            found[name.lower()] = _line(value)
    message_id, sender = found.get("message-id", "")[:500], parseaddr(found.get("from", ""))[1].lower()[:254]
    answered = [found.get("in-reply-to", ""), *reversed(found.get("references", "").split())]
    return Mail(
        identity=identity_of(raw, message_id, sender),
        message_id=message_id or None,
        kind="reply",
        sender=sender,
        sender_name="",
        subject=found.get("subject", "")[:300],
        text=why,
        recipients=tuple(address for _, address in getaddresses([found.get("to", ""), found.get("cc", "")]) if address),
        contacts=_ids(_CONTACT_ID, answered),
        cases=_ids(_CASE_ID, answered),
    )


def identity_of(raw: bytes, message_id: str = "", sender: str = "") -> str:
    """By its Message-ID and sender, since the header lines of the way differ; of a mail without one, by all of it."""
    return sha256(f"{message_id} {sender}".encode(errors="replace") if message_id else raw).hexdigest()


def _read(message: EmailMessage, raw: bytes) -> Mail:
    if not _header(message, "From") and not _header(message, "Message-ID") and not _header(message, "Return-Path"):
        raise Unreadable("this is no mail: it has neither a sender nor a Message-ID")
    parts = list(_walk(message))
    name, sender = parseaddr(_header(message, "From"))
    bounce = _report(message, parts)
    files = [part for part in parts if _is_file(part)]
    message_id = _header(message, "Message-ID").strip()[:500]
    answered = _answered(message, parts if bounce else ())
    return Mail(
        identity=identity_of(raw, message_id, sender.lower()),
        message_id=message_id or None,
        kind=_kind(message, bounce),
        sender=sender.lower()[:254],
        sender_name=_line(name)[:200],
        subject=_line(_header(message, "Subject"))[:300],
        text=_keepable(written(_text(parts)))[:TEXT_CHARACTERS_MAX],
        recipients=_recipients(message),
        contacts=_ids(_CONTACT_ID, answered),
        cases=_ids(_CASE_ID, answered),
        attachments=tuple(_attachment(part) for part in files[:ATTACHMENTS_LISTED_MAX]),
        attachment_count=len(files),
        bounce=bounce,
    )


def _walk(message: Message, depth: int = 0) -> Iterator[Message]:
    """The parts that are no containers. A mail within the mail is one part: what is in it is not read."""
    if depth > DEPTH_MAX:
        raise Unreadable(f"the mail is nested more than {DEPTH_MAX} parts deep")
    held = message.get_payload()
    if message.get_content_maintype() != "multipart" or not isinstance(held, list):
        yield message
        return
    for seen, part in enumerate(part for each in held if isinstance(each, Message) for part in _walk(each, depth + 1)):
        if seen >= PARTS_MAX:
            raise Unreadable(f"the mail has more than {PARTS_MAX} parts")
        yield part


def _header(message: Message, name: str) -> str:
    value = message.get(name)
    return "" if value is None else _keepable(str(value))


def _line(text: str) -> str:
    return " ".join(_keepable(text).split())


def _keepable(text: str) -> str:
    """Without what no database takes: U+0000, and halves of characters from broken encodings."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


# Who wrote it.

_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_AWAY = re.compile(
    r"out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response)|away from|on (vacation|holiday|leave)"
    r"|abwesen|nicht im (büro|haus)|automatische antwort|im urlaub"
    r"|absence|absent|réponse automatique|en congé"
    r"|fuera de (la )?oficina|respuesta automática|ausente|de vacaciones",
    re.IGNORECASE,
)


def _kind(message: EmailMessage, bounce: Bounce | None) -> Kind:
    report = str(message.get_param("report-type", "") or "").lower()
    if report == "feedback-report":
        return "complaint"
    if bounce:
        return "bounce" if bounce.final else "delayed"
    if message.get("X-Dueward-Contact") is not None:
        return "own"
    if not _is_automatic(message, report):
        return "reply"
    submitted = _header(message, "Auto-Submitted").lower()
    away = submitted.startswith("auto-replied") or "X-Autoreply" in message or "X-Autorespond" in message
    return "out_of_office" if away or _AWAY.search(_header(message, "Subject")) else "auto_reply"


def _is_automatic(message: EmailMessage, report: str) -> bool:
    """By RFC 3834 and the headers that were in use before it; an empty return path is never a person's."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    sender = parseaddr(_header(message, "From"))[1].partition("@")[0].lower()
    return (
        submitted not in ("", "no")
        or _header(message, "Precedence").strip().lower() in _BULK
        or any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "List-Id"))
        or _header(message, "Return-Path").strip() == "<>"
        or sender in ("mailer-daemon", "postmaster")
        or report == "disposition-notification"
    )


# Which message it is about.

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CONTACT_ID = re.compile(rf"<({_UUID})@[^<>\s]+>", re.IGNORECASE)
_CASE_ID = re.compile(rf"<case-({_UUID})-[^<>@\s]*@[^<>\s]+>", re.IGNORECASE)
"""How the Message-ID of a mail of ours begins, and that of the thread it stands in. The random bits of such an id keep
one customer from naming another's."""


def _recipients(message: EmailMessage) -> tuple[str, ...]:
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
    found = [address for _, address in getaddresses([_header(message, name) for name in names]) if address]
    return tuple(dict.fromkeys(found))[:50]


def _answered(message: EmailMessage, parts: Iterable[Message]) -> list[str]:
    """The ids of what it answers, the nearest first; a report names the message it sends back too."""
    returned = [found for part in parts if (found := _returned(part))]
    return [*returned, _header(message, "In-Reply-To"), *reversed(_header(message, "References").split())]


def _ids(pattern: re.Pattern[str], headers: Iterable[str]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(UUID(found) for header in headers for found in pattern.findall(header)))[:20]


def _returned(part: Message) -> str:
    """The Message-ID of the mail that a report sends back, whole or its headers only."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        original = inner[0] if isinstance(inner, list) and inner else None
    elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
        original = message_from_bytes(_payload(part), policy=policy.compat32)
    else:
        return ""
    return _header(original, "Message-ID") if isinstance(original, Message) else ""


# What a report says (RFC 3464, RFC 5965).

_ADDRESS_AT_FAULT = re.compile(r"5\.(1\.[0-9]+|2\.1|4\.4|7\.(1|13|27))")
"""RFC 3463: bad destination address or domain, mailbox disabled, unable to route, refused by the recipient."""


def _report(message: EmailMessage, parts: list[Message]) -> Bounce | None:
    if message.get_content_type() != "multipart/report":
        return None
    kind = str(message.get_param("report-type", "") or "").lower()
    if kind == "feedback-report":
        return Bounce(True, True, None, "the recipient called the message unwanted")
    if kind != "delivery-status":
        return None
    for part in parts:
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            blocks = part.get_payload()
            fields = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
            for block in fields:
                if block.get("Action"):
                    return _delivery_status(block)
    return Bounce(True, False, None, "the message came back with a report that says nothing of a recipient")


def _delivery_status(block: Message) -> Bounce | None:
    action = _header(block, "Action").strip().lower()
    if action in ("delivered", "relayed", "expanded"):
        return None
    status = _header(block, "Status").split()[:1]
    recipient = _header(block, "Final-Recipient").rpartition(";")[2].strip() or None
    said = _line(_header(block, "Diagnostic-Code").partition(";")[2]) or "the message came back"
    code = status[0] if status else ""
    return Bounce(
        final=action == "failed",
        lasting=action == "failed" and _ADDRESS_AT_FAULT.fullmatch(code) is not None,
        recipient=recipient.lower()[:254] if recipient else None,
        reason=f"{code} {said}".strip()[:300],
    )


# What it says.

_QUOTE_BEGINS = re.compile(
    r"^\s*(>|-{2,}\s*(original message|ursprüngliche nachricht|message d'origine|mensaje original|forwarded message)"
    r"|_{10,}\s*$|(on|am|le|el)\b.{5,200}\b(wrote|schrieb|a écrit|escribió)\s?.{0,80}:\s*$"
    r"|\*?(from|von|de)\s?:\*?\s.{3,}$)",
    re.IGNORECASE,
)
_SECOND_LINE = re.compile(r"^\s*\*?(sent|gesendet|envoyé|enviado|date|datum|to|an|à|para)\s?:", re.IGNORECASE)
_HEADER_BLOCK = re.compile(r"^\s*\*?(from|von|de)\s?:", re.IGNORECASE)


def written(text: str) -> str:
    """What the person wrote, without what they answer to and without their signature. Where nothing is left, they
    wrote among the quoted lines: then all of it is kept."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        if line in ("-- ", "--"):
            break
        if _begins_quote(lines, number):
            if line.lstrip().startswith(">") and _has_own_words_after(lines, number):
                continue
            break
        kept.append(line.rstrip())
    answer = "\n".join(kept).strip()
    return re.sub(r"\n{3,}", "\n\n", answer or text.replace("\0", "").strip())


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number]
    if _HEADER_BLOCK.match(line):  # "From: ..." begins a quote only where a second line of its block follows.
        return any(_SECOND_LINE.match(later) for later in lines[number + 1 : number + 4])
    if _QUOTE_BEGINS.match(line):
        return True
    # "On Monday, Ada Lang <ada@acme.example>\nwrote:" is broken in two by some programs.
    joined = f"{line} {lines[number + 1]}" if number + 1 < len(lines) else line
    return bool(re.match(r"^\s*(on|am|le|el)\b", line, re.IGNORECASE)) and bool(_QUOTE_BEGINS.match(joined))


def _has_own_words_after(lines: list[str], number: int) -> bool:
    """Whether unquoted lines follow: answers written between the quoted ones."""
    rest = lines[number + 1 :]
    stop = next((n for n, line in enumerate(rest) if line in ("-- ", "--")), len(rest))
    return any(line.strip() and not line.lstrip().startswith(">") for line in rest[:stop])


def _text(parts: list[Message]) -> str:
    bodies = [part for part in parts if not _is_file(part)]
    plain = [_decoded(part) for part in bodies if part.get_content_type() == "text/plain"]
    if any(text.strip() for text in plain):
        return "\n".join(plain)
    return "\n".join(_without_markup(_decoded(part)) for part in bodies if part.get_content_type() == "text/html")


def _decoded(part: Message) -> str:
    raw = _payload(part)
    try:
        return raw.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:  # A character set that nobody knows.
        return raw.decode("utf-8", errors="replace")


def _payload(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


class _Text(HTMLParser):
    """The text of an HTML mail; what stands in a quotation is left out."""

    _SILENT = frozenset({"script", "style", "head", "title", "blockquote"})
    _BREAKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "table"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag in self._BREAKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT and self._silent:
            self._silent -= 1
        elif tag in self._BREAKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()) + " " if data.strip() else " ")


def _without_markup(html: str) -> str:
    reader = _Text()
    reader.feed(html[: 10 * TEXT_CHARACTERS_MAX])
    reader.close()
    return "\n".join(" ".join(line.split()) for line in "".join(reader.found).split("\n"))


# What is attached.


def _is_file(part: Message) -> bool:
    """Anything but the words: a file, a picture, a mail that was forwarded; the parts of a report are none."""
    kind = part.get_content_type()
    if kind in ("message/delivery-status", "message/global-delivery-status", "message/feedback-report"):
        return False
    return part.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html")


def _attachment(part: Message) -> Attachment:
    size = len(part.as_bytes()) if part.is_multipart() else len(_payload(part))
    return Attachment(_line(part.get_filename() or "")[:200] or "unnamed", part.get_content_type()[:100], size)
