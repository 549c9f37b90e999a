"""Look up who may agree what, and change it."""

from __future__ import annotations

from dataclasses import dataclass

from services.reminder.authority import store
from services.reminder.authority.rules import Authority, Given
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class ChangeAuthority:
    """`expected_version` is the version the writer saw."""

    entity_id: str
    authority: Authority
    expected_version: int


async def get_authority(tx: Tx, entity_id: str) -> Given:
    """The entity's own, or the house's where it has none."""
    return await store.find(tx, entity_id) or Given(entity_id, 0, Authority())


async def change_authority(tx: Tx, command: ChangeAuthority) -> Given:
    """Raises PreconditionFailed when somebody else changed it since."""
    stands = await get_authority(tx, command.entity_id)
    given = Given(command.entity_id, command.expected_version + 1, command.authority)
    if stands.version != command.expected_version or not await store.save(tx, given):
        raise PreconditionFailed(f"you saw version {command.expected_version} of what may be agreed, which is gone")
    return given
