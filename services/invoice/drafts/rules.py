"""Drafts: invoices being written. A draft is the request that would issue it, kept under the id that it will have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.invoice.drafting.rules import InvoiceIn
from shared.errors import Conflict, NotFound


class DraftNotFound(NotFound):
    slug = "draft-not-found"
    title = "There is no such draft"


class DraftChanged(Conflict):
    slug = "draft-changed"
    title = "The draft was changed while it was being issued"


@dataclass(frozen=True, slots=True)
class Draft:
    """`owner` is who has to finish it; `body` the request as it stands."""

    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    owner: str
    body: dict[str, Any]
    created_at: datetime
    changed_at: datetime

    @property
    def wanted(self) -> InvoiceIn:
        return InvoiceIn.model_validate(self.body)


def merged(body: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The request with fields replaced, and those that are null in the changes taken out (RFC 7396, fields whole)."""
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def kept(wanted: InvoiceIn) -> dict[str, Any]:
    return wanted.model_dump(mode="json", exclude_unset=True)


def change(draft: Draft, wanted: InvoiceIn, *, customer_id: UUID, owner: str | None, now: datetime) -> Draft:
    return replace(
        draft,
        version=draft.version + 1,
        entity_id=wanted.entity_id,
        customer_id=customer_id,
        owner=owner or draft.owner,
        body=kept(wanted),
        changed_at=now,
    )


def late_since(draft: Draft, days_max: int) -> datetime:
    """From when a draft stands in the queue: an entity's days after it was begun."""
    return draft.created_at + timedelta(days=days_max)
