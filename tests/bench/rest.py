"""Until the stack is at rest: what one measurement sets off must not be paid by the next."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from deploy.local.layout import Layout
from services.credit.consumers import subscriptions as credit
from services.invoice.consumers import subscriptions as invoice
from services.reminder.consumers import subscriptions as reminder
from services.reporting.consumers import subscriptions as reporting

SUBSCRIBERS = (credit, invoice, reminder, reporting)
PATIENCE_S = 600.0

PUBLISHED = """
select topic, sum(n)::bigint from relay_progress group by topic
union all select null, count(*) from outbox
"""
APPLIED = "select topic, sum(n)::bigint from consumer_progress group by topic"


async def until_at_rest(layout: Layout) -> float:
    """Wait until every outbox is empty and every subscriber has applied what was published; the seconds it took."""
    began = time.monotonic()
    connections = {each.group: await asyncpg.connect(layout.database_url(each.group)) for each in SUBSCRIBERS}
    try:
        while not await _is_at_rest(connections):
            if time.monotonic() - began > PATIENCE_S:
                raise RuntimeError(f"the stack is not at rest after {PATIENCE_S:.0f} s")
            await asyncio.sleep(0.25)
    finally:
        for connection in connections.values():
            await connection.close()
    return time.monotonic() - began


async def _is_at_rest(connections: dict[str, asyncpg.Connection]) -> bool:
    published: dict[str | None, int] = {}
    for connection in connections.values():
        for topic, count in await connection.fetch(PUBLISHED):
            published[topic] = published.get(topic, 0) + count
    if published[None]:
        return False
    for each in SUBSCRIBERS:
        applied = dict(await connections[each.group].fetch(APPLIED))
        if any(applied.get(topic, 0) < published.get(topic, 0) for topic in each.topics):
            return False
    return True
