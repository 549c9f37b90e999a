"""What is owed at the end of a day by age: buckets of days, groups, and what of it is held back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from services.reporting.rates.rules import Rates
from shared.errors import Refused
from shared.money import exponent

GroupBy = Literal["customer", "segment", "country", "entity", "collector"]
AgeFrom = Literal["due_date", "invoice_date"]

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""What a report may be asked for: beyond them date arithmetic would overflow, and nobody has books."""

USUAL_DAYS = (30, 60, 90)
BUCKETS_MAX = 12
DAYS_MAX = 3660


class BucketsUnreadable(Refused):
    slug = "unreadable-buckets"
    title = "The buckets cannot be read"


def known_currency(code: str) -> str:
    """Raises ValueError for a code that ISO 4217 does not have."""
    exponent(code)
    return code


def reportable(day: date) -> date:
    """Raises ValueError for a day beyond the ones that reports are for."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"reports are for days from {FIRST_DAY} to {LAST_DAY}")
    return day


ReportDay = Annotated[date, AfterValidator(reportable)]
ReportCurrency = Annotated[str, AfterValidator(known_currency)]

ALL_KNOWN = date.max
"""`known_at` for the figures as they are known now."""


def owed(kind: str, axis: str, known_at: date, *, as_of: str = "$1", known: str = "$2") -> str:
    """The SQL function that says what a kind of group owed: as known at the end of a day, or as known now."""
    if known_at == ALL_KNOWN:
        return f"owed_by_group('{kind}', '{axis}', {as_of}::date)"
    return f"owed_by_group_as_known('{kind}', '{axis}', {as_of}::date, {known}::date)"


def read_days(text: str) -> tuple[int, ...]:
    """`30,60,90,120`: the last day of each bucket but the first, which is what is not yet due, and the last, which is
    open ended. Raises BucketsUnreadable."""
    try:
        days = tuple(int(part) for part in text.split(","))
    except ValueError:
        days = ()
    if not days or len(days) > BUCKETS_MAX or days[0] < 1 or days[-1] > DAYS_MAX or sorted(set(days)) != list(days):
        raise BucketsUnreadable(
            f"buckets are 1 to {BUCKETS_MAX} rising numbers of days from 1 to {DAYS_MAX}, such as 30,60,90,120",
            field="query.buckets",
        )
    return days


@dataclass(frozen=True, slots=True)
class Buckets:
    """Open items of one currency (and one group), minor units, by the buckets that `days` bound: not yet due first,
    the oldest last. `disputed` and `on_plan` are what of each is contested, or waits for a plan's dates."""

    currency: str
    group: str | None
    label: str | None
    split: tuple[int, ...]
    open_invoices: int
    disputed: tuple[int, ...] = ()
    on_plan: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    days: tuple[int, ...] = USUAL_DAYS

    @property
    def current(self) -> int:
        return self.split[0]

    @property
    def overdue(self) -> int:
        return sum(self.split[1:])

    @property
    def total(self) -> int:
        return sum(self.split)

    @property
    def ranges(self) -> list[tuple[int | None, int | None]]:
        """First and last day of each bucket: (None, 0), (1, 30), ..., (91, None)."""
        return list(zip((None, *(day + 1 for day in (0, *self.days))), (0, *self.days, None), strict=True))


def gather(rows: Iterable[Any], days: Sequence[int], label: Mapping[str, str] | None = None) -> list[Buckets]:
    """Rows of (currency, key, bucket number, amounts, count) as one item a currency and key, in the order they come;
    `label` names the groups that are not called by their key. A key of None is the whole."""
    size = len(days) + 2
    parts: dict[tuple[str, str | None], list[list[int]]] = {}
    for row in rows:
        columns = parts.setdefault((row["currency"], row["key"]), [[0] * size for _ in range(4)])
        if row["bucket"] is not None:
            for column, name in zip(columns, ("balance", "disputed", "on_plan", "open_invoices"), strict=True):
                column[row["bucket"]] += row[name]
    return [
        Buckets(
            currency,
            key,
            key if label is None or key is None else label.get(key, key),
            tuple(balance),
            sum(counts),
            tuple(disputed),
            tuple(on_plan),
            tuple(counts),
            tuple(days),
        )
        for (currency, key), (balance, disputed, on_plan, counts) in parts.items()
    ]


def in_one_currency(items: Iterable[Buckets], rates: Rates, currency: str) -> list[Buckets]:
    """Every group's currencies as one: each bucket of each currency is converted and rounded, then they are added, so
    that the parts add up to the whole. Raises NoRate."""
    summed: dict[str | None, Buckets] = {}
    for item in items:
        turned = replace(
            item,
            currency=currency,
            **{
                name: tuple(rates.convert(minor, item.currency, currency) for minor in getattr(item, name))
                for name in ("split", "disputed", "on_plan")
            },
        )
        known = summed.get(item.group)
        summed[item.group] = turned if known is None else _together(known, turned)
    return list(summed.values())


def _together(one: Buckets, other: Buckets) -> Buckets:
    def added(name: str) -> tuple[int, ...]:
        return tuple(a + b for a, b in zip(getattr(one, name), getattr(other, name), strict=True))

    return replace(
        one,
        split=added("split"),
        disputed=added("disputed"),
        on_plan=added("on_plan"),
        counts=added("counts"),
        open_invoices=one.open_invoices + other.open_invoices,
    )


def first_days(counted: Iterable[Any], limit: int, day_at_hand: date) -> list[tuple[str, date]]:
    """The first due days, by currency, that hold at least so many open invoices; those of the day at hand may have been
    seen already and do not count."""
    enough: list[tuple[str, date]] = []
    held, reached = 0, None
    for row in counted:
        if held >= limit and row["due_on"] != reached:
            break
        enough.append((row["currency"], row["due_on"]))
        reached = row["due_on"]
        if reached != day_at_hand:
            held += row["open_invoices"]
    return enough
