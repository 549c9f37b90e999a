"""Moving running cases to another version of their strategy: where each lands there, and what comes next.

A case keeps its place by the name of the step it stands on. Where the other version has no step of that name, it lands
on the last one that would have been taken by then: nobody hears twice what was said already, and nobody is pushed
ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from services.reminder.episodes import rules as episodes
from services.reminder.episodes.rules import Outcome
from services.reminder.next_steps import rules as next_steps
from services.reminder.next_steps.rules import Case, Coming, Reason
from services.reminder.policies.rules import Policy
from services.reminder.receivables.rules import Account, totals
from services.reminder.strategies.rules import Published, Strategy
from shared.calendar import local_date
from shared.errors import Refused
from shared.events.reminder import CaseMoved, CaseState

By = Literal["start", "name", "days"]
Stays = Literal["message_under_way", "awaits_approval"]


class SameVersion(Refused):
    slug = "strategy-version-same"
    title = "The cases run on that version already"


@dataclass(frozen=True, slots=True)
class Landing:
    """A rung of the other version: `level` 0 is before the first. `by` says how it was found."""

    level: int
    step: str | None
    by: By


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one case. `stays` says why it cannot be moved now; `coming` is what is next on the other version,
    from `next_on`, or why nothing is."""

    before: Case
    account: Account
    landing: Landing
    stays: Stays | None
    outcome: Outcome
    coming: Coming | Reason
    next_on: date | None


def land(old: Strategy, new: Strategy, level: int) -> Landing:
    """Where a case on that level of the old version stands in the new one."""
    if level == 0 or not old.rungs:
        return Landing(0, None, "start")
    stands_on = old.rungs[min(level, len(old.rungs)) - 1]
    names = [rung.name for rung in new.rungs]
    if stands_on.name in names:
        return Landing(names.index(stands_on.name) + 1, stands_on.name, "name")
    day = _days(old)[stands_on.name]
    reached = sum(1 for name, opens in _days(new).items() if name in names and opens <= day)
    return Landing(reached, names[reached - 1] if reached else None, "days")


def plan(case: Case, account: Account, old: Strategy, new: Published, now: datetime, policy: Policy) -> Move:
    """What would become of a case, or becomes of it."""
    landing = land(old, new.strategy, case.level)
    today = local_date(now, account.time_zone)
    stays: Stays | None = "message_under_way" if case.pending else "awaits_approval" if case.awaiting else None
    if stays:
        outcome = Outcome(case, Reason.UNDER_WAY if case.pending else Reason.AWAITS_APPROVAL)
        coming = next_steps.coming(case, account, old, today)
    else:
        moved = replace(
            case,
            version=case.version + 1,
            strategy_version=new.version,
            level=landing.level,
            step=landing.step,
            blocked_step=None,
            approved=None,
            check_at=None,
        )
        event = _event(moved, account, case.strategy_version, now)
        outcome = Outcome(episodes.schedule(moved, account, new.strategy, now, policy), Reason.UNCHANGED, (event,))
        coming = next_steps.coming(outcome.case, account, new.strategy, today)
    next_on = max(coming.opens_on, today) if isinstance(coming, Coming) else None
    return Move(case, account, landing, stays, outcome, coming, next_on)


def _event(case: Case, account: Account, previous_version: int, now: datetime) -> CaseMoved:
    state = CaseState(
        id=case.id,
        version=case.version,
        entity_id=case.entity_id,
        episode=case.episode,
        status=case.status,
        strategy=case.strategy,
        strategy_version=case.strategy_version,
        level=case.level,
        step=case.step,
        oldest_due_on=account.overdue[0].due_on if account.overdue else None,
        collectable=totals(item.collectable for item in account.overdue),
    )
    return CaseMoved(
        customer_id=case.customer_id,
        effective_on=now.date(),
        booked_on=now.date(),
        entity_id=case.entity_id,
        case=state,
        previous_strategy_version=previous_version,
    )


def _days(strategy: Strategy) -> dict[str, int]:
    return {step.name: day for step, day in zip(strategy.steps, strategy.earliest_days, strict=True)}
