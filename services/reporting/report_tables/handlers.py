"""Every report as a table, from the handlers that answer it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing import rules as ageing_rules
from services.reporting.ageing.handlers import AgeReceivables, ListOpenInvoices
from services.reporting.ageing.rules import ALL_KNOWN, USUAL_DAYS, Buckets
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.effectiveness import handlers as effectiveness
from services.reporting.effectiveness.handlers import CompareMessages
from services.reporting.forecasts import handlers as forecasts
from services.reporting.forecasts.handlers import ForecastReceipts
from services.reporting.indicators import handlers as indicators
from services.reporting.indicators.handlers import ReadIndicators, ReadTrend
from services.reporting.patterns import handlers as patterns
from services.reporting.patterns.handlers import ExplainDso, FindPatterns
from services.reporting.provisions import handlers as provisions
from services.reporting.provisions.handlers import ProvideFor
from services.reporting.provisions.rules import SEEN_MIN
from services.reporting.report_tables import rules
from services.reporting.report_tables.rules import Column, Parameters, ReportName, Row, Table
from services.reporting.segments import handlers as segments
from services.reporting.segments.handlers import CompareSegments, Segment
from shared.calendar import add_months, local_date
from shared.db import Tx
from shared.money import Money

CHUNK = 2_000
WINDOW_DAYS = 90
CURRENCY = Column("currency", "Currency")
Written = tuple[tuple[Column, ...], AsyncIterator[Sequence[Row]]]


async def tabulate(tx: Tx, report: ReportName, asked: Parameters) -> Table:
    """The report as of its day, which is today's where a relative one is asked for. Its rows are read from `tx` while
    they are taken. Raises ReportUnknown, NotAsked, BucketsUnreadable, NoRate."""
    rules.check(report, asked)
    today = local_date(tx.now, "UTC")
    as_of = rules.day_of(asked.as_of, today)
    columns, chunks = await _WRITERS[report](tx, asked, as_of)
    return Table(report, rules.SPECS[report].title, as_of, asked.given(), columns, chunks)


async def _at_once(rows: Sequence[Row]) -> AsyncIterator[Sequence[Row]]:
    yield rows


def _money(name: str, title: str, *, adds: bool = True) -> Column:
    return Column(name, title, "money", adds)


async def _ageing(tx: Tx, asked: Parameters, as_of: date) -> Written:
    days = USUAL_DAYS if asked.buckets is None else ageing_rules.read_days(asked.buckets)
    query = AgeReceivables(
        as_of,
        currency=asked.currency,
        group_by=cast(Any, asked.group_by),
        limit=CHUNK,
        days=days,
        age_from=asked.age_from or "due_date",
        reporting_currency=asked.reporting_currency,
    )
    bounds = zip((1, *(day + 1 for day in days)), (*days, None), strict=True)
    late = [
        (f"d{first}_{last}", f"{first}-{last} days") if last else (f"d{first}_plus", f"{first} days and more")
        for first, last in bounds
    ]
    group = (Column("group", "Group"), Column("label", "Name")) if asked.group_by else ()
    columns = (
        CURRENCY,
        *group,
        _money("current", "Not yet due"),
        *(_money(name, title) for name, title in late),
        _money("total", "Total"),
        _money("overdue", "Overdue"),
        _money("disputed", "Disputed"),
        _money("on_plan", "On a plan"),
        Column("open_invoices", "Open invoices", "count", adds=True),
    )

    def row(b: Buckets) -> Row:
        amounts = (*b.split, b.total, b.overdue, sum(b.disputed), sum(b.on_plan))
        named = (b.group, b.label) if asked.group_by else ()
        return (b.currency, *named, *(Money(minor, b.currency) for minor in amounts), b.open_invoices)

    first = await ageing.age_receivables(tx, query)

    async def chunks() -> AsyncIterator[Sequence[Row]]:
        found = first
        while found:
            yield [row(b) for b in found]
            last = found[-1]
            if not asked.group_by or len({b.group for b in found}) < CHUNK:
                return
            found = await ageing.age_receivables(tx, replace(query, after=(last.currency, last.group or "")))

    return columns, chunks()


async def _open_invoices(tx: Tx, asked: Parameters, as_of: date) -> Written:
    columns = (
        Column("number", "Invoice"),
        Column("customer_name", "Customer"),
        Column("customer_id", "Customer id"),
        Column("entity_id", "Entity"),
        Column("issue_date", "Issued", "date"),
        Column("due_date", "Due", "date"),
        Column("days_overdue", "Days overdue", "count"),
        CURRENCY,
        _money("balance", "Open"),
        _money("disputed", "Disputed"),
        _money("on_plan", "On a plan"),
    )
    query = ListOpenInvoices(as_of, CHUNK, currency=asked.currency, late_min=asked.late_min, late_max=asked.late_max)

    def row(i: Any) -> Row:
        amounts = (Money(i[f"{name}_minor"], i["currency"]) for name in ("balance", "disputed", "on_plan"))
        return (
            i["number"],
            i["name"],
            i["customer_id"],
            i["entity_id"],
            i["issue_date"],
            i["due_on"],
            i["days_overdue"],
            i["currency"],
            *amounts,
        )

    async def chunks() -> AsyncIterator[Sequence[Row]]:
        found = await ageing.list_open_invoices(tx, query)
        while found:
            yield [row(i) for i in found]
            if len(found) < CHUNK:
                return
            after = (found[-1]["due_on"], UUID(str(found[-1]["invoice_id"])))
            found = await ageing.list_open_invoices(tx, replace(query, after=after))

    return columns, chunks()


async def _indicators(tx: Tx, asked: Parameters, as_of: date) -> Written:
    found = await indicators.read_indicators(
        tx, ReadIndicators(as_of, asked.window_days or WINDOW_DAYS, asked.currency, asked.group)
    )
    columns = (
        CURRENCY,
        Column("indicator", "Indicator"),
        Column("value", "Value", "number"),
        Column("unit", "Unit"),
        Column("benchmark", "Benchmark", "number"),
        Column("benchmark_of", "Benchmark of"),
        Column("benchmark_source", "Source"),
    )
    rows: list[Row] = []
    for each in found:
        for figure in each.indicators:
            beside = each.benchmarks.get(figure.name) or [{}]
            rows += [
                (
                    each.currency,
                    figure.name,
                    figure.value,
                    figure.unit,
                    Decimal(entry["value"]) if entry else None,
                    f"{entry['industry']}, {entry['as_of']}" if entry else None,
                    entry.get("source"),
                )
                for entry in beside
            ]
    return columns, _at_once(rows)


async def _trend(tx: Tx, asked: Parameters, as_of: date) -> Written:
    points = await indicators.read_trend(
        tx, ReadTrend(as_of, asked.months or 12, asked.window_days or WINDOW_DAYS, asked.currency, asked.group)
    )
    columns = (
        CURRENCY,
        Column("on", "At the end of", "date"),
        _money("receivables", "Receivables", adds=False),
        _money("overdue", "Overdue", adds=False),
        _money("credit_sales", "Credit sales", adds=False),
        Column("dso", "DSO", "number"),
        Column("best_possible_dso", "Best possible DSO", "number"),
        Column("average_days_delinquent", "Average days delinquent", "number"),
        Column("cei", "CEI", "percent"),
        Column("share_current", "Share current", "percent"),
    )
    rows: list[Row] = [
        (
            p.currency,
            p.on,
            Money(p.receivables_minor, p.currency),
            Money(p.overdue_minor, p.currency),
            Money(p.sales_minor, p.currency),
            p.ratios.dso,
            p.ratios.best_possible_dso,
            p.ratios.average_days_delinquent,
            p.ratios.cei,
            p.share_current,
        )
        for p in points
    ]
    return columns, _at_once(rows)


async def _top_debtors(tx: Tx, asked: Parameters, as_of: date) -> Written:
    query = RankDebtors(as_of, ALL_KNOWN, asked.currency, asked.sort_by or "total", asked.limit or 20)
    columns = (
        CURRENCY,
        Column("customer", "Customer"),
        Column("external_id", "Number"),
        Column("segment", "Segment"),
        _money("total", "Owed"),
        _money("overdue", "Overdue"),
        *(
            _money(name, title)
            for name, title in (
                ("current", "Not yet due"),
                ("d1_30", "1-30 days"),
                ("d31_60", "31-60 days"),
                ("d61_90", "61-90 days"),
                ("d91_plus", "91 days and more"),
            )
        ),
        Column("days_overdue", "Oldest, days overdue", "count"),
        Column("open_invoices", "Open invoices", "count", adds=True),
        Column("share_percent", "Share of all", "percent"),
    )
    rows: list[Row] = [
        (
            d.currency,
            d.name,
            d.external_id,
            d.segment,
            *(Money(minor, d.currency) for minor in (d.total_minor, d.overdue_minor, *d.split)),
            d.days_overdue,
            d.open_invoices,
            d.share_percent,
        )
        for d in await debtors.rank_debtors(tx, query)
    ]
    return columns, _at_once(rows)


async def _cash_forecast(tx: Tx, asked: Parameters, as_of: date) -> Written:
    step = timedelta(days=1 if asked.by == "day" else 7)
    query = ForecastReceipts(as_of, local_date(tx.now, "UTC"), asked.weeks or 13, step, asked.currency, asked.group)
    found, _ = await forecasts.forecast_receipts(tx, query)
    columns = (
        CURRENCY,
        Column("first_day", "From", "date"),
        Column("last_day", "To", "date"),
        _money("expected", "Expected"),
        _money("low", "Low", adds=False),
        _money("high", "High", adds=False),
    )
    rows: list[Row] = [
        (
            r.currency,
            r.first_day,
            r.last_day,
            *(Money(minor, r.currency) for minor in (r.expected_minor, r.low_minor, r.high_minor)),
        )
        for r in found
    ]
    return columns, _at_once(rows)


async def _payment_patterns(tx: Tx, asked: Parameters, as_of: date) -> Written:
    query = FindPatterns(as_of, asked.window_days or WINDOW_DAYS, cast(Any, asked.group_by or "segment"))
    weighed = query.by == "product_line"
    columns = (
        Column("group", "Group"),
        Column("label", "Name"),
        Column("invoices", "Paid invoices", "count"),
        Column("invoices_before", "In the window before", "count"),
        Column("mean_days", "Mean days after due", "number"),
        Column("mean_days_before", "Before", "number"),
        Column("change", "Change", "number"),
        Column("late_percent", "Paid late", "percent"),
        Column("late_percent_before", "Before", "percent"),
        Column("late_share_percent", "Of all paid late", "percent"),
        Column("late_share_percent_before", "Before", "percent"),
        *((CURRENCY, _money("amount", "Paid"), _money("amount_before", "Before")) if weighed else ()),
    )
    rows: list[Row] = [
        (
            p.group,
            p.label,
            p.invoices,
            p.invoices_before,
            p.mean_days,
            p.mean_days_before,
            p.change,
            p.late_percent,
            p.late_percent_before,
            p.late_share,
            p.late_share_before,
            *(
                (p.currency, Money(p.amount_minor, p.currency), Money(p.amount_before_minor, p.currency))
                if p.currency
                else ()
            ),
        )
        for p in await patterns.find_patterns(tx, query)
    ]
    return columns, _at_once(rows)


async def _reminder_effectiveness(tx: Tx, asked: Parameters, as_of: date) -> Written:
    query = CompareMessages(as_of, asked.window_days or 180, cast(Any, asked.group_by or "step"))
    columns = (
        Column("group", "Message"),
        Column("invoices", "Invoices", "count"),
        Column("compared", "Compared", "count"),
        *(Column(f"with_{days}", f"Paid within {days} days", "percent") for days in (3, 7, 14)),
        *(Column(f"without_{days}", f"Without a message, {days} days", "percent") for days in (3, 7, 14)),
    )

    def percents(shares: tuple[float, ...] | None) -> Row:
        return [None] * 3 if shares is None else [round(Decimal(100 * share), 1) for share in shares]

    rows: list[Row] = [
        (e.group, e.invoices, e.compared, *percents(e.treated), *percents(e.untreated))
        for e in await effectiveness.compare_messages(tx, query)
    ]
    return columns, _at_once(rows)


async def _dso_change(tx: Tx, asked: Parameters, as_of: date) -> Written:
    query = ExplainDso(
        as_of,
        add_months(as_of, -1),
        asked.window_days or WINDOW_DAYS,
        cast(Any, asked.group_by or "segment"),
        asked.currency,
    )
    columns = (CURRENCY, Column("part", "Part"), Column("group", "Group"), Column("days", "Days", "number"))
    rows: list[Row] = []
    for currency, c in await patterns.explain_dso(tx, query):
        if c is None:
            continue
        parts = ("before", "after", "change", "by_sales", "by_not_due", "by_overdue")
        rows += [(currency, part, None, getattr(c, part)) for part in parts]
        rows += [(currency, "group", group, days) for group, days in c.groups]
    return columns, _at_once(rows)


async def _concentration(tx: Tx, asked: Parameters, as_of: date) -> Written:
    columns = (CURRENCY, Column("largest", "Largest debtors", "count"), Column("share", "Share of all", "percent"))
    rows: list[Row] = [
        (c.currency, count, share)
        for c in await patterns.concentration(tx, as_of, asked.currency)
        for count, share in c.shares
    ]
    return columns, _at_once(rows)


async def _provision(tx: Tx, asked: Parameters, as_of: date) -> Written:
    days = USUAL_DAYS if asked.buckets is None else ageing_rules.read_days(asked.buckets)
    adjustment = asked.adjustment_percent or Decimal(0)
    query = ProvideFor(
        as_of,
        days,
        asked.months or 24,
        asked.horizon_months or 12,
        adjustment,
        asked.currency,
        cast(Any, asked.group_by),
        asked.seen_min or SEEN_MIN,
    )
    _, found = await provisions.provide_for(tx, query)
    columns = (
        CURRENCY,
        *((Column("group", "Group"),) if asked.group_by else ()),
        Column("days_from", "Days overdue from", "count"),
        Column("days_to", "To", "count"),
        _money("amount", "Open"),
        _money("seen", "Seen in the past", adds=False),
        _money("lost", "Lost of it", adds=False),
        Column("rate_percent", "Rate", "percent"),
        _money("provision", "Provision"),
        *((Column("rate_from", "Rate of"),) if asked.group_by else ()),
    )

    def known(minor: int | None, currency: str) -> Money | None:
        return None if minor is None else Money(minor, currency)

    rows: list[Row] = [
        (
            p.currency,
            *((p.group,) if asked.group_by else ()),
            line.days_from,
            line.days_to,
            *(Money(minor, p.currency) for minor in (line.open_minor, line.seen_minor, line.lost_minor)),
            line.rate_percent,
            known(line.provision_minor, p.currency),
            *((line.rate_from,) if asked.group_by else ()),
        )
        for p in found
        for line in p.lines
    ]
    return columns, _at_once(rows)


async def _segments(tx: Tx, asked: Parameters, as_of: date) -> Written:
    query = CompareSegments(as_of, asked.window_days or WINDOW_DAYS, currency=asked.currency, limit=CHUNK)
    columns = (
        Column("segment", "Segment"),
        CURRENCY,
        Column("customers", "Customers owing", "count", adds=True),
        _money("receivables", "Receivables"),
        _money("overdue", "Overdue"),
        _money("credit_sales", "Credit sales"),
        Column("share_current", "Share current", "percent"),
        Column("dso", "DSO", "number"),
        Column("dso_countback", "DSO, counted back", "number"),
        Column("best_possible_dso", "Best possible DSO", "number"),
        Column("average_days_delinquent", "Average days delinquent", "number"),
        Column("cei", "CEI", "percent"),
        Column("paid_invoices", "Paid invoices", "count", adds=True),
        Column("mean_days_late", "Mean days after due", "number"),
    )

    def row(s: Segment) -> Row:
        k = s.kpis
        amounts = (Money(minor, k.currency) for minor in (k.receivables_minor, k.overdue_minor, k.sales_minor))
        r = k.ratios
        ratios = (r.dso, r.dso_countback, r.best_possible_dso, r.average_days_delinquent, r.cei)
        return (
            s.segment,
            k.currency,
            s.customers,
            *amounts,
            s.share_current,
            *ratios,
            s.paid_invoices,
            s.mean_days_late,
        )

    async def chunks() -> AsyncIterator[Sequence[Row]]:
        found = await segments.compare_segments(tx, query)
        while found:
            yield [row(s) for s in found]
            if len(found) < CHUNK:
                return
            found = await segments.compare_segments(tx, replace(query, after=found[-1].place))

    return columns, chunks()


_WRITERS = {
    "ageing": _ageing,
    "open-invoices": _open_invoices,
    "indicators": _indicators,
    "trend": _trend,
    "top-debtors": _top_debtors,
    "cash-forecast": _cash_forecast,
    "payment-patterns": _payment_patterns,
    "reminder-effectiveness": _reminder_effectiveness,
    "dso-change": _dso_change,
    "concentration": _concentration,
    "provision": _provision,
    "segments": _segments,
}
