"""Who may write read models, and who may replace them."""

from __future__ import annotations

from shared.db import Tx

TABLES_LOCK = 8_004_003


async def share_tables(tx: Tx) -> None:
    await tx.execute("select pg_advisory_xact_lock_shared($1)", TABLES_LOCK)


async def own_tables(tx: Tx) -> None:
    await tx.execute("select pg_advisory_xact_lock($1)", TABLES_LOCK)
