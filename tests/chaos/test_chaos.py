"""Everything is killed in turn while a ledger replays, and the books come out as if nothing had happened.

`make chaos` runs it for several seeds over a longer stretch; the short form here kills each process once. A seed sets
the order and the moments of the kills.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from deploy.local.layout import SERVICE_PORTS
from deploy.local.ledger import Row
from deploy.local.replay import Progress
from tests.system.books import differences
from tests.system.stand import Stand, generated, running_stack

VICTIMS = (*(f"{service}-{part}" for service in SERVICE_PORTS for part in ("api", "worker")), "postgres", "broker")
SEEDS = [int(seed) for seed in (os.environ.get("SEEDS") or "1 2 3").split()]
HEALED_WITHIN_S = 60.0
SLOW_DAY_S = 10.0


class Killer:
    """Kills a victim whenever the replay has come far enough, and waits until somebody else runs in its place."""

    def __init__(self, stand: Stand, victims: Sequence[str], moments: Sequence[int]) -> None:
        self._stand = stand
        self._todo = list(zip(sorted(moments), victims, strict=True))
        self._day = 0
        self._day_began = time.monotonic()
        self._over = threading.Event()
        self.killed: list[str] = []
        self.slow_days: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def on_progress(self, progress: Progress) -> None:
        self._day = progress.days_done
        took_s, self._day_began = time.monotonic() - self._day_began, time.monotonic()
        if took_s > SLOW_DAY_S:
            self.slow_days.append(f"day {self._day} after {len(self.killed)} kills took {took_s:.0f} s")

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(HEALED_WITHIN_S * 2)

    def _run(self) -> None:
        while self._todo and not self._over.is_set():
            moment, victim = self._todo[0]
            if self._day < moment:
                time.sleep(0.02)
                continue
            before = self._stand.processes()[victim]["pid"]
            if self._stand.kill(victim):
                self._todo.pop(0)
                self.killed.append(victim)
                self._wait_for_another(victim, before)

    def _wait_for_another(self, victim: str, before: int) -> None:
        deadline = time.monotonic() + HEALED_WITHIN_S
        while time.monotonic() < deadline:
            process = self._stand.processes()[victim]
            if process["alive"] and process["pid"] != before:
                return
            time.sleep(0.05)


@pytest.fixture(autouse=True)
def more_partitions_than_a_stack_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that more is under way at once when something is killed."""
    monkeypatch.setenv("TOPIC_PARTITIONS", "4")


def replay_under_fire(stand: Stand, rows: list[Row], times: int, seed: int) -> None:
    # Parts from outside the stack are not ours to kill.
    victims = [victim for victim in VICTIMS if victim in stand.processes()] * times
    chance = random.Random(f"chaos {seed}")
    days = (max(row.invoice_date for row in rows) - min(row.invoice_date for row in rows)).days
    order = chance.sample(victims, len(victims))
    moments = [chance.randrange(1, days) for _ in order]
    with Killer(stand, order, moments) as killer:
        replayed = stand.replay(rows, killer.on_progress)
    print(f"seed {seed}: {len(killer.killed)} kills in {replayed.seconds:.0f} s: {' '.join(killer.killed)}")
    print("; ".join(killer.slow_days))
    assert sorted(killer.killed) == sorted(victims)
    assert differences(stand, rows) == []


@pytest.mark.timeout(900)
def test_each_process_and_part_dies_once_and_the_books_come_out(tmp_path: Path) -> None:
    rows = generated(seed=11, customers=60, until=date(2024, 2, 20), into=tmp_path / "ledger.csv")
    with running_stack(tmp_path / "local") as stand:
        replay_under_fire(stand, rows, times=1, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_everything_dies_twice_and_the_books_come_out(seed: int, tmp_path: Path) -> None:
    rows = generated(seed=seed, customers=120, until=date(2024, 7, 31), into=tmp_path / "ledger.csv")
    with running_stack(tmp_path / "local") as stand:
        replay_under_fire(stand, rows, times=2, seed=seed)
