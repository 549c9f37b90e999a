"""A scorecard that was published by others, and totals added up from its table by hand.

The table: "Scoring Points: Credit by Computer", its "Hypothetical Credit-Scoring Table", a page of The Michigan Daily
kept by the University of Michigan (https://digital.bentley.umich.edu/midaily/mdp.39015071754811/1073). Four of its
characteristics stand here under names that scorecards know: age as `oldest_overdue_days`, years at the address as
`years_trading`, the ratio of debt to income as `late_share`, checking and savings accounts as `country`.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.credit.scorecards import rules

AGES = (("25", 12), ("30", 5), ("35", 0), ("40", 1), ("45", 18), ("50", 22), (None, 31))
YEARS_AT_ADDRESS = (("1", 9), ("2", 0), ("3", 5), ("5", 0), ("10", 5), (None, 21))
DEBT_RATIOS = (("0.01", 41), ("0.06", 16), ("0.16", 20), (None, 0))
ACCOUNTS = (("both", 15), ("checking", 2), ("savings", 2), ("neither", 0))


def numbers(name: str, bins: tuple[tuple[str | None, int], ...]) -> dict[str, object]:
    """Bins of the form (below, points), the last one without an end."""
    parts, start = [], None
    for below, points in bins:
        ends = {name: value for name, value in (("from", start), ("below", below)) if value is not None}
        parts.append({**ends, "points": points, "reason": "of_the_table", "says": "As in the table"})
        start = below
    parts.append({"missing": True, "points": 0, "reason": "not_told", "says": "Not told"})
    return {"name": name, "bins": parts}


TABLE = rules.Scorecard.model_validate(
    {
        "name": "table",
        "title": "Hypothetical",
        "owner": "Ada",
        "review_on": "2027-01-31",
        "base_points": 0,
        "characteristics": [
            numbers("oldest_overdue_days", AGES),
            numbers("years_trading", YEARS_AT_ADDRESS),
            numbers("late_share", DEBT_RATIOS),
            {
                "name": "country",
                "bins": [
                    *({"any_of": [it], "points": n, "reason": "accounts", "says": "Accounts"} for it, n in ACCOUNTS),
                    {"other": True, "points": 0, "reason": "accounts", "says": "Accounts"},
                    {"missing": True, "points": 0, "reason": "not_told", "says": "Not told"},
                ],
            },
        ],
        "calibration": [
            {"risk_class": "E", "probability_of_default": "0.5"},
            {"score_from": 100, "risk_class": "A", "probability_of_default": "0.1"},
        ],
    }
)


@pytest.mark.parametrize(
    ("age", "years_at_address", "debt_ratio", "accounts", "total"),
    [
        ("24", "0", "0", "both", 12 + 9 + 41 + 15),
        ("25", "1", "0.01", "checking", 5 + 0 + 16 + 2),
        ("34.9999", "2.9999", "0.1599", "savings", 0 + 5 + 20 + 2),
        ("35", "3", "0.16", "neither", 1 + 0 + 0 + 0),
        ("49", "9", "0.05", "both", 22 + 5 + 16 + 15),
        ("50", "10", "0.0099", "both", 31 + 21 + 41 + 15),
    ],
)
def test_the_points_of_the_published_table_add_up(
    age: str, years_at_address: str, debt_ratio: str, accounts: str, total: int
) -> None:
    values = {
        "oldest_overdue_days": Decimal(age),
        "years_trading": Decimal(years_at_address),
        "late_share": Decimal(debt_ratio),
        "country": accounts,
    }
    assert rules.score(TABLE, values).score == total


@pytest.mark.parametrize(
    ("points", "risk_class"),
    [(99, "E"), (100, "A"), (101, "A")],
)
def test_a_band_begins_with_its_first_score(points: int, risk_class: str) -> None:
    card = TABLE.model_copy(update={"base_points": points})
    assert rules.score(card, {}).risk_class == risk_class
