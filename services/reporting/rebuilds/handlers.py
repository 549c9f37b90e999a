"""The read models made again from the events, while the ones in use go on answering and taking events.

The events are taken, in the order of the feed and a chunk a transaction, into tables beside the ones in use; a process
that is killed goes on behind the last chunk. Once the end of the feed is reached, other writers are held up for the
last events, and the tables take their place in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.reporting.projection import handlers as projection
from services.reporting.projection.handlers import READ_MODELS
from services.reporting.rebuilds import rules, store
from services.reporting.rebuilds.rules import RebuildUnderWay
from services.reporting.standings import handlers as standings
from shared.db import Tx
from shared.delivery import Received
from shared.errors import NotFound
from shared.events import catalogue
from shared.events.envelope import Envelope

CHUNK = 1_000

REBUILD_DUE = "select '1970-01-01Z'::timestamptz from rebuild where finished_at is null"


@dataclass(frozen=True, slots=True)
class WantRebuild:
    wanted_by: str


async def want_rebuild(tx: Tx, command: WantRebuild) -> int:
    """The worker does it. Raises RebuildUnderWay."""
    rebuild_id = await store.want(tx, command.wanted_by)
    if rebuild_id is None:
        raise RebuildUnderWay("a rebuild is under way already; see GET /v1/rebuilds/latest")
    return rebuild_id


async def latest_rebuild(tx: Tx) -> asyncpg.Record:
    """Raises NotFound."""
    found = await store.latest(tx)
    if found is None:
        raise NotFound("the read models were never made again")
    return found


async def rebuild_further(tx: Tx, chunk: int = CHUNK) -> bool:
    """Do one part of the rebuild under way in this transaction, at most a chunk of events; False when there is none,
    or somebody else is at it."""
    under_way = await store.take_up(tx)
    if under_way is None:
        return False
    if under_way["reached_seq"] is None:
        await store.lay_out(tx, READ_MODELS)
        await store.reached(tx, under_way["id"], 0, 0)
        return True
    await store.work_beside(tx)
    if await _take_chunk(tx, under_way["id"], under_way["reached_seq"], chunk):
        return True
    missing = await store.standing_days_missing(tx)
    if missing:
        await standings.keep_standings_before(tx, missing[0])
        return True
    await projection.hold_up(tx)
    seq = under_way["reached_seq"]
    while (last := await _take_chunk(tx, under_way["id"], seq, chunk)) is not None:
        seq = last
    for day in await store.standing_days_missing(tx):
        await standings.keep_standings_before(tx, day)
    await store.take_their_place(tx, READ_MODELS)
    await store.finish(tx, under_way["id"])
    return True


async def _take_chunk(tx: Tx, rebuild_id: int, behind: int, limit: int) -> int | None:
    """The last event's place in the feed; None at its end."""
    rows = await store.events_behind(tx, behind, limit)
    if not rows:
        return None
    await projection.keep_read_models(tx, _received(rows))
    await store.reached(tx, rebuild_id, rows[-1]["seq"], len(rows))
    return rows[-1]["seq"]


def _received(rows: Sequence[Any]) -> list[Received]:
    envelopes = [Envelope(**rules.attributes(row)) for row in rows]
    return [
        Received(envelope, catalogue.parse(envelope), row["topic"], 0, row["seq"], (), envelope.data)
        for row, envelope in zip(rows, envelopes, strict=True)
    ]
