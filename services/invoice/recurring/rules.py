"""Invoices that repeat: what the days that are billed (`billing_days`) come to, and how what was agreed may change.

What of a period is not wanted is left out of it by days:

    part of days a to b, of a period of n days at price P  =  c(b) - c(a - 1)     with c(d) = half-even(P x d / n)

Each boundary is rounded once, so whatever parts a period is cut into, by pauses, a change of price, or an end here and
a new beginning there, the parts of one price add up to it. 100.00 a month from 11 to 30 April is c(30) - c(10) =
100.00 - 33.33 = 66.67, and 1 to 10 April is 33.33. A period that changes its price has a line for each price's days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from services.invoice.billing_days.rules import (
    HUNDRED_PERCENT,
    PAUSES_MAX,
    PERCENT_PLACES,
    Bill,
    Pause,
    PriceChange,
    Recurring,
    settled_status,
)
from services.invoice.drafting.rules import LineIn
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
from services.invoice.recurrence.rules import Days, read_rule
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

START_BACK_DAYS_MAX = 400


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
    factor, was = HUNDRED_PERCENT + scaled(percentage, PERCENT_PLACES), line.unit_price
    if isinstance(was, Money):
        now: UnitPrice = Money(divide_half_even(was.minor * factor, HUNDRED_PERCENT), was.currency)
    else:
        fine = divide_half_even((was.minor * ONE + was.millionths) * factor, HUNDRED_PERCENT)
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
