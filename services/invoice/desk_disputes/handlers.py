"""What the pages of disputes show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.desk_disputes import store
from services.invoice.desk_disputes.rules import DisputeRow
from services.invoice.disputes import handlers as disputes
from services.invoice.invoices import handlers as invoices
from shared.db import Tx

QUEUE_MAX = 500


async def list_disputes(tx: Tx, *, are_open: bool) -> list[DisputeRow]:
    """By deadline, or the latest that are over first; at most 500."""
    return await store.disputes(tx, are_open=are_open, limit=QUEUE_MAX)


@dataclass(frozen=True, slots=True)
class DisputeShown:
    record: disputes.Record
    customer_name: str
    today: date
    codes: Sequence[str]
    lines: Sequence[tuple[int, str]]


async def draw_dispute(tx: Tx, dispute_id: UUID) -> DisputeShown:
    """Raises DisputeNotFound."""
    record = await disputes.get_dispute(tx, dispute_id)
    account = await _account(tx, record.dispute.customer_id, record.invoice.entity_id)
    named = set(record.dispute.lines)
    sold = (await invoices.get_document(tx, record.invoice.id)).lines if named else ()
    return DisputeShown(
        record,
        account.customer.name,
        account.entity.today(tx.now),
        account.entity.policies.disputes.codes,
        [(line.position, line.description) for line in sold if line.position in named],
    )


async def _account(tx: Tx, customer_id: UUID, entity_id: str) -> Account:
    account = await customers.find_account(tx, CustomerRef(customer_id), entity_id)
    assert account is not None
    return account
