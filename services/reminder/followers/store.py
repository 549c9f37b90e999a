"""Tables: follower, digest_day, digest; and what has happened with accounts, from what the other features keep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.reminder.followers.rules import Digest, Follower, Happening
from shared.db import Tx
from shared.money import Money

MADE_AT = "07:00"
"""When a day's digests are made, in UTC."""

_NEXT_DAY = f"""(
    select ((coalesce((select max(day) from digest_day), (min(since) at time zone 'UTC')::date) + 1)
            + time '{MADE_AT}') at time zone 'UTC'
    from follower having count(*) > 0
)"""
_UNDER_WAY = f"""(
    select (min(day) + time '{MADE_AT}') at time zone 'UTC' from digest where status in ('planned', 'sending')
)"""
NEXT_DIGEST = f"least({_NEXT_DAY}, {_UNDER_WAY})"


async def follow(tx: Tx, customer_id: UUID, entity_id: str, subject: str) -> None:
    await tx.execute(_FOLLOW, customer_id, entity_id, subject, tx.now)


_FOLLOW = """
insert into follower (customer_id, entity_id, subject, since) values ($1, $2, $3, $4)
on conflict (customer_id, entity_id, subject) do nothing
"""


async def unfollow(tx: Tx, customer_id: UUID, entity_id: str, subject: str) -> bool:
    return await tx.fetchval(_UNFOLLOW, customer_id, entity_id, subject) is not None


_UNFOLLOW = "delete from follower where customer_id = $1 and entity_id = $2 and subject = $3 returning subject"


async def followers(tx: Tx, customer_id: UUID, entity_id: str) -> list[Follower]:
    return [Follower(**row) for row in await tx.fetch(_FOLLOWERS, customer_id, entity_id)]


_FOLLOWERS = "select subject, since from follower where customer_id = $1 and entity_id = $2 order by subject"


async def due_day(tx: Tx) -> date | None:
    """The day whose digests are to be made now: the last that is due, however many were missed."""
    return await tx.fetchval(_DUE_DAY, tx.now)


_DUE_DAY = f"""
select (($1::timestamptz at time zone 'UTC') - time '{MADE_AT}')::date
where {_NEXT_DAY} <= $1
"""


async def last_made_at(tx: Tx) -> datetime | None:
    return await tx.fetchval("select made_at from digest_day order by day desc limit 1")


async def happenings(tx: Tx, since: datetime | None, until: datetime) -> list[Happening]:
    """What happened after `since` with accounts that are followed, from when each colleague followed them."""
    rows = await tx.fetch(_HAPPENINGS, since, until)
    return [Happening(**{**row, "owed": tuple(Money(minor, code) for minor, code in row["owed"])}) for row in rows]


_HAPPENINGS = """
with happened as (
    select customer_id, entity_id, coalesce(sent_at, due_at) as at,
           case when status = 'suppressed' then 'suppressed' when status = 'sent' then 'sent' else 'failed' end as kind,
           replace(concat_ws(': ', step, case when status <> 'sent' then reason end), '_', ' ') as detail
    from contact where status in ('sent', 'suppressed', 'failed', 'unknown') and coalesce(sent_at, due_at) <= $2
    union all
    select customer_id, entity_id, received_at, 'reply', subject from reply
    where kind = 'reply' and customer_id is not null and received_at <= $2
    union all
    select customer_id, entity_id, called_at, 'call',
           replace(outcome, '_', ' ') || coalesce(', ' || replace(reason, '_', ' '), '')
    from call where called_at <= $2
    union all
    select customer_id, entity_id, written_at, 'note', left(author || ': ' || body, 160) from note
    where written_at <= $2
    union all
    select customer_id, entity_id, (coalesce(ended_on, made_on) + time '00:00:01') at time zone 'UTC',
           'promise_' || status, 'for ' || promised_on
    from promise where status in ('open', 'kept', 'broken')
    union
    select customer_id, entity_id, assigned_at, 'tell_sales', title from task where kind = 'tell_sales'
), owed as (
    select customer_id, entity_id, jsonb_agg(jsonb_build_array(minor, currency) order by currency) as owed
    from (select customer_id, entity_id, currency, sum(collectable_minor) as minor
          from receivable where collectable_minor > 0 and overdue_since is not null group by 1, 2, 3) sums
    group by customer_id, entity_id
)
select f.subject, h.customer_id, h.entity_id, coalesce(a.name, a.external_id, 'An account') as name,
       coalesce(o.owed, '[]') as owed, h.at, h.kind, h.detail
from follower f
join happened h using (customer_id, entity_id)
join account a on a.id = f.customer_id
left join owed o using (customer_id, entity_id)
where h.at > greatest(f.since, $1) and h.at <= $2
order by f.subject, h.at
"""


async def add(tx: Tx, day: date, digests: Sequence[Digest]) -> None:
    await tx.execute("insert into digest_day (day, made_at) values ($1, $2)", day, tx.now)
    for digest in digests:
        await tx.execute(_ADD, digest.id, digest.subject, digest.day, digest.news)


_ADD = "insert into digest (id, subject, day, news, status) values ($1, $2, $3, $4, 'planned')"


async def take(tx: Tx, real_now: datetime, lease_until: datetime, limit: int) -> list[Digest]:
    """Mark those that may be sent now as being sent."""
    return [_digest(row) for row in await tx.fetch(_TAKE, real_now, lease_until, limit)]


_TAKE = """
update digest set status = 'sending', lease_until = $2
where id in (
    select id from digest where status = 'planned' and coalesce(retry_at, $1) <= $1 order by id limit $3
    for update skip locked
)
returning id, subject, day, news, status, attempts
"""


async def give_up(tx: Tx, real_now: datetime) -> int:
    """Those whose sender is gone: nobody knows whether they left, and they are not sent again."""
    return len(await tx.fetch(_GIVE_UP, real_now))


_GIVE_UP = """
update digest set status = 'unknown', lease_until = null, reason = 'its sender stopped before it could tell'
where status = 'sending' and lease_until < $1 returning id
"""


async def conclude(tx: Tx, digest_id: UUID, status: str, reason: str | None, retry_at: datetime | None) -> None:
    await tx.execute(_CONCLUDE, digest_id, status, reason, retry_at)


_CONCLUDE = """
update digest set status = $2, reason = $3, retry_at = $4, lease_until = null, attempts = attempts + 1 where id = $1
"""


def _digest(row: Any) -> Digest:
    return Digest(**{**row, "news": tuple(row["news"])})
