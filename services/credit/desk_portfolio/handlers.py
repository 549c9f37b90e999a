"""The portfolio, gathered from accounts, exposure and assessments."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.desk_portfolio.rules import Book, Portfolio, member
from services.credit.exposure import handlers as exposure
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of, usable_rates
from shared.calendar import local_date
from shared.db import Tx

AT_ONCE = 2_000
_FIRST = UUID(int=0)


async def draw_portfolio(tx: Tx) -> Sequence[Book]:
    """Every customer that is not closed, or still owes something; a few statements for each two thousand of them."""
    today, after, portfolio = local_date(tx.now, "UTC"), _FIRST, Portfolio()
    while accounts := await limits.accounts_after(tx, after, AT_ONCE):
        after = accounts[-1].customer_id
        ids = [account.customer_id for account in accounts]
        standings = await assessments.latest_of(tx, ids)
        known = await exposure.facts_of(tx, ids, today)
        rules = rules_of(known[ids[0]].policy_rules)
        portfolio.take(
            member(account, standing.risk_class if standing else None, facts, usable_rates(facts, rules, today))
            for account in accounts
            for facts, standing in [(known[account.customer_id], standings.get(account.customer_id))]
            if account.customer_status == "active" or facts.exposure.by_currency
        )
    return portfolio.books
