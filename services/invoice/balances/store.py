"""Tables: payment, collection, checkout, read for what is not on the invoices themselves."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from shared.db import Tx
from shared.money import Money

# One round trip: whoever is about to write to a customer asks this each time.
_BESIDE = """
select null::uuid, currency, sum(unapplied_minor)::bigint, false from payment
where customer_id = $1 and entity_id = $2 and unapplied_minor > 0 group by currency
union all
select invoice_id, currency, amount_minor, status = 'meant' from collection
where customer_id = $1 and entity_id = $2 and invoice_id is not null
  and (status = 'announced' or status = 'meant' and intent_id is not null)
union all
select (part ->> 0)::uuid, c.currency, (part ->> 1)::bigint, true
from checkout c cross join lateral jsonb_array_elements(c.parts) part
where c.customer_id = $1 and c.entity_id = $2 and c.status = 'processing'
order by 2
"""


Amounts = Mapping[UUID, int]


async def beside(tx: Tx, customer_id: UUID, entity_id: str) -> tuple[list[Money], Amounts, Amounts]:
    """The customer's unapplied cash by currency; what of its invoices is being collected: announced as a debit, or
    begun and not yet confirmed by the bank; and the latter alone."""
    unapplied: list[Money] = []
    collecting: dict[UUID, int] = {}
    under_way: dict[UUID, int] = {}
    for invoice_id, currency, minor, begun in await tx.fetch(_BESIDE, customer_id, entity_id):
        if invoice_id is None:
            unapplied.append(Money(minor, currency))
            continue
        collecting[invoice_id] = collecting.get(invoice_id, 0) + minor
        if begun:
            under_way[invoice_id] = under_way.get(invoice_id, 0) + minor
    return unapplied, collecting, under_way
