"""The first page's figures, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.rules import ALL_KNOWN, USUAL_DAYS, Buckets, GroupBy
from services.reporting.cash_received import handlers as cash_received
from services.reporting.cash_received.handlers import ReceiveCash
from services.reporting.customers import handlers as customers
from services.reporting.dashboard import rules
from services.reporting.dashboard.rules import Cash
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.rules import Debtor
from services.reporting.forecasts import handlers as forecasts
from services.reporting.forecasts.handlers import Basis
from services.reporting.forecasts.rules import Accuracy, Receipts
from services.reporting.groups import handlers as groups
from services.reporting.groups.rules import EVERYBODY, Group
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import Kpis, TrendPoint
from services.reporting.provisions import handlers as provisions
from services.reporting.provisions.handlers import ProvideFor, Provision
from services.reporting.timeline import handlers as timeline
from services.reporting.timeline.handlers import Entry
from shared.db import Tx

WINDOW_DAYS = 90
CASH_DAYS = timedelta(days=30)
TREND_MONTHS = 24
DEBTORS = 10
LATEST = 6
FORECAST_WEEKS = 13
MEASURED_WEEKS = 4
PROVISION_MONTHS, PROVISION_HORIZON_MONTHS = 24, 12


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the first page for one currency. `currencies` are all that have moved by then, busiest first. Of
    one group there are no debtors, groups and latest events: those are everybody's."""

    currencies: Sequence[str]
    buckets: Buckets
    kpis: Kpis
    trend: Sequence[TrendPoint]
    cash: Cash
    debtors: Sequence[Debtor] = ()
    groups: Sequence[Buckets] = ()
    groups_in_all: int = 0
    latest: Sequence[tuple[Entry, UUID, str]] = ()


@dataclass(frozen=True, slots=True)
class NothingOwed:
    """There is nothing to draw on that day, but `customers` are known."""

    customers: int
    first_movement_on: date | None


async def draw_overview(
    tx: Tx, as_of: date, currency: str | None, group_by: GroupBy = "segment", group: Group = EVERYBODY
) -> Overview | NothingOwed:
    """The currency asked for where it has moved, else the busiest one."""
    aged = await groups.age_group(tx, as_of, group)
    if not aged:
        return NothingOwed(await customers.count_customers(tx), await ageing.first_movement_on(tx))
    busiest = sorted(aged, key=lambda buckets: (-buckets.open_invoices, buckets.currency))
    shown = next((buckets for buckets in aged if buckets.currency == currency), busiest[0])
    measuring = kpis.MeasureCollection(as_of, WINDOW_DAYS, currency=shown.currency, group=group)
    (measured,) = await kpis.measure_collection(tx, measuring, closing=[shown])
    overview = Overview(
        currencies=[buckets.currency for buckets in busiest],
        buckets=shown,
        kpis=measured,
        trend=await kpis.dso_trend(tx, shown.currency, as_of, TREND_MONTHS, WINDOW_DAYS, group),
        cash=await _cash(tx, shown.currency, as_of, group),
    )
    return await _with_everybody(tx, overview, as_of, group_by) if group.is_everybody else overview


async def _with_everybody(tx: Tx, overview: Overview, as_of: date, group_by: GroupBy) -> Overview:
    currency = overview.buckets.currency
    grouped = await ageing.age_receivables(tx, ageing.AgeReceivables(as_of, currency=currency, group_by=group_by))
    owing = [group for group in grouped if group.open_invoices]
    return replace(
        overview,
        debtors=await debtors.rank_debtors(tx, debtors.RankDebtors(as_of, ALL_KNOWN, currency, "total", DEBTORS)),
        groups=rules.largest_groups(owing),
        groups_in_all=len(owing),
        latest=await timeline.latest_entries(tx, as_of, LATEST),
    )


async def _cash(tx: Tx, currency: str, as_of: date, group: Group) -> Cash:
    found = await cash_received.received_by_month(tx, ReceiveCash(as_of, rules.CASH_MONTHS, currency, group))
    came_in = {each.month: each.received_minor for each in found}
    since, before = as_of - CASH_DAYS, as_of - 2 * CASH_DAYS
    return Cash(
        received_minor=await cash_received.received_within(tx, currency, since, as_of, group),
        before_minor=await cash_received.received_within(tx, currency, before, since, group),
        months=[(month, came_in.get(month, 0)) for month in rules.months_shown(as_of)],
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """One currency's receipts to expect week by week, and how the weeks before were forecast."""

    weeks: Sequence[Receipts]
    accuracy: Accuracy | None
    basis: Basis


async def draw_forecast(tx: Tx, as_of: date, today: date, currency: str, group: Group = EVERYBODY) -> Forecast:
    query = forecasts.ForecastReceipts(as_of, today, FORECAST_WEEKS, currency=currency, group=group)
    weeks, basis = await forecasts.forecast_receipts(tx, query)
    measured = await forecasts.measure_forecasts(
        tx, forecasts.MeasureForecasts(as_of, today, MEASURED_WEEKS, currency=currency, group=group)
    )
    return Forecast(weeks, next(iter(measured), None), basis)


async def draw_provision(tx: Tx, as_of: date, currency: str, group: Group = EVERYBODY) -> Provision | None:
    """As the report has it when nothing else is asked for; nothing is added for what is ahead. Of a group by its own
    matrix; there is none for a collector."""
    query = ProvideFor(as_of, USUAL_DAYS, PROVISION_MONTHS, PROVISION_HORIZON_MONTHS, Decimal(0), currency)
    if not group.is_everybody:
        if group.kind not in ("segment", "country", "entity"):
            return None
        query = replace(query, group_by=group.kind)
    _, found = await provisions.provide_for(tx, query)
    return next((each for each in found if (each.group or "") == group.key), None)
