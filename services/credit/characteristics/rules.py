"""What a scorecard may ask about a customer: each characteristic with its kind and unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

INSOLVENCY = ("none", "past", "open")


class Kind(StrEnum):
    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Asked:
    """`categories` are all that there are; empty where anything may be said."""

    kind: Kind
    means: str
    categories: tuple[str, ...] = ()


KNOWN: dict[str, Asked] = {
    "z_score": Asked(Kind.NUMBER, "Altman's Z'' of the newest financial statement"),
    "current_ratio": Asked(Kind.NUMBER, "current assets over current liabilities"),
    "equity_ratio": Asked(Kind.NUMBER, "equity over total assets"),
    "debt_to_equity": Asked(Kind.NUMBER, "total liabilities over equity"),
    "net_margin": Asked(Kind.NUMBER, "net income over revenue"),
    "interest_cover": Asked(Kind.NUMBER, "EBIT over interest"),
    "bureau_score": Asked(Kind.NUMBER, "of the newest credit report, 0 (worst) to 100 (best)"),
    "years_trading": Asked(Kind.NUMBER, "whole years since the foundation"),
    "insolvency": Asked(Kind.CATEGORY, "proceedings on record", INSOLVENCY),
    "court_flags": Asked(Kind.NUMBER, "judgments, liens and protests that are open"),
    "trade_references": Asked(Kind.NUMBER, "suppliers who gave a reference"),
    "reference_days_late": Asked(Kind.NUMBER, "days late with those suppliers, on average"),
    "average_days_late": Asked(Kind.NUMBER, "days after due that it paid us in twelve months, on average"),
    "late_share": Asked(Kind.NUMBER, "share of what it paid us in twelve months that was late, 0 to 1"),
    "oldest_overdue_days": Asked(Kind.NUMBER, "days that its oldest open invoice is past due"),
    "imported_days_late": Asked(Kind.NUMBER, "days late on average, by the imported payment history"),
    "imported_late_share": Asked(Kind.NUMBER, "share paid late, by the imported payment history, 0 to 1"),
    "disputes": Asked(Kind.NUMBER, "invoices it disputed in twelve months"),
    "broken_promises": Asked(Kind.NUMBER, "promises to pay it broke in twelve months"),
    "write_offs": Asked(Kind.NUMBER, "its invoices that were written off in three years"),
    "segment": Asked(Kind.CATEGORY, "the customer's segment"),
    "country": Asked(Kind.CATEGORY, "the customer's country, ISO 3166 alpha-2"),
}
