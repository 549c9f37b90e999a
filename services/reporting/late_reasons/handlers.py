"""Keeps why customers pay late, where they said so."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.late_reasons import rules, store
from shared.db import Tx
from shared.delivery import Received


async def keep_reasons(tx: Tx, received: Sequence[Received]) -> None:
    if found := rules.reasons(r.event for r in received):
        await store.keep(tx, found)
