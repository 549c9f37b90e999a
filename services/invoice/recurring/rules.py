"""Invoices that repeat: which period is billed next, when, and what its lines come to.

The occurrences of a rule (RFC 5545, RRULE) begin the periods; a period ends on the day before the next occurrence. In
advance a period is billed on its first day, in arrears on the day after its last. What of a period is not wanted
(before the start, after the end, in a pause) is left out of it by days:

    part of days a to b, of a period of n days at price P  =  c(b) - c(a - 1)     with c(d) = half-even(P x d / n)

Each boundary is rounded once, so whatever parts a period is cut into, by pauses, a change of price, or an end here and
a new beginning there, the parts of one price add up to it. 100.00 a month from 11 to 30 April is c(30) - c(10) =
100.00 - 33.33 = 66.67, and 1 to 10 April is 33.33. A period that changes its price has a line for each price's days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.invoice.drafting.rules import (
    LINES_MAX,
    DeliveryChannel,
    IsoDate,
    LineIn,
    Wire,
)
from services.invoice.pricing.rules import (
    ONE,
    FinePrice,
    Line,
    LineDetails,
    Priced,
    UnitPrice,
    divide_half_even,
    price,
    scaled,
)
from services.invoice.pricing.rules import Period as LinePeriod
from services.invoice.recurrence.rules import Days, read_rule, whole_period
from services.invoice.terms.rules import PaymentTerms
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

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
START_BACK_DAYS_MAX = 400
PERCENT_PLACES = 4
_HUNDRED_PERCENT = 100 * 10**PERCENT_PLACES


class RecurringNotFound(NotFound):
    slug = "recurring-invoice-not-found"
    title = "There is no such recurring invoice"


class PeriodNotFound(NotFound):
    slug = "recurring-period-not-found"
    title = "Nothing was decided on such a period"


class PeriodNotHeld(Conflict):
    slug = "recurring-period-not-held"
    title = "The period is not held"


class RecurringEnded(Conflict):
    slug = "recurring-invoice-ended"
    title = "The recurring invoice has ended"


class ScheduleRefused(Refused):
    slug = "recurring-schedule"
    title = "The dates of the recurring invoice do not fit each other"


class TemplateRefused(Refused):
    slug = "recurring-template"
    title = "The lines of the recurring invoice cannot be billed"


# --- what is agreed ---


def _percentage(text: str) -> str:
    if scaled(text, PERCENT_PLACES) <= -_HUNDRED_PERCENT:
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


# --- which days are billed next ---


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


# --- what an invoice comes to ---


def lines_on(recurring: Recurring, day: date) -> tuple[LineIn, ...]:
    """The lines at the prices of a day."""
    lines = recurring.lines
    for change in _changes(recurring):
        if change.first > day:
            break
        lines = change.lines if change.lines else tuple(_dearer(line, change.percentage or "0") for line in lines)
    return lines


def _changes(recurring: Recurring) -> list[PriceChange]:
    return sorted(recurring.price_changes, key=lambda change: change.first)


def _dearer(line: LineIn, percentage: str) -> LineIn:
    """A price finer than the minor unit stays as fine as it may be; a whole one stays whole."""
    factor, was = _HUNDRED_PERCENT + scaled(percentage, PERCENT_PLACES), line.unit_price
    if isinstance(was, Money):
        now: UnitPrice = Money(divide_half_even(was.minor * factor, _HUNDRED_PERCENT), was.currency)
    else:
        fine = divide_half_even((was.minor * ONE + was.millionths) * factor, _HUNDRED_PERCENT)
        minor, millionths = divmod(fine, ONE)
        now = FinePrice(minor, millionths, was.currency) if millionths else Money(minor, was.currency)
    return line.model_copy(update={"unit_price": now})


def priced(recurring: Recurring, bill: Bill, language: str) -> Priced:
    """The invoice over a bill's days. Raises what pricing raises."""
    return price(bill_lines(recurring, bill, language))


def bill_lines(recurring: Recurring, bill: Bill, language: str) -> list[Line]:
    """A line of the template for each stretch of days at one price, with its days in the description."""
    lines: list[Line] = []
    for stretch in _stretches(recurring, bill):
        template = lines_on(recurring, stretch.first)
        whole = recurring.proration == "none" or stretch == bill.whole
        nets = price([each.line() for each in template]).lines
        for each, priced_line in zip(template, nets, strict=True):
            line = _with_period(each.line(), stretch, language)
            lines.append(line if whole else _part_of(line, priced_line.net_minor, bill.whole, stretch))
    return lines


def _with_period(line: Line, days: Days, language: str) -> Line:
    details = line.details or LineDetails()
    about = {**(details.about or {}), "period": LinePeriod(since=days.first, until=days.last)}
    return replace(line, description=describe(line.description, days, language), details=replace(details, about=about))


def _part_of(line: Line, net_minor: int, whole: Days, part: Days) -> Line:
    """A line over some days of a period: one piece at its share of the net, allowances and charges in it."""
    minor = part_minor(net_minor, whole, part)
    return replace(
        line,
        description=f"{line.description} ({part.count}/{whole.count})",
        quantity_millionths=ONE if minor >= 0 else -ONE,
        unit_price=Money(abs(minor), line.unit_price.currency),
        details=replace(line.details or LineDetails(), price_millionths=0, base_quantity_millionths=ONE, surcharges=()),
    )


def _stretches(recurring: Recurring, bill: Bill) -> list[Days]:
    """The days billed, cut where the price changes; whole periods keep the price of their first day."""
    if recurring.proration == "none":
        return list(bill.runs)
    stretches: list[Days] = []
    for run in bill.runs:
        first = run.first
        for change in _changes(recurring):
            if first < change.first <= run.last:
                stretches.append(Days(first, change.first - ONE_DAY))
                first = change.first
        stretches.append(Days(first, run.last))
    return stretches


def part_minor(whole_minor: int, whole: Days, part: Days) -> int:
    """What some days of a period cost: the formula at the top of this module."""

    def up_to(day: int) -> int:
        return divide_half_even(whole_minor * day, whole.count)

    before = (part.first - whole.first).days
    return up_to(before + part.count) - up_to(before)


# --- what the lines say ---

PLACEHOLDERS = ("period_start", "period_end", "month", "year")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def describe(description: str, days: Days, language: str) -> str:
    """A description with its placeholders filled in; one without any gets the days put after it."""
    locale = _locale(language)
    values = {
        "period_start": format_date(days.first, "medium", locale),
        "period_end": format_date(days.last, "medium", locale),
        "month": format_date(days.first, "LLLL y", locale),
        "year": format_date(days.first, "y", locale),
    }
    if not _PLACEHOLDER.search(description):
        return f"{description}, {values['period_start']} – {values['period_end']}"
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), description)


@lru_cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


# --- what is refused ---


def agreed(recurring: Recurring, today: date) -> Recurring:
    """The recurring invoice itself when it can be followed, with its first bill.

    Raises RuleRefused, ScheduleRefused, TemplateRefused, and what pricing raises.
    """
    if recurring.starts_on < today - timedelta(START_BACK_DAYS_MAX):
        raise ScheduleRefused(
            f"a start on {recurring.starts_on} would catch up on more than {START_BACK_DAYS_MAX} days",
            field="/starts_on",
        )
    read_rule(recurring.rrule, recurring.starts_on)
    if recurring.ends_on and recurring.ends_on < recurring.starts_on:
        raise ScheduleRefused(
            f"it ends on {recurring.ends_on}, before its start on {recurring.starts_on}", field="/ends_on"
        )
    check_template(recurring)
    return settled_status(recurring)


def check_template(recurring: Recurring) -> None:
    """Raises TemplateRefused, and what pricing raises, for lines that no period could be billed with."""
    currency = recurring.lines[0].unit_price.currency
    _check_lines(recurring.lines, currency, "")
    seen: set[date] = set()
    for position, change in enumerate(recurring.price_changes):
        field = f"/price_changes/{position}"
        if change.first in seen:
            raise TemplateRefused(f"two price changes begin on {change.first}", field=f"{field}/from")
        seen.add(change.first)
        if change.lines:
            _check_lines(change.lines, currency, field)
    for change in recurring.price_changes:
        price([line.line() for line in lines_on(recurring, change.first)])


def _check_lines(lines: Sequence[LineIn], currency: str, field: str) -> None:
    for position, line in enumerate(lines):
        for name in _PLACEHOLDER.findall(line.description):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                raise TemplateRefused(
                    f"there is no placeholder {{{name}}}; there are {known}",
                    field=f"{field}/lines/{position}/description",
                )
        if line.unit_price.currency != currency:
            raise TemplateRefused(
                f"one recurring invoice, one currency: {currency}",
                field=f"{field}/lines/{position}/unit_price/currency",
            )
    price([line.line() for line in lines])


def pause(recurring: Recurring, first: date, until: date | None, today: date) -> Recurring:
    """Leave days out, from today at the earliest. Raises ScheduleRefused, RecurringEnded."""
    _not_ended(recurring)
    if first < today:
        raise ScheduleRefused(f"a pause begins today, {today}, at the earliest", field="/from")
    if until is not None and until <= first:
        raise ScheduleRefused(f"billing again on {until} is not after the pause's first day, {first}", field="/until")
    if any(
        (each.until is None or first < each.until) and (until is None or each.first < until)
        for each in recurring.pauses
    ):
        raise ScheduleRefused("there is a pause over these days already", field="/from")
    if len(recurring.pauses) >= PAUSES_MAX:
        raise ScheduleRefused(f"at most {PAUSES_MAX} pauses are kept", field="/from")
    return _moved(recurring, pauses=(*recurring.pauses, Pause.model_validate({"from": first, "until": until})))


def resume(recurring: Recurring, on: date, today: date) -> Recurring:
    """End the pause that runs or comes next: days from `on` are billed again. Raises ScheduleRefused."""
    _not_ended(recurring)
    ahead = sorted((p for p in recurring.pauses if p.until is None or p.until > today), key=lambda each: each.first)
    if not ahead:
        raise ScheduleRefused("there is no pause to end", field="/on")
    if on < today:
        raise ScheduleRefused(f"a pause ends today, {today}, at the earliest", field="/on")
    ended = ahead[0]
    others = tuple(each for each in recurring.pauses if each is not ended)
    if on > ended.first:
        others = (*others, Pause.model_validate({"from": ended.first, "until": on}))
    return _moved(recurring, pauses=tuple(sorted(others, key=lambda each: each.first)))


def end(recurring: Recurring, on: date) -> Recurring:
    """Bill no day after `on`. What is invoiced already stands. Raises RecurringEnded, ScheduleRefused."""
    _not_ended(recurring)
    if on < recurring.starts_on - ONE_DAY:
        raise ScheduleRefused(f"the last day is not before the start on {recurring.starts_on}", field="/on")
    return _moved(recurring, ends_on=on)


def change(recurring: Recurring, changes: dict[str, Any]) -> Recurring:
    """Agree on something else for what is not billed yet. Raises RecurringEnded, ScheduleRefused, TemplateRefused."""
    _not_ended(recurring)
    changed = replace(recurring, **changes)
    if changed.ends_on and changed.ends_on < changed.starts_on:
        raise ScheduleRefused(
            f"it ends on {changed.ends_on}, before its start on {changed.starts_on}", field="/ends_on"
        )
    check_template(changed)
    return _moved(changed)


def decided(recurring: Recurring, bill: Bill) -> Recurring:
    """The recurring invoice once a bill was issued or held."""
    assert recurring.billed_through is None or bill.days.first > recurring.billed_through
    return _moved(recurring, billed_through=bill.through)


def issue_date(recurring: Recurring, bill: Bill, today: date) -> date:
    """The date on the invoice, by the policy for what comes late; in time both are the same."""
    return min(bill.bill_on, today) if recurring.catch_up == "period_date" else today


def _moved(recurring: Recurring, **changes: Any) -> Recurring:
    return settled_status(replace(recurring, version=recurring.version + 1, **changes))


def _not_ended(recurring: Recurring) -> None:
    if recurring.status == "ended":
        raise RecurringEnded("it has ended, and everything up to its end is billed; make a new one")
