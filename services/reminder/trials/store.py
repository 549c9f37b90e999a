"""Episodes in a trial."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from services.reminder.trials.rules import Progress, Trial
from shared.db import Tx
from shared.money import Money


async def keep(tx: Tx, progress: Sequence[Progress]) -> None:
    """A new episode is added; of one that is known, how far it came and how it ended. One progress an episode."""
    rows = [
        (
            each.event.case.id,
            each.event.case.episode,
            each.challenger,
            each.arm,
            each.event.case.strategy,
            each.event.case.strategy_version,
            each.event.effective_on,
            orjson.dumps([[money.minor, money.currency] for money in each.event.case.collectable]).decode(),
            each.event.case.level,
            each.event.effective_on if each.escalates else None,
            each.event.effective_on if each.ended_because else None,
            each.ended_because,
        )
        for each in progress
    ]
    await tx.execute(_KEEP, *(list(column) for column in zip(*rows, strict=True)))


_KEEP = """
insert into trial_episode (case_id, episode, challenger, arm, strategy, strategy_version, started_on, owed, level,
                           escalated_on, ended_on, ended_because)
select case_id, episode, challenger, arm, strategy, strategy_version, started_on, owed::jsonb, level, escalated_on,
       ended_on, ended_because
from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::date[], $8::text[],
            $9::bigint[], $10::date[], $11::date[], $12::text[])
     as t (case_id, episode, challenger, arm, strategy, strategy_version, started_on, owed, level, escalated_on,
           ended_on, ended_because)
on conflict (case_id, episode) do update set
    strategy = excluded.strategy,
    strategy_version = excluded.strategy_version,
    level = excluded.level,
    escalated_on = coalesce(trial_episode.escalated_on, excluded.escalated_on),
    ended_on = coalesce(trial_episode.ended_on, excluded.ended_on),
    ended_because = coalesce(trial_episode.ended_because, excluded.ended_because)
"""


async def first_episodes(tx: Tx, challenger: str) -> list[Trial]:
    """The first episode of each account in the trial, with how many contacts went out in it."""
    return [
        Trial(
            arm=row["arm"],
            started_on=row["started_on"],
            owed=tuple(Money(minor, currency) for minor, currency in row["owed"]),
            contacts=row["contacts"],
            escalated=row["escalated_on"] is not None,
            ended_on=row["ended_on"],
            ended_because=row["ended_because"],
        )
        for row in await tx.fetch(_FIRST_EPISODES, challenger)
    ]


_FIRST_EPISODES = """
select f.arm, f.started_on, f.owed, f.escalated_on, f.ended_on, f.ended_because,
    (select count(*) from contact c
     where c.customer_id = k.customer_id and c.entity_id = k.entity_id and c.episode = f.episode::text
       and c.status in ('sent', 'unknown')) as contacts
from (select distinct on (case_id) * from trial_episode where challenger = $1 order by case_id, episode) f
join collection_case k on k.id = f.case_id
"""
