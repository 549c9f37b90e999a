"""The episodes of a customer's collection case: one begins when an overdue invoice becomes collectable and ends when
none is left. What opens, closes, holds and releases a case, and when it is looked at next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reminder.contacts.rules import Contact
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Case, Reason, coming
from services.reminder.policies import rules as policies
from services.reminder.policies.rules import POLICY, Policy
from services.reminder.receivables.rules import ENTITY, Account, totals
from services.reminder.strategies.rules import Published, Strategy
from services.reminder.tasks.rules import AssignTask
from shared.calendar import local_date
from shared.events.event import Event
from shared.events.reminder import CaseClosed, CaseEvent, CaseHeld, CaseOpened, CaseReleased, CaseState
from shared.records import replace


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision makes of a case, why, and what follows from it."""

    case: Case
    reason: Reason
    events: tuple[Event, ...] = ()
    contacts: tuple[Contact, ...] = ()
    tasks: tuple[AssignTask, ...] = ()


def new_case(case_id: UUID, customer_id: UUID, strategy: Published, entity_id: str = ENTITY) -> Case:
    """The case of a customer of whom nothing is overdue yet."""
    return Case(
        id=case_id,
        customer_id=customer_id,
        version=0,
        entity_id=entity_id,
        status="closed",
        episode=0,
        strategy=strategy.name,
        strategy_version=strategy.version,
        level=0,
        step=None,
        opened_on=None,
        closed_on=None,
        closed_because=None,
        climbed_on=None,
        rest_until=None,
        holds=(),
        noticed=(),
        blocked_step=None,
        refused=(),
        pending=(),
        check_at=None,
    )


def follow(
    case: Case,
    account: Account,
    strategy: Published,
    now: datetime,
    held: Hold | None = None,
    ended: Collection[str] = (),
    policy: Policy = POLICY,
) -> Outcome:
    """Facts changed: open or close the episode, and say when to decide next.

    `strategy` is what the case runs on, or for a closed case what a new episode would run on; `held` is what the case
    rests for from now on; `ended` is what became of overdue invoices that are no longer owed.
    """
    reason: Reason = Reason.UNCHANGED
    events: tuple[Event, ...] = ()
    if held:
        outcome = hold(case, account, strategy, held, now, policy)
        case, reason, events = outcome.case, outcome.reason, outcome.events
    if account.overdue and not case.is_open:
        case, reason = _open(case, strategy, now), Reason.OPENED
        events = (*events, case_event(CaseOpened, case, account, now))
    elif not account.overdue and case.is_open:
        because = _why_closed(account, ended)
        case, reason = _close(case, because, now), Reason.CLOSED
        events = (*events, case_event(CaseClosed, case, account, now, reason=because))
    return Outcome(schedule(case, account, strategy.strategy, now, policy), reason, events)


def hold(
    case: Case, account: Account, strategy: Published, new: Hold, now: datetime, policy: Policy = POLICY
) -> Outcome:
    """The case rests for one more reason, or for the same one until another day."""
    if new in case.holds:
        return Outcome(case, Reason.UNCHANGED)
    others = tuple(h for h in case.holds if (h.kind, h.source) != (new.kind, new.source))
    case = replace(case, version=case.version + 1, holds=(*others, new))
    event = case_event(CaseHeld, case, account, now, kind=str(new.kind), until=new.until, source=new.source)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.HELD, (event,))


def release(
    case: Case,
    account: Account,
    strategy: Published,
    kind: HoldKind,
    source: str,
    now: datetime,
    policy: Policy = POLICY,
) -> Outcome:
    """One reason to rest is gone; what was never held is left as it is."""
    left = tuple(h for h in case.holds if (h.kind, h.source) != (kind, source))
    if left == case.holds:
        return Outcome(case, Reason.UNCHANGED)
    case = replace(case, version=case.version + 1, holds=left)
    event = case_event(CaseReleased, case, account, now, kind=str(kind), source=source)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.RELEASED, (event,))


def hasten(case: Case, account: Account, strategy: Published, now: datetime, policy: Policy = POLICY) -> Outcome:
    """A promise was broken: the next rung is due at once rather than after its days, still one rung at a time."""
    case = replace(case, broken_promises=case.broken_promises + 1, hastened=case.is_open)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.UNCHANGED)


def schedule(case: Case, account: Account, strategy: Strategy, now: datetime, policy: Policy = POLICY) -> Case:
    """Set when to decide next: at the opening of the contact window on the day the next step opens.

    What was already due stays due. A step that turns up after that opening waits for the next one, so that what an
    event brings may still be changed by the next.
    """
    step = coming(case, account, strategy, local_date(now, account.time_zone))
    if isinstance(step, Reason):
        return replace(case, check_at=None) if case.check_at else case
    at = policies.opening(step.step.channels, account, step.opens_on, policy)
    if at < now:
        was_due = case.check_at is not None and case.check_at <= now
        at = case.check_at if was_due else policies.next_opening(step.step.channels, account, now, policy)
    return replace(case, check_at=at) if at != case.check_at else case


def case_event(of: type[CaseEvent], case: Case, account: Account, now: datetime, /, **more: Any) -> CaseEvent:
    overdue = account.overdue
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
        oldest_due_on=overdue[0].due_on if overdue else None,
        collectable=totals(item.collectable for item in overdue),
        formal_notice_on=case.formal_notice_on,
    )
    return of(
        customer_id=case.customer_id,
        effective_on=now.date(),
        booked_on=now.date(),
        entity_id=case.entity_id,
        case=state,
        **more,
    )


def _open(case: Case, strategy: Published, now: datetime) -> Case:
    return replace(
        case,
        version=case.version + 1,
        status="open",
        episode=case.episode + 1,
        strategy=strategy.name,
        strategy_version=strategy.version,
        level=0,
        step=None,
        opened_on=now.date(),
        closed_on=None,
        closed_because=None,
        climbed_on=None,
        blocked_step=None,
        hastened=False,
        stepped_on=None,
        awaiting=None,
        approved=None,
        formal_notice_on=None,
    )


def _close(case: Case, because: str, now: datetime) -> Case:
    return replace(
        case,
        version=case.version + 1,
        status="closed",
        closed_on=now.date(),
        closed_because=because,
        awaiting=None,
        approved=None,
        blocked_step=None,
    )


def _why_closed(account: Account, ended: Collection[str]) -> str:
    """What is still owed but held back goes before what ended, and money before what was given up."""
    if account.held_back:
        return "disputed" if any(item.is_disputed for item in account.held_back) else "on_plan"
    if ended and {"written_off", "voided"}.issuperset(ended):
        return "written_off" if "written_off" in ended else "voided"
    return "settled"
