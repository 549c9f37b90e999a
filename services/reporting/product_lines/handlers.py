"""Keeps what invoices were for, where they say so."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.product_lines import rules, store
from shared.db import Tx
from shared.delivery import Received


async def keep_shares(tx: Tx, received: Sequence[Received]) -> None:
    if shares := rules.shares(r.event for r in received):
        await store.keep(tx, shares)
