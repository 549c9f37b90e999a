"""Limit requests, one row each with its approvals. Table: limit_request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.credit.limit_requests.rules import Approval, LimitRequest, Wanted
from shared.db import Tx
from shared.money import Money


async def add(tx: Tx, request: LimitRequest) -> None:
    wanted = request.wanted
    season = wanted.season or (None, None)
    await tx.execute(
        _ADD,
        request.id,
        request.customer_id,
        wanted.kind,
        wanted.amount.minor,
        wanted.amount.currency,
        wanted.from_on,
        wanted.until_on,
        *season,
        wanted.evidence,
        request.reason,
        request.requested_by,
        request.requested_at,
        request.approvers_needed,
        request.status,
        request.closed_at,
    )


_ADD = """
insert into limit_request (id, version, customer_id, kind, amount_minor, currency, from_on, until_on, season_from,
                           season_until, evidence, reason, requested_by, requested_at, approvers_needed, status,
                           closed_at)
values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""


async def read(tx: Tx, request_id: UUID) -> LimitRequest | None:
    row = await tx.fetchrow("select * from limit_request where id = $1", request_id)
    return _request(row) if row else None


async def save(tx: Tx, request: LimitRequest) -> None:
    approvals = [{"by": each.by, "at": each.at.isoformat()} for each in request.approvals]
    await tx.execute(
        _SAVE, request.id, request.version, approvals, request.status, request.closed_at, request.closed_because
    )


_SAVE = """
update limit_request set version = $2, approvals = $3, status = $4, closed_at = $5, closed_because = $6 where id = $1
"""


async def has_evidence(tx: Tx, customer_id: UUID, by: str, evidence: str) -> bool:
    """Whether the same asked for something of the customer with this evidence before."""
    return await tx.fetchval(_HAS_EVIDENCE, customer_id, by, evidence)


_HAS_EVIDENCE = """
select exists (select from limit_request where customer_id = $1 and requested_by = $2 and evidence = $3)
"""


async def waiting_of(tx: Tx, customer_id: UUID, by: str) -> list[LimitRequest]:
    return [_request(row) for row in await tx.fetch(_WAITING_OF, customer_id, by)]


_WAITING_OF = """
select * from limit_request where customer_id = $1 and requested_by = $2 and status = 'waiting' order by id
"""


async def requests(
    tx: Tx, status: str | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[LimitRequest]:
    """In the order in which they were asked for."""
    return [_request(row) for row in await tx.fetch(_REQUESTS, status, customer_id, after, count_max)]


_REQUESTS = """
select * from limit_request
where ($1::text is null or status = $1) and ($2::uuid is null or customer_id = $2) and ($3::uuid is null or id > $3)
order by id limit $4
"""


def _request(row: Any) -> LimitRequest:
    return LimitRequest(
        id=row["id"],
        version=row["version"],
        customer_id=row["customer_id"],
        wanted=Wanted(
            kind=row["kind"],
            amount=Money(row["amount_minor"], row["currency"]),
            from_on=row["from_on"],
            until_on=row["until_on"],
            season=(row["season_from"], row["season_until"]) if row["season_from"] else None,
            evidence=row["evidence"],
        ),
        reason=row["reason"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        approvers_needed=row["approvers_needed"],
        approvals=tuple(Approval(each["by"], datetime.fromisoformat(each["at"])) for each in row["approvals"]),
        status=row["status"],
        closed_at=row["closed_at"],
        closed_because=row["closed_because"],
    )
