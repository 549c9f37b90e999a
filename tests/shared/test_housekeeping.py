"""What a database needs now and then is done, and nothing younger is touched."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import real_now
from shared.db import Database
from shared.housekeeping import ANSWERS_KEPT, housekeep


async def test_old_answers_are_forgotten_and_coming_months_are_made(database: Database) -> None:
    now = real_now()
    async with database.pool.acquire() as connection:
        for key, age in (("old", ANSWERS_KEPT + timedelta(hours=1)), ("young", ANSWERS_KEPT - timedelta(hours=1))):
            await connection.execute(
                "insert into idempotency (principal, key, body_hash, status, headers, body, created_at)"
                " values ('somebody', $1, '', 201, '{}', '', $2)",
                key,
                now - age,
            )
    for _ in range(2):
        await housekeep(database)
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select array_agg(key) from idempotency") == ["young"]
        assert await connection.fetchval("select to_regclass($1) is not null", f"event_log_{now:%Y_%m}")
