"""Rules for segments, every version as it was written. Table: segmentation."""

from __future__ import annotations

from typing import Any

from services.credit.segmentations import rules
from services.credit.segmentations.rules import Published
from shared.db import Tx


async def find(tx: Tx, version: int | None = None) -> Published | None:
    """The newest, or the one asked for."""
    row = await tx.fetchrow(_FIND, version)
    return _published(row) if row else None


_FIND = "select * from segmentation where $1::bigint is null or version = $1 order by version desc limit 1"


async def versions(tx: Tx, before: int | None, count_max: int) -> list[Published]:
    """Newest first."""
    return [_published(row) for row in await tx.fetch(_VERSIONS, before, count_max)]


_VERSIONS = "select * from segmentation where $1::bigint is null or version < $1 order by version desc limit $2"


async def add(tx: Tx, published: Published) -> bool:
    """False when somebody else made this version in the meantime."""
    active = published.segmentation.active
    return bool(await tx.fetchval(_ADD, published.version, published.document, active, tx.now, published.published_by))


_ADD = """
insert into segmentation (version, document, active, published_at, published_by) values ($1, $2, $3, $4, $5)
on conflict (version) do nothing
returning true
"""


def _published(row: Any) -> Published:
    return Published(
        rules.parse(row["document"]), row["version"], row["document"], row["published_at"], row["published_by"]
    )
