"""Table: notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from services.reporting.notices.rules import Conclusion, Content, Notice, Target
from shared.db import Tx
from shared.ids import new_id


async def plan(tx: Tx, targets: Sequence[Target], content: Content) -> None:
    rows = [(new_id(), target.channel, target.to, asdict(content), tx.now) for target in targets]
    await tx.executemany(_PLAN, rows)


_PLAN = "insert into notice (id, channel, target, content, made_at, status) values ($1, $2, $3, $4, $5, 'planned')"


async def give_up(tx: Tx, real_now: datetime) -> None:
    """Those whose sender is gone: nobody knows whether they left. A webhook can tell a repeat, people cannot."""
    await tx.execute(_GIVE_UP, real_now)


_GIVE_UP = """
update notice set lease_until = null, reason = 'its sender stopped before it could tell',
                  status = case when channel = 'webhook' then 'planned' else 'unknown' end
where status = 'sending' and lease_until < $1
"""


async def take(tx: Tx, real_now: datetime, lease_until: datetime, limit: int) -> list[Notice]:
    rows = await tx.fetch(_TAKE, real_now, lease_until, limit)
    return [Notice(**{**row, "content": Content.read(row["content"])}) for row in rows]


_TAKE = """
update notice set status = 'sending', lease_until = $2
where id in (
    select id from notice where status = 'planned' and (retry_at is null or retry_at <= $1) order by id limit $3
    for update skip locked
)
returning id, channel, target, content, made_at, attempts
"""


async def conclude(tx: Tx, notice_id: UUID, conclusion: Conclusion) -> None:
    await tx.execute(_CONCLUDE, notice_id, conclusion.status, conclusion.reason, conclusion.retry_at)


_CONCLUDE = """
update notice set status = $2, reason = $3, retry_at = $4, lease_until = null, attempts = attempts + 1
where id = $1 and status = 'sending'
"""
