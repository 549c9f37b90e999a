"""Table: invoice (read)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.invoice.completeness.rules import Similar
from shared.db import Tx

SIMILAR_MAX = 5

_SIMILAR = f"""
select number, issue_date, coalesce(reference = $7, false)
from invoice
where customer_id = $1 and entity_id = $2 and currency = $3 and total_minor = $4 and voided_on is null
  and (issue_date between $5 and $6 or reference = $7)
order by issue_date desc, id desc limit {SIMILAR_MAX}
"""


async def similar(
    tx: Tx,
    customer_id: UUID,
    entity_id: str,
    currency: str,
    total_minor: int,
    first: date,
    last: date,
    reference: str | None,
) -> list[Similar]:
    rows = await tx.fetch(_SIMILAR, customer_id, entity_id, currency, total_minor, first, last, reference)
    return [Similar(*row.values()) for row in rows]
