"""What customers want sent, and how; kept by version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.preferences import rules, store
from services.invoice.preferences.rules import CustomerNotFound, Preference, Rhythm
from shared.db import Tx
from shared.errors import PreconditionFailed

NEXT_STATEMENT = store.NEXT_STATEMENT


@dataclass(frozen=True, slots=True)
class ChangePreference:
    customer_id: UUID
    entity_id: str
    version: int
    statements: Rhythm | None
    paper: bool


async def get_preference(tx: Tx, customer_id: UUID, entity_id: str) -> Preference:
    """The customer's own, or the default at version 0. Raises CustomerNotFound."""
    if await customers.find_account(tx, CustomerRef(customer_id), entity_id) is None:
        raise CustomerNotFound(f"there is no customer {customer_id}, or no selling entity {entity_id!r}")
    return await preference_of(tx, customer_id, entity_id)


async def preference_of(tx: Tx, customer_id: UUID, entity_id: str) -> Preference:
    return await store.find(tx, customer_id, entity_id) or Preference(customer_id, entity_id)


async def preferences_of(tx: Tx, entity_id: str, customer_ids: Sequence[UUID]) -> dict[UUID, Preference]:
    """Of those customers that want anything else than the entity does by itself."""
    return {each.customer_id: each for each in await store.of_customers(tx, entity_id, customer_ids)}


async def change_preference(tx: Tx, command: ChangePreference) -> Preference:
    """Raises CustomerNotFound; PreconditionFailed when another version is in force."""
    await get_preference(tx, command.customer_id, command.entity_id)
    account = await customers.lock_account(tx, CustomerRef(command.customer_id), command.entity_id)
    before = await preference_of(tx, command.customer_id, command.entity_id)
    if before.version != command.version:
        raise PreconditionFailed(f"version {before.version} is in force, not {command.version}")
    entity = account.entity
    after = rules.preferred(before, command.statements, command.paper, entity, entity.today(tx.now))
    await store.save(tx, after)
    return after


async def due_statements(tx: Tx, limit: int) -> list[Preference]:
    """Customers whose own rhythm wants a statement now."""
    return await store.due(tx, limit)


async def statement_made(tx: Tx, preference: Preference, account: Account) -> None:
    """The next period follows the one that ended."""
    assert preference.next_at is not None
    following = account.entity.today(preference.next_at)
    await store.save(tx, rules.scheduled(preference, account.entity, following))
