"""A whole local stack for a test: on ports and in a folder of its own, gone with the test."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop

from deploy.local import generate, ledger, replay, stack
from deploy.local.layout import SERVICE_PORTS, Layout
from deploy.local.ledger import Row
from deploy.local.replay import Progress, Summary, Target
from deploy.local.stack import PortTaken, can_bind

OFFSETS = range(1_100, 11_200, 50)


@dataclass(frozen=True)
class Stand:
    """A running stack."""

    layout: Layout

    @property
    def target(self) -> Target:
        return Target({name: self.layout.url(name) for name in SERVICE_PORTS}, self.layout.token.read_text())

    def get(self, service: str, path: str, **query: Any) -> dict[str, Any]:
        answer = httpx.get(
            self.layout.url(service) + path,
            params=query,
            headers={"authorization": f"Bearer {self.target.token}"},
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json()

    def pages(self, service: str, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page: dict[str, Any] = {"next_cursor": None}
        while True:
            page = self.get(service, path, **query, **({"cursor": c} if (c := page["next_cursor"]) else {}))
            yield from page["items"]
            if not page["next_cursor"]:
                return

    def replay(self, rows: Sequence[Row], on_progress: Callable[[Progress], None] = lambda _: None) -> Summary:
        return uvloop.run(replay.run(self.target, rows, on_progress))

    def processes(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its processes."""
        state = stack.read_state(self.layout)
        assert state is not None
        return state["processes"]

    def kill(self, name: str) -> bool:
        """`kill -9` of one process; False when it is just being started again."""
        process = self.processes()[name]
        if not process["alive"]:
            return False
        psutil.Process(process["pid"]).kill()
        return True


@contextmanager
def running_stack(folder: Path) -> Iterator[Stand]:
    """A stack on simulated time; `BROKER=kafka` and the addresses of outside parts count as for `make demo`."""
    offsets = list(OFFSETS)
    random.shuffle(offsets)
    for offset in offsets:
        environment = {**os.environ, "PORT_OFFSET": str(offset), "DUEWARD_LOCAL": str(folder)}
        layout = Layout.from_environment("demo", environment=environment)
        if not all(map(can_bind, layout.ports())):
            continue
        try:
            stack.up(layout)
        except PortTaken:  # Somebody was faster.
            continue
        break
    else:
        raise RuntimeError("no block of ports is free")
    try:
        yield Stand(layout)
    finally:
        stack.down(layout)
        if layout.postgres:
            layout.postgres.destroy()


def generated(seed: int, customers: int, until: date, into: Path) -> list[Row]:
    """The beginning of a generated ledger, as it stood at the end of a day; written to a file as well."""
    last = until.isoformat()
    rows = [
        {**row, "settled_date": row["settled_date"] if row["settled_date"] <= last else ""}
        for row in generate.ledger(generate.Parameters(seed=seed, customers=customers, years=1))
        if row["invoice_date"] <= last
    ]
    with into.open("w", encoding="utf-8", newline="") as file:
        generate.write(rows, file)
    return ledger.load(into)
