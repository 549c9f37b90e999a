"""Counts over what the other features keep."""

from __future__ import annotations

from datetime import date

from services.reminder.tasks.rules import BY_ITSELF
from services.reminder.team_figures.rules import Figures
from shared.db import Tx


async def figures(tx: Tx, since: date, until: date, today: date) -> list[Figures]:
    """One row for each colleague, and for others who did something from `since` to `until`, both included; by name."""
    return [Figures(**row) for row in await tx.fetch(_FIGURES, since, until, today)]


_FIGURES = f"""
with counted as (
    select owner as subject, 'accounts' as what, count(*) as n from looked_after where owner is not null group by 1
    union all
    select caller, 'calls', count(*) from call
    where direction = 'out' and (called_at at time zone 'UTC')::date between $1 and $2 group by 1
    union all
    select caller, 'conversations', count(*) from call
    where direction = 'out' and outcome in ('spoke', 'refused')
      and (called_at at time zone 'UTC')::date between $1 and $2 group by 1
    union all
    select author, 'notes', count(*) from note where (written_at at time zone 'UTC')::date between $1 and $2 group by 1
    union all
    select done_by, 'tasks_done', count(*) from task
    where status = 'done' and done_by not in ('{BY_ITSELF}', 'provider')
      and (done_at at time zone 'UTC')::date between $1 and $2 group by 1
    union all
    select coalesce(t.assignee, l.owner), 'tasks_open', count(*)
    from task t left join looked_after l using (customer_id, entity_id) where t.status = 'open' group by 1
    union all
    select coalesce(t.assignee, l.owner), 'tasks_late', count(*)
    from task t left join looked_after l using (customer_id, entity_id)
    where t.status = 'open' and t.due_on < $3 group by 1
    union all
    select made_by, 'promises_made', count(*) from promise where made_on between $1 and $2 group by 1
    union all
    select made_by, 'promises_' || status, count(*) from promise
    where status in ('kept', 'broken') and ended_on between $1 and $2 group by 1, status
    union all
    select done_by, 'replies_done', count(*) from reply where status = 'done' and done_on between $1 and $2 group by 1
), summed as (
    select subject, jsonb_object_agg(what, n) as counts from counted group by subject
), everybody as (
    select coalesce(c.subject, s.subject) as subject, c.name, coalesce(s.counts, '{{}}') as counts
    from colleague c full join summed s on s.subject = c.subject
)
select subject, name,
       coalesce((counts ->> 'accounts')::int, 0) as accounts,
       coalesce((counts ->> 'calls')::int, 0) as calls,
       coalesce((counts ->> 'conversations')::int, 0) as conversations,
       coalesce((counts ->> 'notes')::int, 0) as notes,
       coalesce((counts ->> 'tasks_done')::int, 0) as tasks_done,
       coalesce((counts ->> 'tasks_open')::int, 0) as tasks_open,
       coalesce((counts ->> 'tasks_late')::int, 0) as tasks_late,
       coalesce((counts ->> 'promises_made')::int, 0) as promises_made,
       coalesce((counts ->> 'promises_kept')::int, 0) as promises_kept,
       coalesce((counts ->> 'promises_broken')::int, 0) as promises_broken,
       coalesce((counts ->> 'replies_done')::int, 0) as replies_done
from everybody order by name nulls last, subject nulls last
"""
