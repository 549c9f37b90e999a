"""Who signs a message: the colleague who looks after the account, or who stands in for them that day; and how the
selling entity appears in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.mails.rules import House, Letter
from services.reminder.signatures import rules, store
from services.reminder.signatures.rules import Given
from services.reminder.team import handlers as team
from services.reminder.team.rules import stands_in
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class ChangeSender:
    """`expected_version` is the version the writer saw."""

    entity_id: str
    house: House
    expected_version: int


async def get_sender(tx: Tx, entity_id: str) -> Given:
    return await store.find(tx, entity_id) or Given(entity_id, 0, House())


async def change_sender(tx: Tx, command: ChangeSender) -> Given:
    """Raises SenderRefused, PreconditionFailed when somebody else changed it since."""
    stands = await get_sender(tx, command.entity_id)
    given = Given(command.entity_id, command.expected_version + 1, rules.checked(command.house))
    if stands.version != command.expected_version or not await store.save(tx, given):
        raise PreconditionFailed(f"you saw version {command.expected_version} of the sender, which is gone")
    return given


async def sign(tx: Tx, letters: Sequence[Letter]) -> list[Letter]:
    """Letters of accounts that nobody looks after are signed by the seller. One look for all of them."""
    keys = list({(letter.customer_id, letter.entity_id) for letter in letters})
    signers = await store.signers(tx, keys) if keys else {}
    if not signers:
        return list(letters)
    looked_after = any(owner for owner, _ in signers.values())
    known, today = await team.known(tx) if looked_after else {}, tx.now.date()
    signed = []
    for letter in letters:
        owner, house = signers.get((letter.customer_id, letter.entity_id), (None, None))
        colleague = known.get(stands_in(owner, known, today)) if owner else None
        signed.append(rules.signed(letter, house, colleague))
    return signed
