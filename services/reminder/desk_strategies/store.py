"""The versions of a strategy, and how many cases run on each."""

from __future__ import annotations

from collections.abc import Mapping

from services.reminder.desk_strategies.rules import Version
from shared.db import Tx

VERSIONS_MAX = 50


async def running(tx: Tx) -> Mapping[tuple[str, int], int]:
    """Open cases, by the strategy and version they run on."""
    rows = await tx.fetch(_RUNNING)
    return {(row["strategy"], row["strategy_version"]): row["cases"] for row in rows}


_RUNNING = """
select strategy, strategy_version, count(*) as cases from collection_case
where status = 'open' group by strategy, strategy_version order by strategy, strategy_version
"""


async def versions(tx: Tx, name: str) -> list[Version]:
    """The newest first, and those that cases still run on."""
    rows = await tx.fetch(_VERSIONS, name, VERSIONS_MAX)
    return [Version(row["version"], row["published_at"], row["cases"]) for row in rows]


_VERSIONS = """
with running as (
    select strategy_version, count(*) as cases from collection_case
    where status = 'open' and strategy = $1 group by strategy_version
)
select s.version, s.published_at, coalesce(r.cases, 0) as cases
from strategy s left join running r on r.strategy_version = s.version
where s.name = $1 and (r.cases is not null or s.version > (select max(version) from strategy where name = $1) - $2)
order by s.version desc
"""
