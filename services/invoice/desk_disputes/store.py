"""Reads the tables of disputes, invoices and customers for the queue; writes nothing."""

from __future__ import annotations

from services.invoice.desk_disputes.rules import DisputeRow
from shared.db import Tx

_DISPUTE_ROWS = """
select d.id, d.status, d.reason, d.code, d.amount_minor, d.held_minor, i.currency, d.opened_on, d.answer_by,
       d.escalated_on, d.owner, d.opened_by, d.resolved_on, i.id, i.number, c.name,
       ($1::timestamptz at time zone e.time_zone)::date
from dispute d join invoice i on i.id = d.invoice_id join customer c on c.id = d.customer_id
join entity e on e.id = i.entity_id
where {which} limit $2
"""
_OPEN_DISPUTES = _DISPUTE_ROWS.format(which="d.status = 'open' order by d.answer_by nulls last, d.id")
_CLOSED_DISPUTES = _DISPUTE_ROWS.format(which="d.status <> 'open' order by d.resolved_on desc, d.id desc")


async def disputes(tx: Tx, *, are_open: bool, limit: int) -> list[DisputeRow]:
    """Open ones by deadline, or those that are over, the latest first."""
    rows = await tx.fetch(_OPEN_DISPUTES if are_open else _CLOSED_DISPUTES, tx.now, limit)
    return [DisputeRow(*row.values()) for row in rows]
