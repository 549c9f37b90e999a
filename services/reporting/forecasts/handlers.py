"""Forecasts of any day, from what was known on it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.reporting.forecasts import queries, rules
from services.reporting.forecasts.rules import WEEK, Accuracy, Expectation, Hit, OpenItem, Plan, Promise, Receipts
from services.reporting.groups.rules import EVERYBODY, Group
from services.reporting.outcomes import handlers as outcomes
from services.reporting.payment_odds import handlers as payment_odds
from services.reporting.plans import handlers as plans
from shared.db import Tx


@dataclass(frozen=True)
class ForecastReceipts:
    """For `weeks` weeks after `as_of`, in steps of a day or a week."""

    as_of: date
    today: date
    weeks: int
    by: timedelta = WEEK
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True)
class MeasureForecasts:
    """The last `weeks` weeks that are over at the end of `as_of`, each against the forecast of the day before it."""

    as_of: date
    today: date
    weeks: int
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast rests on: open items, promises and plans among them, and settled invoices learned from."""

    open_items: int
    promises: int
    plans: int
    learned_from: int


async def forecast_receipts(tx: Tx, query: ForecastReceipts) -> tuple[list[Receipts], Basis]:
    expected, basis = await _expect(tx, query.as_of, query.today, query.currency, query.group)
    ends = rules.periods(query.as_of, query.weeks, query.by)
    return await asyncio.to_thread(rules.receipts, expected, ends), basis


async def measure_forecasts(tx: Tx, query: MeasureForecasts) -> list[Accuracy]:
    """Week by week the forecast is made again from what was known before the week: nothing later is looked at."""
    hits: dict[str, list[Hit]] = defaultdict(list)
    for weeks_ago in range(query.weeks, 0, -1):
        before = query.as_of - WEEK * weeks_ago
        expected, _ = await _expect(tx, before, query.today, query.currency, query.group)
        came_in = {
            row["currency"]: row["received_minor"]
            for row in await queries.received(tx, before, before + WEEK, query.currency, query.group)
        }
        for forecast in await asyncio.to_thread(rules.receipts, expected, [before, before + WEEK]):
            hits[forecast.currency].append(Hit(forecast, came_in.get(forecast.currency, 0)))
    return [Accuracy(currency, tuple(of)) for currency, of in sorted(hits.items())]


async def _expect(
    tx: Tx, as_of: date, today: date, currency: str | None, group: Group
) -> tuple[list[Expectation], Basis]:
    """Of a group what it owes is looked at; habits are learned from everybody."""
    odds = await payment_odds.learn(tx, as_of)
    rows = await queries.open_items(tx, as_of, is_past=as_of < today, currency=currency, group=group)
    promises, agreed = await _said(tx, as_of)
    if not group.is_everybody:
        owing = {(row["customer_id"], row["entity_id"]) for row in rows}
        named = {(row["customer_id"], row["number"]) for row in rows}
        promises = [each for each in promises if (each.customer_id, each.entity_id) in owing]
        agreed = {key: plan for key, plan in agreed.items() if key in named}
    items = [_item(row) for row in rows]
    expected = await asyncio.to_thread(rules.expectations, odds, items, promises, agreed, as_of)
    return expected, Basis(len(rows), len(promises), len(agreed), odds.model.learned_from)


async def _said(tx: Tx, as_of: date) -> tuple[list[Promise], dict[tuple[UUID, str], Plan]]:
    record = await outcomes.promise_record(tx, as_of)
    promises = [
        Promise(
            row["customer_id"],
            row["entity_id"],
            row["currency"],
            row["promised_on"],
            row["amount_minor"],
            frozenset(row["invoices"]),
            record.kept_share(row["customer_id"]),
        )
        for row in await outcomes.promises_running(tx, as_of)
    ]
    agreed = {
        (row["customer_id"], row["number"]): Plan(tuple(row["dates"]), tuple(row["amounts_minor"]))
        for row in await plans.running(tx, as_of)
    }
    return promises, agreed


def _item(row: asyncpg.Record) -> OpenItem:
    return OpenItem(
        row["customer_id"],
        row["entity_id"],
        row["currency"],
        row["due_on"],
        (row["disputed"], row["channel"]),
        row["balance_minor"],
        row["number"],
    )
