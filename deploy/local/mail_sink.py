"""A mail server that keeps each mail as a file: `python -m deploy.local.mail_sink PORT FOLDER`.

Files are named in the order received, with the mail's own date: `00042_2013-02-07_accounts@example.com.eml`.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import suppress
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.embedded import HOST


class KeepAsFiles:
    """Writes every mail into a folder before it answers 250."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = max((int(f.name[:5]) for f in folder.glob("[0-9][0-9][0-9][0-9][0-9]_*.eml")), default=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        self._count += 1
        to = re.sub(r"[^A-Za-z0-9@._+-]", "-", (envelope.rcpt_tos or ["nobody"])[0])[:80]
        path = self._folder / f"{self._count:05d}_{_date(content)}_{to}.eml"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.rename(path)
        return f"250 Kept as {path.name}"


def _date(content: bytes) -> str:
    with suppress(TypeError, ValueError):
        return parsedate_to_datetime(message_from_bytes(content, policy=policy.compat32)["date"]).date().isoformat()
    return "undated"


async def serve(port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    keep = KeepAsFiles(folder)
    server = await loop.create_server(lambda: SMTP(keep, hostname="dueward.local", enable_SMTPUTF8=True), HOST, port)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
