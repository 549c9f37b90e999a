"""The book by customers, a chunk at a time: as it is, and as it was in a period that is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.reminder.hindsight import rules as hindsight
from services.reminder.hindsight.rules import Logged, Owed
from services.reminder.receivables.rules import Key
from shared.db import Tx


async def splits(tx: Tx, parts: int, chunk: int) -> list[UUID]:
    """Customers at which the book is cut into equal parts, in the order of their ids: none where a part would be
    smaller than a chunk."""
    size = await tx.fetchval("select count(*) from account")
    if size < parts * chunk:
        return []
    at = [size * n // parts for n in range(1, parts)]
    return [await tx.fetchval("select id from account order by id offset $1 limit 1", offset) for offset in at]


async def customers(tx: Tx, after: UUID, last: UUID | None, limit: int) -> tuple[dict[Key, UUID], UUID | None]:
    """The accounts that owe anything or have a case of the next customers, each with who is contacted there: customers
    come with those whose messages they take. And the last of these customers; None when there are no more."""
    rows = await tx.fetch(_CUSTOMERS, after, last, limit)
    found = {(row["id"], row["entity_id"]): row["party"] for row in rows if row["entity_id"] is not None}
    return found, rows[-1]["party"] if rows else None


_CUSTOMERS = """
select p.id as party, a.id, k.entity_id
from (
    select id, contact_parent and exists (select from account b where b.id = a.parent_id) as goes_along
    from account a where id > $1 and ($2::uuid is null or id <= $2) order by id limit $3
) p
left join lateral (
    select p.id where not p.goes_along
    union all
    select s.id from account s where s.contact_parent and s.parent_id = p.id
) a on true
left join lateral (
    select entity_id from receivable r where r.customer_id = a.id and r.balance_minor > 0
    union
    select entity_id from collection_case c where c.customer_id = a.id
) k on true
order by p.id, a.id, k.entity_id
"""


async def said(tx: Tx, customer_ids: Sequence[UUID], today: date) -> list[tuple[UUID, str, str, str, str]]:
    """(customer, entity, episode, step, channel) of what went out in the running episodes and before due dates to
    come, or may have."""
    return [tuple(row) for row in await tx.fetch(_SAID, customer_ids, f"due-{today.isoformat()}")]


_SAID = """
select c.customer_id, c.entity_id, c.episode, c.step, c.channel
from contact c join collection_case k on k.customer_id = c.customer_id and k.entity_id = c.entity_id
where c.customer_id = any($1::uuid[]) and c.status in ('planned', 'sending', 'sent', 'unknown')
  and (c.episode = k.episode::text or c.episode >= $2)
"""


async def running_on(tx: Tx) -> list[tuple[str, int]]:
    """The versions that cases run on."""
    return [(row["strategy"], row["strategy_version"]) for row in await tx.fetch(_RUNNING_ON)]


_RUNNING_ON = "select distinct strategy, strategy_version from collection_case where status = 'open'"


async def versions(tx: Tx) -> list[tuple[str, int]]:
    """All there ever were."""
    return [(row["name"], row["version"]) for row in await tx.fetch("select name, version from strategy")]


async def customers_then(
    tx: Tx, after: UUID, last: UUID | None, limit: int, begins: date, ends: date
) -> tuple[list[Key], UUID | None]:
    """As `customers`, of those who owed anything in a period or have a case."""
    rows = await tx.fetch(_CUSTOMERS_THEN, after, last, limit, begins, ends)
    keys = [(row["id"], row["entity_id"]) for row in rows if row["entity_id"] is not None]
    return keys, rows[-1]["id"] if rows else None


_OWED_THEN = """r.issue_date < {ends} and ((r.settled_on is null and r.balance_minor > 0) or r.settled_on > {begins})"""
_CUSTOMERS_THEN = f"""
select a.id, k.entity_id
from (select id from account where id > $1 and ($2::uuid is null or id <= $2) order by id limit $3) a
left join lateral (
    select entity_id from receivable r
    where r.customer_id = a.id and {_OWED_THEN.format(begins="$4", ends="$5")}
    union
    select entity_id from collection_case c where c.customer_id = a.id
) k on true
order by a.id, k.entity_id
"""


async def owed_then(tx: Tx, customer_ids: Sequence[UUID], begins: date, ends: date) -> list[tuple[Key, Owed]]:
    rows = await tx.fetch(_RECEIVABLES_THEN, customer_ids, begins, ends)
    return [((row["customer_id"], row["entity_id"]), hindsight.owed(row)) for row in rows]


_RECEIVABLES_THEN = f"""
select r.* from receivable r
where r.customer_id = any($1::uuid[]) and {_OWED_THEN.format(begins="$2", ends="$3")}
"""


async def contacts_then(tx: Tx, customer_ids: Sequence[UUID], begins: datetime) -> list[Any]:
    """What had gone out before the beginning, or may have."""
    return await tx.fetch(_CONTACTS_THEN, customer_ids, begins)


_CONTACTS_THEN = """
select customer_id, entity_id, episode, step, channel, coalesce(sent_at, due_at) as at from contact
where customer_id = any($1::uuid[]) and status in ('sent', 'unknown') and coalesce(sent_at, due_at) < $2
order by customer_id, id
"""


async def logged(tx: Tx, after: UUID, last: UUID | None, ends: datetime) -> AsyncIterator[tuple[UUID, Logged]]:
    """The events of the customers' cases before the end of a period, in the order of the customers' ids and then their
    own. The log is read once, by a cursor: it has no index by customer."""
    async for row in tx.connection.cursor(_LOGGED, after, last, ends, prefetch=1_000):
        yield row["key"], Logged(row["type"].removeprefix("dueward.").removesuffix(".v1"), row["time"], row["data"])


_LOGGED = """
select key, type, time, data from event_log
where topic = 'ar.reminder' and type like 'dueward.case.%' and time < $3
  and key > $1 and ($2::uuid is null or key <= $2)
order by key, seq
"""
