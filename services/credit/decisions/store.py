"""Decisions as they were given; a row is never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.credit.decisions.rules import Decision, Reason
from services.credit.exposure.rules import Exposure, Owed
from services.credit.limits.rules import available
from shared.db import Tx
from shared.money import Money


async def add_decision(tx: Tx, decision: Decision) -> None:
    await tx.execute(
        _ADD_DECISION,
        decision.id,
        decision.customer_id,
        decision.decided_at,
        decision.requested.minor,
        decision.requested.currency,
        decision.reference,
        decision.outcome,
        [str(reason) for reason in decision.reasons],
        decision.limit.minor,
        decision.limit.currency,
        decision.account_version,
        [
            [owed.open.currency, owed.open.minor, owed.overdue.minor, owed.disputed.minor, owed.open_invoices]
            for owed in decision.exposure.by_currency
        ],
    )


_ADD_DECISION = """
insert into credit_decision (id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
                             reasons, limit_minor, limit_currency, account_version, exposure)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def read_decision(tx: Tx, decision_id: UUID) -> Decision | None:
    row = await tx.fetchrow("select * from credit_decision where id = $1", decision_id)
    return _decision(row) if row else None


async def list_decisions(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> list[Decision]:
    """Newest first."""
    return [_decision(row) for row in await tx.fetch(_LIST_DECISIONS, customer_id, before, count_max)]


_LIST_DECISIONS = """
select * from credit_decision
where customer_id = $1 and ($2::uuid is null or id < $2)
order by id desc
limit $3
"""


def _decision(row: Any) -> Decision:
    limit, exposure = Money(row["limit_minor"], row["limit_currency"]), Exposure(tuple(map(_owed, row["exposure"])))
    return Decision(
        id=row["id"],
        customer_id=row["customer_id"],
        decided_at=row["decided_at"],
        requested=Money(row["requested_minor"], row["requested_currency"]),
        reference=row["reference"],
        outcome=row["outcome"],
        reasons=tuple(map(Reason, row["reasons"])),
        limit=limit,
        available=available(limit, exposure),
        account_version=row["account_version"],
        exposure=exposure,
    )


def _owed(kept: list[Any]) -> Owed:
    currency, open_minor, overdue_minor, disputed_minor, open_invoices = kept
    return Owed(
        open=Money(open_minor, currency),
        overdue=Money(overdue_minor, currency),
        disputed=Money(disputed_minor, currency),
        open_invoices=open_invoices,
    )
