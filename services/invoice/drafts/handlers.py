"""Drafts: kept, changed, thrown away, and handed over to be issued."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from services.invoice.drafting.rules import InvoiceIn
from services.invoice.drafts import rules, store
from services.invoice.drafts.rules import Draft, DraftChanged, DraftNotFound
from services.invoice.entities import handlers as entities
from shared.db import Tx
from shared.http.preconditions import check_version
from shared.ids import new_id

ENTITIES_MAX = 500


async def keep_draft(tx: Tx, wanted: InvoiceIn, customer_id: UUID, owner: str) -> Draft:
    draft = Draft(new_id(), 1, wanted.entity_id, customer_id, owner, rules.kept(wanted), tx.now, tx.now)
    await store.insert(tx, draft)
    return draft


async def find_draft(tx: Tx, draft_id: UUID) -> Draft | None:
    return await store.find(tx, draft_id)


async def get_draft(tx: Tx, draft_id: UUID) -> Draft:
    """Raises DraftNotFound."""
    draft = await store.find(tx, draft_id)
    if draft is None:
        raise DraftNotFound(f"there is no draft {draft_id}; an invoice that was issued is not changed any more")
    return draft


async def change_draft(
    tx: Tx, draft_id: UUID, version: int, wanted: InvoiceIn, *, customer_id: UUID, owner: str | None
) -> Draft:
    """Raises DraftNotFound, PreconditionFailed."""
    draft = await _lock(tx, draft_id, version)
    changed = rules.change(draft, wanted, customer_id=customer_id, owner=owner, now=tx.now)
    await store.save(tx, changed)
    return changed


async def drop_draft(tx: Tx, draft_id: UUID, version: int) -> None:
    """Raises DraftNotFound, PreconditionFailed."""
    await _lock(tx, draft_id, version)
    await store.delete(tx, draft_id, version)


async def _lock(tx: Tx, draft_id: UUID, version: int) -> Draft:
    draft = await store.lock(tx, draft_id)
    if draft is None:
        raise DraftNotFound(f"there is no draft {draft_id}; an invoice that was issued is not changed any more")
    check_version(version, draft.version)
    return draft


async def hand_over(tx: Tx, draft: Draft) -> None:
    """Take a draft out in the transaction that issues it. Raises DraftChanged when it is not as it was read."""
    if not await store.delete(tx, draft.id, draft.version):
        raise DraftChanged("somebody changed, dropped or issued the draft a moment ago: look again, then decide")


async def list_drafts(tx: Tx, after: UUID | None, customer_id: UUID | None, limit: int) -> list[Draft]:
    return await store.page(tx, after, customer_id, limit)


async def late_drafts(tx: Tx, after: tuple[datetime, UUID] | None, owner: str | None, limit: int) -> list[Draft]:
    """Drafts older than their entity allows, the oldest first."""
    begun_before = {
        entity.id: tx.now - timedelta(days=entity.policies.draft_days_max)
        for entity in await entities.list_entities(tx, None, ENTITIES_MAX)
    }
    return await store.late(tx, begun_before, after, owner, limit)
