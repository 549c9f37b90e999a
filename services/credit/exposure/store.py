"""Open balances by invoice, kept by version and summed when asked: a sum that is never stored cannot drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.credit.exposure.rules import NOTHING_OWED, Exposure, Owed
from shared.db import Tx
from shared.money import Money


async def keep(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of (invoice_id, customer_id, version, currency, balance_minor, disputed_minor, due_date), one an invoice."""
    await tx.execute(_KEEP, *(list(column) for column in zip(*rows, strict=True)))


_KEEP = """
insert into invoice_exposure (invoice_id, customer_id, version, currency, balance_minor, disputed_minor, due_date)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::date[])
on conflict (invoice_id) do update set
    version = excluded.version,
    balance_minor = excluded.balance_minor,
    disputed_minor = excluded.disputed_minor,
    due_date = excluded.due_date
where excluded.version > invoice_exposure.version
"""


async def exposure_of(tx: Tx, customer_id: UUID, today: date) -> Exposure:
    return _exposure(await tx.fetch(_EXPOSURE_OF, customer_id, today))


_EXPOSURE_OF = """
select currency,
       sum(balance_minor)::bigint as open_minor,
       coalesce(sum(balance_minor) filter (where due_date < $2), 0)::bigint as overdue_minor,
       sum(disputed_minor)::bigint as disputed_minor,
       count(*) as open_invoices
from invoice_exposure
where customer_id = $1 and balance_minor > 0
group by currency
order by currency
"""


async def exposures_of(tx: Tx, customer_ids: Sequence[UUID], today: date) -> Mapping[UUID, Exposure]:
    """Customers who owe nothing are not in the answer."""
    rows: dict[UUID, list[Any]] = {}
    for row in await tx.fetch(_EXPOSURES_OF, customer_ids, today):
        rows.setdefault(row["customer_id"], []).append(row)
    return {customer_id: _exposure(of_customer) for customer_id, of_customer in rows.items()}


_EXPOSURES_OF = """
select customer_id, currency,
       sum(balance_minor)::bigint as open_minor,
       coalesce(sum(balance_minor) filter (where due_date < $2), 0)::bigint as overdue_minor,
       sum(disputed_minor)::bigint as disputed_minor,
       count(*) as open_invoices
from invoice_exposure
where customer_id = any($1) and balance_minor > 0
group by customer_id, currency
order by customer_id, currency
"""


def _exposure(rows: Sequence[Any]) -> Exposure:
    return Exposure(tuple(map(_owed, rows))) if rows else NOTHING_OWED


def _owed(row: Any) -> Owed:
    currency = row["currency"]
    return Owed(
        open=Money(row["open_minor"], currency),
        overdue=Money(row["overdue_minor"], currency),
        disputed=Money(row["disputed_minor"], currency),
        open_invoices=row["open_invoices"],
    )
