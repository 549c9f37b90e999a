"""Decisions as they were given; a row is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from services.credit.decisions.rules import AskedAs, Decision, Reason
from services.credit.exposure.rules import Exposure, Owed
from services.credit.limits.rules import available
from shared.db import Tx
from shared.money import Money


async def add_decisions(tx: Tx, decisions: Sequence[tuple[Decision, AskedAs | None]]) -> set[UUID]:
    """Keep each decision whose question was not asked before; returns the ids of those."""
    rows = [_row(decision, asked) for decision, asked in decisions]
    return {row["id"] for row in await tx.fetch(_ADD_DECISIONS, *map(list, zip(*rows, strict=True)))}


_ADD_DECISIONS = """
insert into credit_decision (id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
                             reasons, limit_minor, limit_currency, account_version, exposure, asked_by, asked_as)
select id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
       string_to_array(reasons, ' '), limit_minor, limit_currency, account_version, exposure::jsonb, asked_by, asked_as
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::bigint[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[])
     as t (id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
           reasons, limit_minor, limit_currency, account_version, exposure, asked_by, asked_as)
on conflict on constraint credit_decision_asked_once do nothing
returning id
"""


def _row(decision: Decision, asked: AskedAs | None) -> tuple[Any, ...]:
    return (
        decision.id,
        decision.customer_id,
        decision.decided_at,
        decision.requested.minor,
        decision.requested.currency,
        decision.reference,
        decision.outcome,
        " ".join(decision.reasons),
        decision.limit.minor,
        decision.limit.currency,
        decision.account_version,
        orjson.dumps(
            [
                [owed.open.currency, owed.open.minor, owed.overdue.minor, owed.disputed.minor, owed.open_invoices]
                for owed in decision.exposure.by_currency
            ]
        ).decode(),
        asked.caller if asked else None,
        asked.name if asked else None,
    )


async def decisions_asked(tx: Tx, questions: Sequence[AskedAs]) -> dict[AskedAs, Decision]:
    """What was answered to these questions."""
    if not questions:
        return {}
    rows = await tx.fetch(_DECISIONS_ASKED, [asked.caller for asked in questions], [asked.name for asked in questions])
    return {AskedAs(row["asked_by"], row["asked_as"]): _decision(row) for row in rows}


_DECISIONS_ASKED = """
select * from credit_decision
where (asked_by, asked_as) in (select * from unnest($1::text[], $2::text[]))
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
