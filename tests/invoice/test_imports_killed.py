"""An import whose worker process is killed in the middle: another one goes on, and nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local import embedded
from tests.invoice.client import Receivables

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600
FEW, ALL_THAT_ARE_TAKEN = 5_000, 100_000


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real worker process of the service, killed at the end if it still runs."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.invoice", "worker"],
            cwd=ROOT,
            env={**os.environ, **environment, "WORKER_PORT": str(embedded.free_port())},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def environment(database_url: Callable[[str], str], broker: str, topic_prefix: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url("invoice"),
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_IDEMPOTENCE": "false",
        "KAFKA_LEAVES_GROUPS": "false",
        "TOPIC_PREFIX": topic_prefix,
        "TOPIC_PARTITIONS": "1",
        "TOPIC_REPLICATION_FACTOR": "1",
        "SIMULATION": "1",
    }


@pytest.mark.parametrize("mode", ["partial", "atomic"])
@pytest.mark.parametrize("count", [FEW, pytest.param(ALL_THAT_ARE_TAKEN, marks=pytest.mark.slow)])
async def test_a_worker_killed_in_the_middle_leaves_no_row_out_and_none_twice(
    books: Receivables, environment: dict[str, str], tmp_path: Path, count: int, mode: str
) -> None:
    await books.customer(external_id="C-1")
    rows = (f"C-1,{n + 1}.00,EUR" for n in range(count))  # Without numbers: only the place of the row tells them apart.
    answer = await books.http.post(
        "/v1/imports",
        content="\n".join(["customer_external_id,unit_price,currency", *rows]).encode(),
        headers={"idempotency-key": str(uuid4()), "content-type": "text/csv"},
        params={"mode": mode},
    )
    place, log = answer.headers["location"], tmp_path / "worker.log"

    for part in (count // 5, count // 2):
        with worker(environment, log) as killed:
            half = await until(books, place, lambda state, part=part: state["done"] >= part)
            killed.kill()
        assert half["status"] == "running", "it was killed in the middle"
        issued = await books.database.pool.fetchval("select count(*) from invoice")
        assert issued < count
        assert mode == "partial" or issued == 0, "all or nothing"
    with worker(environment, log):
        done = await until(books, place, lambda state: state["status"] != "running")

    assert (done["status"], done["accepted"], done["rejected"]) == ("completed", count, 0)
    amounts = await books.database.pool.fetch("select number, total_minor from invoice order by number")
    assert [each["number"] for each in amounts] == [f"DW-{n:06d}" for n in range(1, count + 1)]
    assert sorted(each["total_minor"] for each in amounts) == [100 * (n + 1) for n in range(count)]
    assert await books.database.pool.fetchval("select count(*) from event_log") == count
    assert await books.database.pool.fetchval("select count(*) from import_chunk") == 0
    print(f"{count:,} rows, {mode}: {done['rows_per_second']:,.0f} a second, two kills included")


async def until(books: Receivables, place: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            state = await books.get(place)
            if reached(state):
                return state
            await asyncio.sleep(0.02)
