"""A system that webhooks are sent to: a real HTTP server that behaves as the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import orjson
from standardwebhooks import Webhook, WebhookVerificationError

from tests.browser import serving

PATIENCE_S = 20.0
"""For an answer that comes: on a busy machine it may take its time."""
WITHOUT_ANSWER = httpx.Timeout(PATIENCE_S, read=0.5)
"""The `timeout` of a client whose call nobody is going to answer."""


@dataclass(frozen=True)
class Call:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def message(self) -> dict[str, Any]:
        return orjson.loads(self.body)

    @property
    def customer(self) -> str:
        return self.message["data"]["customer_id"]

    def is_signed_with(self, secret: str) -> bool:
        """By the library that the specification's authors publish."""
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass(frozen=True)
class Answer:
    status: int = 204
    headers: tuple[tuple[str, str], ...] = ()
    hangs: bool = False
    body: bytes = b""


GOOD, BAD, HANGING = Answer(), Answer(500, body=b"no luck"), Answer(hangs=True)


def healthy(_: Call) -> Answer:
    return GOOD


@dataclass
class Receiver:
    """`taken` are the calls it said yes to, in order; `calls` all of them."""

    behave: Callable[[Call], Answer] = healthy
    calls: list[Call] = field(default_factory=list)
    taken: list[Call] = field(default_factory=list)
    url: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ids(self) -> list[UUID]:
        """Of the events it took, each where it came first."""
        return list(dict.fromkeys(call.id for call in self.taken))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        call = Call({name.decode(): value.decode() for name, value in scope["headers"]}, body)
        self.calls.append(call)
        answer = self.behave(call)
        if answer.hangs:
            await self.released.wait()
            return
        if 200 <= answer.status < 300:
            self.taken.append(call)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(receiver) as url:  # pyright: ignore[reportArgumentType]  # Any ASGI application will do.
        receiver.url = f"{url}/hooks"
        yield receiver
        receiver.released.set()
