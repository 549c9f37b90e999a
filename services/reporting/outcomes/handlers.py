"""What became of promises, disputes and payments."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.outcomes import rules, store
from shared.db import Tx
from shared.delivery import Received


async def keep_outcomes(tx: Tx, received: Sequence[Received]) -> None:
    events = [r.event for r in received]
    if promises := rules.promises(events):
        await store.keep_promises(tx, promises)
    if disputes := rules.disputes(events):
        await store.keep_disputes(tx, disputes)
    if receipts := rules.receipts(events):
        await store.keep_receipts(tx, receipts)
