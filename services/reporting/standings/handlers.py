"""Standings, kept when their day begins, so that a question about a past day need not go further back."""

from __future__ import annotations

from datetime import date

from services.reporting.balances import handlers as balances
from services.reporting.standings import rules, store
from shared.db import Tx

STANDING_DUE = """
select case when extract(day from last_on) < 22 then month_on + 7 * ceil(extract(day from last_on) / 7)::integer
            else month_on + interval '1 month' end at time zone 'UTC'
from (
    select last_on, date_trunc('month', last_on)::date as month_on
    from (select coalesce((select max(before_on) from standing_day),
                          (select min(effective_on) from flow where kind = 'all' and key = '')) as last_on) as last
) as month
"""
"""When the next standing day begins, as `rules.next_standing_day` has it."""


async def keep_standings(tx: Tx, today: date) -> bool:
    """Add up everything before the next standing day that has begun by today; False when there is none."""
    await balances.queue(tx)
    last = await store.last_standing_day(tx) or await balances.first_movement_on(tx)
    if last is None or (begins := rules.next_standing_day(last)) > today:
        return False
    await keep_standings_before(tx, begins)
    return True


async def keep_standings_before(tx: Tx, day: date) -> None:
    """The standings of a day that is later than every one kept so far."""
    await balances.queue(tx)
    await store.keep_standings(tx, day, of_accounts=day.day == 1)
