"""Terms that changed, one row a customer until it is written to. Tables: terms_change (written), credit_policy
(read)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.credit.term_changes.rules import NotedTerms
from services.credit.terms.rules import Terms
from shared.db import Tx
from shared.money import Money

CHANGES_DUE = "(select min(noted_at) from terms_change)"


async def note(tx: Tx, customer_id: UUID, before: Terms) -> None:
    deposit = before.deposit
    minor, currency = (deposit.minor, deposit.currency) if deposit else (None, None)
    await tx.execute(_NOTE, customer_id, before.net_days, before.prepaid_percent, minor, currency, tx.now)


_NOTE = """
insert into terms_change (customer_id, net_days, prepaid_percent, deposit_minor, deposit_currency, noted_at)
select $1, $2::integer, $3::integer, $4::bigint, $5::text, $6::timestamptz
where (select coalesce((rules ->> 'term_letters')::boolean, false) from credit_policy order by version desc limit 1)
on conflict (customer_id) do nothing
"""


async def due(tx: Tx, count_max: int) -> list[UUID]:
    """In the order in which customers are locked."""
    return sorted(row["customer_id"] for row in await tx.fetch(_DUE, tx.now, count_max))


_DUE = "select customer_id from terms_change where noted_at <= $1 order by noted_at, customer_id limit $2"


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> list[NotedTerms]:
    rows = await tx.fetch("delete from terms_change where customer_id = any($1) returning *", customer_ids)
    return [
        NotedTerms(
            row["customer_id"],
            Terms(
                row["net_days"],
                row["prepaid_percent"],
                Money(row["deposit_minor"], row["deposit_currency"]) if row["deposit_currency"] else None,
            ),
            row["noted_at"],
        )
        for row in rows
    ]
