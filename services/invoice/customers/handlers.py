"""The local copy of customers, and the lock of an account."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.invoice.customers import store
from services.invoice.customers.rules import Account, Customer, CustomerUnknown
from services.invoice.entities.rules import DEFAULT
from shared.db import Database, Tx, reading, transaction
from shared.events.credit import CustomerState

AT_ONCE = 10
"""Questions put to credit at the same time."""


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """A customer by its id, or by the number the caller has for it."""

    customer_id: UUID | None = None
    external_id: str | None = None

    def __str__(self) -> str:
        return str(self.customer_id or self.external_id)

    @property
    def field(self) -> str:
        return "/customer_id" if self.customer_id else "/customer_external_id"


class CustomerDirectory(Protocol):
    """Who can be asked for a customer that is not here yet: the credit service."""

    async def find_customer(self, customer_id: UUID | None, external_id: str | None) -> CustomerState | None: ...


async def keep_customer(tx: Tx, customer: CustomerState) -> None:
    """Take over a customer's state unless the copy is as new or newer."""
    await store.keep(tx, customer)


async def find_account(tx: Tx, ref: CustomerRef, entity_id: str = DEFAULT) -> Account | None:
    return await store.find(tx, ref.customer_id, ref.external_id, entity_id)


async def lock_account(tx: Tx, ref: CustomerRef, entity_id: str = DEFAULT) -> Account:
    """Every write begins here: events of one customer are then written in the order they commit.

    Raises CustomerUnknown when there is no copy of the customer.
    """
    account = await store.lock(tx, ref.customer_id, ref.external_id, entity_id)
    if account is None:
        raise CustomerUnknown(f"customer {ref} is not known", field=ref.field)
    return account


async def lock_customers(tx: Tx, customer_ids: Collection[UUID]) -> None:
    """The same for many at once, in the one order that keeps two such transactions from waiting for each other."""
    await store.lock_many(tx, sorted(customer_ids))


async def find_customers(tx: Tx, customer_ids: Sequence[UUID], external_ids: Sequence[str]) -> list[Customer]:
    return await store.find_many(tx, customer_ids, external_ids)


async def customers_named(tx: Tx, names: Sequence[str], limit: int) -> list[Customer]:
    """Customers called exactly so, small and capital letters aside."""
    return await store.named(tx, names, limit)


async def learn_account(
    database: Database, directory: CustomerDirectory, ref: CustomerRef, entity_id: str = DEFAULT
) -> Account:
    """The account of a customer, asked of credit when the event that tells of the customer is not here yet.

    For doors, before they open their transaction: this alone has one of its own, because the network stands between.
    Raises CustomerUnknown.
    """
    async with reading(database) as tx:
        account = await find_account(tx, ref, entity_id)
    if account:
        return account
    state = await directory.find_customer(ref.customer_id, ref.external_id)
    if state is None:
        raise CustomerUnknown(f"customer {ref} is not known", field=ref.field)
    async with transaction(database) as tx:
        await keep_customer(tx, state)
        return await lock_account(tx, CustomerRef(customer_id=state.id), entity_id)


async def learn_customers(database: Database, directory: CustomerDirectory, refs: Sequence[CustomerRef]) -> None:
    """Keep what credit knows of these customers; those it does not know are left out. For doors, like the above."""
    for start in range(0, len(refs), AT_ONCE):
        asked = (directory.find_customer(ref.customer_id, ref.external_id) for ref in refs[start : start + AT_ONCE])
        found = [state for state in await asyncio.gather(*asked) if state]
        async with transaction(database) as tx:
            for state in found:
                await keep_customer(tx, state)
