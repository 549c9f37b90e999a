"""Alert rules, what was measured for them, and the episodes they told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.alerts import rules, store
from services.reporting.alerts.rules import (
    Alert,
    AlertNotFound,
    AlreadyAcknowledged,
    Anomaly,
    Condition,
    Metric,
    Reading,
    Rule,
    RuleNotFound,
)
from services.reporting.customers import handlers as customers
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.forecasts import handlers as forecasts
from services.reporting.forecasts.handlers import MeasureForecasts
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import MeasureCollection
from services.reporting.notices import handlers as notices
from services.reporting.notices.rules import Content, Target
from shared import log
from shared.calendar import ONE_DAY, local_date
from shared.db import INFRASTRUCTURE_ERRORS, Tx
from shared.http.preconditions import check_version
from shared.ids import new_id
from shared.money import Money
from shared.sealing import Seals
from shared.words import day_words

logger = log.get(__name__)

NEXT_DUE = store.NEXT_DUE
DEBTORS_MAX = 200
"""So many customers at most are looked at by a rule for each customer, the largest first."""


@dataclass(frozen=True, slots=True)
class SetRule:
    name: str
    metric: Metric
    currency: str
    customer_id: UUID | None
    window_days: int
    largest: int
    condition: Condition
    targets: tuple[Target, ...]
    country: str | None
    by: str
    private: bool


async def add_rule(tx: Tx, command: SetRule, seals: Seals) -> Rule:
    """Raises MeaninglessRule, UnusableTarget."""
    rules.check(command.metric, command.currency, command.customer_id, command.condition)
    await notices.check_targets(tx, command.targets, private=command.private)
    rule_id = new_id()
    rule = Rule(
        id=rule_id,
        version=1,
        name=command.name,
        metric=command.metric,
        currency=command.currency,
        customer_id=command.customer_id,
        window_days=command.window_days,
        largest=command.largest,
        condition=command.condition,
        targets=_sealed(rule_id, command.targets, seals),
        country=command.country,
        active=True,
        created_by=command.by,
        created_at=tx.now,
        next_due_at=rules.next_due_at(tx.now, command.country),
    )
    await store.add(tx, rule)
    return rule


def _sealed(rule_id: UUID, targets: Sequence[Target], seals: Seals) -> tuple[Target, ...]:
    return tuple(target.sealed_for(rules.place(rule_id), seals) for target in targets)


async def change_rule(
    tx: Tx, rule_id: UUID, version: int, changes: Mapping[str, Any], seals: Seals, *, private: bool
) -> Rule:
    """`changes` are fields of a Rule that people may set. Raises RuleNotFound, PreconditionFailed, MeaninglessRule,
    UnusableTarget."""
    rule = await find_rule(tx, rule_id, lock=True)
    check_version(version, rule.version)
    changed = replace(rule, version=rule.version + 1, **changes)
    rules.check(changed.metric, changed.currency, changed.customer_id, changed.condition)
    await notices.check_targets(tx, changes.get("targets", ()), private=private)
    changed = replace(changed, targets=_sealed(rule_id, changed.targets, seals))
    if changed.active and not rule.active:
        changed = replace(changed, next_due_at=rules.next_due_at(tx.now, changed.country))
    await store.save(tx, changed)
    return changed


async def remove_rule(tx: Tx, rule_id: UUID, version: int) -> None:
    """With its history. Raises RuleNotFound, PreconditionFailed."""
    check_version(version, (await find_rule(tx, rule_id, lock=True)).version)
    await store.remove(tx, rule_id)


async def renew_seals(tx: Tx, seals: Seals) -> int:
    """Every chat's address that is bare or under an older key is sealed under the newest; of how many rules. Raises
    SealBroken."""
    renewed = 0
    for each in await store.page(tx, None, None):
        rule = await find_rule(tx, each.id, lock=True)
        anew = replace(rule, targets=tuple(target.renewed(rules.place(rule.id), seals) for target in rule.targets))
        if anew != rule:
            await store.save(tx, anew)
            renewed += 1
    return renewed


async def find_rule(tx: Tx, rule_id: UUID, *, lock: bool = False) -> Rule:
    """Raises RuleNotFound."""
    rule = await store.read(tx, rule_id, lock=lock)
    if rule is None:
        raise RuleNotFound(rule_id)
    return rule


async def list_rules(tx: Tx, after: UUID | None, limit: int) -> Sequence[Rule]:
    return await store.page(tx, after, limit)


async def list_readings(tx: Tx, rule_id: UUID, before: tuple[date, str] | None, limit: int) -> Sequence[Any]:
    await find_rule(tx, rule_id)
    return await store.readings(tx, rule_id, before, limit)


async def list_alerts(
    tx: Tx, rule_id: UUID | None, is_open: bool | None, before: UUID | None, limit: int
) -> Sequence[Alert]:
    return await store.alerts(tx, rule_id, is_open, before, limit)


async def acknowledge_alert(tx: Tx, alert_id: UUID, by: str, note: str | None) -> Alert:
    """Raises AlertNotFound, AlreadyAcknowledged."""
    alert = await store.read_alert(tx, alert_id, lock=True)
    if alert is None:
        raise AlertNotFound(alert_id)
    if alert.acknowledged_by:
        raise AlreadyAcknowledged(f"{alert.acknowledged_by} did, {day_words(alert.acknowledged_at)}")
    seen = replace(alert, version=alert.version + 1, acknowledged_by=by, acknowledged_at=tx.now, note=note)
    await store.put_alert(tx, seen)
    return seen


async def evaluate_next(tx: Tx, address: str, seals: Seals) -> bool:
    """Evaluate one rule that is due; False when none is. Missed mornings are not made up for: a rule looks at the
    figures as they are. One that cannot be evaluated says so, and the others go on."""
    rule = await store.take_due(tx)
    if rule is None:
        return False
    on, fault = local_date(tx.now, "UTC") - ONE_DAY, None
    try:
        async with tx.savepoint():
            await _evaluate(tx, rule, on, address, seals)
    except INFRASTRUCTURE_ERRORS:
        raise
    except Exception as error:  # A fault of this rule's own.
        logger.exception("alert_rule_failed", rule=str(rule.id))
        fault = f"{type(error).__name__}: {error}"
    next_due_at = rules.next_due_at(tx.now, rule.country)
    await store.save(tx, replace(rule, evaluated_on=on, next_due_at=next_due_at, fault=fault))
    return True


async def _evaluate(tx: Tx, rule: Rule, on: date, address: str, seals: Seals) -> None:
    open_alerts = await store.open_alerts(tx, rule.id)
    readings = await _readings(tx, rule, on, open_alerts)
    await store.keep_readings(tx, rule.id, on, readings)
    for reading in readings:
        alert = open_alerts.get(reading.subject)
        match rules.judge(rule.condition, reading, is_open=alert is not None):
            case "raised" if reading.value is not None:
                raised = Alert(
                    new_id(), 1, rule.id, reading.subject, reading.name, on, reading.value, score=reading.score
                )
                await store.put_alert(tx, raised)
                await _tell(tx, rule, rules.told(rule, raised, reading, on, address), seals)
            case "cleared" if alert is not None:
                over = replace(alert, version=alert.version + 1, cleared_on=on, cleared_value=reading.value)
                await store.put_alert(tx, over)
                await _tell(tx, rule, rules.told(rule, over, reading, on, address), seals)


async def _tell(tx: Tx, rule: Rule, content: Content, seals: Seals) -> None:
    targets = [target.opened(rules.place(rule.id), seals) for target in rule.targets]
    await notices.plan(tx, targets, content, seals=seals)


async def _readings(tx: Tx, rule: Rule, on: date, open_alerts: Mapping[str, Alert]) -> list[Reading]:
    if rule.is_of_each_customer:
        return await _of_each_customer(tx, rule, on, open_alerts)
    value = await _measure(tx, rule, on)
    name = await _name_of(tx, rule.customer_id) if rule.customer_id else None
    subject = str(rule.customer_id or "")
    score = None
    if isinstance(rule.condition, Anomaly):
        score = rules.robust_score(value, await _past(tx, rule, subject, on, rule.condition.days))
    return [Reading(subject, name, value, score)]


async def _past(tx: Tx, rule: Rule, subject: str, on: date, count: int) -> list[Decimal]:
    """What was measured on the business days before; what was not is measured now, and kept for the next time."""
    days = rules.business_days_before(on, count, rule.country)
    known = await store.readings_on(tx, rule.id, subject, days)
    first = await ageing.first_movement_on(tx)
    past: list[Decimal] = []
    for day in days:
        if first is None or day < first:
            continue
        if day not in known:
            known[day] = await _measure(tx, rule, day)
            await store.keep_readings(tx, rule.id, day, [Reading(subject, None, known[day])])
        if (value := known[day]) is not None:
            past.append(value)
    return past


async def _measure(tx: Tx, rule: Rule, on: date) -> Decimal | None:
    """Amounts in whole units of the currency, shares and misses in percent, the DSO in days; None where the figure
    has no meaning."""
    if rule.customer_id:
        return await _owed_by(tx, rule, rule.customer_id, on)
    if rule.metric == "forecast_miss":
        return await _shortfall(tx, rule.currency, on)
    query = MeasureCollection(on, rule.window_days, currency=rule.currency)
    figures = next(iter(await kpis.measure_collection(tx, query)), None)
    if figures is None:
        return None
    match rule.metric:
        case "dso":
            return figures.ratios.dso
        case "receivables":
            return Money(figures.receivables_minor, rule.currency).decimal
        case "overdue":
            return Money(figures.overdue_minor, rule.currency).decimal
        case "overdue_share":
            return _percent(figures.overdue_minor, figures.receivables_minor)
    ranked = await debtors.rank_debtors(tx, RankDebtors(on, ALL_KNOWN, rule.currency, "total", rule.largest))
    return _percent(sum(debtor.total_minor for debtor in ranked), figures.receivables_minor)


async def _shortfall(tx: Tx, currency: str, on: date) -> Decimal | None:
    """What the last seven days brought less than was forecast for them, in percent of that; below zero when more."""
    measured = await forecasts.measure_forecasts(tx, MeasureForecasts(on, on + ONE_DAY, 1, currency))
    for accuracy in measured:
        for hit in accuracy.hits:
            return _percent(hit.forecast.expected_minor - hit.received_minor, hit.forecast.expected_minor)
    return None


def _percent(part_minor: int, whole_minor: int) -> Decimal | None:
    return (Decimal(part_minor * 100) / whole_minor).quantize(rules.HUNDREDTH) if whole_minor else None


async def _of_each_customer(tx: Tx, rule: Rule, on: date, open_alerts: Mapping[str, Alert]) -> list[Reading]:
    """Those who owe most, and those for whom an alert is open."""
    sort_by = "total" if rule.metric == "customer_balance" else "overdue"
    ranked = await debtors.rank_debtors(tx, RankDebtors(on, ALL_KNOWN, rule.currency, sort_by, DEBTORS_MAX))
    readings = {}
    for debtor in ranked:
        minor = debtor.total_minor if sort_by == "total" else debtor.overdue_minor
        value = Money(minor, rule.currency).decimal
        if rules.judge(rule.condition, Reading("", None, value), is_open=False) == "raised":
            subject = str(debtor.customer_id)
            readings[subject] = Reading(subject, debtor.name, value)
    for subject, alert in open_alerts.items():
        if subject not in readings:
            readings[subject] = Reading(subject, alert.subject_name, await _owed_by(tx, rule, UUID(subject), on))
    return list(readings.values())


async def _owed_by(tx: Tx, rule: Rule, customer_id: UUID, on: date) -> Decimal:
    aged = [each for each in await ageing.age_customer(tx, customer_id, on) if each.currency == rule.currency]
    minor = sum(each.total if rule.metric == "customer_balance" else each.overdue for each in aged)
    return Money(minor, rule.currency).decimal


async def _name_of(tx: Tx, customer_id: UUID) -> str | None:
    customer = await customers.find_customer(tx, customer_id)
    return customer["name"] if customer else None
