"""Limits of groups. Tables: credit_group, and credit_group_ended for the versions of limits that were taken away."""

from __future__ import annotations

from uuid import UUID

from services.credit.groups.rules import GroupLimit
from shared.db import Tx
from shared.money import Money


async def read(tx: Tx, customer_id: UUID) -> GroupLimit | None:
    row = await tx.fetchrow("select * from credit_group where customer_id = $1", customer_id)
    if row is None:
        return None
    return GroupLimit(
        customer_id=row["customer_id"],
        version=row["version"],
        limit=Money(row["limit_minor"], row["currency"]),
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )


async def save(tx: Tx, group: GroupLimit) -> None:
    await tx.execute(
        _SAVE,
        group.customer_id,
        group.version,
        group.limit.currency,
        group.limit.minor,
        group.reason,
        group.changed_by,
        group.changed_at,
    )


_SAVE = """
insert into credit_group (customer_id, version, currency, limit_minor, reason, changed_by, changed_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (customer_id) do update set
    version = excluded.version, currency = excluded.currency, limit_minor = excluded.limit_minor,
    reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""


async def last_version(tx: Tx, customer_id: UUID) -> int:
    """Of a limit that was taken away; 0 where there never was one."""
    return await tx.fetchval("select version from credit_group_ended where customer_id = $1", customer_id) or 0


async def remove(tx: Tx, customer_id: UUID) -> None:
    await tx.execute(_REMOVE, customer_id)


_REMOVE = """
with gone as (
    delete from credit_group where customer_id = $1 returning customer_id, version
)
insert into credit_group_ended (customer_id, version) select customer_id, version + 1 from gone
on conflict (customer_id) do update set version = excluded.version
"""
