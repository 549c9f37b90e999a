"""The mailbox that replies come to, over IMAP (RFC 3501), read and never changed: the folder is only examined.

The standard library's client, in a thread: one short session a look. What was read is remembered by UID (RFC 3501,
2.3.1.1) by whoever calls; a folder whose UIDVALIDITY has changed was made anew, and is read from its start.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
from dataclasses import dataclass, field
from ssl import create_default_context
from typing import Any, Literal

from services.reminder.replies.rules import Fetched, Look, MailboxUnusable

MAILS_AT_ONCE = 20

_SIZE = re.compile(rb"UID (\d+) .*?RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+) .*?UID (\d+)")


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where the mailbox is. `bytes_max`: of a larger mail only the header lines are fetched."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    tls: Literal["always", "starttls", "never"] = "always"
    timeout_seconds: float = 20.0
    poll_seconds: float = 60.0
    bytes_max: int = 10 * 1024 * 1024


@dataclass(frozen=True)
class ImapMailbox:
    """The folder, as the service's clock-driven work sees it."""

    server: ImapServer
    reply_key: bytes | None = field(default=None, repr=False)

    @property
    def poll_seconds(self) -> float:
        return self.server.poll_seconds

    @property
    def lease_seconds(self) -> float:
        """A session is some words with the server for each mail, each bounded by the timeout; all of them are rarely
        slow, and a look that outlasts its lease only reads a mail that somebody else has kept already."""
        return self.server.timeout_seconds * 6

    async def fetch_new(self, uid_validity: int | None, last_uid: int) -> Look:
        return await asyncio.to_thread(_fetch_new, self.server, uid_validity, last_uid)


def _fetch_new(server: ImapServer, uid_validity: int | None, last_uid: int) -> Look:
    try:
        connection = _open(server)
    except (OSError, imaplib.IMAP4.error) as fault:
        raise MailboxUnusable(f"the mail server cannot be used: {fault}") from fault
    try:
        _said(connection.login(server.username, server.password), "does not let us in")
        _said(connection.select(_quoted(server.folder), readonly=True), f"has no folder {server.folder!r}")
        found = _number(connection.response("UIDVALIDITY"))
        after = last_uid if found == uid_validity else 0
        sizes = _sizes(connection, after)
        mails = tuple(_fetch(connection, uid, sizes[uid] > server.bytes_max) for uid in sorted(sizes)[:MAILS_AT_ONCE])
        return Look(found, mails, len(sizes) > MAILS_AT_ONCE)
    except (OSError, imaplib.IMAP4.error) as fault:
        raise MailboxUnusable(f"the mailbox could not be read: {fault}") from fault
    finally:
        try:
            connection.logout()
        except (OSError, imaplib.IMAP4.error):
            connection.shutdown()


def _open(server: ImapServer) -> imaplib.IMAP4:
    context = create_default_context()
    if server.tls == "always":
        return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=server.timeout_seconds)
    connection = imaplib.IMAP4(server.host, server.port, timeout=server.timeout_seconds)
    if server.tls == "starttls":
        connection.starttls(context)
    return connection


def _sizes(connection: imaplib.IMAP4, after: int) -> dict[int, int]:
    """Sizes by UID of what follows. `n:*` always names the last mail too, even where its UID is below n."""
    kind, found = connection.uid("SEARCH", f"UID {after + 1}:*")
    numbers = _said((kind, found), "cannot search")[0] or b""
    uids = sorted(uid for uid in map(int, numbers.split()) if uid > after)[: MAILS_AT_ONCE + 1]
    if not uids:
        return {}
    listed = _said(connection.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)"), "cannot list mails")
    sizes: dict[int, int] = {}
    for line in listed:
        text = line if isinstance(line, bytes) else line[0] if line else b""
        if match := _SIZE.search(text):
            uid, size = (match[1], match[2]) if match[1] else (match[4], match[3])
            sizes[int(uid)] = int(size)
    return {uid: sizes[uid] for uid in uids if uid in sizes}  # One that was deleted meanwhile has no line.


def _fetch(connection: imaplib.IMAP4, uid: int, too_large: bool) -> Fetched:
    """PEEK leaves the mail unread for people who look into the same folder."""
    part = "BODY.PEEK[HEADER]" if too_large else "BODY.PEEK[]"
    lines = _said(connection.uid("FETCH", str(uid), f"(UID {part})"), "does not give a mail")
    raw = next((line[1] for line in lines if isinstance(line, tuple) and len(line) > 1), None)
    return Fetched(uid, raw, too_large)


def _said(answer: tuple[str, Any], what: str) -> list[Any]:
    kind, lines = answer
    if kind != "OK":
        raise MailboxUnusable(f"the mail server {what}: {lines!r}"[:300])
    return lines


def _number(answer: tuple[str, Any]) -> int:
    lines = answer[1]
    if not lines or not lines[0] or not bytes(lines[0]).isdigit():
        raise MailboxUnusable("the mail server does not number its mails (UIDVALIDITY)")
    return int(lines[0])


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
