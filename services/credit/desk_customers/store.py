"""Customers found by what somebody types or picks, with what their accounts and credit files say."""

from __future__ import annotations

from uuid import UUID

from services.credit.desk_customers.rules import Found, Search
from shared.db import Tx
from shared.money import Money


async def search(tx: Tx, wanted: Search, after: tuple[str, UUID] | None, count_max: int) -> list[Found]:
    """By name."""
    pattern = "%" + wanted.text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    name, id = after or (None, None)
    rows = await tx.fetch(
        _SEARCH, pattern, wanted.risk_class, wanted.segment, wanted.held, wanted.currency, name, id, count_max
    )
    return [
        Found(
            id=row["id"],
            name=row["name"],
            external_id=row["external_id"],
            status=row["status"],
            segment=row["segment"],
            limit=Money(row["limit_minor"], row["currency"]),
            held=tuple(row["held"]),
            risk_class=row["risk_class"],
            score=row["score"],
        )
        for row in rows
    ]


_SEARCH = """
select c.id, c.name, c.external_id, c.status, c.segment, a.currency, a.limit_minor, a.held, f.risk_class, f.score
from customer c
join credit_account a on a.customer_id = c.id
left join credit_file f on f.customer_id = c.id
where (c.name ilike $1 or c.external_id ilike $1)
  and ($2 = '' or coalesce(f.risk_class, 'none') = $2)
  and ($3 = '' or c.segment = $3)
  and (not $4 or a.held <> '{}')
  and ($5 = '' or a.currency = $5)
  and ($6::text is null or (c.name, c.id) > ($6, $7::uuid))
order by c.name, c.id
limit $8
"""


async def segments(tx: Tx) -> list[str]:
    return [row["segment"] for row in await tx.fetch("select distinct segment from customer order by 1")]
