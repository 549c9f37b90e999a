"""A lean HTTP/1.1 client for the replay: kept connections, JSON answers of known length, nothing else.

A replay makes some twenty thousand small calls beside the services on the same two cores; with a full client it would
take as much processor time as the busiest service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

HEAD_BYTES_MAX = 65_536


class NotAnswered(ConnectionError):
    """No whole answer came: whether the request took effect is not known."""


class Origin:
    """One service's address, with the connections that are open to it."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        fixed = {"host": address.netloc, **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._timeout_s = timeout_s
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the body. Raises NotAnswered."""
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{method} {path} HTTP/1.1\r\n{self._head}{own}content-length: {len(body)}\r\n\r\n".encode() + body
        writer = None
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = self._idle.pop() if self._idle else await self._connect()
                writer.write(request)
                status, length, closing = _read_head(await reader.readuntil(b"\r\n\r\n"))
                content = await reader.readexactly(length)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, TimeoutError) as error:
            if writer:
                writer.close()
            raise NotAnswered(repr(error)) from error
        if closing:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return status, content

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, limit=HEAD_BYTES_MAX)


def _read_head(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the server closes. Raises ValueError for what this client cannot read."""
    first, *lines = head.decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    status = int(first.split(" ", 2)[1])
    if "transfer-encoding" in fields or ("content-length" not in fields and status != 204):
        raise ValueError("an answer of unknown length")
    return status, int(fields.get("content-length", 0)), fields.get("connection") == "close"
