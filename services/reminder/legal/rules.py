"""Customers before a court, and when a claim lapses.

Limitation periods are those of commercial claims for goods and services; they are a watch, not legal advice. What is
reckoned errs to the early side: no suspension is assumed, and no extension to the next working day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Literal
from uuid import UUID

from services.reminder.authority.rules import Limitations as Limits
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.receivables.rules import Account
from services.reminder.tasks.rules import AssignTask
from shared.calendar import add_months, at_local_time
from shared.errors import Conflict, NotFound, Refused
from shared.events.reminder import ProceedingBegun, ProceedingEnded, ProceedingEvent, ProceedingState
from shared.money import Money

Kind = Literal["legal_action", "insolvency"]
Status = Literal["open", "closed"]
Interruption = Literal["acknowledgement", "part_payment", "court", "written_demand", "negotiation", "other"]


class ProceedingNotFound(NotFound):
    slug = "proceeding-not-found"
    title = "There is no such proceeding"


class AlreadyOpen(Conflict):
    slug = "proceeding-open"
    title = "A proceeding of this kind is open already"


class ProceedingOver(Conflict):
    slug = "proceeding-closed"
    title = "The proceeding is closed already"


class DayRefused(Refused):
    slug = "proceeding-day"
    title = "This day does not fit"


class LimitationNotFound(NotFound):
    slug = "limitation-not-found"
    title = "No limitation is watched for this invoice"


class InterruptionRefused(Refused):
    slug = "limitation-interruption"
    title = "The period cannot have been interrupted so"


# --- before a court ---


@dataclass(frozen=True, slots=True)
class Proceeding:
    """`claim` is what is sought; `file_claim_by` the last day to file it, `claim_filed_on` the day it was."""

    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    case_id: UUID
    kind: Kind
    status: Status
    opened_on: date
    court: str | None
    file_number: str | None
    currency: str | None
    claim_minor: int | None
    file_claim_by: date | None
    claim_filed_on: date | None
    note: str | None
    made_by: str
    closed_on: date | None
    outcome: str | None

    @property
    def claim(self) -> Money | None:
        return Money(self.claim_minor, self.currency) if self.currency and self.claim_minor is not None else None


def checked(proceeding: Proceeding, today: date) -> Proceeding:
    """The proceeding itself when its days fit. Raises DayRefused."""
    if proceeding.opened_on > today:
        raise DayRefused(f"{proceeding.opened_on} has not come yet; today is {today}", field="/opened_on")
    if proceeding.claim_filed_on and proceeding.claim_filed_on > today:
        raise DayRefused(f"{proceeding.claim_filed_on} has not come yet", field="/claim_filed_on")
    if proceeding.claim_minor is not None and proceeding.claim_minor <= 0:
        raise DayRefused("a claim of more than zero is filed", field="/claim")
    return proceeding


def change(proceeding: Proceeding, changes: Mapping[str, Any], today: date) -> Proceeding:
    """Raises ProceedingOver, DayRefused."""
    _expect_open(proceeding)
    return checked(replace(proceeding, version=proceeding.version + 1, **changes), today)


def close(proceeding: Proceeding, today: date, outcome: str) -> Proceeding:
    """Raises ProceedingOver."""
    _expect_open(proceeding)
    return replace(proceeding, version=proceeding.version + 1, status="closed", closed_on=today, outcome=outcome)


def _expect_open(proceeding: Proceeding) -> None:
    if proceeding.status != "open":
        raise ProceedingOver(f"it is closed since {proceeding.closed_on}: {proceeding.outcome}")


HELD_AS: Mapping[Kind, HoldKind] = {"legal_action": HoldKind.LEGAL, "insolvency": HoldKind.INSOLVENT}


def hold_of(proceeding: Proceeding) -> Hold:
    """Nothing is sent to the customer meanwhile."""
    since = f"since {proceeding.opened_on.isoformat()}"
    return Hold(HELD_AS[proceeding.kind], None, str(proceeding.id), since)


def event(proceeding: Proceeding, today: date) -> ProceedingEvent:
    """That it began on the day it was opened, or ended on the day it was closed."""
    kind = ProceedingBegun if proceeding.status == "open" else ProceedingEnded
    return kind(
        customer_id=proceeding.customer_id,
        effective_on=proceeding.closed_on or proceeding.opened_on,
        booked_on=today,
        entity_id=proceeding.entity_id,
        proceeding=ProceedingState(
            id=proceeding.id,
            version=proceeding.version,
            entity_id=proceeding.entity_id,
            case_id=proceeding.case_id,
            kind=proceeding.kind,
            status=proceeding.status,
            opened_on=proceeding.opened_on,
            claim=proceeding.claim,
            closed_on=proceeding.closed_on,
        ),
    )


def file_in_time(proceeding: Proceeding) -> AssignTask | None:
    """The task to file the claim, while that is to be done."""
    if proceeding.file_claim_by is None or proceeding.claim_filed_on:
        return None
    where = f" with {proceeding.court}" if proceeding.court else ""
    what = str(proceeding.claim) if proceeding.claim else "the claim"
    return AssignTask(
        customer_id=proceeding.customer_id,
        case_id=proceeding.case_id,
        entity_id=proceeding.entity_id,
        kind="court_date",
        occasion=f"{proceeding.id}:{proceeding.file_claim_by.isoformat()}",
        title=f"File {what}{where} by {proceeding.file_claim_by.isoformat()}",
        detail=f"{'Insolvency' if proceeding.kind == 'insolvency' else 'Legal action'} since"
        f" {proceeding.opened_on.isoformat()}, file number {proceeding.file_number or 'not known yet'}.",
        due_on=proceeding.file_claim_by,
    )


# --- limitation ---


@dataclass(frozen=True, slots=True)
class Period:
    """How long a claim may be sued for, in a country's law in force from `since` on. `to_year_end`: it ends with the
    calendar year. `interrupted_by` says what lets it begin anew or stand still."""

    country: str
    since: date
    years: int
    to_year_end: bool
    source: str
    interrupted_by: str


PERIODS = (
    Period(
        *("AT", date(1917, 1, 1), 3, False),
        "ABGB § 1486 Z 1 (supplies and services of a business)",
        "acknowledgement, or an action duly pursued (ABGB § 1497)",
    ),
    Period(
        *("CH", date(1912, 1, 1), 5, False),
        "OR art. 128 (crafts, retail, food, professional and periodic services); other claims 10 years, OR art. 127",
        "acknowledgement, interest or part payment, debt enforcement, conciliation request, action, or filing in "
        "bankruptcy (OR art. 135)",
    ),
    Period(
        *("DE", date(2002, 1, 1), 3, True),
        "BGB §§ 195, 199 (1): three years from the end of the year in which the claim arose",
        "begins anew by acknowledgement or part payment (BGB § 212); stands still during negotiations (§ 203) and by "
        "action or payment order (§ 204); a reminder does nothing",
    ),
    Period(
        *("ES", date(2015, 10, 7), 5, False),
        "Código civil art. 1964.2 (Ley 42/2015); Catalonia has its own law",
        "action, extrajudicial demand by the creditor, or acknowledgement (art. 1973)",
    ),
    Period(
        *("FR", date(2008, 6, 19), 5, False),
        "Code de commerce art. L110-4 (loi n° 2008-561)",
        "acknowledgement (Code civil art. 2240) or action in court (art. 2241); a reminder does nothing",
    ),
    Period(
        *("GB", date(1981, 5, 1), 6, False),
        "Limitation Act 1980 s. 5 (England and Wales); Scotland five years",
        "signed written acknowledgement or part payment (s. 29(5)), or proceedings issued",
    ),
    Period(
        *("IT", date(1942, 4, 21), 10, False),
        "Codice civile art. 2946; periodic supplies five years, art. 2948 n. 4",
        "action, written formal notice of default (art. 2943), or acknowledgement (art. 2944)",
    ),
    Period(
        *("NL", date(1992, 1, 1), 5, False),
        "Burgerlijk Wetboek art. 3:307 (1): five years from the day after the claim fell due",
        "action (3:316), written demand or reservation of rights (3:317), or acknowledgement (3:318)",
    ),
    Period(
        *("PL", date(2018, 7, 9), 2, True),
        "Kodeks cywilny art. 554 (sale in the course of business), art. 118: to the end of the calendar year",
        "action or acknowledgement (art. 123)",
    ),
)
"""By country, the newest last. A country that is not here is not watched: no period is better than a wrong one."""


def period_of(country: str | None, on: date) -> Period | None:
    """The law in force on a day; the oldest known for days before it."""
    known = [period for period in PERIODS if period.country == country]
    return next((period for period in reversed(known) if period.since <= on), known[0] if known else None)


@dataclass(frozen=True, slots=True)
class Limitation:
    """`lapses_on` is the last day on which the claim can be sued for."""

    invoice_id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    number: str
    due_on: date
    country: str
    lapses_on: date
    interrupted_on: date | None
    interrupted_by: Interruption | None
    note: str | None
    warn_at: datetime | None
    warned_on: date | None

    @property
    def period(self) -> Period:
        period = period_of(self.country, self.due_on)
        assert period is not None
        return period


def lapses_on(period: Period, due_on: date) -> date:
    """The claim arises when it falls due."""
    if period.to_year_end:
        return date(due_on.year + period.years, 12, 31)
    return add_months(due_on, 12 * period.years)


def watch(invoice_id: UUID, number: str, due_on: date, account: Account, limits: Limits) -> Limitation | None:
    """None where the law of the country is not known here."""
    country = limits.governing_law or account.country
    period = period_of(country, due_on)
    if period is None:
        return None
    last = lapses_on(period, due_on)
    return Limitation(
        invoice_id=invoice_id,
        version=1,
        customer_id=account.id,
        entity_id=account.entity_id,
        number=number,
        due_on=due_on,
        country=period.country,
        lapses_on=last,
        interrupted_on=None,
        interrupted_by=None,
        note=None,
        warn_at=_warn_at(last, limits, account),
        warned_on=None,
    )


def interrupt(
    limitation: Limitation,
    by: Interruption,
    on: date,
    note: str | None,
    account: Account,
    limits: Limits,
    today: date,
    last_day: date | None = None,
) -> Limitation:
    """The period begins anew on that day, or ends on the day that counsel has reckoned, and the warning with it. It
    never ends sooner than it did by itself. Raises InterruptionRefused."""
    if on > today:
        raise InterruptionRefused(f"{on} has not come yet; today is {today}", field="/on")
    if on > limitation.lapses_on:
        raise InterruptionRefused(f"the claim lapsed on {limitation.lapses_on}, before {on}", field="/on")
    if last_day and last_day <= on:
        raise InterruptionRefused("a period ends after it was interrupted", field="/lapses_on")
    anew = last_day or max(limitation.lapses_on, add_months(on, 12 * limitation.period.years))
    return replace(
        limitation,
        version=limitation.version + 1,
        lapses_on=anew,
        interrupted_on=on,
        interrupted_by=by,
        note=note,
        warn_at=_warn_at(anew, limits, account),
        warned_on=None,
    )


def warned(limitation: Limitation, today: date) -> Limitation:
    return replace(limitation, version=limitation.version + 1, warn_at=None, warned_on=today)


def _warn_at(last_day: date, limits: Limits, account: Account) -> datetime:
    return at_local_time(add_months(last_day, -limits.warn_months), time(), account.time_zone)


def save_the_claim(limitation: Limitation, case_id: UUID, owed: Money, today: date) -> AssignTask:
    period = limitation.period
    return AssignTask(
        customer_id=limitation.customer_id,
        case_id=case_id,
        entity_id=limitation.entity_id,
        kind="limitation",
        occasion=f"{limitation.invoice_id}:{limitation.lapses_on.isoformat()}",
        title=f"{owed} on {limitation.number} lapses on {limitation.lapses_on.isoformat()}",
        detail=f"Due on {limitation.due_on.isoformat()}; {period.source}. What interrupts it: {period.interrupted_by}.",
        due_on=today,
    )
