"""Who signs a message: the colleague who looks after the account, or who stands in for them that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.reminder.mails.rules import Letter, Sender
from services.reminder.team import handlers as team
from services.reminder.team.rules import Colleague, stands_in
from services.reminder.worklist import handlers as worklist
from shared.db import Tx


async def sign(tx: Tx, letters: Sequence[Letter]) -> list[Letter]:
    """Letters of accounts that nobody looks after are signed by the seller. One look for all of them."""
    keys = list({(letter.customer_id, letter.entity_id) for letter in letters})
    owners = await worklist.owners(tx, keys) if keys else {}
    if not owners:
        return list(letters)
    known, today = await team.known(tx), tx.now.date()
    signers = {key: known.get(stands_in(owner, known, today)) for key, owner in owners.items()}
    return [_signed(letter, signers.get((letter.customer_id, letter.entity_id))) for letter in letters]


def _signed(letter: Letter, colleague: Colleague | None) -> Letter:
    if colleague is None:
        return letter
    return replace(letter, sender=Sender(colleague.name, None, colleague.phone, colleague.email))
