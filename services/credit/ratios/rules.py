"""What a balance sheet and an income statement say of a company: ratios, and Altman's Z'' for private firms.

Every figure is an exact fraction of money in one currency; a ratio whose denominator is nothing is a named absence and
no error, since a company without debt, say, has no interest to cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from shared.money import Money

PLACES = Decimal("0.0001")

WORKING_CAPITAL, RETAINED_EARNINGS, EARNINGS, EQUITY = map(Decimal, ("6.56", "3.26", "6.72", "1.05"))
EMERGING_MARKETS = Decimal("3.25")
DISTRESS_BELOW, SAFE_ABOVE = Decimal("1.10"), Decimal("2.60")


class Absence(StrEnum):
    """Why a figure is not there."""

    NO_STATEMENT = "no_statement"
    NOT_GIVEN = "not_given"
    NO_ASSETS = "no_assets"
    NO_CURRENT_LIABILITIES = "no_current_liabilities"
    NO_LIABILITIES = "no_liabilities"
    NO_REVENUE = "no_revenue"
    NO_INTEREST = "no_interest"
    NO_EQUITY = "no_equity"


class Zone(StrEnum):
    DISTRESS = "distress"
    GREY = "grey"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Statement:
    """Figures of one business year, all in one currency; `ebit` is earnings before interest and taxes, `equity` the
    book value. What is None was not given."""

    current_assets: Money
    current_liabilities: Money
    total_assets: Money
    total_liabilities: Money
    retained_earnings: Money
    equity: Money
    ebit: Money
    revenue: Money | None = None
    net_income: Money | None = None
    interest_expense: Money | None = None


@dataclass(frozen=True, slots=True)
class Ratios:
    """With four decimals, half-even. `missing` says of each ratio that is None why it is."""

    current_ratio: Decimal | None
    equity_ratio: Decimal | None
    debt_to_equity: Decimal | None
    net_margin: Decimal | None
    interest_cover: Decimal | None
    x1: Decimal | None
    x2: Decimal | None
    x3: Decimal | None
    x4: Decimal | None
    z_score: Decimal | None
    z_score_emerging: Decimal | None
    zone: Zone | None
    missing: dict[str, Absence]


def ratios_of(statement: Statement) -> Ratios:
    """All of them, from one statement.

    Z'' = 6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4, of working capital, retained earnings and EBIT over total assets, and
    the book value of equity over total liabilities: the model for private firms that are no manufacturers. For emerging
    markets 3.25 is added, so that 0 stands for a defaulted bond. Zones are of Z'' without that constant: below 1.10
    distress, above 2.60 safe, the bounds themselves grey.

    Source: E. I. Altman, Predicting Financial Distress of Companies: Revisiting the Z-Score and ZETA Models (Stern
    School of Business, New York University, July 2000), sections "A Further Revision" and "The Emerging Markets
    Scoring Model"; after E. I. Altman, J. Hartzell and M. Peck, Emerging Markets Corporate Bonds: A Scoring System
    (Salomon Brothers, 1995).
    """
    missing: dict[str, Absence] = {}

    def ratio(name: str, over: Money | None, under: Money | None, nothing: Absence) -> Decimal | None:
        if over is None or under is None:
            missing[name] = Absence.NOT_GIVEN
        elif under.minor == 0:
            missing[name] = nothing
        else:
            return Decimal(over.minor) / Decimal(under.minor)
        return None

    of = statement
    working_capital = of.current_assets - of.current_liabilities
    x1 = ratio("x1", working_capital, of.total_assets, Absence.NO_ASSETS)
    x2 = ratio("x2", of.retained_earnings, of.total_assets, Absence.NO_ASSETS)
    x3 = ratio("x3", of.ebit, of.total_assets, Absence.NO_ASSETS)
    x4 = ratio("x4", of.equity, of.total_liabilities, Absence.NO_LIABILITIES)
    z_score = z_score_of(x1, x2, x3, x4)
    if z_score is None:
        missing["z_score"] = missing["z_score_emerging"] = missing["zone"] = missing.get("x1") or missing["x4"]
    return Ratios(
        current_ratio=_rounded(
            ratio("current_ratio", of.current_assets, of.current_liabilities, Absence.NO_CURRENT_LIABILITIES)
        ),
        equity_ratio=_rounded(ratio("equity_ratio", of.equity, of.total_assets, Absence.NO_ASSETS)),
        debt_to_equity=_rounded(ratio("debt_to_equity", of.total_liabilities, of.equity, Absence.NO_EQUITY)),
        net_margin=_rounded(ratio("net_margin", of.net_income, of.revenue, Absence.NO_REVENUE)),
        interest_cover=_rounded(ratio("interest_cover", of.ebit, of.interest_expense, Absence.NO_INTEREST)),
        x1=_rounded(x1),
        x2=_rounded(x2),
        x3=_rounded(x3),
        x4=_rounded(x4),
        z_score=_rounded(z_score),
        z_score_emerging=_rounded(z_score + EMERGING_MARKETS if z_score is not None else None),
        zone=zone_of(z_score) if z_score is not None else None,
        missing=missing,
    )


def z_score_of(x1: Decimal | None, x2: Decimal | None, x3: Decimal | None, x4: Decimal | None) -> Decimal | None:
    """Z'' of its four ratios, unrounded; None where one of them is not there."""
    if x1 is None or x2 is None or x3 is None or x4 is None:
        return None
    return WORKING_CAPITAL * x1 + RETAINED_EARNINGS * x2 + EARNINGS * x3 + EQUITY * x4


def zone_of(z_score: Decimal) -> Zone:
    """The zone of a Z'' without the constant for emerging markets."""
    if z_score < DISTRESS_BELOW:
        return Zone.DISTRESS
    return Zone.SAFE if z_score > SAFE_ABOVE else Zone.GREY


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(PLACES, ROUND_HALF_EVEN)
