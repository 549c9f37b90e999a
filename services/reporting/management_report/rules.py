"""The management report in words and shares: what its pages show, worked out before they are set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from services.reporting.ageing.rules import Buckets
from services.reporting.alerts.rules import Alert, Rule
from services.reporting.debtors.rules import Debtor
from services.reporting.forecasts.rules import Receipts
from services.reporting.indicators.rules import Indicator
from services.reporting.patterns.rules import DsoChange, Pattern
from shared.errors import Refused
from shared.words import amount, day_words, words

SLOWER_SHOWN = 6
GROUPS_SHOWN = 5
BUCKETS = ("Not yet due", "1–30 days late", "31–60 days late", "61–90 days late", "91 days and more")
TILES = (
    ("dso_simple", "Days sales outstanding"),
    ("best_possible_dso", "Best possible"),
    ("cei", "Collection effectiveness"),
    ("share_current", "Share not yet due"),
    ("bad_debt_ratio", "Written off of sales"),
    ("promise_kept_rate", "Promises kept"),
)


class NothingToReport(Refused):
    slug = "nothing-to-report"
    title = "There is nothing to report"


def main_currency(aged: Iterable[Buckets], wanted: str | None) -> Buckets:
    """The currency asked for, else the one with most open invoices: amounts of two do not compare. Raises
    NothingToReport."""
    found = [each for each in aged if wanted in (None, each.currency)]
    if not found:
        raise NothingToReport(
            f"nothing was ever owed in {wanted}" if wanted else "nothing was ever owed", field="query.currency"
        )
    return max(found, key=lambda each: (each.open_invoices, each.total, each.currency))


def shown_amount(minor: int, currency: str) -> str:
    """Without decimals: the pages are read from afar."""
    return amount(minor, currency, whole=True)


def figure(value: Decimal | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}{unit}".replace("-", "−")


def signed(value: Decimal) -> str:
    return f"{value:+,.1f}".replace("-", "−")


def ageing(b: Buckets) -> list[dict[str, Any]]:
    longest = max((minor for minor in b.split if minor > 0), default=0)
    return [
        {
            "label": label,
            "amount": shown_amount(minor, b.currency),
            "share": _percent(minor, b.total),
            "length": max(minor, 0) / longest if longest else 0,
        }
        for label, minor in zip(BUCKETS, b.split, strict=True)
    ]


def tiles(now: Sequence[Indicator], before: Sequence[Indicator]) -> list[dict[str, str]]:
    values, earlier = ({each.name: each for each in of} for of in (now, before))
    shown = []
    for name, label in TILES:
        each, was = values[name], earlier[name].value if name in earlier else None
        moved = signed(each.value - was) if each.value is not None and was is not None else ""
        unit = " %" if each.unit == "percent" else " days"
        shown.append({"label": label, "value": figure(each.value, unit), "moved": moved})
    return shown


def trend(days: Sequence[date], dso: Sequence[Decimal | None], best: Sequence[Decimal | None]) -> dict[str, Any]:
    """Heights as shares of the largest value; None where there is none."""
    top = max((value for line in (dso, best) for value in line if value is not None), default=Decimal(0))

    def heights(line: Sequence[Decimal | None]) -> list[float | None]:
        return [None if value is None or not top else float(value / top) for value in line]

    return {
        "labels": [f"{day:%b %y}" for day in days],
        "dso": heights(dso),
        "best": heights(best),
        "top": figure(top, " days"),
    }


def forecast(weeks: Sequence[Receipts]) -> list[dict[str, Any]]:
    top = max((each.high_minor for each in weeks), default=0)
    return [
        {
            "from": f"{each.first_day:%d %b}",
            "expected": each.expected_minor / top if top else 0,
            "low": each.low_minor / top if top else 0,
            "high": each.high_minor / top if top else 0,
            "words": shown_amount(each.expected_minor, each.currency),
            "range": f"{shown_amount(each.low_minor, each.currency)} – {shown_amount(each.high_minor, each.currency)}",
        }
        for each in weeks
    ]


def debtors(found: Iterable[Debtor]) -> list[dict[str, str]]:
    return [
        {
            "name": each.name,
            "segment": words(each.segment),
            "total": shown_amount(each.total_minor, each.currency),
            "overdue": shown_amount(each.overdue_minor, each.currency) if each.overdue_minor else "–",
            "oldest": f"{each.days_overdue} days" if each.days_overdue else "–",
            "share": figure(each.share_percent, " %"),
        }
        for each in found
    ]


def change(c: DsoChange | None) -> dict[str, Any] | None:
    if c is None:
        return None
    return {
        "before": figure(c.before),
        "after": figure(c.after),
        "change": signed(c.change),
        "parts": [
            {"label": label, "days": signed(days)}
            for label, days in (
                ("other sales", c.by_sales),
                ("more or less not yet due", c.by_not_due),
                ("more or less overdue", c.by_overdue),
            )
        ],
        "groups": [{"label": words(group), "days": signed(days)} for group, days in c.groups[:GROUPS_SHOWN] if days],
    }


def slower(found: Iterable[Pattern]) -> list[dict[str, str]]:
    """Groups that pay later than in the window before, the worst first."""
    return [
        {
            "label": words(each.label),
            "now": figure(each.mean_days),
            "before": figure(each.mean_days_before),
            "change": signed(each.change),
        }
        for each in found
        if each.change is not None and each.change > 0
    ][:SLOWER_SHOWN]


def alerts(found: Iterable[tuple[Alert, Rule]]) -> list[dict[str, str]]:
    return [
        {
            "name": rule.name,
            "subject": alert.subject_name or "",
            "since": day_words(alert.opened_on),
            "value": f"{alert.value:,f}".replace("-", "−"),
            "seen_by": alert.acknowledged_by or "nobody yet",
        }
        for alert, rule in found
    ]


def _percent(part: int, whole: int) -> str:
    return figure(Decimal(100 * part) / whole, " %") if whole else "–"
