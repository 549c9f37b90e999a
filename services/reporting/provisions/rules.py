"""A provision matrix from a company's own losses.

IFRS 9 paragraph 5.5.15 has trade receivables without a significant financing component provided for at lifetime
expected credit losses (the simplified approach); paragraph B5.5.35 allows a provision matrix: fixed rates by days past
due, from historical credit loss experience, adjusted for current and forward-looking information. Here the experience
is: of what was open in a bucket at past months' ends, how much was written off within the months that followed.

The same paragraph has receivables grouped where losses differ between groups of customers, such as by region, rating or
type of customer. A group's own losses count where it has been seen often enough to tell a rate from chance; where its
history is thinner, the whole book's do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from shared.calendar import ONE_DAY, add_months, month_start

RATE_PLACES = Decimal("0.0001")

GroupBy = Literal["segment", "country", "entity"]
RateFrom = Literal["group", "book"]
SEEN_MIN = 30
"""Open invoices that a bucket of a group was seen with, at all months' ends together, from which on its own losses
count. Users may set it: it is a convention, and no standard has a number."""


@dataclass(frozen=True, slots=True)
class Line:
    """A bucket of one currency, minor units: what is open, what was seen open at the months' ends looked at, what of
    that was lost, and what is to be provided for. `rate_percent` and `provision_minor` are None where nothing was
    seen, since no experience is not a rate of zero. Of a group, what was seen and lost is its own or the whole book's,
    as `rate_from` says; `invoices_seen` is always its own."""

    days_from: int | None
    days_to: int | None
    open_minor: int
    seen_minor: int
    lost_minor: int
    rate_percent: Decimal | None
    provision_minor: int | None
    invoices_seen: int = 0
    rate_from: RateFrom | None = None


@dataclass(frozen=True, slots=True)
class Experience:
    """By bucket: what was open at the months' ends looked at, in minor units and in invoices, and what was lost of it,
    in minor units."""

    seen_minor: Sequence[int]
    lost_minor: Sequence[int]
    invoices: Sequence[int]


def looked_at(as_of: date, months: int, horizon_months: int) -> list[date]:
    """The months' ends whose losses are all known by `as_of`: the last `months` of those at least the horizon ago."""
    newest = month_start(add_months(as_of + ONE_DAY, -horizon_months))
    return sorted(add_months(newest, -back) - ONE_DAY for back in range(months))


def matrix(
    open_minor: Sequence[int],
    seen_minor: Sequence[int],
    lost_minor: Sequence[int],
    ranges: Sequence[tuple[int | None, int | None]],
    adjustment_percent: Decimal,
) -> list[Line]:
    """One line a bucket. The adjustment is what current and forward-looking information adds to the rate that was seen,
    in percent of it; a rate is never above a hundred. Each amount is rounded once, half-even."""
    lines: list[Line] = []
    for (first, last), owed, seen, lost in zip(ranges, open_minor, seen_minor, lost_minor, strict=True):
        if seen <= 0:
            lines.append(Line(first, last, owed, seen, lost, None, None if owed else 0))
            continue
        raised = Decimal(lost) * (100 + adjustment_percent)
        rate_percent = min(raised / seen, Decimal(100))
        provision = owed if rate_percent == 100 else int((owed * raised / (100 * seen)).quantize(1, ROUND_HALF_EVEN))
        lines.append(
            Line(first, last, owed, seen, lost, rate_percent.quantize(RATE_PLACES, ROUND_HALF_EVEN), provision)
        )
    return lines


def matrix_of_group(
    open_minor: Sequence[int],
    own: Experience,
    book: Experience,
    ranges: Sequence[tuple[int | None, int | None]],
    adjustment_percent: Decimal,
    seen_min: int,
) -> list[Line]:
    """As `matrix`, bucket by bucket with the group's own losses where it was seen with at least `seen_min` invoices,
    else with those of the whole book."""
    sources: list[RateFrom] = ["group" if count >= seen_min else "book" for count in own.invoices]
    used = [own if source == "group" else book for source in sources]
    lines = matrix(
        open_minor,
        [each.seen_minor[bucket] for bucket, each in enumerate(used)],
        [each.lost_minor[bucket] for bucket, each in enumerate(used)],
        ranges,
        adjustment_percent,
    )
    return [
        replace(line, invoices_seen=count, rate_from=source)
        for line, count, source in zip(lines, own.invoices, sources, strict=True)
    ]


def provided_minor(lines: Iterable[Line]) -> int | None:
    """The whole; None where a bucket with something open has no experience."""
    parts = [line.provision_minor for line in lines]
    return None if None in parts else sum(part for part in parts if part is not None)


def experiences(
    seen: Iterable[Mapping[str, Any] | Any], lost: Iterable[Mapping[str, Any] | Any], size: int
) -> dict[tuple[str, str], Experience]:
    """Rows of (currency, group, bucket, amounts) by currency and group."""
    found: dict[tuple[str, str], tuple[list[int], list[int], list[int]]] = defaultdict(
        lambda: ([0] * size, [0] * size, [0] * size)
    )
    for row in seen:
        seen_minor, _, invoices = found[row["currency"], row["key"]]
        seen_minor[row["bucket"]] += row["seen_minor"]
        invoices[row["bucket"]] += row["invoices"]
    for row in lost:
        found[row["currency"], row["key"]][1][row["bucket"]] += row["lost_minor"]
    return {key: Experience(*lists) for key, lists in found.items()}


def nothing_seen(size: int) -> Experience:
    return Experience([0] * size, [0] * size, [0] * size)
