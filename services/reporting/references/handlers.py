"""References: shown, and replaced by a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.reporting.references import rules, store
from services.reporting.references.rules import Name, Reference
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class PutReference:
    """`seen` is the version that the caller saw, 0 for none."""

    name: Name
    entries: tuple[dict[str, Any], ...]
    seen: int
    put_by: str


async def read_reference(tx: Tx, name: Name) -> Reference:
    found = await store.newest(tx, name)
    if found is None:
        return Reference(0)
    return Reference(found["version"], tuple(found["body"]), found["put_by"], found["put_at"])


async def benchmarks_of(tx: Tx, segment: str | None) -> list[Mapping[str, Any]]:
    """Those of every segment; asked of one, its own before them."""
    entries = (await read_reference(tx, "benchmarks")).entries
    return rules.benchmarks_of(entries, segment)


async def put_reference(tx: Tx, command: PutReference) -> Reference:
    """Raises PreconditionFailed for a version that is not the newest."""
    await store.lock(tx, command.name)
    known = await read_reference(tx, command.name)
    if known.version != command.seen:
        raise PreconditionFailed(
            f"you saw version {command.seen}, it is at version {known.version} now: look again, then decide",
            current_version=known.version,
        )
    await store.put(tx, command.name, known.version + 1, list(command.entries), command.put_by)
    return await read_reference(tx, command.name)
