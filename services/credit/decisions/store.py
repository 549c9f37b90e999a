"""Decisions as they were given; a row is never changed. Tables: credit_decision, decision_override."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from services.credit.decisions.rules import AskedAs, Decision, Inputs, Override, Question, Reason
from services.credit.exposure.rules import Exposure, Facts, Group, Owed, Pass
from services.credit.limits.rules import available
from services.credit.rates.rules import Rates
from shared.db import Tx
from shared.money import Money


async def add_decisions(tx: Tx, decisions: Sequence[tuple[Decision, AskedAs | None]]) -> set[UUID]:
    """Keep each decision whose question was not asked before; returns the ids of those."""
    rows = [_row(decision, asked) for decision, asked in decisions]
    return {row["id"] for row in await tx.fetch(_ADD_DECISIONS, *map(list, zip(*rows, strict=True)))}


_ADD_DECISIONS = """
insert into credit_decision (id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
                             reasons, limit_minor, limit_currency, account_version, exposure, asked_by, asked_as,
                             available_minor, inputs)
select id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
       string_to_array(reasons, ' '), limit_minor, limit_currency, account_version, exposure::jsonb, asked_by, asked_as,
       available_minor, inputs::jsonb
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::bigint[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[],
            $15::bigint[], $16::text[])
     as t (id, customer_id, decided_at, requested_minor, requested_currency, reference, outcome,
           reasons, limit_minor, limit_currency, account_version, exposure, asked_by, asked_as,
           available_minor, inputs)
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
        orjson.dumps(_kept_exposure(decision.exposure)).decode(),
        asked.caller if asked else None,
        asked.name if asked else None,
        decision.available.minor,
        orjson.dumps(_kept_inputs(decision)).decode() if decision.inputs else None,
    )


def _kept_exposure(exposure: Exposure) -> list[Any]:
    return [
        [
            owed.open.currency,
            owed.open.minor,
            owed.overdue.minor,
            owed.disputed.minor,
            owed.open_invoices,
            owed.on_plan.minor,
            owed.reserved.minor,
        ]
        for owed in exposure.by_currency
    ]


def _kept_inputs(decision: Decision) -> dict[str, Any]:
    """What the columns do not say; what is not there is left out, which for most customers is nearly everything."""
    assert decision.inputs
    inputs, facts = decision.inputs, decision.inputs.facts
    group, rates = facts.group, facts.rates
    kept = {
        "order": inputs.question.order,
        "purpose": inputs.question.purpose,
        "status": inputs.customer_status,
        "held": inputs.held,
        "policy": [facts.policy_version, facts.policy_rules],
        "reserved_until": decision.reserved_until,
        "own": {name: _pair(money) for name, money in facts.own.items()},
        "passes": [[each.decision_id, each.reference, *_pair(each.amount), each.expires_at] for each in facts.passes],
        "rates": [rates.on, rates.version, {code: format(rate, "f") for code, rate in rates.by_currency.items()}]
        if rates
        else None,
        "group": [str(group.top_id), group.version, *_pair(group.limit), _kept_exposure(group.exposure)]
        if group
        else None,
    }
    return {name: value for name, value in kept.items() if value}


def _pair(money: Money) -> tuple[int, str]:
    return money.minor, money.currency


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


async def count_between(tx: Tx, since: datetime, until: datetime) -> tuple[int, int]:
    """How many decisions [since, until), and how many of them without all inputs."""
    row = await tx.fetchrow(_COUNT_BETWEEN, since, until)
    assert row
    return row["decisions"], row["without_inputs"]


_COUNT_BETWEEN = """
select count(*) as decisions, count(*) filter (where inputs is null) as without_inputs
from credit_decision where decided_at >= $1 and decided_at < $2
"""


async def asked_about(tx: Tx, after: UUID, since: datetime, until: datetime, count_max: int) -> list[UUID]:
    rows = await tx.fetch(_ASKED_ABOUT, after, since, until, count_max)
    return [row["customer_id"] for row in rows]


_ASKED_ABOUT = """
select distinct customer_id from credit_decision
where customer_id > $1 and decided_at >= $2 and decided_at < $3 and inputs is not null
order by customer_id limit $4
"""


async def between(tx: Tx, customer_ids: Sequence[UUID], since: datetime, until: datetime) -> list[Decision]:
    return [_decision(row) for row in await tx.fetch(_BETWEEN, customer_ids, since, until)]


_BETWEEN = """
select * from credit_decision
where customer_id = any($1) and decided_at >= $2 and decided_at < $3 and inputs is not null
order by customer_id, id
"""


async def add_override(tx: Tx, override: Override) -> bool:
    """False when the decision was overridden before."""
    return bool(
        await tx.fetchval(
            _ADD_OVERRIDE,
            override.decision_id,
            override.customer_id,
            override.reference,
            override.amount.minor,
            override.amount.currency,
            override.reason,
            override.overridden_by,
            override.overridden_at,
            override.expires_at,
        )
    )


_ADD_OVERRIDE = """
insert into decision_override (decision_id, customer_id, reference, amount_minor, currency, reason, overridden_by,
                               overridden_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (decision_id) do nothing
returning true
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
        available=available(limit, exposure)
        if row["available_minor"] is None
        else Money(row["available_minor"], limit.currency),
        account_version=row["account_version"],
        exposure=exposure,
        inputs=_inputs(row, limit, exposure) if row["inputs"] else None,
        reserved_until=datetime.fromisoformat(until)
        if row["inputs"] and (until := row["inputs"].get("reserved_until"))
        else None,
    )


def _inputs(row: Any, limit: Money, exposure: Exposure) -> Inputs:
    kept = row["inputs"]
    group, rates, policy = kept.get("group"), kept.get("rates"), kept.get("policy", [0, {}])
    requested = Money(row["requested_minor"], row["requested_currency"])
    return Inputs(
        question=Question(requested, row["reference"], kept.get("order"), kept["purpose"]),
        customer_status=kept["status"],
        held=tuple(kept.get("held", ())),
        limit=limit,
        facts=Facts(
            exposure=exposure,
            rates=Rates(date.fromisoformat(rates[0]), rates[1], {c: Decimal(r) for c, r in rates[2].items()})
            if rates
            else None,
            group=Group(UUID(group[0]), group[1], Money(group[2], group[3]), Exposure(tuple(map(_owed, group[4]))))
            if group
            else None,
            own={name: Money(*money) for name, money in kept.get("own", {}).items()},
            passes=tuple(
                Pass(UUID(id), reference, Money(minor, currency), datetime.fromisoformat(expires_at))
                for id, reference, minor, currency, expires_at in kept.get("passes", ())
            ),
            policy_version=policy[0],
            policy_rules=policy[1],
        ),
    )


def _owed(kept: list[Any]) -> Owed:
    """Older decisions have nothing on plan and nothing reserved."""
    currency, open_minor, overdue_minor, disputed_minor, open_invoices, *more = kept
    on_plan_minor, reserved_minor = more or (0, 0)
    return Owed(
        open=Money(open_minor, currency),
        overdue=Money(overdue_minor, currency),
        disputed=Money(disputed_minor, currency),
        open_invoices=open_invoices,
        on_plan=Money(on_plan_minor, currency),
        reserved=Money(reserved_minor, currency),
    )
