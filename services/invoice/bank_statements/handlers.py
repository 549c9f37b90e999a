"""Bank statements: a file is recorded whole or not at all, and each movement once however often it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.invoice.bank_csv.rules import CsvProfile
from services.invoice.bank_entries.rules import Statement, key, news, not_in_future
from services.invoice.bank_statements import rules, store
from services.invoice.bank_statements.rules import (
    AccountUnknown,
    BankEntry,
    BankStatementNotFound,
    CsvProfileNotFound,
    File,
    Received,
)
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, Entity
from shared.calendar import ONE_DAY
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id

NEXT_MATCH = store.NEXT_MATCH
ENTITIES_MAX = 500


@dataclass(frozen=True, slots=True)
class ReceiveStatement:
    """`entity_id` where the entity cannot be told by its bank accounts."""

    file: File
    entity_id: str | None = None


async def receive_statement(tx: Tx, command: ReceiveStatement) -> tuple[Received, bool]:
    """Record what of a file is new; matching takes it from there. The same file again is answered with what it was
    the first time, and False. Raises AccountUnknown, StatementRefused, EntityNotFound."""
    file = command.file
    entity = await _entity(tx, file.statements, command.entity_id)
    # A bank in another time zone may be a day ahead.
    not_in_future(file.statements, entity.today(tx.now) + ONE_DAY)
    await store.lock_accounts(tx, (statement.account for statement in file.statements))
    if before := await store.taken(tx, entity.id, file.content_hash):
        return before, False

    by_account: dict[str, list] = {}
    for statement in file.statements:
        by_account.setdefault(statement.account, []).extend(statement.bookings)
    fresh = {}
    for account, bookings in by_account.items():
        known = await store.known(tx, account, [key(account, booking) for booking in bookings])
        found = news(account, bookings, known)
        fresh[account] = [each for each in found if not each.replaces or await store.supersede(tx, account, each)]

    received = Received(
        id=new_id(),
        entity_id=entity.id,
        format=file.format,
        message=file.message,
        content_hash=file.content_hash,
        parts=tuple(map(rules.part, file.statements)),
        entries=rules.count(file.statements),
        entries_new=sum(len(each.booking.entries) for found in fresh.values() for each in found),
        received_at=tx.now,
    )
    await store.insert(tx, received)
    for account, found in fresh.items():
        if found:
            await store.record(tx, received, account, found)
    return received, True


async def _entity(tx: Tx, statements: Sequence[Statement], stated: str | None) -> Entity:
    """Whose accounts these are: the entity that names them, else the one stated, else the only one there is."""
    if stated:
        return await entities.get_entity(tx, stated)
    known = await entities.list_entities(tx, None, ENTITIES_MAX)
    accounts = {statement.account for statement in statements}
    owners = [each for each in known if accounts & {account.iban for account in each.seller.bank_accounts}]
    if len(owners) == 1:
        return owners[0]
    if len(known) == 1:
        return known[0]
    undescribed = [each for each in known if not each.seller.bank_accounts]
    if not owners and [each.id for each in undescribed] == [DEFAULT]:
        return undescribed[0]
    raise AccountUnknown(
        f"{'several entities have' if owners else 'no entity has'} the account {', '.join(sorted(accounts))}; "
        "say entity_id, or add it to the entity's bank accounts",
        field="query.entity_id",
    )


async def take_entry(tx: Tx) -> BankEntry | None:
    """The next entry for matching to look at, locked; None when none is due."""
    return await store.take(tx)


async def lock_entry(tx: Tx, entry_id: UUID) -> BankEntry | None:
    """An entry for deciding on it; None when its details have taken its place."""
    return await store.lock(tx, entry_id)


async def looked_at(tx: Tx, entry: BankEntry, *, again_at: datetime | None, applied: bool) -> None:
    """Note that matching has looked: when it does so again, or that there is nothing left to decide."""
    await store.looked_at(tx, entry.id, again_at, tx.now if applied else None)


async def match_again(tx: Tx, entity_id: str, party_iban: str) -> None:
    """Have open entries from an account looked at now, since more is known of it."""
    await store.match_again(tx, entity_id, party_iban)


async def get_statement(tx: Tx, statement_id: UUID) -> Received:
    """Raises BankStatementNotFound."""
    found = await store.find(tx, statement_id)
    if found is None:
        raise BankStatementNotFound(f"there is no bank statement {statement_id}")
    return found


async def list_statements(tx: Tx, before: UUID | None, limit: int) -> list[Received]:
    return await store.page(tx, before, limit)


async def list_entries(tx: Tx, statement_id: UUID, after: UUID | None, limit: int) -> list[BankEntry]:
    """Raises BankStatementNotFound."""
    await get_statement(tx, statement_id)
    return await store.entries(tx, statement_id, after, limit)


async def get_profile(tx: Tx, name: str) -> tuple[int, CsvProfile]:
    """A CSV profile with its version. Raises CsvProfileNotFound."""
    found = await store.profile(tx, name)
    if found is None:
        raise CsvProfileNotFound(f"there is no CSV profile {name!r}")
    return found[0], CsvProfile.model_validate(found[1])


async def list_profiles(tx: Tx, after: str | None, limit: int) -> list[tuple[str, int, CsvProfile]]:
    return [
        (name, version, CsvProfile.model_validate(each))
        for name, version, each in await store.profiles(tx, after, limit)
    ]


async def keep_profile(tx: Tx, name: str, profile: CsvProfile, expected_version: int) -> int:
    """Save a profile; the version it has then. Raises PreconditionFailed."""
    stored: dict[str, Any] = profile.model_dump(mode="json")
    if not await store.keep_profile(tx, name, expected_version + 1, stored):
        raise PreconditionFailed(f"the profile {name!r} is not at version {expected_version}")
    return expected_version + 1
