"""Gather the management report, and set it. Nothing is written: the caller's transaction is read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.alerts import handlers as alert_rules
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.forecasts import handlers as forecasts
from services.reporting.forecasts.handlers import ForecastReceipts
from services.reporting.indicators import handlers as indicators
from services.reporting.indicators.handlers import ReadIndicators, ReadTrend
from services.reporting.management_report import rules
from services.reporting.patterns import handlers as patterns
from services.reporting.patterns.handlers import ExplainDso, FindPatterns
from services.reporting.provisions import handlers as provisions
from services.reporting.provisions.handlers import ProvideFor
from shared.calendar import add_months, local_date
from shared.db import Tx
from shared.words import day_words

WINDOW_DAYS = 90
MONTHS = 12
WEEKS = 8
DEBTORS = 10
ALERTS = 8
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class ManagementReport:
    as_of: date
    made_on: date
    currency: str
    view: Mapping[str, Any]


async def gather(tx: Tx, as_of: date, currency: str | None = None) -> ManagementReport:
    """One currency at the end of a day, the main one where none is named. Raises NothingToReport."""
    today = local_date(tx.now, "UTC")
    whole = rules.main_currency(await ageing.age_receivables(tx, AgeReceivables(as_of, currency=currency)), currency)
    code, before = whole.currency, add_months(as_of, -1)
    now = await indicators.read_indicators(tx, ReadIndicators(as_of, WINDOW_DAYS, code))
    earlier = await indicators.read_indicators(tx, ReadIndicators(before, WINDOW_DAYS, code))
    points = await indicators.read_trend(tx, ReadTrend(as_of, MONTHS, WINDOW_DAYS, code))
    weeks, _ = await forecasts.forecast_receipts(tx, ForecastReceipts(as_of, today, WEEKS, currency=code))
    largest = await debtors.rank_debtors(tx, RankDebtors(as_of, ALL_KNOWN, code, "total", DEBTORS))
    moved = await patterns.explain_dso(tx, ExplainDso(as_of, before, WINDOW_DAYS, "segment", code))
    shares = await patterns.concentration(tx, as_of, code)
    _, provided = await provisions.provide_for(tx, ProvideFor(as_of, (30, 60, 90), 24, 12, Decimal(0), code))
    provision = next((each.provision_minor for each in provided), None)
    view = {
        "as_of": day_words(as_of),
        "since": day_words(before),
        "made_on": day_words(today),
        "currency": code,
        "window_days": WINDOW_DAYS,
        "receivables": rules.shown_amount(whole.total, code),
        "overdue": rules.shown_amount(whole.overdue, code),
        "open_invoices": f"{whole.open_invoices:,}",
        "tiles": rules.tiles(now[0].indicators if now else (), earlier[0].indicators if earlier else ()),
        "ageing": rules.ageing(whole),
        "trend": rules.trend(
            [point.on for point in points],
            [point.ratios.dso for point in points],
            [point.ratios.best_possible_dso for point in points],
        ),
        "forecast": rules.forecast(weeks),
        "debtors": rules.debtors(largest),
        "concentration": [
            {"count": count, "share": rules.figure(share, " %")}
            for each in shares
            for count, share in each.shares
            if count == 1 or count <= len(largest)
        ],
        "provision": None if provision is None else rules.shown_amount(provision, code),
        "change": rules.change(next((change for _, change in moved), None)),
        "slower": rules.slower(await patterns.find_patterns(tx, FindPatterns(as_of, WINDOW_DAYS, "customer"))),
        "alerts": rules.alerts(await _open_alerts(tx)),
    }
    return ManagementReport(as_of, today, code, view)


async def _open_alerts(tx: Tx) -> list[Any]:
    found = await alert_rules.list_alerts(tx, None, True, None, ALERTS)
    return [(alert, await alert_rules.find_rule(tx, alert.rule_id)) for alert in found]


def set_report(report: ManagementReport) -> bytes:
    """A PDF/A-3b. It takes some tenths of a second of processor time, so doors call it by `asyncio.to_thread`."""
    pdf = typst.compile(
        _TEMPLATES / "management_report.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"data": orjson.dumps(report.view).decode()},
        pdf_standards=["a-3b"],
        timestamp=datetime.combine(report.made_on, time(), UTC),
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """The typefaces that come with typst; the system's only help out with characters those do not have."""
    return typst.Fonts(include_system_fonts=True)
