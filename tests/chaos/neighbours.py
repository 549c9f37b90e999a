"""What a reminder worker talks to, as real servers that can stop at a named point and say that they are there: a mail
server, an SMS gateway, the invoice service. What they took is counted here, whatever becomes of whoever sent it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import uvicorn

from deploy.local import embedded
from tests.reminder.desk import InvoiceService, wait_until
from tests.reminder.gateways import Call, twilio

COLLEAGUE = "sam@northwind.example"


class Gate:
    """A neighbour that comes to the point it is armed for stops there until the gate opens."""

    def __init__(self) -> None:
        self._point: str | None = None
        self._reached, self._open = asyncio.Event(), asyncio.Event()

    def arm(self, point: str) -> None:
        self._point = point
        self._reached.clear()
        self._open.clear()

    async def pass_by(self, point: str) -> None:
        if point == self._point:
            self._point = None
            self._reached.set()
            await self._open.wait()

    async def reached(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await self._reached.wait()

    def open(self) -> None:
        self._point = None
        self._open.set()


class MailSink:
    """A mail server, word by word. A mail counts as taken once it came whole, whether its sender hears of it or not."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.port = embedded.free_port()
        self.taken: list[EmailMessage] = []
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def reminders(self) -> list[UUID]:
        """The contacts whose mails were taken."""
        return [UUID(mail["X-Dueward-Contact"]) for mail in self.taken if mail["X-Dueward-Contact"]]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._talks.add(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # Whoever was talking is dead.
        finally:
            self._talks.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(word: bytes) -> None:
            writer.write(word + b"\r\n")
            await writer.drain()

        kind = "mail"
        await self._gate.pass_by("mail.connected")
        await say(b"220 sink")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"MAIL":
                await self._gate.pass_by("mail.from")
            elif verb == b"RCPT":
                kind = "digest" if COLLEAGUE.encode() in line else "mail"
                await self._gate.pass_by(f"{kind}.recipient")
            elif verb == b"DATA":
                await self._gate.pass_by(f"{kind}.data")
                await say(b"354 go on")
                if not await self._take(reader, kind):
                    return
                await say(b"250 taken")
                await self._gate.pass_by(f"{kind}.answered")
                continue
            await say(b"221 bye" if verb == b"QUIT" else b"250 sink")
            if verb == b"QUIT":
                return

    async def _take(self, reader: asyncio.StreamReader, kind: str) -> bool:
        lines = [await reader.readline()]
        await self._gate.pass_by(f"{kind}.half")
        while lines[-1] not in (b".\r\n", b""):
            lines.append(await reader.readline())
        if lines.pop() != b".\r\n":
            return False  # It broke off before its end: no mail.
        whole = b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)
        mail = message_from_bytes(whole, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(mail)
        await self._gate.pass_by(f"{kind}.taken")
        return True

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[MailSink]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in list(self._talks):
                task.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)


class Web:
    """The invoice service and the SMS gateway, behind one port."""

    def __init__(self, gate: Gate, book: InvoiceService) -> None:
        self._gate = gate
        self.book = book
        self.port = embedded.free_port()
        self.texts: list[UUID] = []
        """The contacts whose texts were taken."""
        self.placing: set[UUID] = set()
        """Customers of whom only a placement asks what they owe."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path.startswith("/2010-04-01/"):
            await self._text(scope, receive, send)
            return
        customer_id, what = self._asked_for(path)
        await self._gate.pass_by(f"{'agency' if customer_id in self.placing else 'mail'}.{what}")
        await self.book(scope, receive, send)

    def _asked_for(self, path: str) -> tuple[UUID, str]:
        id = UUID(path.split("/")[3])
        if path.endswith("/balance"):
            return id, "balance"
        owner = next((each.customer_id for each in self.book.invoices if each.id == id), id)
        return owner, "document"

    async def _text(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await self._gate.pass_by("sms.asked")
        call = Call(scope["path"], {name.decode(): value.decode() for name, value in scope["headers"]}, body)
        callback = urlsplit(call.form["StatusCallback"])
        self.texts.append(UUID(dict(parse_qsl(callback.query))["contact_id"]))
        await self._gate.pass_by("sms.taken")
        status, answer = twilio(call)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        await self._gate.pass_by("sms.answered")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Web]:
        config = uvicorn.Config(self, port=self.port, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        await wait_until(lambda: server.started)
        try:
            yield self
        finally:
            self._gate.open()
            server.should_exit = True
            await serving
