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


async def happenings(tx: Tx, since: datetime, until: datetime) -> list[Happening]:
    """What happened from `since` on and before `until` with accounts that are followed, from when each colleague
    followed them. What ends later than it was due is told of by the time at which it ended."""
    rows = await tx.fetch(_HAPPENINGS, since, until)
    return [Happening(**{**row, "owed": tuple(Money(minor, code) for minor, code in row["owed"])}) for row in rows]


_TOLD = """type in (
    'dueward.reminder.suppressed.v1', 'dueward.reminder.failed.v1', 'dueward.reminder.bounced.v1',
    'dueward.promise.made.v1', 'dueward.promise.kept.v1', 'dueward.promise.broken.v1', 'dueward.promise.ended.v1',
    'dueward.pause.made.v1', 'dueward.pause.ended.v1',
    'dueward.offer.made.v1', 'dueward.offer.accepted.v1', 'dueward.offer.lapsed.v1',
    'dueward.placement.made.v1', 'dueward.placement.recalled.v1', 'dueward.placement.closed.v1',
    'dueward.proceeding.begun.v1', 'dueward.proceeding.ended.v1'
)"""
"""The events that an index finds by customer (`event_log_told_followers`)."""

_HAPPENINGS = f"""
with followed as (
    select distinct customer_id from follower
), happened as (
    select customer_id, entity_id, sent_at as at, 'sent' as kind, replace(step, '_', ' ') as detail
    from contact join followed using (customer_id) where status = 'sent' and sent_at >= $1 and sent_at < $2
    union all
    select e.key, e.data ->> 'entity_id', e.time, substr(e.type, 9, length(e.type) - 11),
           replace(concat_ws(': ',
               coalesce(state ->> 'step', state ->> 'agency_id', 'for ' || (state ->> 'promised_on'),
                        'until ' || (state ->> 'until'), state ->> 'kind'),
               coalesce(state ->> 'reason', state ->> 'because')
           ), '_', ' ')
    from followed f join event_log e on e.key = f.customer_id
    cross join replace(split_part(e.type, '.', 2), 'reminder', 'contact') as about
    cross join json_extract_path(e.data, about) as state
    where e.time >= $1 and e.time < $2 and e.{_TOLD}
    union all
    select customer_id, entity_id, received_at, 'reply', subject from reply
    where kind = 'reply' and customer_id is not null and received_at >= $1 and received_at < $2
    union all
    select customer_id, entity_id, called_at, 'call',
           replace(outcome, '_', ' ') || coalesce(', ' || replace(reason, '_', ' '), '')
    from call where called_at >= $1 and called_at < $2
    union all
    select customer_id, entity_id, written_at, 'note', left(author || ': ' || body, 160) from note
    where written_at >= $1 and written_at < $2
    union all
    select customer_id, entity_id, assigned_at, 'tell_sales', title from task
    where kind = 'tell_sales' and assigned_at >= $1 and assigned_at < $2
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
where h.at >= f.since
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
