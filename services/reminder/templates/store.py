"""Templates as an installation and its entities wrote them, all versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from services.reminder.templates.rules import ANY_ENTITY, Saved
from services.reminder.wordings.rules import Copy, wording_of
from shared.db import Tx

_COLUMNS = "name, entity_id, version, occasion, wordings, saved_by"


async def add(tx: Tx, saved: Saved) -> bool:
    """Whether this was the first of its version."""
    wordings = [{"language": w.language, "tone": w.tone, **w.parts} for w in saved.copy.wordings]
    added = await tx.fetchval(
        _ADD,
        saved.copy.name,
        saved.entity_id,
        saved.version,
        saved.copy.occasion,
        orjson.dumps(wordings).decode(),
        tx.now,
        saved.saved_by,
    )
    return added is not None


_ADD = """
insert into template (name, entity_id, version, occasion, wordings, saved_at, saved_by)
values ($1, $2, $3, $4, $5::text::jsonb, $6, $7)
on conflict do nothing returning version
"""


async def find(tx: Tx, name: str, entity_id: str, version: int | None) -> Saved | None:
    row = await tx.fetchrow(_FIND, name, entity_id, version)
    return _saved(row) if row else None


_FIND = f"""
select {_COLUMNS} from template
where name = $1 and entity_id = $2 and ($3::bigint is null or version = $3)
order by version desc limit 1
"""


async def newest(tx: Tx, entity_ids: Sequence[str]) -> list[Saved]:
    """The newest version of each template of these entities and of the installation."""
    return [_saved(row) for row in await tx.fetch(_NEWEST, [ANY_ENTITY, *entity_ids])]


_NEWEST = f"""
select distinct on (name, entity_id) {_COLUMNS} from template
where entity_id = any($1::text[]) order by name, entity_id, version desc
"""


async def names(tx: Tx) -> list[str]:
    """Of all entities."""
    return [row["name"] for row in await tx.fetch("select distinct name from template order by name")]


def _saved(row: Any) -> Saved:
    wordings = row["wordings"]
    given = orjson.loads(wordings) if isinstance(wordings, str) else wordings
    copy = Copy(row["name"], row["occasion"], tuple(map(wording_of, given)))
    return Saved(copy, row["entity_id"], row["version"], row["saved_by"])
