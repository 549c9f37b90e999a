"""Which days of a recurring invoice are billed next, and when.

The occurrences of a rule (RFC 5545, RRULE) begin the periods; a period ends on the day before the next occurrence. In
advance a period is billed on its first day, in arrears on the day after its last. What of a period is not wanted
(before the start, after the end, in a pause) is left out of it by days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.invoice.drafting.rules import LINES_MAX, DeliveryChannel, IsoDate, LineIn, Wire
from services.invoice.pricing.rules import scaled
from services.invoice.recurrence.rules import Days, read_rule, whole_period
from services.invoice.terms.rules import PaymentTerms
from shared.calendar import ONE_DAY

Timing = Literal["advance", "arrears"]
Proration = Literal["days", "none"]
"""By days, or whole periods only: then the first and the last one cost as much as any, and one that begins in a pause
is left out."""

CatchUp = Literal["period_date", "today"]
"""What an invoice is dated that comes late: the day it should have been issued (booked today), or today."""

Status = Literal["active", "paused", "ended"]
PeriodStatus = Literal["issued", "held", "dropped"]
COUNT_MAX = 1_200
PRICE_CHANGES_MAX = 100
PAUSES_MAX = 100
PERCENT_PLACES = 4
HUNDRED_PERCENT = 100 * 10**PERCENT_PLACES


def _percentage(text: str) -> str:
    if scaled(text, PERCENT_PLACES) <= -HUNDRED_PERCENT:
        raise ValueError("a price cannot fall by all of it")
    return text


class PriceChange(Wire):
    """From a day on: other lines, or the unit prices of those before it by so many percent more (or less), half-even
    in minor units. Changes build on each other in the order of their days."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    first: IsoDate = Field(alias="from", description="First day of the new price")
    lines: Annotated[tuple[LineIn, ...], Field(min_length=1, max_length=LINES_MAX)] | None = None
    percentage: (
        Annotated[str, Field(pattern=r"^-?[0-9]{1,4}(\.[0-9]{1,4})?$", examples=["3.5"]), AfterValidator(_percentage)]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_of_both(self) -> PriceChange:
        if (self.lines is None) == (self.percentage is None):
            raise ValueError("say what changes once, by lines or by percentage")
        return self


class Pause(Wire):
    """Days that are not billed: `until` is the first day billed again, open while nobody has said it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    first: IsoDate = Field(alias="from", description="First day not billed")
    until: IsoDate | None = Field(default=None, description="First day billed again")


@dataclass(frozen=True, slots=True)
class Recurring:
    """`billed_through` is the last day decided on, None before the first; on `next_bill_on` the next invoice is due."""

    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    status: Status
    name: str | None
    rrule: str
    starts_on: date
    ends_on: date | None
    timing: Timing
    proration: Proration
    catch_up: CatchUp
    pauses: tuple[Pause, ...]
    lines: tuple[LineIn, ...]
    price_changes: tuple[PriceChange, ...]
    payment_terms: PaymentTerms | None
    reference: str | None
    delivery_channel: DeliveryChannel | None
    billed_through: date | None
    next_bill_on: date | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice to come: the days of a period that it bills, when it is due to be issued, and the last day that is
    decided on with it."""

    whole: Days
    runs: tuple[Days, ...]
    bill_on: date
    through: date

    @property
    def days(self) -> Days:
        return Days(self.runs[0].first, self.runs[-1].last)


@dataclass(frozen=True, slots=True)
class Period:
    """What became of a period: its invoice, or why there is none yet (`held`) or never will be (`dropped`)."""

    recurring_id: UUID
    bill: Bill
    status: PeriodStatus
    decided_at: datetime
    invoice_id: UUID | None = None
    reason: str | None = None
    detail: str | None = None


def next_bill(recurring: Recurring) -> Bill | None:
    """The invoice that comes next; None when the end is reached, or nothing can be said before a pause ends."""
    rule = read_rule(recurring.rrule, recurring.starts_on)
    day = recurring.billed_through + ONE_DAY if recurring.billed_through else recurring.starts_on
    end = recurring.ends_on or date.max
    while day <= end:
        whole = whole_period(rule, day)
        if whole.last == date.max:
            return None
        wanted = Days(day, min(whole.last, end))
        runs, waits = _unpaused(recurring, whole, wanted)
        if runs:
            last = wanted.last if recurring.timing == "arrears" or not waits else runs[-1].last
            bill_on = runs[0].first if recurring.timing == "advance" else wanted.last + ONE_DAY
            return Bill(whole, runs, bill_on, last)
        if waits:
            return None
        day = wanted.last + ONE_DAY
    return None


def _unpaused(recurring: Recurring, whole: Days, wanted: Days) -> tuple[tuple[Days, ...], bool]:
    """The runs of days to be billed, and whether the rest waits for the end of a pause."""
    if recurring.proration == "none":
        return _unpaused_whole(recurring, whole, wanted)
    runs: list[Days] = []
    day = wanted.first
    for pause in sorted(recurring.pauses, key=lambda each: each.first):
        if pause.until is not None and pause.until <= day:
            continue
        if pause.first > wanted.last:
            break
        if pause.first > day:
            runs.append(Days(day, pause.first - ONE_DAY))
        if pause.until is None:
            return tuple(runs), True
        day = max(day, pause.until)
    if day <= wanted.last:
        runs.append(Days(day, wanted.last))
    return tuple(runs), False


def _unpaused_whole(recurring: Recurring, whole: Days, wanted: Days) -> tuple[tuple[Days, ...], bool]:
    begun_before = wanted.first > max(whole.first, recurring.starts_on)
    paused = [p for p in recurring.pauses if p.first <= wanted.first and (p.until is None or wanted.first < p.until)]
    if paused:
        return (), any(pause.until is None for pause in paused)
    return ((), False) if begun_before else ((wanted,), False)


def bills(recurring: Recurring, most: int) -> list[Bill]:
    """The next invoices, as far as can be said today."""
    found: list[Bill] = []
    while len(found) < most and (bill := next_bill(recurring)):
        found.append(bill)
        recurring = replace(recurring, billed_through=bill.through)
    return found


def settled_status(recurring: Recurring) -> Recurring:
    """The same with the status and the next day that follow from its dates."""
    bill = next_bill(recurring)
    waits = any(pause.until is None for pause in recurring.pauses)
    over = recurring.ends_on is not None and (recurring.billed_through or date.min) >= recurring.ends_on
    if bill is None and (over or not waits):
        return replace(recurring, status="ended", next_bill_on=None)
    return replace(recurring, status="paused" if waits else "active", next_bill_on=bill.bill_on if bill else None)
