"""Partitions are projected side by side: what all of them add to comes out as if one had followed the other."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from uuid import UUID

import pytest

from services.reporting.consumers import subscriptions
from services.reporting.standings import handlers as standings
from shared.db import Database, transaction
from shared.delivery import Received, deliver_batch
from tests.reporting.client import forget
from tests.reporting.test_fold_agrees import LAST, a_ledger
from tests.reporting.test_projection import apply
from tests.reporting.test_rebuild import tables

LANES = 4


@pytest.mark.parametrize("mixed", [False, True], ids=["a customer in one lane", "customers in every lane"])
async def test_lanes_that_add_to_the_same_sums_lose_nothing(reports_database: Database, mixed: bool) -> None:
    """Standings are kept in between, and customers change groups. That a customer is in several lanes happens only when
    the number of partitions grows; its order is kept by versions then."""
    received, chance = a_ledger(12).received, random.Random(12)
    await apply(reports_database, received, 200)
    await _keep_standings(reports_database)
    one_by_one = await tables(reports_database)
    await forget(reports_database)

    lanes: list[list[Received]] = [[] for _ in range(LANES)]
    customers: dict[UUID, int] = {}
    for one in received:
        place = customers.setdefault(one.envelope.key, len(customers) % LANES)
        lanes[chance.randrange(LANES) if mixed else place].append(one)
    # The first standing day follows the first movement that is known.
    invoices = [one for one in received if one.topic == "ar.invoice"]
    await deliver_batch(reports_database, subscriptions, [min(invoices, key=_counts_for)])
    await asyncio.gather(*(_project(reports_database, lane, chance) for lane in lanes))
    await _keep_standings(reports_database)
    assert await tables(reports_database) == one_by_one


def _counts_for(received: Received) -> date:
    assert received.event
    return received.event.effective_on


async def _project(database: Database, received: list[Received], chance: random.Random) -> None:
    at = 0
    while at < len(received):
        size = chance.choice([3, 12, 40])
        await deliver_batch(database, subscriptions, received[at : at + size])
        at += size
        if chance.random() < 0.2:
            async with transaction(database) as tx:
                await standings.keep_standings(tx, LAST)


async def _keep_standings(database: Database) -> None:
    kept = True
    while kept:
        async with transaction(database) as tx:
            kept = await standings.keep_standings(tx, LAST)
