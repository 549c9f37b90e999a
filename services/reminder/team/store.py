"""Table: colleague."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.reminder.team.rules import Colleague
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Colleague))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)


async def everybody(tx: Tx) -> list[Colleague]:
    """By name. A team is tens of people, so it is read whole."""
    return [_colleague(row) for row in await tx.fetch(f"select {_COLUMNS} from colleague order by name, subject")]


async def lock(tx: Tx) -> None:
    """One change at a time: whether covers go in a circle depends on all of them."""
    await tx.execute("lock table colleague in share row exclusive mode")


async def save(tx: Tx, colleague: Colleague) -> None:
    await tx.execute(_SAVE, *_values(colleague))


_SAVE = f"""
insert into colleague ({_COLUMNS}) values ({", ".join(f"${n + 1}" for n in range(len(_FIELDS)))})
on conflict (subject) do update set {", ".join(f"{name} = excluded.{name}" for name in _FIELDS[1:])}
"""


def _colleague(row: Any) -> Colleague:
    return Colleague(**row)
