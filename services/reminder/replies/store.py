"""Tables: reply, mailbox."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.reminder.replies.rules import Reply
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Reply))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)
_CHANGING = ("version", "status", "customer_id", "entity_id", "case_id", "segment", "reason", "remark", "done_by")

_ADD = f"""
insert into reply ({_COLUMNS}) values ({", ".join(f"${n}" for n in range(1, len(_FIELDS) + 1))})
on conflict on constraint reply_once do nothing returning id
"""


async def add(tx: Tx, reply: Reply) -> bool:
    """Whether it is new."""
    return await tx.fetchval(_ADD, *_row(reply)) is not None


_SAVE = f"""
update reply set {", ".join(f"{name} = ${n}" for n, name in enumerate((*_CHANGING, "done_on"), start=2))} where id = $1
"""


async def save(tx: Tx, reply: Reply) -> None:
    await tx.execute(_SAVE, reply.id, *attrgetter(*_CHANGING, "done_on")(reply))


async def find(tx: Tx, reply_id: UUID) -> Reply | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from reply where id = $1", reply_id)
    return _reply(row) if row else None


async def find_by_identity(tx: Tx, identity: str) -> Reply | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from reply where identity = $1", identity)
    return _reply(row) if row else None


_PAGE = f"""
select {_COLUMNS} from reply
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or status = $3) and ($4::uuid is null or id < $4)
order by id desc limit $5
"""


async def page(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: str | None, before: UUID | None, limit: int
) -> list[Reply]:
    """Newest first."""
    return [_reply(row) for row in await tx.fetch(_PAGE, customer_id, entity_id, status, before, limit)]


# --- the IMAP folder ---

POLL_DUE = "(select timestamptz '2000-01-01' from mailbox where poll_at <= clock_timestamp() limit 1)"
"""A look at the folder is due in real time: then it is long due in business time, whatever that says."""

_CLAIM = """
update mailbox set poll_at = clock_timestamp() + make_interval(secs => $2)
where name = $1 and poll_at <= clock_timestamp() returning uid_validity, last_uid
"""


async def claim_mailbox(tx: Tx, name: str, lease_seconds: float) -> tuple[int | None, int] | None:
    """How far the folder has been read, for whoever comes first; None for the others."""
    row = await tx.fetchrow(_CLAIM, name, lease_seconds)
    return (row["uid_validity"], row["last_uid"]) if row else None


async def advance_mailbox(tx: Tx, name: str, uid_validity: int, uid: int) -> None:
    await tx.execute("update mailbox set uid_validity = $2, last_uid = $3 where name = $1", name, uid_validity, uid)


async def poll_again(tx: Tx, name: str, at: datetime, trouble: str | None) -> None:
    await tx.execute("update mailbox set poll_at = $2, trouble = $3 where name = $1", name, at, trouble)


def _row(reply: Reply) -> tuple[Any, ...]:
    return tuple(list(value) if isinstance(value, tuple) else value for value in _values(reply))


def _reply(row: Any) -> Reply:
    return Reply(**{**row, "attachments": tuple(row["attachments"])})
