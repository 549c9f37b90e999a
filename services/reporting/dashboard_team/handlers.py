"""How collection goes: the figures of the head of collections, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import Buckets
from services.reporting.dashboard_team import queries, rules
from services.reporting.dashboard_team.rules import Collector, Promises, Reason, Step
from services.reporting.effectiveness import handlers as effectiveness
from services.reporting.effectiveness.handlers import CompareMessages
from services.reporting.effectiveness.rules import By, Effect
from services.reporting.outcomes import handlers as outcomes
from shared.db import Tx

SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Running:
    """Promises that are neither kept nor broken yet, minor units; `soon` are those of the next seven days."""

    promises: int
    minor: int
    soon: int
    soon_minor: int


@dataclass(frozen=True, slots=True)
class Collections:
    """Everything on the page for one currency, of the `window_days` days up to the day shown."""

    currencies: Sequence[str]
    buckets: Buckets
    steps: Sequence[Step]
    decided: Promises
    months: Sequence[tuple[date, Promises]]
    running: Running
    reasons: Sequence[Reason]
    collectors: Sequence[Collector]


async def draw_collections(tx: Tx, as_of: date, currency: str | None, window_days: int) -> Collections | None:
    """The currency asked for where it has moved, else the busiest one; None before anything has."""
    aged = await ageing.age_receivables(tx, AgeReceivables(as_of))
    if not aged:
        return None
    busiest = sorted(aged, key=lambda buckets: (-buckets.open_invoices, buckets.currency))
    shown = next((buckets for buckets in aged if buckets.currency == currency), busiest[0])
    after = as_of - timedelta(days=window_days)
    by_collector = {
        row["collector"]: _promises(row)
        for row in await queries.promises_by_collector(tx, shown.currency, after, as_of)
    }
    return Collections(
        currencies=[buckets.currency for buckets in busiest],
        buckets=shown,
        steps=rules.steps(await queries.sent(tx, after, as_of)),
        decided=rules.together(by_collector.values()),
        months=await _months(tx, shown.currency, as_of),
        running=await _running(tx, shown.currency, as_of),
        reasons=rules.reasons(await queries.disputes(tx, shown.currency, as_of, rules.DISPUTE_DAYS)),
        collectors=rules.collectors(
            await ageing.age_receivables(tx, AgeReceivables(as_of, currency=shown.currency, group_by="collector")),
            by_collector,
            await queries.tasks_done(tx, after, as_of),
        ),
    )


async def compare_messages(tx: Tx, as_of: date, window_days: int, by: By) -> list[Effect]:
    """The more frequent first: as a strategy goes on, each step reaches fewer."""
    effects = await effectiveness.compare_messages(tx, CompareMessages(as_of, window_days, by))
    return sorted(effects, key=lambda effect: (-effect.invoices, effect.group))


async def _months(tx: Tx, currency: str, as_of: date) -> list[tuple[date, Promises]]:
    months = rules.months_shown(as_of)
    found = {row["month"]: _promises(row) for row in await queries.promises_by_month(tx, currency, months[0], as_of)}
    return [(month, found.get(month, Promises())) for month in months]


async def _running(tx: Tx, currency: str, as_of: date) -> Running:
    promises = [
        (row["promised_on"], row["amount_minor"])
        for row in await outcomes.promises_running(tx, as_of)
        if row["currency"] == currency
    ]
    soon = [minor for day, minor in promises if day <= as_of + timedelta(days=SOON_DAYS)]
    return Running(len(promises), sum(minor for _, minor in promises), len(soon), sum(soon))


def _promises(row: asyncpg.Record) -> Promises:
    return Promises(row["kept"], row["broken"], row["kept_minor"], row["broken_minor"])
