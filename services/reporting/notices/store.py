"""Tables: notice, notice_attachment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from services.reporting.notices.rules import CHATS, Conclusion, Content, File, Notice, Target
from shared.db import Tx
from shared.ids import new_id


async def plan(tx: Tx, planned: Sequence[tuple[UUID, Target]], content: Content, file: File | None) -> None:
    file_id = new_id() if file else None
    if file:
        await tx.execute(_KEEP_FILE, file_id, file.name, file.media_type, file.content)
    rows = [(id, to.channel, to.to, to.sealed, asdict(content), tx.now, file_id) for id, to in planned]
    await tx.executemany(_PLAN, rows)


_PLAN = """
insert into notice (id, channel, target, sealed, content, made_at, status, attachment_id)
values ($1, $2, $3, $4, $5, $6, 'planned', $7)
"""
_KEEP_FILE = "insert into notice_attachment (id, name, media_type, content) values ($1, $2, $3, $4)"


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
    files = await _files(tx, {row["attachment_id"] for row in rows if row["attachment_id"]})
    return [
        Notice(
            id=row["id"],
            target=Target(row["channel"], row["target"], row["sealed"]),
            content=Content.read(row["content"]),
            made_at=row["made_at"],
            attempts=row["attempts"],
            file=files.get(row["attachment_id"]),
        )
        for row in rows
    ]


async def _files(tx: Tx, ids: Collection[UUID]) -> dict[UUID, File]:
    """Each once, however many mails it goes along with."""
    if not ids:
        return {}
    rows = await tx.fetch("select id, name, media_type, content from notice_attachment where id = any($1)", list(ids))
    return {row["id"]: File(row["name"], row["media_type"], row["content"]) for row in rows}


_TAKE = """
update notice set status = 'sending', lease_until = $2
where id in (
    select id from notice where status = 'planned' and (retry_at is null or retry_at <= $1) order by id limit $3
    for update skip locked
)
returning id, channel, target, sealed, content, made_at, attempts, attachment_id
"""


async def conclude(tx: Tx, notice_id: UUID, conclusion: Conclusion) -> None:
    await tx.execute(_CONCLUDE, notice_id, conclusion.status, conclusion.reason, conclusion.retry_at)


_CONCLUDE = """
update notice set status = $2, reason = $3, retry_at = $4, lease_until = null, attempts = attempts + 1
where id = $1 and status = 'sending'
"""


async def drop_files(tx: Tx) -> None:
    """Those that no mail under way takes along: the last one of several may have ended beside another, or with its
    sender."""
    await tx.execute(_DROP_FILES)


_DROP_FILES = """
delete from notice_attachment a
where not exists (select from notice n where n.attachment_id = a.id and n.status in ('planned', 'sending'))
"""


async def told_chats(tx: Tx) -> list[tuple[UUID, Target]]:
    rows = await tx.fetch(_TOLD_CHATS, list(CHATS))
    return [(row["id"], Target(row["channel"], row["target"], row["sealed"])) for row in rows]


_TOLD_CHATS = "select id, channel, target, sealed from notice where channel = any($1) order by id for update"


async def save_target(tx: Tx, notice_id: UUID, target: Target) -> None:
    await tx.execute("update notice set target = $2, sealed = $3 where id = $1", notice_id, target.to, target.sealed)
