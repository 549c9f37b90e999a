"""Tables: bank_statement, bank_entry, bank_csv_profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from hashlib import blake2b
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record

from services.invoice.bank_entries.rules import Booking, Entry, Known, Recorded
from services.invoice.bank_statements.rules import BankEntry, Part, Received, is_applied
from shared.db import Tx
from shared.ids import new_id

NEXT_MATCH = "(select min(match_at) from bank_entry where match_at is not null)"

_ENTRY = ", ".join(f"b.{field.name}" for field in fields(BankEntry))
_RECEIVED = "id, entity_id, format, message, content_hash, parts, entries, entries_new, received_at"


def _received(row: Record) -> Received:
    values = dict(row)
    return Received(**{**values, "parts": tuple(_part(each) for each in values["parts"])})


def _part(stored: Mapping[str, Any]) -> Part:
    days = {name: date.fromisoformat(stored[name]) for name in ("first_on", "last_on") if stored[name]}
    return Part(**{**stored, **days})


_LOCK_ACCOUNTS = "select pg_advisory_xact_lock(n) from unnest($1::bigint[]) n"


async def lock_accounts(tx: Tx, accounts: Iterable[str]) -> None:
    """Let one file of an account be recorded at a time."""
    locks = sorted(
        int.from_bytes(blake2b(f"bank account {account}".encode(), digest_size=8).digest(), signed=True)
        for account in set(accounts)
    )
    await tx.execute(_LOCK_ACCOUNTS, locks)


_TAKEN = f"select {_RECEIVED} from bank_statement where entity_id = $1 and content_hash = $2"


async def taken(tx: Tx, entity_id: str, content_hash: str) -> Received | None:
    row = await tx.fetchrow(_TAKEN, entity_id, content_hash)
    return _received(row) if row else None


_KNOWN = """
select booking_key, max(occurrence), array_agg(distinct occurrence) filter (where not detailed and applied_at is null)
from bank_entry
where account = $1 and booking_key = any($2::text[]) and superseded_at is null
group by booking_key
"""


async def known(tx: Tx, account: str, keys: Sequence[str]) -> dict[str, Known]:
    rows = await tx.fetch(_KNOWN, account, keys)
    return {key: Known(times, frozenset(undetailed or ())) for key, times, undetailed in rows}


_INSERT = f"""
insert into bank_statement ({_RECEIVED}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def insert(tx: Tx, received: Received) -> None:
    await tx.execute(
        _INSERT,
        *(received.id, received.entity_id, received.format, received.message, received.content_hash),
        orjson.loads(orjson.dumps(received.parts)),
        *(received.entries, received.entries_new, received.received_at),
    )


_SUPERSEDE = """
with superseded as (
    update bank_entry set superseded_at = $4, match_at = null
    where account = $1 and booking_key = $2 and occurrence = $3 and superseded_at is null and applied_at is null
    returning 1
)
select count(*) from superseded
"""


async def supersede(tx: Tx, account: str, recorded: Recorded) -> bool:
    """Put a booking known by its sum aside; False when it has been applied in the meantime."""
    return await tx.fetchval(_SUPERSEDE, account, recorded.key, recorded.occurrence, tx.now) > 0


_FROM_ENTRY = tuple(field.name for field in fields(Entry))
_entry_values = attrgetter(*_FROM_ENTRY)
_COLUMNS = (
    *("id", "bank_statement_id", "entity_id", "account", "booking_key", "occurrence", "position", "detailed"),
    *("direction", "currency", "booked_on", "value_on", "match_at"),
    *_FROM_ENTRY,
)


async def record(tx: Tx, received: Received, account: str, news: Sequence[Recorded]) -> None:
    """Write new entries; each gets a moment of its own to be looked at, in the order of the file."""
    waiting = sum(1 for each in news for entry in each.booking.entries if is_applied(entry.kind))
    at = tx.now - timedelta(microseconds=waiting)
    rows = []
    for each in news:
        booking: Booking = each.booking
        for position, entry in enumerate(booking.entries):
            match_at = None
            if is_applied(entry.kind):
                match_at, at = at, at + timedelta(microseconds=1)
            rows.append(
                (
                    *(new_id(), received.id, received.entity_id, account, each.key, each.occurrence, position),
                    *(booking.detailed, booking.direction, booking.currency, booking.booked_on, booking.value_on),
                    match_at,
                    *_entry_values(entry),
                )
            )
    await tx.copy_records("bank_entry", _COLUMNS, rows)


_TAKE = f"""
select {_ENTRY} from bank_entry b where b.match_at <= $1 order by b.match_at limit 1 for update skip locked
"""


async def take(tx: Tx) -> BankEntry | None:
    row = await tx.fetchrow(_TAKE, tx.now)
    return BankEntry(*row.values()) if row else None


_LOCK = f"select {_ENTRY} from bank_entry b where b.id = $1 and b.superseded_at is null for update"


async def lock(tx: Tx, entry_id: UUID) -> BankEntry | None:
    row = await tx.fetchrow(_LOCK, entry_id)
    return BankEntry(*row.values()) if row else None


_LOOKED_AT = "update bank_entry set match_at = $2, applied_at = $3 where id = $1"


async def looked_at(tx: Tx, entry_id: UUID, match_at: datetime | None, applied_at: datetime | None) -> None:
    await tx.execute(_LOOKED_AT, entry_id, match_at, applied_at)


# Rows that are being judged this moment are passed over: whoever judges one waits for the customer that we hold.
_MATCH_AGAIN = """
update bank_entry set match_at = $3
where id in (
    select id from bank_entry
    where entity_id = $1 and party_iban = $2 and applied_at is null and superseded_at is null and match_at is not null
    for update skip locked
)
"""


async def match_again(tx: Tx, entity_id: str, party_iban: str) -> None:
    await tx.execute(_MATCH_AGAIN, entity_id, party_iban, tx.now)


_ENTRIES = f"""
select {_ENTRY} from bank_entry b
where b.bank_statement_id = $1 and b.superseded_at is null and ($2::uuid is null or b.id > $2) order by b.id limit $3
"""


async def entries(tx: Tx, statement_id: UUID, after: UUID | None, limit: int) -> list[BankEntry]:
    return [BankEntry(*row.values()) for row in await tx.fetch(_ENTRIES, statement_id, after, limit)]


_FIND = f"select {_RECEIVED} from bank_statement where id = $1"


async def find(tx: Tx, statement_id: UUID) -> Received | None:
    row = await tx.fetchrow(_FIND, statement_id)
    return _received(row) if row else None


_PAGE = f"select {_RECEIVED} from bank_statement where $1::uuid is null or id < $1 order by id desc limit $2"


async def page(tx: Tx, before: UUID | None, limit: int) -> list[Received]:
    return [_received(row) for row in await tx.fetch(_PAGE, before, limit)]


# --- CSV profiles ---

_PROFILE = "select version, profile from bank_csv_profile where name = $1"


async def profile(tx: Tx, name: str) -> tuple[int, dict[str, Any]] | None:
    row = await tx.fetchrow(_PROFILE, name)
    return (row[0], row[1]) if row else None


_PROFILES = """
select name, version, profile from bank_csv_profile where $1::text is null or name > $1 order by name limit $2
"""


async def profiles(tx: Tx, after: str | None, limit: int) -> list[tuple[str, int, dict[str, Any]]]:
    return [(row[0], row[1], row[2]) for row in await tx.fetch(_PROFILES, after, limit)]


_KEEP_PROFILE = """
insert into bank_csv_profile as p (name, version, profile) values ($1, $2, $3)
on conflict (name) do update set version = excluded.version, profile = excluded.profile
where p.version = excluded.version - 1
"""


async def keep_profile(tx: Tx, name: str, version: int, profile: dict[str, Any]) -> bool:
    """False when the profile is at another version than the one before."""
    return (await tx.execute(_KEEP_PROFILE, name, version, profile)).endswith(" 1")
