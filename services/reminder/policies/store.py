"""The contact policy by version, and what customers do not want."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reminder.policies.rules import PolicyVersion, Refused
from shared.db import Tx


async def find(tx: Tx, version: int | None) -> PolicyVersion | None:
    """The newest version, or the one asked for."""
    row = await tx.fetchrow(_FIND, version)
    return PolicyVersion(**row) if row else None


_FIND = """
select version, document, published_at, published_by from contact_policy
where $1::bigint is null or version = $1 order by version desc limit 1
"""


async def add(tx: Tx, policy: PolicyVersion) -> bool:
    """False when somebody else made this version in the meantime."""
    made = await tx.fetchval(_ADD, policy.version, policy.document, policy.published_at, policy.published_by)
    return made is not None


_ADD = """
insert into contact_policy (version, document, published_at, published_by) values ($1, $2, $3, $4)
on conflict (version) do nothing
returning version
"""

_REFUSED = """id, customer_id, channel, invoice_number, reason, recorded_at, recorded_by, ended_at, ended_by"""


async def add_opt_out(tx: Tx, refused: Refused) -> Refused:
    """The one there is already, where the customer said so before."""
    row = await tx.fetchrow(
        _ADD_OPT_OUT,
        refused.id,
        refused.customer_id,
        refused.channel,
        refused.invoice_number,
        refused.reason,
        refused.recorded_at,
        refused.recorded_by,
    )
    if row:
        return refused
    known = await opt_outs(tx, refused.customer_id)
    return next(each for each in known if (each.channel, each.invoice_number) == refused.about)


_ADD_OPT_OUT = """
insert into opt_out (id, customer_id, channel, invoice_number, reason, recorded_at, recorded_by)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (customer_id, channel, invoice_number) where ended_at is null do nothing
returning id
"""


async def end_opt_out(tx: Tx, customer_id: UUID, opt_out_id: UUID, at: datetime, by: str) -> bool:
    """False when there is none that runs."""
    ended = await tx.fetchval(_END_OPT_OUT, opt_out_id, customer_id, at, by)
    return ended is not None


_END_OPT_OUT = """
update opt_out set ended_at = $3, ended_by = $4 where id = $1 and customer_id = $2 and ended_at is null returning id
"""


async def opt_outs(tx: Tx, customer_id: UUID, *, ended: bool = False) -> list[Refused]:
    """Those that run, or all there ever were; oldest first."""
    return _refused(await tx.fetch(_OPT_OUTS, customer_id, ended))


_OPT_OUTS = f"""
select {_REFUSED} from opt_out where customer_id = $1 and ($2 or ended_at is null) order by recorded_at, id
"""


def _refused(rows: Iterable[Any]) -> list[Refused]:
    return [Refused(**row) for row in rows]
