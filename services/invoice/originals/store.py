"""Table: original_document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.invoice.originals.rules import Original
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Original))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)
_PAPER = _FIELDS.index("paper")

_ADD = f"""
insert into original_document ({_COLUMNS}) values ({", ".join(f"${n + 1}" for n in range(len(_FIELDS)))})
on conflict (document_id) do nothing
"""


async def add(tx: Tx, originals: Sequence[tuple[Original, str]]) -> None:
    """The first one stays: each comes with its paper as JSON text."""
    for original, paper in originals:
        values: list[Any] = list(_values(original))
        values[_PAPER] = paper
        await tx.execute(_ADD, *values)


_FIND = f"select {_COLUMNS} from original_document where document_id = $1"


async def find(tx: Tx, document_id: UUID) -> tuple[list[Any], str] | None:
    """The values of an original, and its paper as JSON text."""
    row = await tx.fetchrow(_FIND, document_id)
    if row is None:
        return None
    values = list(row.values())
    return values, values[_PAPER]
