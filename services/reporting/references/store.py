"""References, every version of each."""

from __future__ import annotations

from typing import Any

import asyncpg

from services.reporting.references.rules import Name
from shared.db import Tx


async def newest(tx: Tx, name: Name) -> asyncpg.Record | None:
    return await tx.fetchrow("select * from reference where name = $1 order by version desc limit 1", name)


async def lock(tx: Tx, name: Name) -> None:
    await tx.execute("select pg_advisory_xact_lock(hashtext($1))", f"reference {name}")


async def put(tx: Tx, name: Name, version: int, body: list[Any], put_by: str) -> None:
    await tx.execute(
        "insert into reference (name, version, body, put_by, put_at) values ($1, $2, $3, $4, $5)",
        name,
        version,
        body,
        put_by,
        tx.now,
    )
