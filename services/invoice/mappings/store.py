"""Table: import_profile."""

from __future__ import annotations

from asyncpg import Record

from services.invoice.mappings.rules import Profile, Saved
from shared.db import Tx

_COLUMNS = "name, version, document, saved_at, saved_by"


def _saved(row: Record) -> Saved:
    name, version, document, saved_at, saved_by = row
    return Saved(name, version, Profile.model_validate(document), saved_at, saved_by)


_FIND = f"""
select {_COLUMNS} from import_profile
where name = $1 and ($2::int is null or version = $2) order by version desc limit 1
"""


async def find(tx: Tx, name: str, version: int | None) -> Saved | None:
    row = await tx.fetchrow(_FIND, name, version)
    return _saved(row) if row else None


_LOCK = "select pg_advisory_xact_lock(hashtextextended('import_profile ' || $1, 0))"


async def lock(tx: Tx, name: str) -> None:
    """Versions of a name are counted one after the other, also the first."""
    await tx.execute(_LOCK, name)


_INSERT = """
insert into import_profile (name, version, kind, document, saved_at, saved_by) values ($1, $2, $3, $4, $5, $6)
"""


async def insert(tx: Tx, saved: Saved) -> None:
    document = saved.profile.model_dump(mode="json", exclude_none=True)
    await tx.execute(_INSERT, saved.name, saved.version, saved.profile.kind, document, saved.saved_at, saved.saved_by)


_PAGE = f"""
select distinct on (name) {_COLUMNS} from import_profile
where $1::text is null or name > $1 order by name, version desc limit $2
"""


async def page(tx: Tx, after: str | None, limit: int) -> list[Saved]:
    return [_saved(row) for row in await tx.fetch(_PAGE, after, limit)]
