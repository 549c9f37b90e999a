"""Scorecards by name and version, kept as they were written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.credit.scorecards import rules
from services.credit.scorecards.rules import Published
from shared.db import Tx


async def newest(tx: Tx) -> list[Published]:
    rows = await tx.fetch("select distinct on (name) * from scorecard order by name, version desc")
    return [_published(row) for row in rows]


async def find(tx: Tx, name: str, version: int | None) -> Published | None:
    row = await tx.fetchrow(_FIND, name, version)
    return _published(row) if row else None


_FIND = """
select * from scorecard
where name = $1 and ($2::bigint is null or version = $2)
order by version desc limit 1
"""


async def add(tx: Tx, published: Published, published_by: str) -> bool:
    """False when somebody else made this version in the meantime."""
    name, at = published.scorecard.name, tx.now
    made = await tx.fetchval(_ADD, name, published.version, published.document, at, published_by)
    return made is not None


_ADD = """
insert into scorecard (name, version, document, published_at, published_by) values ($1, $2, $3, $4, $5)
on conflict (name, version) do nothing
returning version
"""


def _published(row: Any) -> Published:
    at: datetime | None = row["published_at"]
    return Published(rules.parse(row["document"]), row["version"], row["document"], at, row["published_by"])
