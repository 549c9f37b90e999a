"""What happens next to an account if nothing else does: the engine's own decisions, taken ahead of time on its case as
it stands. Nothing is kept or sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from typing import Literal
from uuid import UUID

from services.reminder.cases import rules as cases
from services.reminder.contacts.rules import Contact, Suppression
from services.reminder.episodes.rules import Outcome
from services.reminder.next_steps.rules import Case, Coming, Reason, coming, facts
from services.reminder.policies.rules import REG_F_DAYS, Policy, Touch
from services.reminder.receivables.rules import Account, Balance, BalanceItem
from services.reminder.reminders import rules as reminders
from services.reminder.reminders.rules import Send, Wait
from services.reminder.sayings import rules as sayings
from services.reminder.strategies.rules import Published, Step
from shared.calendar import local_date

LOOKS_MAX = 100
"""More than a ladder of thirty steps takes, each with its waits."""

Does = Literal["message", "actions", "approval", "unreachable", "nothing"]


@dataclass(frozen=True, slots=True)
class Counted:
    """The contacts that the policy counted when it refused one: their days, and how many it allows within how many days
    (None where one is too many)."""

    on: tuple[date, ...]
    within_days: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that is due on the way and is not taken then: why, and what speaks against it in detail."""

    at: datetime
    step: str
    because: Suppression
    detail: tuple[str, ...] = ()
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """`going` are the messages with the moments at which they leave. `due_on` is the due date of a message before due.
    With nothing to come `at` is None and `reason` says why."""

    does: Does
    at: datetime | None = None
    step: Step | None = None
    going: tuple[tuple[datetime, Contact], ...] = ()
    due_on: date | None = None
    passed: tuple[Passed, ...] = ()
    reason: Reason | None = None


def look_ahead(
    case: Case, account: Account, strategy: Published, touches: Collection[Touch], now: datetime, policy: Policy
) -> Outlook:
    """`touches` are what reached the customer of late."""
    passed: list[Passed] = []
    at, ids = now, count(1)

    def make_id() -> UUID:
        return UUID(int=next(ids))

    for _ in range(LOOKS_MAX):
        step = coming(case, account, strategy.strategy, local_date(at, account.time_zone))
        if case.check_at is None or isinstance(step, Reason):
            return Outlook("nothing", passed=tuple(passed), reason=step if isinstance(step, Reason) else None)
        at = max(case.check_at, at)
        step = coming(case, account, strategy.strategy, local_date(at, account.time_zone))
        outcome = cases.escalate(case, account, strategy, touches, make_id, at, policy)
        found = _found(step, outcome, account, at, policy) if isinstance(step, Coming) else None
        if found:
            return replace(found, passed=tuple(passed))
        if isinstance(step, Coming):
            passed += _passed(case, step, outcome, account, touches, at, policy)
        case = _after(outcome, account, strategy, at, policy)
    return Outlook("nothing", passed=tuple(passed), reason=Reason.TOO_EARLY)


def _found(step: Coming, outcome: Outcome, account: Account, at: datetime, policy: Policy) -> Outlook | None:
    """What a look decides, unless it only passes something over or waits."""
    if outcome.reason is Reason.AWAITS_APPROVAL:
        return Outlook("approval", at, step.step)
    if outcome.reason is Reason.ESCALATED:
        return Outlook("actions", at, step.step)
    if outcome.reason is Reason.MESSAGE_PLANNED:
        going = _going(outcome, account, at, policy)
        return Outlook("message", going[0][0], step.step, going, step.due_on) if going else None
    if outcome.tasks and any(contact.reason == Suppression.UNREACHABLE for contact in outcome.contacts):
        return Outlook("unreachable", at, step.step)
    return None


def _going(outcome: Outcome, account: Account, at: datetime, policy: Policy) -> tuple[tuple[datetime, Contact], ...]:
    """The messages that pass the last look, first the first to leave."""
    going = []
    for contact in outcome.contacts:
        leaves, verdict = at, _verdict(contact, outcome.case, account, at, policy)
        while isinstance(verdict, Wait):
            leaves = verdict.until
            verdict = _verdict(contact, outcome.case, account, leaves, policy)
        if isinstance(verdict, Send):
            going.append((leaves, contact))
    return tuple(sorted(going, key=lambda each: each[0]))


def _verdict(contact: Contact, case: Case, account: Account, at: datetime, policy: Policy) -> Send | Wait | Suppression:
    return reminders.confirm(contact, case, account, _owed(account, at), at, policy)


def _owed(account: Account, at: datetime) -> Balance:
    """What the invoice service would say if nothing changed: what is known of each invoice."""
    today = local_date(at, account.time_zone)
    items = (
        BalanceItem(
            number=item.number,
            issued_on=item.issued_on,
            due_on=item.due_on,
            days_overdue=max((today - item.due_on).days, 1) if item.is_overdue else min((today - item.due_on).days, 0),
            collectable=item.collectable,
        )
        for item in account.items
    )
    return Balance("", tuple(items), "")


def _after(outcome: Outcome, account: Account, strategy: Published, at: datetime, policy: Policy) -> Case:
    """The case after a look that let nothing go out: messages that the last look stops are concluded."""
    case = outcome.case
    if outcome.reason is Reason.MESSAGE_PLANNED:
        for contact in outcome.contacts:
            verdict = _verdict(contact, case, account, at, policy)
            if isinstance(verdict, Suppression):
                case = cases.conclude(case, contact.suppressed(verdict), account, strategy, at, policy).case
    return case


def _passed(
    case: Case,
    step: Coming,
    outcome: Outcome,
    account: Account,
    touches: Collection[Touch],
    at: datetime,
    policy: Policy,
) -> list[Passed]:
    today = local_date(at, account.time_zone)
    if outcome.reason is Reason.SKIPPED:
        if step.skips:
            return [Passed(at, name, Suppression.MISSED) for name in step.skips]
        if any(contact.reason == Suppression.OPTED_OUT for contact in outcome.contacts):
            return [Passed(at, step.step.name, Suppression.OPTED_OUT)]
        detail = sayings.unmet(step.step.conditions, facts(case, account, today))
        return [Passed(at, step.step.name, Suppression.CONDITIONS, detail)]
    if outcome.reason is Reason.MESSAGE_PLANNED:
        verdicts = {_verdict(contact, outcome.case, account, at, policy) for contact in outcome.contacts}
        return [Passed(at, step.step.name, each) for each in verdicts if isinstance(each, Suppression)]
    if outcome.reason is Reason.SUPPRESSED and outcome.contacts:
        because = Suppression(outcome.contacts[0].reason or "")
        channels = [contact.channel for contact in outcome.contacts]
        counts = counted(because, channels, touches, account, today, policy)
        return [Passed(at, step.step.name, because, counted=counts)]
    return []


def counted(
    because: Suppression,
    channels: Sequence[str],
    touches: Collection[Touch],
    account: Account,
    day: date,
    policy: Policy,
) -> Counted | None:
    """What the policy counts on a day for which it refuses a contact; None for another reason."""

    def on(within_days: int, which: Callable[[Touch], bool]) -> tuple[date, ...]:
        local = ((local_date(touch.at, account.time_zone), touch) for touch in touches)
        return tuple(sorted(at for at, touch in local if 0 <= (day - at).days < within_days and which(touch)))

    def ours(touch: Touch) -> bool:
        return touch.kind in ("contact", "call")

    match because:
        case Suppression.CONTACT_CAP:
            return Counted(on(policy.within_days, ours), policy.within_days, policy.contacts_max)
        case Suppression.CHANNEL_CAP:
            for channel in channels:
                limit = policy.channels.get(channel)
                if limit and limit.contacts_max is not None:
                    used = on(limit.within_days, lambda touch, by=channel: ours(touch) and touch.channel == by)
                    if len(used) >= limit.contacts_max:
                        return Counted(used, limit.within_days, limit.contacts_max)
            return None
        case Suppression.REG_F:
            return Counted(
                on(REG_F_DAYS, lambda t: t.kind == "conversation" or (ours(t) and t.channel == "call")), REG_F_DAYS
            )
        case Suppression.CONVERSATION:
            within = policy.silence_days + 1
            return Counted(on(within, lambda touch: touch.kind == "conversation"), within)
        case Suppression.MIN_GAP:
            every = policy.counts_other_messages
            return Counted(on(policy.min_gap_days, lambda touch: touch.kind != "other" or every), policy.min_gap_days)
        case _:
            return None
