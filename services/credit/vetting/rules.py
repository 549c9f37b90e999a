"""What is learned about a customer from others: each thing dated, with its source, and good until it expires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.credit.ratios.rules import Statement
from shared.calendar import add_months
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Kind = Literal[
    "credit_report", "trade_reference", "financial_statement", "payment_history", "foundation", "public_record"
]
VALID_MONTHS: dict[Kind, int] = {
    "credit_report": 6,
    "trade_reference": 12,
    "financial_statement": 18,
    "payment_history": 6,
    "foundation": 1_200,
    "public_record": 36,
}
"""How long an input counts where nothing else is said: a balance sheet until the one after next should be there."""
EARLIEST = date(1800, 1, 1)
DAYS_LATE_MAX = 3_650

Text = Annotated[str, Field(min_length=1, max_length=200)]
Days = Annotated[int, Field(ge=-DAYS_LATE_MAX, le=DAYS_LATE_MAX)]
Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=9, decimal_places=6)]


class _Particulars(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class CreditReport(_Particulars):
    """What a credit bureau says. `score` is on a scale of 0 (worst) to 100 (best)."""

    kind: Literal["credit_report"]
    score: Annotated[int, Field(ge=0, le=100)]
    recommended_limit: Money | None = None
    judgments: Annotated[int, Field(ge=0, le=100_000)] = 0
    insolvency: Literal["none", "past", "open"] = "none"
    founded_on: date | None = None


class TradeReference(_Particulars):
    """What another supplier says."""

    kind: Literal["trade_reference"]
    referee: Text
    average_days_late: Days
    years_known: Annotated[int, Field(ge=0, le=200)] | None = None
    highest_credit: Money | None = None


class FinancialStatement(_Particulars):
    """A balance sheet and its income statement, as of `dated_on`, for twelve months; all in one currency."""

    kind: Literal["financial_statement"]
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

    @property
    def statement(self) -> Statement:
        return Statement(**{name: getattr(self, name) for name in FIGURES})


FIGURES = tuple(name for name in FinancialStatement.model_fields if name != "kind")
MONEY_FIELDS = frozenset({*FIGURES, "recommended_limit", "highest_credit", "amount"})
NEVER_NEGATIVE = (
    "current_assets",
    "current_liabilities",
    "total_assets",
    "total_liabilities",
    "revenue",
    "interest_expense",
)


class PaymentHistory(_Particulars):
    """How the customer paid before it was known here, or elsewhere in the group."""

    kind: Literal["payment_history"]
    months: Annotated[int, Field(ge=1, le=120)]
    invoices: Annotated[int, Field(ge=1, le=10_000_000)]
    average_days_late: Days
    late_share: Share


class Foundation(_Particulars):
    """Since when the company has been in business."""

    kind: Literal["foundation"]
    founded_on: date


class PublicRecord(_Particulars):
    """An entry of a court or register; `open` until it is discharged."""

    kind: Literal["public_record"]
    entry: Literal["judgment", "lien", "protest", "insolvency"]
    status: Literal["open", "discharged"]
    amount: Money | None = None
    reference: Text | None = None


Particulars = Annotated[
    CreditReport | TradeReference | FinancialStatement | PaymentHistory | Foundation | PublicRecord,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Input:
    """`dated_on` is the day it speaks of, `expires_on` the last day on which it counts."""

    id: UUID
    source: str
    dated_on: date
    expires_on: date
    particulars: Particulars

    @property
    def kind(self) -> Kind:
        return self.particulars.kind


@dataclass(frozen=True, slots=True)
class Kept:
    """An input with when it came in, and from whom."""

    input: Input
    received_at: datetime
    received_from: str


class Passed(StrEnum):
    """Why an input does not count."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class LeftOut:
    input: Input
    reason: Passed


@dataclass(frozen=True, slots=True)
class Sifted:
    counted: tuple[Input, ...]
    left_out: tuple[LeftOut, ...]


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"No customer has the id {customer_id}.", customer_id=str(customer_id))


class ImpossibleDate(Refused):
    slug = "impossible-date"
    title = "A date cannot be right"


class InputExpired(Refused):
    slug = "input-expired"
    title = "This has expired and would not count"


class ImpossibleFigure(Refused):
    slug = "impossible-figure"
    title = "A figure cannot be right"


class StatementDoesNotBalance(Refused):
    slug = "statement-does-not-balance"
    title = "Assets are not liabilities and equity"


class FiguresInSeveralCurrencies(Refused):
    slug = "figures-in-several-currencies"
    title = "A statement is in one currency"


def expiry(kind: Kind, dated_on: date) -> date:
    return add_months(dated_on, VALID_MONTHS[kind])


def check(particulars: Particulars, dated_on: date, expires_on: date, today: date) -> None:
    """Raises ImpossibleDate, InputExpired, ImpossibleFigure, StatementDoesNotBalance, FiguresInSeveralCurrencies."""
    if dated_on > today:
        raise ImpossibleDate(f"{dated_on} has not come yet; today is {today}.", field="/dated_on")
    if dated_on < EARLIEST:
        raise ImpossibleDate(f"{dated_on} is before {EARLIEST}.", field="/dated_on")
    if expires_on < dated_on:
        raise ImpossibleDate(f"It cannot expire on {expires_on}, before its own date {dated_on}.", field="/expires_on")
    if expires_on < today:
        raise InputExpired(f"It counted until {expires_on}; today is {today}.", field="/expires_on")
    founded_on = getattr(particulars, "founded_on", None)
    if founded_on is not None and not EARLIEST <= founded_on <= dated_on:
        raise ImpossibleDate(
            f"Founded on {founded_on}: expected from {EARLIEST} to {dated_on}.", field="/particulars/founded_on"
        )
    if isinstance(particulars, FinancialStatement):
        _check_statement(particulars)
    for name in ("recommended_limit", "highest_credit", "amount"):
        given = getattr(particulars, name, None)
        if given is not None and given.minor < 0:
            raise ImpossibleFigure(f"{given} is below zero.", field=f"/particulars/{name}/amount")


def _check_statement(of: FinancialStatement) -> None:
    for name in FIGURES:
        given = getattr(of, name)
        if given is None:
            continue
        if given.currency != of.total_assets.currency:
            raise FiguresInSeveralCurrencies(
                f"{given} stands beside figures in {of.total_assets.currency}.", field=f"/particulars/{name}/currency"
            )
        if name in NEVER_NEGATIVE and given.minor < 0:
            raise ImpossibleFigure(f"{given} is below zero.", field=f"/particulars/{name}/amount")
    for part, whole in (("current_assets", "total_assets"), ("current_liabilities", "total_liabilities")):
        if getattr(of, part).minor > getattr(of, whole).minor:
            raise ImpossibleFigure(
                f"{getattr(of, part)} is a part of {getattr(of, whole)} and cannot be more.",
                field=f"/particulars/{part}/amount",
            )
    if of.total_assets != of.total_liabilities + of.equity:
        raise StatementDoesNotBalance(
            f"{of.total_assets} of assets, but {of.total_liabilities} of liabilities and {of.equity} of equity.",
            field="/particulars/total_assets/amount",
        )


def sift(inputs: Iterable[Input], today: date) -> Sifted:
    """What counts today: what has not expired, and of one kind the newest, but every reference and public record (of
    one referee, or one register entry with a reference, again the newest). The day of expiry still counts."""
    counted: dict[object, Input] = {}
    left_out: list[LeftOut] = []
    for each in sorted(inputs, key=lambda input: (input.dated_on, input.id), reverse=True):
        if each.expires_on < today:
            left_out.append(LeftOut(each, Passed.EXPIRED))
        elif _name(each) in counted:
            left_out.append(LeftOut(each, Passed.SUPERSEDED))
        else:
            counted[_name(each)] = each
    return Sifted(tuple(counted.values()), tuple(left_out))


def _name(input: Input) -> object:
    """Inputs of the same name replace each other."""
    match input.particulars:
        case TradeReference(referee=referee):
            return input.kind, referee.casefold()
        case PublicRecord(reference=reference, entry=entry):
            return (input.kind, entry, reference) if reference else input.id
        case _:
            return input.kind


def insolvency(inputs: Iterable[Input]) -> Literal["none", "past", "open"] | None:
    """The worst that a report or a register says; None where nobody looked."""
    report, entries = _report_and_entries(inputs)
    said = {"open" if each.status == "open" else "past" for each in entries if each.entry == "insolvency"}
    said |= {report.insolvency} if report else set()
    if not said:
        return "none" if entries else None
    return "open" if "open" in said else "past" if "past" in said else "none"


def court_flags(inputs: Iterable[Input]) -> int | None:
    """Judgments, liens and protests that are open; None where nobody looked. A report counts the same ones that a
    register has, so the larger number is taken."""
    report, entries = _report_and_entries(inputs)
    if not entries and not report:
        return None
    found = sum(each.status == "open" and each.entry != "insolvency" for each in entries)
    return max(found, report.judgments if report else 0)


def _report_and_entries(inputs: Iterable[Input]) -> tuple[CreditReport | None, list[PublicRecord]]:
    particulars = [each.particulars for each in inputs]
    report = next((each for each in particulars if isinstance(each, CreditReport)), None)
    return report, [each for each in particulars if isinstance(each, PublicRecord)]


InquiryStatus = Literal["asked", "asking", "answered", "not_found", "refused", "unreached", "unreadable", "unknown"]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question to the credit bureau, written before it is asked. `raw` is the answer as it came, `detail` what went
    wrong; `unknown`: it may have been asked, and is not asked again by itself, since a report may cost money."""

    id: UUID
    customer_id: UUID
    legal_id: str
    status: InquiryStatus
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None = None
    http_status: int | None = None
    raw: str | None = None
    detail: str | None = None
    input_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A bureau's answer that could be read."""

    source: str
    dated_on: date
    expires_on: date | None
    particulars: CreditReport


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question: the inquiry's next status, the answer as it came, and the report if there is one."""

    status: InquiryStatus
    http_status: int | None = None
    raw: str | None = None
    detail: str | None = None
    report: Report | None = None


class Bureau(Protocol):
    """Whom the questions are put to."""

    @property
    def lease_seconds(self) -> float:
        """How long a question counts as under way."""
        ...

    async def ask(self, inquiry: Inquiry, country: str) -> Asked:
        """Raises nothing: what went wrong is in the answer."""
        ...


class InquiryNotFound(NotFound):
    slug = "bureau-inquiry-not-found"
    title = "Nobody asked the bureau this"


class NoBureau(Conflict):
    slug = "no-credit-bureau"
    title = "No credit bureau is set up here"
