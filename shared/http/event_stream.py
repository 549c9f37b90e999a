"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): answers without an end of their
own, which a browser's `EventSource` takes up again by itself, with the id of the last event it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Send

MEDIA_TYPE = "text/event-stream"
RECONNECT_MS = 2_000
KEEP_ALIVE_SECONDS = 15.0
"""Proxies close what is silent for longer."""
STREAM_SECONDS_MAX = 900.0
"""Then a stream ends and is taken up again: whoever may no longer read is found out, and load finds its balance."""
SEND_SECONDS_MAX = 30.0
"""How long a client may take for what was sent to it."""

HELLO = f"retry: {RECONNECT_MS}\n\n".encode()
STILL_HERE = b": still here\n\n"


def event(id: str, data: bytes) -> bytes:
    """One message; `data` is JSON on one line."""
    return b"id: " + id.encode() + b"\ndata: " + data + b"\n\n"


class EventStream(StreamingResponse):
    """Sends what the generator yields; a client that takes nothing for half a minute is left."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        # X-Accel-Buffering: a proxy in front would otherwise hold events back until its buffer is full.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(events, media_type=MEDIA_TYPE, headers=headers)

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self.body_iterator:
            try:
                async with asyncio.timeout(SEND_SECONDS_MAX):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except TimeoutError:
                break
        await send({"type": "http.response.body", "body": b"", "more_body": False})
