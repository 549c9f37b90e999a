"""Say which selling entity looks after a company. Whether there is such an entity, the caller has asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.sellers import store
from services.credit.sellers.rules import DEFAULT, Assigned
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class AssignSeller:
    """`expected_version` is the version the writer saw, 0 while nobody chose."""

    customer_id: UUID
    entity_id: str
    expected_version: int
    by: str


async def assign_seller(tx: Tx, command: AssignSeller) -> Assigned:
    """What is already so is no change. Raises CustomerNotFound, CustomerClosed, PreconditionFailed."""
    await customers.refuse_closed(tx, command.customer_id)
    before = await seller_of(tx, command.customer_id)
    if before.version != command.expected_version:
        raise PreconditionFailed(
            f"The seller is at version {before.version}, you changed {command.expected_version}.",
            current_version=before.version,
        )
    return await _save(tx, command.customer_id, before, command.entity_id, command.by)


async def note(tx: Tx, company_id: UUID, entity_id: str, by: str) -> None:
    """A company is written to in this name from now on."""
    await _save(tx, company_id, await seller_of(tx, company_id), entity_id, by)


async def _save(tx: Tx, company_id: UUID, before: Assigned, entity_id: str, by: str) -> Assigned:
    if entity_id == before.entity_id:
        return before
    if not await store.save(tx, company_id, before, entity_id, by):
        raise PreconditionFailed("Somebody else chose a seller just now.")
    return Assigned(entity_id, before.version + 1, by, tx.now)


async def seller_of(tx: Tx, company_id: UUID) -> Assigned:
    """Of a customer, or of an applicant by its application."""
    return (await store.read(tx, [company_id])).get(company_id, Assigned())


async def entities_of(tx: Tx, company_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The id of each one's entity."""
    known = await store.read(tx, company_ids)
    return {each: known[each].entity_id if each in known else DEFAULT for each in company_ids}
