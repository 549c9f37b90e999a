"""A provision matrix from a company's own losses.

IFRS 9 paragraph 5.5.15 has trade receivables without a significant financing component provided for at lifetime
expected credit losses (the simplified approach); paragraph B5.5.35 allows a provision matrix: fixed rates by days past
due, from historical credit loss experience, adjusted for current and forward-looking information. Here the experience
is: of what was open in a bucket at past months' ends, how much was written off within the months that followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from shared.calendar import ONE_DAY, add_months, month_start

RATE_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Line:
    """A bucket of one currency, minor units: what is open, what was seen open at the months' ends looked at, what of
    that was lost, and what is to be provided for. `rate_percent` and `provision_minor` are None where nothing was
    seen, since no experience is not a rate of zero."""

    days_from: int | None
    days_to: int | None
    open_minor: int
    seen_minor: int
    lost_minor: int
    rate_percent: Decimal | None
    provision_minor: int | None


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


def provided_minor(lines: Iterable[Line]) -> int | None:
    """The whole; None where a bucket with something open has no experience."""
    parts = [line.provision_minor for line in lines]
    return None if None in parts else sum(part for part in parts if part is not None)


def by_bucket(rows: Iterable[Mapping[str, Any] | Any], name: str, size: int) -> dict[str, list[int]]:
    """Rows of (currency, bucket, amount) as a list by bucket for each currency."""
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["currency"], [0] * size)[row["bucket"]] += row[name]
    return found
