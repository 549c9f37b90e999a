"""Tables: payment, collection, checkout, read for what is not on the invoices themselves."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from shared.db import Tx
from shared.money import Money

# One round trip: whoever is about to write to a customer asks this each time.
_BESIDE = """
select null::uuid, currency, sum(unapplied_minor)::bigint from payment
where customer_id = $1 and entity_id = $2 and unapplied_minor > 0 group by currency
union all
select invoice_id, currency, amount_minor from collection
where customer_id = $1 and entity_id = $2 and invoice_id is not null
  and (status = 'announced' or status = 'meant' and intent_id is not null)
union all
select (part ->> 0)::uuid, c.currency, (part ->> 1)::bigint
from checkout c cross join lateral jsonb_array_elements(c.parts) part
where c.customer_id = $1 and c.entity_id = $2 and c.status = 'processing'
order by 2
"""


async def beside(tx: Tx, customer_id: UUID, entity_id: str) -> tuple[list[Money], Mapping[UUID, int]]:
    """The customer's unapplied cash by currency, and what of its invoices is being collected: announced as a debit, or
    begun and not yet confirmed by the bank."""
    unapplied, collecting = [], {}
    for invoice_id, currency, minor in await tx.fetch(_BESIDE, customer_id, entity_id):
        if invoice_id is None:
            unapplied.append(Money(minor, currency))
        else:
            collecting[invoice_id] = collecting.get(invoice_id, 0) + minor
    return unapplied, collecting
