"""Tables: invoice and payment, read for the customer's history."""

from __future__ import annotations

from uuid import UUID

from services.invoice.pay_page.rules import PaidInvoice, ReceivedPayment
from shared.db import Tx

_SETTLED = """
select id, number, issue_date, settled_on, status, total_minor, currency from invoice
where customer_id = $1 and entity_id = $2 and balance_minor = 0
order by settled_on desc, id desc limit $3
"""


async def settled(tx: Tx, customer_id: UUID, entity_id: str, limit: int) -> list[PaidInvoice]:
    """The newest first."""
    return [PaidInvoice(*row.values()) for row in await tx.fetch(_SETTLED, customer_id, entity_id, limit)]


_RECEIVED = """
select id, received_on, amount_minor, unapplied_minor, currency, method, status from payment
where customer_id = $1 and entity_id = $2
order by received_on desc, id desc limit $3
"""


async def received(tx: Tx, customer_id: UUID, entity_id: str, limit: int) -> list[ReceivedPayment]:
    """The newest first."""
    return [ReceivedPayment(*row.values()) for row in await tx.fetch(_RECEIVED, customer_id, entity_id, limit)]


_OWN = "select true from invoice where id = $1 and customer_id = $2 and entity_id = $3"


async def is_own(tx: Tx, invoice_id: UUID, customer_id: UUID, entity_id: str) -> bool:
    return bool(await tx.fetchval(_OWN, invoice_id, customer_id, entity_id))
