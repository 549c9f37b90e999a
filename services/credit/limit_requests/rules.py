"""Changes of limits that one person asks for and one or two others approve."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from uuid import UUID

from services.credit.limits.rules import Account, Addition
from services.credit.limits.rules import Kind as AdditionKind
from services.credit.policy_rules.rules import PolicyRules
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Kind = Literal["limit", "group_limit", "temporary", "seasonal", "guarantee", "deposit", "insurance"]
Status = Literal["waiting", "approved", "refused", "withdrawn"]
SECURITIES = ("guarantee", "deposit", "insurance")

_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", re.ASCII)


class LimitRequestNotFound(NotFound):
    slug = "limit-request-not-found"
    title = "There is no such limit request"

    def __init__(self, request_id: UUID) -> None:
        super().__init__(f"No limit request has the id {request_id}.")


class ApprovalRefused(Conflict):
    slug = "approval-refused"
    title = "Who asks does not approve, and nobody approves twice"


class RequestClosed(Conflict):
    slug = "limit-request-closed"
    title = "The limit request is closed"


@dataclass(frozen=True, slots=True)
class Approval:
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `limit` and `group_limit` replace; all others raise the limit by their amount: a temporary
    raise up to a day, a seasonal one between two days of each year ("11-15"), security as much as the policy counts."""

    kind: Kind
    amount: Money
    from_on: date | None = None
    until_on: date | None = None
    season: tuple[str, str] | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class LimitRequest:
    id: UUID
    version: int
    customer_id: UUID
    wanted: Wanted
    reason: str
    requested_by: str
    requested_at: datetime
    approvers_needed: int
    approvals: tuple[Approval, ...] = ()
    status: Status = "waiting"
    closed_at: datetime | None = None
    closed_because: str | None = None


def check(wanted: Wanted, account: Account, today: date) -> None:
    """Raises Refused, naming the field, for amounts below zero, in another currency than the customer's, for days
    that do not fit each other, and for security without its evidence."""
    kind, amount = wanted.kind, wanted.amount
    if amount.minor < 0 or (amount.minor == 0 and kind not in ("limit", "group_limit")):
        raise Refused(f"An amount above zero is wanted, not {amount}.", field="/amount/amount")
    if kind != "group_limit" and amount.currency != account.currency:
        raise Refused(
            f"The customer is kept in {account.currency}; {amount} cannot be held against that.",
            field="/amount/currency",
        )
    begins = wanted.from_on or today
    if wanted.until_on and wanted.until_on < max(begins, today):
        raise Refused(f"It would end on {wanted.until_on}, before it begins.", field="/until")
    if kind == "temporary" and wanted.until_on is None:
        raise Refused("A temporary raise has a last day.", field="/until")
    if (kind == "seasonal") != (wanted.season is not None):
        raise Refused("A seasonal limit, and no other, has a season.", field="/season")
    for text in wanted.season or ():
        if not _MONTH_DAY.fullmatch(text) or not _is_a_day_of_every_year(text):
            raise Refused(f"{text!r} is no day of every year, such as 11-15.", field="/season")
    if kind in SECURITIES and not wanted.evidence:
        raise Refused("Security is named: the bond, the account, the policy number.", field="/evidence")
    if kind in ("limit", "group_limit") and wanted.from_on:
        raise Refused("A limit holds from its approval on.", field="/from")


def _is_a_day_of_every_year(text: str) -> bool:
    try:
        date.fromisoformat(f"2023-{text}")
    except ValueError:
        return False
    return True


def approvers_needed(wanted: Wanted, account: Account, rules: PolicyRules) -> int:
    """By the limit as it would be: what is in force today with what is asked for on top."""
    if wanted.kind in ("limit", "group_limit"):
        return rules.approvers_for(wanted.amount)
    return rules.approvers_for(account.limit + counted(wanted, rules))


def counted(wanted: Wanted, rules: PolicyRules) -> Money:
    """What of the amount raises the limit: security by its share, rounded down to the minor unit."""
    share = getattr(rules.counted, wanted.kind) if wanted.kind in SECURITIES else 100
    return Money(wanted.amount.minor * share // 100, wanted.amount.currency)


def addition(request: LimitRequest, kind: AdditionKind, rules: PolicyRules, today: date) -> Addition:
    wanted = request.wanted
    return Addition(
        id=request.id,
        kind=kind,
        amount=wanted.amount,
        counted=counted(wanted, rules),
        from_on=wanted.from_on or today,
        until_on=wanted.until_on,
        season=wanted.season,
    )


class Asked(Protocol):
    """A dataclass of something that one person asks for and others approve."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def version(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def requested_by(self) -> str: ...
    @property
    def approvers_needed(self) -> int: ...
    @property
    def approvals(self) -> tuple[Approval, ...]: ...
    @property
    def status(self) -> Status: ...


A = TypeVar("A", bound=Asked)


def approve(request: A, by: str, now: datetime) -> A:
    """With the last approval that it takes it is approved. Raises RequestClosed, ApprovalRefused."""
    _expect_waiting(request)
    if by == request.requested_by:
        raise ApprovalRefused("Who asks for it does not approve it.")
    if any(each.by == by for each in request.approvals):
        raise ApprovalRefused(f"{by} approved it before; another person has to.")
    approvals = (*request.approvals, Approval(by, now))
    enough = len(approvals) >= request.approvers_needed
    return replace(
        request,
        version=request.version + 1,
        approvals=approvals,
        status="approved" if enough else "waiting",
        closed_at=now if enough else None,
    )


def close(request: A, by: str, because: str, now: datetime) -> A:
    """Refused by another, or withdrawn by who asked. Raises RequestClosed."""
    _expect_waiting(request)
    status: Status = "withdrawn" if by == request.requested_by else "refused"
    return replace(
        request, version=request.version + 1, status=status, closed_at=now, closed_because=f"{by}: {because}"
    )


def because(request: Asked) -> str:
    """The reason, with who asked and who approved."""
    approved = "".join(f", approved by {each.by}" for each in request.approvals)
    return f"{request.reason} (asked for by {request.requested_by}{approved})"


def _expect_waiting(request: Asked) -> None:
    if request.status != "waiting":
        raise RequestClosed(f"The request was {request.status}.")
