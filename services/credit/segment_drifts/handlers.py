"""Each Monday, learn what is usual in each segment and draw the week that ended on its chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.credit.control_charts.rules import Norm
from services.credit.segment_drifts import rules, store
from services.credit.segment_drifts.rules import EVERYBODY, SegmentDrift, Week
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx

ROUND_DUE = store.ROUND_DUE


async def begin_rounds(tx: Tx) -> None:
    """Something was paid: from the next Monday on there is something to look at."""
    await store.begin_rounds(tx, rules.first_monday(local_date(tx.now, "UTC")))


async def norms(tx: Tx) -> Mapping[str, Norm]:
    """What was usual in each segment up to the last Monday."""
    return await store.norms(tx)


async def watch_segments(tx: Tx) -> bool:
    """One Monday's round, the oldest that is due; False where none is."""
    monday = await store.lock_round(tx)
    if monday is None:
        return False
    since, week_from = rules.window(monday)
    sums = await store.sums(tx, since, monday)
    if EVERYBODY not in sums:
        await store.end_round(tx, None)
        return True
    before_the_week = await store.norms(tx)
    paid = await store.customer_weeks(tx, since, week_from, monday)
    weeks = {}
    for segment, customers in paid.items():
        if norm := before_the_week.get(segment):  # Else there is nothing yet to hold the week against.
            payments = sum(each.payments for each in customers)
            weeks[segment] = Week(monday, payments, rules.deviation(customers, norm))
    await store.add_weeks(tx, weeks)
    await _follow(tx, weeks)
    await store.save_norms(tx, rules.norms(sums), monday)
    await store.end_round(tx, rules.first_monday(monday))
    return True


async def _follow(tx: Tx, weeks: Mapping[str, Week]) -> None:
    known = {each.segment: each for each in await store.drifts(tx)}
    drawn = await store.weeks(tx, sorted(weeks), rules.WEEKS_SHOWN)
    followed = []
    for segment, week in sorted(weeks.items()):
        before = known.get(segment, SegmentDrift(segment))
        after = rules.follow(before, week)
        await outbox.append(tx, *rules.told(before, after, drawn[segment], local_date(tx.now, "UTC")))
        followed.append(after)
    await store.save(tx, followed)


async def list_drifts(
    tx: Tx, after: str | None, count_max: int
) -> Sequence[tuple[SegmentDrift, Norm | None, Sequence[Week]]]:
    """Each segment's chart with what is usual in it and its last weeks, by name."""
    found = await store.drifts(tx, after, count_max)
    known = await store.norms(tx)
    weeks = await store.weeks(tx, [each.segment for each in found], rules.WEEKS_SHOWN)
    return [(each, known.get(each.segment), weeks.get(each.segment, [])) for each in found]
