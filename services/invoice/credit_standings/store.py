"""Tables: credit_standing, credit_hold; invoice (read for what is owed)."""

from __future__ import annotations

from uuid import UUID

from services.invoice.credit_standings.rules import Hold, Standing
from shared.db import Tx
from shared.events.credit import CreditState, HoldState
from shared.money import Money

_KEEP_LIMIT = """
insert into credit_standing as s (customer_id, version, limit_minor, currency) values ($1, $2, $3, $4)
on conflict (customer_id) do update
set version = excluded.version, limit_minor = excluded.limit_minor, currency = excluded.currency
where s.version < excluded.version
"""


async def keep_limit(tx: Tx, customer_id: UUID, credit: CreditState) -> None:
    await tx.execute(_KEEP_LIMIT, customer_id, credit.version, credit.limit.minor, credit.limit.currency)


_KEEP_HOLD = """
insert into credit_hold as h (id, customer_id, version, in_force, held, until) values ($1, $2, $3, $4, $5, $6)
on conflict (id) do update
set version = excluded.version, in_force = excluded.in_force, held = excluded.held, until = excluded.until
where h.version < excluded.version
"""


async def keep_hold(tx: Tx, customer_id: UUID, hold: HoldState) -> None:
    in_force = hold.status == "in_force"
    await tx.execute(_KEEP_HOLD, hold.id, customer_id, hold.version, in_force, list(hold.held), hold.until)


_LIMIT = "select limit_minor, currency from credit_standing where customer_id = $1"
_HOLDS = "select held, until from credit_hold where customer_id = $1 and in_force order by id"
_OWED = """
select sum(balance_minor)::bigint, currency from invoice
where customer_id = $1 and balance_minor > 0 group by currency order by currency
"""


async def standing(tx: Tx, customer_id: UUID) -> Standing:
    limit = await tx.fetchrow(_LIMIT, customer_id)
    holds = await tx.fetch(_HOLDS, customer_id)
    owed = await tx.fetch(_OWED, customer_id)
    return Standing(
        Money(*limit.values()) if limit else None,
        [Hold(*row.values()) for row in holds],
        [Money(*row.values()) for row in owed],
    )
