"""What was learned of a company as people write it into a form: the fields of each kind, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from services.credit.vetting.rules import DAYS_LATE_MAX, VALID_MONTHS, Kind, Particulars
from shared.errors import DomainError, Refused
from shared.money import Money

_PARTICULARS: TypeAdapter[Particulars] = TypeAdapter(Particulars)
TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class Field:
    """`takes` says how it is written; a share is written in percent. `choices` are values with their words."""

    name: str
    label: str
    takes: Literal["money", "whole", "percent", "day", "text", "choice"]
    needed: bool = False
    least: int | None = None
    most: int | None = None
    choices: tuple[tuple[str, str], ...] = ()


KINDS: Mapping[Kind, str] = {
    "credit_report": "Credit report",
    "trade_reference": "Trade reference",
    "financial_statement": "Financial statement",
    "public_record": "Court or insolvency",
    "payment_history": "Payment history",
    "foundation": "Foundation",
}
_DAYS_LATE = Field(
    "average_days_late", "Days late on average; early below zero", "whole", True, -DAYS_LATE_MAX, DAYS_LATE_MAX
)
FIELDS: Mapping[Kind, tuple[Field, ...]] = {
    "credit_report": (
        Field("score", "Score, 0 (worst) to 100", "whole", True, 0, 100),
        Field("recommended_limit", "Limit it recommends", "money"),
        Field("judgments", "Judgments", "whole", least=0, most=100_000),
        Field(
            "insolvency",
            "Insolvency",
            "choice",
            choices=(("none", "none"), ("past", "one that is over"), ("open", "one that is open")),
        ),
        Field("founded_on", "Founded on", "day"),
    ),
    "trade_reference": (
        Field("referee", "Which supplier says so", "text", True),
        _DAYS_LATE,
        Field("years_known", "Years it has known the customer", "whole", least=0, most=200),
        Field("highest_credit", "Highest credit it gave", "money"),
    ),
    "financial_statement": (
        Field("current_assets", "Current assets", "money", True),
        Field("total_assets", "Total assets", "money", True),
        Field("current_liabilities", "Current liabilities", "money", True),
        Field("total_liabilities", "Total liabilities", "money", True),
        Field("equity", "Equity", "money", True),
        Field("retained_earnings", "Retained earnings", "money", True),
        Field("ebit", "Earnings before interest and taxes", "money", True),
        Field("revenue", "Revenue", "money"),
        Field("net_income", "Net income", "money"),
        Field("interest_expense", "Interest expense", "money"),
    ),
    "public_record": (
        Field(
            "entry",
            "What was entered",
            "choice",
            True,
            choices=tuple((each, each) for each in ("judgment", "lien", "protest", "insolvency")),
        ),
        Field("status", "It is", "choice", True, choices=(("open", "open"), ("discharged", "discharged"))),
        Field("amount", "Amount", "money"),
        Field("reference", "File number", "text"),
    ),
    "payment_history": (
        Field("months", "Over how many months", "whole", True, 1, 120),
        Field("invoices", "Invoices", "whole", True, 1, 10_000_000),
        _DAYS_LATE,
        Field("late_share", "Percent of them late", "percent", True),
    ),
    "foundation": (Field("founded_on", "In business since", "day", True),),
}
HEAD = (
    Field("source", "Who says so", "text", True),
    Field("dated_on", "Date of it", "day", True),
    Field("expires_on", "Last day on which it counts", "day"),
)
DATED: Mapping[Kind, str] = {
    "financial_statement": "Key date of the balance sheet",
    "payment_history": "Last day that it covers",
}
"""What `dated_on` is called where it is not the date of the paper."""


class InputUnreadable(Refused):
    """`faults` are by the name of the field."""

    slug = "input-unreadable"
    title = "It was not taken in"

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("Some fields cannot be read; each says why.")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Told:
    """`expires_on` is None where the kind's own term holds."""

    source: str
    dated_on: date
    expires_on: date | None
    particulars: Particulars


def has_money(kind: Kind) -> bool:
    return any(field.takes == "money" for field in FIELDS[kind])


def read(kind: Kind, written: Mapping[str, str]) -> Told:
    """What was written into the form of a kind. Raises InputUnreadable with every field that cannot be read."""
    cells = {name: text.strip() for name, text in written.items() if text.strip()}
    faults: dict[str, str] = {}
    told: dict[str, Any] = {"kind": kind}
    head: dict[str, Any] = {"expires_on": None}
    for field in (*HEAD, *FIELDS[kind]):
        into = head if field in HEAD else told
        try:
            if field.name in cells:
                into[field.name] = _value(field, cells[field.name], cells.get("currency", ""))
            elif field.needed:
                faults[field.name] = "Write something here."
        except ValueError as error:
            faults[field.name] = _sentence(str(error))
    try:
        particulars = _PARTICULARS.validate_python(told)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            faults.setdefault(str(error["loc"][1]), _sentence(error["msg"]))
        raise InputUnreadable(faults) from None
    if faults:
        raise InputUnreadable(faults)
    return Told(**head, particulars=particulars)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _value(field: Field, text: str, currency: str) -> Any:
    match field.takes:
        case "money":
            return Money.parse(text.replace(",", ""), currency.upper())
        case "whole":
            return _whole(text)
        case "percent":
            return _share(text)
        case "day":
            return _day(text)
        case "text" if len(text) > TEXT_MAX:
            raise ValueError(f"{TEXT_MAX} characters at most")
        case _:
            return text


def _whole(text: str) -> int:
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 12:
        raise ValueError(f"a whole number is wanted, not {text!r}")
    return int(text)


def _share(text: str) -> str:
    """Percent with at most two decimals, as a fraction."""
    hundredths = Money.parse(text.removesuffix("%").strip(), "EUR").minor
    if not 0 <= hundredths <= 10_000:
        raise ValueError("from 0 to 100 is wanted")
    return f"{hundredths // 10_000}.{hundredths % 10_000:04d}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a day such as 2026-01-31 is wanted, not {text!r}") from None


def faults_of(refused: DomainError | None) -> Mapping[str, str]:
    """By the name of the field; what concerns no field of the form is told above it."""
    if isinstance(refused, InputUnreadable):
        return refused.faults
    name = (refused.field or "").removeprefix("/particulars").strip("/").partition("/")[0] if refused else ""
    return {name: refused.detail} if refused and name else {}


def counts_for(kind: Kind) -> str:
    """How long it counts where nothing else is said."""
    months = VALID_MONTHS[kind]
    return f"{months // 12} years" if months % 12 == 0 and months > 12 else f"{months} months"
