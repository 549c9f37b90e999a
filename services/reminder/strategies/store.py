"""Strategies by name and version, kept as they were written."""

from __future__ import annotations

from collections.abc import Collection

from services.reminder.strategies import rules
from services.reminder.strategies.rules import Published
from shared.db import Tx


async def in_use(tx: Tx, pinned: Collection[tuple[str, int]]) -> list[Published]:
    """The newest version of each strategy, and the versions that running cases keep. Ordered by name and version."""
    rows = await tx.fetch(_IN_USE, [name for name, _ in pinned], [version for _, version in pinned])
    return [Published(rules.parse(row["document"]), row["version"], row["document"]) for row in rows]


_IN_USE = """
select name, version, document
from strategy s
where version = (select max(version) from strategy newest where newest.name = s.name)
   or (name, version) in (select * from unnest($1::text[], $2::bigint[]))
order by name, version
"""


async def find(tx: Tx, name: str, version: int | None) -> Published | None:
    row = await tx.fetchrow(_FIND, name, version)
    return Published(rules.parse(row["document"]), row["version"], row["document"]) if row else None


_FIND = """
select version, document from strategy
where name = $1 and ($2::bigint is null or version = $2)
order by version desc limit 1
"""


async def add(tx: Tx, published: Published) -> bool:
    """False when somebody else made this version in the meantime."""
    made = await tx.fetchval(_ADD, published.name, published.version, published.document, tx.now)
    return made is not None


_ADD = """
insert into strategy (name, version, document, published_at) values ($1, $2, $3, $4)
on conflict (name, version) do nothing
returning version
"""
