"""What is usual in each segment, and each segment's weeks. Tables: segment_norm, segment_week, segment_drift,
segment_round (written); payment_record and customer (read)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.credit.control_charts.rules import Norm, Sums
from services.credit.segment_drifts.rules import EVERYBODY, CustomerWeek, SegmentDrift, Week
from shared.db import Tx

ROUND_DUE = "(select due_at from segment_round)"


async def begin_rounds(tx: Tx, due_at: datetime) -> None:
    """From the first payment heard of, there is a round each Monday."""
    await tx.execute("insert into segment_round (due_at) values ($1) on conflict do nothing", due_at)


async def lock_round(tx: Tx) -> date | None:
    """The Monday that is due, None where none is (any more)."""
    return await tx.fetchval("select due_at::date from segment_round where due_at <= $1 for update", tx.now)


async def end_round(tx: Tx, next_at: datetime | None) -> None:
    """None: there is nothing left to look at until another payment is heard of."""
    if next_at is None:
        await tx.execute("delete from segment_round")
    else:
        await tx.execute("update segment_round set due_at = $1", next_at)


async def sums(tx: Tx, since: date, before: date) -> dict[str, Sums]:
    """The payments of each segment, and of the whole book."""
    rows = await tx.fetch(_SUMS, since, before, EVERYBODY)
    return {
        row["segment"]: Sums(
            customers=row["customers"],
            payments=row["payments"],
            days=row["days"],
            squares_within=row["squares_within"],
            squares_of_sums=row["squares_of_sums"],
            payments_squared=row["payments_squared"],
        )
        for row in rows
    }


_SUMS = """
select coalesce(c.segment, $3) as segment, count(*) as customers, sum(p.payments)::bigint as payments,
       sum(p.days)::float as days, sum(p.squares - p.days ^ 2 / p.payments)::float as squares_within,
       sum(p.days ^ 2 / p.payments)::float as squares_of_sums, sum(p.payments ^ 2)::float as payments_squared
from (
    select customer_id, count(*) as payments, sum(ended_on - due_date) as days,
           sum((ended_on - due_date)::float ^ 2) as squares
    from payment_record where not written_off and ended_on >= $1 and ended_on < $2
    group by customer_id
) p join customer c on c.id = p.customer_id
group by grouping sets ((c.segment), ())
having count(*) > 0
"""


async def save_norms(tx: Tx, norms: Mapping[str, Norm], as_of: date) -> None:
    await tx.execute("delete from segment_norm")
    await tx.executemany(
        "insert into segment_norm (segment, as_of, mean_days, within, between_customers) values ($1, $2, $3, $4, $5)",
        [(segment, as_of, norm.mean_days, norm.within, norm.between) for segment, norm in norms.items()],
    )


async def norms(tx: Tx) -> dict[str, Norm]:
    return {
        row["segment"]: Norm(row["mean_days"], row["within"], row["between_customers"])
        for row in await tx.fetch("select * from segment_norm")
    }


async def customer_weeks(tx: Tx, since: date, week_from: date, monday: date) -> dict[str, list[CustomerWeek]]:
    """By segment, those that paid in the week, with what they paid before it."""
    found: dict[str, list[CustomerWeek]] = {}
    for row in await tx.fetch(_CUSTOMER_WEEKS, since, week_from, monday):
        week = CustomerWeek(row["earlier_payments"], row["earlier_days"], row["payments"], row["days"])
        found.setdefault(row["segment"], []).append(week)
    return found


_CUSTOMER_WEEKS = """
select c.segment, w.payments, w.days, e.payments as earlier_payments, coalesce(e.days, 0) as earlier_days
from (
    select customer_id, count(*) as payments, sum(ended_on - due_date) as days
    from payment_record where not written_off and ended_on >= $2 and ended_on < $3
    group by customer_id
) w join customer c on c.id = w.customer_id cross join lateral (
    select count(*) as payments, sum(ended_on - due_date) as days
    from payment_record
    where customer_id = w.customer_id and not written_off and ended_on >= $1 and ended_on < $2
) e
"""


async def add_weeks(tx: Tx, weeks: Mapping[str, Week]) -> None:
    rows = [(segment, week.week_on, week.payments, week.deviation) for segment, week in sorted(weeks.items())]
    await tx.executemany(
        "insert into segment_week (segment, week_on, payments, deviation) values ($1, $2, $3, $4)", rows
    )


async def weeks(tx: Tx, segments: Sequence[str], count_max: int) -> dict[str, list[Week]]:
    """The last ones of each, the oldest first."""
    found: dict[str, list[Week]] = {}
    for row in await tx.fetch(_WEEKS, segments, count_max):
        found.setdefault(row["segment"], []).append(Week(row["week_on"], row["payments"], row["deviation"]))
    return found


_WEEKS = """
select w.* from unnest($1::text[]) as s (segment) cross join lateral (
    select * from segment_week where segment = s.segment order by week_on desc limit $2
) w
order by w.segment, w.week_on
"""


async def drifts(tx: Tx, after: str | None = None, count_max: int | None = None) -> list[SegmentDrift]:
    """In the order of their names."""
    rows = await tx.fetch(_DRIFTS, after, count_max)
    return [_drift(row) for row in rows]


_DRIFTS = "select * from segment_drift where $1::text is null or segment > $1 order by segment limit $2"


async def save(tx: Tx, drifts: Sequence[SegmentDrift]) -> None:
    await tx.executemany(_SAVE, [(d.segment, d.version, d.since, d.smoothed) for d in drifts])


_SAVE = """
insert into segment_drift (segment, version, since, smoothed) values ($1, $2, $3, $4)
on conflict (segment) do update set
    version = excluded.version, since = excluded.since, smoothed = excluded.smoothed
"""


def _drift(row: Any) -> SegmentDrift:
    return SegmentDrift(row["segment"], row["version"], row["since"], row["smoothed"])
