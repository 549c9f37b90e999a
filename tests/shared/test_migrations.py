"""Migrations go up, all the way down, and up again to the same schema."""

from __future__ import annotations

import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from shared.migrate import SERVICES, folders, migrate

COLUMNS = """
select table_name, column_name, data_type, is_nullable, column_default
from information_schema.columns where table_schema = 'public' order by 1, 2
"""
CONSTRAINTS = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace order by 1, 2
"""
INDEXES = "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2"
ROUTINES = "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace order by 1, 2"


async def schema(url: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for sql in (COLUMNS, CONSTRAINTS, INDEXES, ROUTINES) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_leave_nothing_behind_and_come_back_the_same(service: str, postgres_url: str) -> None:
    name = f"round_trip_{service}_{uuid.uuid4().hex[:8]}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    migrate(url, service)
    once = await schema(url)
    for _ in [path for folder in folders(service) for path in folder.glob("*.sql")]:
        migrate(url, service, "rollback")
    assert {row[0] for row in await schema(url)} == {"schema_migrations"}
    migrate(url, service)
    assert await schema(url) == once
    migrate(url, service, "drop")


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_migrations_come_after_the_plumbing(service: str) -> None:
    versions = [[path.name[:14] for path in sorted(folder.glob("*.sql"))] for folder in folders(service)]
    shared, own = versions
    assert len(set(shared + own)) == len(shared + own)
    assert max(shared) < min(own)


def test_every_migration_can_be_taken_back() -> None:
    paths: list[Path] = [path for service in SERVICES for folder in folders(service) for path in folder.glob("*.sql")]
    assert [path.name for path in paths if "-- migrate:down" not in path.read_text()] == []
