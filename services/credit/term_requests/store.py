"""Term requests, one row each with its approvals. Table: term_request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.credit.limit_requests.rules import Approval
from services.credit.term_requests.rules import TermRequest
from services.credit.terms.rules import Terms
from shared.db import Tx
from shared.money import Money


async def add(tx: Tx, request: TermRequest) -> None:
    await tx.execute(
        _ADD,
        request.id,
        request.customer_id,
        *_columns(request.wanted),
        request.evidence,
        request.reason,
        request.requested_by,
        request.requested_at,
        request.approvers_needed,
        request.status,
        request.closed_at,
    )


_ADD = """
insert into term_request (id, version, customer_id, net_days, prepaid_percent, deposit_minor, deposit_currency,
                          evidence, reason, requested_by, requested_at, approvers_needed, status, closed_at)
values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""


async def read(tx: Tx, request_id: UUID) -> TermRequest | None:
    row = await tx.fetchrow("select * from term_request where id = $1", request_id)
    return _request(row) if row else None


async def save(tx: Tx, request: TermRequest) -> None:
    approvals = [{"by": each.by, "at": each.at.isoformat()} for each in request.approvals]
    await tx.execute(
        _SAVE, request.id, request.version, approvals, request.status, request.closed_at, request.closed_because
    )


_SAVE = """
update term_request set version = $2, approvals = $3, status = $4, closed_at = $5, closed_because = $6 where id = $1
"""


async def was_asked_for(tx: Tx, customer_id: UUID, by: str, evidence: str, wanted: Terms) -> bool:
    """Whether the same asked for these terms with this evidence before."""
    return await tx.fetchval(_WAS_ASKED_FOR, customer_id, by, evidence, *_columns(wanted))


_WAS_ASKED_FOR = """
select exists (
    select from term_request
    where customer_id = $1 and requested_by = $2 and evidence = $3 and net_days = $4 and prepaid_percent = $5
      and deposit_minor is not distinct from $6 and deposit_currency is not distinct from $7
)
"""


async def waiting_of(tx: Tx, customer_id: UUID) -> list[TermRequest]:
    return [_request(row) for row in await tx.fetch(_WAITING_OF, customer_id)]


_WAITING_OF = "select * from term_request where customer_id = $1 and status = 'waiting' order by id"


async def requests(
    tx: Tx, status: str | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[TermRequest]:
    """In the order in which they were asked for."""
    return [_request(row) for row in await tx.fetch(_REQUESTS, status, customer_id, after, count_max)]


_REQUESTS = """
select * from term_request
where ($1::text is null or status = $1) and ($2::uuid is null or customer_id = $2) and ($3::uuid is null or id > $3)
order by id limit $4
"""


def _columns(terms: Terms) -> tuple[int, int, int | None, str | None]:
    deposit = terms.deposit
    return (
        terms.net_days,
        terms.prepaid_percent,
        deposit.minor if deposit else None,
        deposit.currency if deposit else None,
    )


def _request(row: Any) -> TermRequest:
    deposit = Money(row["deposit_minor"], row["deposit_currency"]) if row["deposit_currency"] else None
    return TermRequest(
        id=row["id"],
        version=row["version"],
        customer_id=row["customer_id"],
        wanted=Terms(row["net_days"], row["prepaid_percent"], deposit),
        reason=row["reason"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        approvers_needed=row["approvers_needed"],
        evidence=row["evidence"],
        approvals=tuple(Approval(each["by"], datetime.fromisoformat(each["at"])) for each in row["approvals"]),
        status=row["status"],
        closed_at=row["closed_at"],
        closed_because=row["closed_because"],
    )
