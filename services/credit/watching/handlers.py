"""Do about customers of whom there is news what the policy wants done."""

from __future__ import annotations

from datetime import UTC, datetime, time

from services.credit.follow_ups import handlers as follow_ups
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of
from services.credit.recommendations import handlers as recommendations
from services.credit.reviews import handlers as reviews
from services.credit.segments import handlers as segments
from shared.calendar import local_date
from shared.db import Tx

FOLLOW_DUE = follow_ups.FOLLOW_DUE
FOLLOWED_A_RUN = 50


async def follow_customers(tx: Tx, customers_max: int = FOLLOWED_A_RUN) -> int:
    """Follow up a bounded number of customers of whom there is news, or whose day has come; nothing is done about one
    that is closed. Returns how many."""
    due = await follow_ups.due(tx, customers_max)
    if not due:
        return 0
    today = local_date(tx.now, "UTC")
    standings = await limits.lock_standings(tx, due, today)
    news = await follow_ups.take(tx, due)
    for customer_id, (account, facts) in standings.items():
        if customer_id not in news or account.customer_status != "active":
            continue
        policy = rules_of(facts.policy_rules)
        moved, again_at = await segments.follow(tx, customer_id)
        if moved:  # The policy's limit is another one now.
            account, facts = await limits.lock_standing(tx, customer_id, today)
        await recommendations.follow(tx, account, news[customer_id], policy)
        next_on = await reviews.follow(tx, customer_id, news[customer_id], policy.reviews)
        moments = [again_at, datetime.combine(next_on, time(), UTC) if next_on else None]
        if earliest := min((at for at in moments if at), default=None):
            await follow_ups.note_day(tx, customer_id, earliest)
    return len(news)
