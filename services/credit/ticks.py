"""What credit does by the clock: after a change of the policy, bring the limits in line with it."""

from __future__ import annotations

from services.credit.limits import handlers as limits
from shared.calendar import local_date
from shared.db import transaction
from shared.ticks import TickContext, Ticks

ticks = Ticks()

POLICY_RUNS_MAX = 20
"""A call's share of a large book; the other jobs of the worker get their turn in between."""


@ticks.on(next_due=limits.POLICY_WORK_DUE)
async def apply_policy(context: TickContext, accounts_a_run: int = limits.ACCOUNTS_A_RUN) -> bool:
    moved = 0
    for _ in range(POLICY_RUNS_MAX):
        async with transaction(context.database) as tx:
            accounts = await limits.apply_policy(tx, local_date(context.now, "UTC"), accounts_a_run)
        moved += accounts
        if accounts < accounts_a_run:
            break
    return moved > 0
