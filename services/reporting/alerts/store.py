"""Tables: alert_rule, alert_reading, alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.reporting.alerts.rules import Alert, Reading, Rule, condition_kept, condition_of
from services.reporting.notices.rules import Target
from shared.db import Tx

NEXT_DUE = "select min(next_due_at) from alert_rule where active"

_RULE = """id, version, name, metric, currency, customer_id, window_days, largest, condition, targets, country, active,
created_by, created_at, next_due_at, evaluated_on, fault"""


async def add(tx: Tx, rule: Rule) -> None:
    await tx.execute(_ADD, *_args(rule))


_ADD = f"""
insert into alert_rule ({_RULE})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""


async def save(tx: Tx, rule: Rule) -> None:
    await tx.execute(_SAVE, *_args(rule))


_SAVE = """
update alert_rule set version = $2, name = $3, metric = $4, currency = $5, customer_id = $6, window_days = $7,
    largest = $8, condition = $9, targets = $10, country = $11, active = $12, created_by = $13, created_at = $14,
    next_due_at = $15, evaluated_on = $16, fault = $17
where id = $1
"""


async def read(tx: Tx, rule_id: UUID, *, lock: bool = False) -> Rule | None:
    row = await tx.fetchrow(f"select {_RULE} from alert_rule where id = $1{' for update' if lock else ''}", rule_id)
    return _rule(row) if row else None


async def page(tx: Tx, after: UUID | None, limit: int | None) -> list[Rule]:
    return [_rule(row) for row in await tx.fetch(_PAGE, after, limit)]


_PAGE = f"select {_RULE} from alert_rule where $1::uuid is null or id > $1 order by id limit $2"


async def take_due(tx: Tx) -> Rule | None:
    row = await tx.fetchrow(_TAKE_DUE, tx.now)
    return _rule(row) if row else None


_TAKE_DUE = f"""
select {_RULE} from alert_rule where active and next_due_at <= $1 order by next_due_at, id limit 1
for update skip locked
"""


async def remove(tx: Tx, rule_id: UUID) -> None:
    await tx.execute("delete from alert_rule where id = $1", rule_id)


async def keep_readings(tx: Tx, rule_id: UUID, on_day: date, readings: Sequence[Reading]) -> None:
    rows = [(rule_id, each.subject, on_day, each.value, each.score) for each in readings]
    await tx.executemany(_KEEP, rows)


_KEEP = """
insert into alert_reading (rule_id, subject, on_day, value, score) values ($1, $2, $3, $4, $5)
on conflict (rule_id, subject, on_day) do update set value = excluded.value, score = excluded.score
"""


async def readings_on(tx: Tx, rule_id: UUID, subject: str, days: Sequence[date]) -> dict[date, Decimal | None]:
    sql = "select on_day, value from alert_reading where rule_id = $1 and subject = $2 and on_day = any($3)"
    return {row["on_day"]: row["value"] for row in await tx.fetch(sql, rule_id, subject, list(days))}


async def readings(tx: Tx, rule_id: UUID, before: tuple[date, str] | None, limit: int) -> list[Any]:
    """The newest first."""
    return await tx.fetch(_READINGS, rule_id, *(before or (None, None)), limit)


_READINGS = """
select on_day, subject, value, score from alert_reading
where rule_id = $1 and ($2::date is null or on_day < $2 or (on_day = $2 and subject > $3))
order by on_day desc, subject limit $4
"""


_ALERT = """id, version, rule_id, subject, subject_name, opened_on, value, score, cleared_on, cleared_value,
acknowledged_by, acknowledged_at, note"""


async def open_alerts(tx: Tx, rule_id: UUID) -> dict[str, Alert]:
    sql = f"select {_ALERT} from alert where rule_id = $1 and cleared_on is null"
    return {row["subject"]: Alert(**row) for row in await tx.fetch(sql, rule_id)}


async def put_alert(tx: Tx, alert: Alert) -> None:
    await tx.execute(_PUT_ALERT, *asdict(alert).values())


_PUT_ALERT = f"""
insert into alert ({_ALERT}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (id) do update
set version = excluded.version, cleared_on = excluded.cleared_on, cleared_value = excluded.cleared_value,
    acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at, note = excluded.note
"""


async def read_alert(tx: Tx, alert_id: UUID, *, lock: bool = False) -> Alert | None:
    row = await tx.fetchrow(f"select {_ALERT} from alert where id = $1{' for update' if lock else ''}", alert_id)
    return Alert(**row) if row else None


async def alerts(tx: Tx, rule_id: UUID | None, is_open: bool | None, before: UUID | None, limit: int) -> list[Alert]:
    """The newest first."""
    return [Alert(**row) for row in await tx.fetch(_ALERTS, rule_id, is_open, before, limit)]


_ALERTS = f"""
select {_ALERT} from alert
where ($1::uuid is null or rule_id = $1) and ($2::boolean is null or (cleared_on is null) = $2)
  and ($3::uuid is null or id < $3)
order by id desc limit $4
"""


def _args(rule: Rule) -> list[Any]:
    values: dict[str, Any] = {name: getattr(rule, name) for name in Rule.__slots__}
    values["condition"] = condition_kept(rule.condition)
    values["targets"] = [asdict(target) for target in rule.targets]
    return list(values.values())


def _rule(row: Any) -> Rule:
    targets = tuple(Target(**each) for each in row["targets"])
    return Rule(**{**row, "condition": condition_of(row["condition"]), "targets": targets})
