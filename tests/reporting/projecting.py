"""A worker that takes events from a file, a small batch a transaction, and says so after each: something to kill.

`python -m tests.reporting.projecting <database url> <file>`
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from pathlib import Path
from typing import Any

from services.reporting.consumers import subscriptions
from shared.clock import Clock
from shared.db import Database
from shared.delivery import Received, deliver_batch
from shared.events import catalogue
from shared.events.envelope import Envelope

BATCH = 9


def pack(received: list[Received], file: Path) -> None:
    kept = [({name: getattr(r.envelope, name) for name in Envelope.__dataclass_fields__}, r.topic) for r in received]
    file.write_bytes(pickle.dumps(kept))


def unpack(file: Path) -> list[Received]:
    kept: list[tuple[dict[str, Any], str]] = pickle.loads(file.read_bytes())
    envelopes = [(Envelope(**attributes), topic) for attributes, topic in kept]
    return [
        Received(envelope, catalogue.parse(envelope), topic, 0, offset, (), envelope.data)
        for offset, (envelope, topic) in enumerate(envelopes)
    ]


async def main(url: str, file: Path) -> None:
    database = await Database.open(url, clock=Clock(simulated=True), pool_max=1)
    received = unpack(file)
    for start in range(0, len(received), BATCH):
        await deliver_batch(database, subscriptions, received[start : start + BATCH])
        print(start, flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
