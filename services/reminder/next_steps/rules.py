"""A customer's collection case as it stands, and which step of its strategy is next: when, about what, and by which
channels. Nothing is decided or changed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.reminder.conditions.rules import Facts
from services.reminder.holds.rules import Hold, holding
from services.reminder.receivables.rules import Account, Item, Key, totals
from services.reminder.strategies.rules import TO_CUSTOMER, Channel, Step, Strategy
from shared.calendar import ONE_DAY


class Reason(StrEnum):
    """Why a decision came out as it did."""

    OPENED = "opened"
    CLOSED = "closed"
    MESSAGE_PLANNED = "message_planned"
    SUPPRESSED = "suppressed"
    ESCALATED = "escalated"
    NOTICED = "noticed"
    TOO_EARLY = "too_early"
    WINDOW_CLOSED = "window_closed"
    UNDER_WAY = "under_way"
    UNREACHABLE = "unreachable"
    DISPUTED = "disputed"
    ON_PLAN = "on_plan"
    LADDER_EXHAUSTED = "ladder_exhausted"
    NOTHING_COLLECTABLE = "nothing_collectable"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    AWAITS_APPROVAL = "awaits_approval"
    HELD = "held"
    RELEASED = "released"
    PROMISED = "promised"
    PAUSED = "paused"
    REPLIED = "replied"
    CONVERSATION = "conversation"
    PLACED = "placed"
    LEGAL = "legal"
    INSOLVENT = "insolvent"


@dataclass(frozen=True, slots=True)
class Case:
    """A customer's case with a selling entity. `level` counts the rungs climbed in this episode, `step` names the last
    of them.

    While one of `holds` rests nothing goes out and no step is taken. `check_at` is when to decide next; None when only
    an event can bring something to decide. `hastened` after a broken promise: the next rung is due whatever its days.

    `pending` are the contacts under way, all of one step; `reached` says that one of its contacts has reached somebody
    already. `refused` are addresses and numbers that do not work. `stepped_on` is when the last rung was taken or
    skipped. `awaiting` is the step that waits for a person's approval, `approved` the one that has it.
    `formal_notice_on` is when the customer got formal notice of default in this episode.
    """

    id: UUID
    customer_id: UUID
    version: int
    entity_id: str
    status: Literal["open", "closed"]
    episode: int
    strategy: str
    strategy_version: int
    level: int
    step: str | None
    opened_on: date | None
    closed_on: date | None
    closed_because: str | None
    climbed_on: date | None
    rest_until: date | None
    holds: tuple[Hold, ...]
    noticed: tuple[date, ...]
    blocked_step: str | None
    refused: tuple[str, ...]
    pending: tuple[UUID, ...]
    check_at: datetime | None
    broken_promises: int = 0
    hastened: bool = False
    reached: bool = False
    stepped_on: date | None = None
    awaiting: str | None = None
    approved: str | None = None
    challenger: str | None = None
    arm: str | None = None
    formal_notice_on: date | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def episode_key(self) -> str:
        """The running episode, as contacts and tasks name it."""
        return str(self.episode)

    @property
    def key(self) -> Key:
        return self.customer_id, self.entity_id

    @property
    def promised_on(self) -> date | None:
        """The last day the customer said it will pay by: the days of grace after it are the seller's."""
        return max((h.promised_on for h in self.holds if h.promised_on), default=None)

    @property
    def runs_on(self) -> tuple[str, int]:
        return self.strategy, self.strategy_version


@dataclass(frozen=True, slots=True)
class Coming:
    """The step that is next: from `opens_on` it may be taken. `due_on` is set for a message before due; `skips` are the
    missed steps that the strategy leaves out for it."""

    step: Step
    opens_on: date
    items: tuple[Item, ...]
    due_on: date | None = None
    skips: tuple[str, ...] = ()


def coming(case: Case, account: Account, strategy: Strategy, today: date) -> Coming | Reason:
    """The next step and the day from which it may be taken, or why there is none. A rung goes before a message
    before due that could go out on the same day."""
    if case.pending:
        return Reason.UNDER_WAY
    endless = holding((h for h in case.holds if h.until is None), today)
    if endless:
        return Reason(endless.kind)
    rung = _coming_rung(case, account, strategy, today) if case.is_open and account.overdue else None
    notices = _coming_notices(case, account, strategy, today)
    steps = [*([rung] if isinstance(rung, Coming) else []), *notices]
    if steps:
        return min(steps, key=lambda step: (max(step.opens_on, today), step.due_on is not None, step.due_on or today))
    if isinstance(rung, Reason):
        return rung
    if not account.held_back:
        return Reason.NOTHING_COLLECTABLE
    return Reason.DISPUTED if any(item.is_disputed for item in account.held_back) else Reason.ON_PLAN


def facts(case: Case, account: Account, today: date) -> Facts:
    """What conditions and the choice of a strategy ask about."""
    chased = account.chased_on(today)
    return Facts(
        customer_id=account.id,
        segment=account.segment,
        country=account.country,
        language=account.language,
        risk_class=account.risk_class,
        open_balance=totals(item.balance for item in account.items),
        collectable=totals(item.collectable for item in chased),
        invoices=len(chased),
        average_days_late=account.average_days_late,
        broken_promises=case.broken_promises,
    )


def _quiet_until(case: Case) -> list[date]:
    """The first days on which the customer may be contacted again, after a message and after each hold."""
    after_holds = [h.until + ONE_DAY for h in case.holds if h.until]
    return [case.rest_until, *after_holds] if case.rest_until else after_holds


def _coming_rung(case: Case, account: Account, strategy: Strategy, today: date) -> Coming | Reason:
    rung = strategy.rung_after(case.level)
    if rung is None:
        return Reason.LADDER_EXHAUSTED
    if case.awaiting == rung.name:
        return Reason.AWAITS_APPROVAL
    if case.blocked_step == rung.name and not channels_for(rung, case, account):
        return Reason.UNREACHABLE
    days = [_first_opening(account, rung, case.stepped_on)]
    if case.climbed_on and rung.days_after_previous is None:
        days.append(case.climbed_on + timedelta(days=strategy.catch_up.gap_days))
    if case.hastened:
        days = [min(item.collect_again_on or item.due_on + ONE_DAY for item in account.overdue)]
    opens_on = max(days + _quiet_until(case))
    skips = ()
    if strategy.catch_up.mode == "skip_to_current" and opens_on <= today:
        rung, skips = _current_rung(case, account, strategy, rung, today)
    return Coming(rung, opens_on, account.chased_on(max(opens_on, today)), skips=skips)


def _current_rung(
    case: Case, account: Account, strategy: Strategy, rung: Step, today: date
) -> tuple[Step, tuple[str, ...]]:
    """The rung that fits the age of the debt, and the missed ones below it; none is missed before the first message."""
    rungs = strategy.rungs
    if not any(step.reaches_customer for step in rungs[: case.level]):
        return rung, ()
    level = case.level
    for at, later in enumerate(rungs[case.level + 1 :], start=case.level + 1):
        if later.days_from_due is None:
            break
        if _first_opening(account, later, None) <= today:
            level = at
    return rungs[level], tuple(step.name for step in rungs[case.level : level])


def _first_opening(account: Account, step: Step, previous_on: date | None) -> date:
    """The oldest invoice opens a step, unless it rests longer than a younger one."""
    if not account.has_rest:
        return step.opens(account.overdue[0].due_on, previous_on)
    return min(_opens_on(item, step, previous_on) for item in account.overdue)


def _opens_on(item: Item, step: Step, previous_on: date | None) -> date:
    """The first day on which a step may be taken for an invoice, which is not one of its fresh days."""
    on = step.opens(item.due_on, previous_on)
    return max(on, item.collect_again_on) if item.collect_again_on else on


def _coming_notices(case: Case, account: Account, strategy: Strategy, today: date) -> list[Coming]:
    """One for each due date ahead, as far as one that cannot be outdone by a later date's. Invoices issued when their
    notice would be due are too fresh for one."""
    step = strategy.notice
    if step is None:
        return []
    quiet = _quiet_until(case)
    notices: list[Coming] = []
    for due_on, items in account.ahead:
        if due_on < today:
            continue
        on = step.opens(due_on, None)
        if notices and on >= max(today, notices[0].opens_on):
            break
        if due_on in case.noticed:
            continue
        rested = min(_opens_on(item, step, None) for item in items) if account.has_rest else on
        opens_on = max([rested, *quiet])
        told = tuple(i for i in items if not i.rests_on(max(opens_on, today))) if account.has_rest else items
        if opens_on <= due_on and any(item.issued_on < on for item in told):
            notices.append(Coming(step, opens_on, told, due_on))
    return notices


def channels_for(step: Step, case: Case, account: Account) -> tuple[Channel, ...]:
    """The channels that a step uses: all that work, or the fallback when none of them can reach the customer. None at
    all for a step that was meant for the customer and cannot reach them."""
    working: tuple[Channel, ...] = tuple(each for each in step.channels if _usable(each, case, account))
    if not step.reaches_customer or not TO_CUSTOMER.isdisjoint(working):
        return working
    if step.fallback and _usable(step.fallback, case, account):
        return (*working, step.fallback)
    return ()


def _usable(channel: Channel, case: Case, account: Account) -> bool:
    return has_address(channel, case, account) and not account.opted_out(channel)


def has_address(channel: Channel, case: Case, account: Account) -> bool:
    """Whether there is somewhere to send it: a call and what stays in the house always find their way."""
    if channel == "letter":
        return account.address is not None
    if channel in ("email", "sms"):
        address = account.reached_at(channel)
        return address is not None and address not in case.refused
    return True
