"""A load generator that costs less than what it measures: HTTP/1.1 over kept-alive connections, nothing parsed but the
status and the length."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Run:
    """What a load came to."""

    requests: int
    seconds: float
    latencies_ms: Sequence[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile_ms(self, share: float) -> float:
        return percentile(self.latencies_ms, share)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` 0.99 is the 99th."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection(HOST, port))

    def close(self) -> None:
        self._writer.close()

    async def post(self, path: str, body: bytes, headers: str) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n{headers}\r\n".encode()
            + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)


async def load(
    port: int,
    path: str,
    bodies: Sequence[bytes],
    headers: Callable[[int], str],
    connections: int = 16,
    expected: int = 201,
) -> Run:
    """POST every body once, over so many connections at a time. Raises on any answer but the expected."""
    latencies: list[float] = []
    waiting = iter(range(len(bodies)))

    async def work() -> None:
        connection = await Connection.open(port)
        for n in waiting:
            began = time.perf_counter()
            status, answer = await connection.post(path, bodies[n], headers(n))
            latencies.append((time.perf_counter() - began) * 1000)
            if status != expected:
                raise RuntimeError(f"{path} answered {status}: {answer.decode()}")
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return Run(len(bodies), time.perf_counter() - began, latencies)
