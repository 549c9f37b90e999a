"""When an account is contacted, and when it is left in peace: pure decisions on a customer's collection case.

A case runs in episodes: one begins when an overdue invoice becomes collectable and ends when none is left. Within an
episode the strategy's rungs are climbed one by one, each at most once, by the age of the oldest collectable invoice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from services.reminder.contacts import rules as contacts
from services.reminder.contacts.rules import POLICY, Contact, Policy, Suppression
from services.reminder.mails.rules import Letter
from services.reminder.receivables.rules import ENTITY, Account, Balance, BalanceItem, Item, Key, numbers, totals
from services.reminder.strategies.rules import Published, Step, Strategy
from services.reminder.tasks.rules import AssignTask
from shared.calendar import ONE_DAY, local_date
from shared.errors import NotFound
from shared.events.event import Event
from shared.events.reminder import CaseClosed, CaseEscalated, CaseEvent, CaseHeld, CaseOpened, CaseReleased, CaseState


class CaseNotFound(NotFound):
    slug = "case-not-found"
    title = "This service knows no such customer"


class HoldKind(StrEnum):
    """What a case may rest for."""

    PROMISED = "promised"
    PAUSED = "paused"
    REPLIED = "replied"
    CONVERSATION = "conversation"
    PLACED = "placed"
    LEGAL = "legal"
    INSOLVENT = "insolvent"


_WEIGHTIEST_FIRST = (
    HoldKind.INSOLVENT,
    HoldKind.LEGAL,
    HoldKind.PLACED,
    HoldKind.REPLIED,
    HoldKind.PAUSED,
    HoldKind.PROMISED,
    HoldKind.CONVERSATION,
)
"""Which of several holds is named as the reason: what the law forbids or others do now, then what a person must look
at or has said, then what the customer has."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a case rests for: through `until`, in the customer's time zone, or until it is released when None. There is
    one of a kind and source; `source` is the id of the promise, the pause ... A promise names its day as well."""

    kind: HoldKind
    until: date | None
    source: str
    detail: str
    promised_on: date | None = None

    def rests_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


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
    refused_email: str | None
    pending: UUID | None
    check_at: datetime | None
    broken_promises: int = 0
    hastened: bool = False

    @property
    def is_open(self) -> bool:
        return self.status == "open"

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
    """The step that is next: from `opens_on` it may be taken. `due_on` is set for a message before due."""

    step: Step
    opens_on: date
    items: tuple[Item, ...]
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision makes of a case, why, and what follows from it."""

    case: Case
    reason: Reason
    events: tuple[Event, ...] = ()
    contact: Contact | None = None
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
        refused_email=None,
        pending=None,
        check_at=None,
    )


def follow(
    case: Case,
    account: Account,
    strategy: Published,
    now: datetime,
    held: Hold | None = None,
    ended: Collection[str] = (),
) -> Outcome:
    """Facts changed: open or close the episode, and say when to decide next.

    `strategy` is what the case runs on, or for a closed case what a new episode would run on; `held` is what the case
    rests for from now on; `ended` is what became of overdue invoices that are no longer owed.
    """
    reason: Reason = Reason.UNCHANGED
    events: tuple[Event, ...] = ()
    if held:
        outcome = hold(case, account, strategy, held, now)
        case, reason, events = outcome.case, outcome.reason, outcome.events
    if account.overdue and not case.is_open:
        case, reason = _open(case, strategy, now), Reason.OPENED
        events = (*events, _event(CaseOpened, case, account, now))
    elif not account.overdue and case.is_open:
        because = _why_closed(account, ended)
        case, reason = _close(case, because, now), Reason.CLOSED
        events = (*events, _event(CaseClosed, case, account, now, reason=because))
    return Outcome(schedule(case, account, strategy.strategy, now), reason, events)


def hold(case: Case, account: Account, strategy: Published, new: Hold, now: datetime) -> Outcome:
    """The case rests for one more reason, or for the same one until another day."""
    if new in case.holds:
        return Outcome(case, Reason.UNCHANGED)
    others = tuple(h for h in case.holds if (h.kind, h.source) != (new.kind, new.source))
    case = replace(case, version=case.version + 1, holds=(*others, new))
    event = _event(CaseHeld, case, account, now, kind=str(new.kind), until=new.until, source=new.source)
    return Outcome(schedule(case, account, strategy.strategy, now), Reason.HELD, (event,))


def release(case: Case, account: Account, strategy: Published, kind: HoldKind, source: str, now: datetime) -> Outcome:
    """One reason to rest is gone; what was never held is left as it is."""
    left = tuple(h for h in case.holds if (h.kind, h.source) != (kind, source))
    if left == case.holds:
        return Outcome(case, Reason.UNCHANGED)
    case = replace(case, version=case.version + 1, holds=left)
    event = _event(CaseReleased, case, account, now, kind=str(kind), source=source)
    return Outcome(schedule(case, account, strategy.strategy, now), Reason.RELEASED, (event,))


def hasten(case: Case, account: Account, strategy: Published, now: datetime) -> Outcome:
    """A promise was broken: the next rung is due at once rather than after its days, still one rung at a time."""
    case = replace(case, broken_promises=case.broken_promises + 1, hastened=case.is_open)
    return Outcome(schedule(case, account, strategy.strategy, now), Reason.UNCHANGED)


def holding(holds: Iterable[Hold], today: date) -> Hold | None:
    """What the case rests for on a day: of several the weightiest, and of equals the one that lasts longest."""
    resting = [h for h in holds if h.rests_on(today)]
    return min(
        resting, key=lambda h: (_WEIGHTIEST_FIRST.index(h.kind), -(h.until or date.max).toordinal()), default=None
    )


def coming(case: Case, account: Account, strategy: Strategy, today: date) -> Coming | Reason:
    """The next step and the day from which it may be taken, or why there is none. A rung goes before a message
    before due that could go out on the same day."""
    if case.pending:
        return Reason.UNDER_WAY
    endless = holding((h for h in case.holds if h.until is None), today)
    if endless:
        return Reason(endless.kind)
    rung = _coming_rung(case, account, strategy, today) if case.is_open else None
    notices = _coming_notices(case, account, strategy, today)
    steps = [*([rung] if isinstance(rung, Coming) else []), *notices]
    if steps:
        return min(steps, key=lambda step: (max(step.opens_on, today), step.due_on is not None, step.due_on or today))
    if isinstance(rung, Reason):
        return rung
    if not account.held_back:
        return Reason.NOTHING_COLLECTABLE
    return Reason.DISPUTED if any(item.is_disputed for item in account.held_back) else Reason.ON_PLAN


def schedule(case: Case, account: Account, strategy: Strategy, now: datetime, policy: Policy = POLICY) -> Case:
    """Set when to decide next: at the opening of the contact window on the day the next step opens.

    What was already due stays due. A step that turns up after that opening waits for the next one, so that what an
    event brings may still be changed by the next.
    """
    step = coming(case, account, strategy, local_date(now, account.time_zone))
    if isinstance(step, Reason):
        return replace(case, check_at=None)
    at = contacts.opening(step.opens_on, account.time_zone, policy)
    if at < now:
        was_due = case.check_at is not None and case.check_at <= now
        at = case.check_at if was_due else contacts.next_opening(now, account.time_zone, policy)
    return replace(case, check_at=at)


def escalate(
    case: Case,
    account: Account,
    strategy: Published,
    contacted_at: Iterable[datetime],
    contact_id: UUID,
    now: datetime,
    policy: Policy = POLICY,
) -> Outcome:
    """Take the next step if it is due: plan its message, or record why none goes out. One step a run, and a rung
    opens on its day: one that opens on the 5th is climbed on the 5th.

    `contacted_at` are the moments of late contacts, `contact_id` is the id a new contact gets.
    """
    today = local_date(now, account.time_zone)
    step = coming(case, account, strategy.strategy, today)
    if isinstance(step, Reason):
        return Outcome(replace(case, check_at=None), step)
    if today < step.opens_on:
        return Outcome(_check_from(case, step.opens_on, account, policy), Reason.TOO_EARLY)
    if step.step.channel is None:
        return _climb(case, account, strategy, step.step.name, now)
    if not contacts.is_open(now, account.time_zone, policy):
        opens = contacts.next_opening(now, account.time_zone, policy)
        return Outcome(replace(case, check_at=opens), Reason.WINDOW_CLOSED)

    contact = _contact(case, strategy, step, contact_id, account.email, now)
    if not _reachable(case, account):
        return _suppress_unreachable(case, account, strategy, step, contact, now)
    free_on = contacts.free_on((local_date(at, account.time_zone) for at in contacted_at), today, policy)
    if free_on > today:
        rested = replace(case, rest_until=free_on)
        suppressed = contact.decided_against(Suppression.CONTACT_CAP)
        return Outcome(schedule(rested, account, strategy.strategy, now), Reason.SUPPRESSED, contact=suppressed)
    return Outcome(replace(case, pending=contact.id, check_at=None), Reason.MESSAGE_PLANNED, contact=contact)


@dataclass(frozen=True, slots=True)
class Send:
    """The message may go out, about these items."""

    items: tuple[BalanceItem, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; it stays planned until then (business time)."""

    until: datetime


def confirm(
    contact: Contact, case: Case, account: Account, balance: Balance, now: datetime, policy: Policy = POLICY
) -> Send | Wait | Suppression:
    """Decide again, with the balance as its owner has just given it: the last look before a message leaves."""
    due_on = contact.about_due_date
    runs = case.is_open and contact.episode == _episode(case)
    if case.pending != contact.id or (due_on is None and not runs):
        return Suppression.EPISODE_OVER
    today = local_date(now, account.time_zone)
    owed = balance.due_on(due_on) if due_on else balance.overdue
    if not owed:
        return Suppression.NOTHING_COLLECTABLE
    resting = {item.number for item in account.items if item.rests_on(today)}
    items = tuple(item for item in owed if item.number not in resting)
    if not items:
        return Suppression.FRESH_DAYS
    held = holding(case.holds, today)
    if held:
        return Suppression(held.kind)
    if not _reachable(case, account):
        return Suppression.UNREACHABLE
    if not contacts.is_open(now, account.time_zone, policy):
        return Wait(contacts.next_opening(now, account.time_zone, policy))
    return Send(items)


def conclude(
    case: Case, contact: Contact, account: Account, strategy: Published, now: datetime, *, address_refused: bool = False
) -> Outcome:
    """A message reached an end: climb its rung if it was sent or may have been, else say why the case stays.

    Nothing more is sent to the customer on that day.
    """
    if case.pending != contact.id:
        return Outcome(case, Reason.UNCHANGED)
    today = local_date(now, account.time_zone)
    case = replace(case, pending=None, rest_until=today + ONE_DAY)
    due_on = contact.about_due_date
    reached = contact.status in ("sent", "unknown")
    tasks = _tasks_after(contact, case, now)
    if contact.status == "failed" or contact.reason == Suppression.UNREACHABLE:
        case = replace(
            case,
            blocked_step=contact.step if due_on is None else case.blocked_step,
            refused_email=contact.recipient if address_refused else case.refused_email,
        )
    if due_on is not None:
        if contact.status != "suppressed" or contact.reason == Suppression.UNREACHABLE:
            case = replace(case, noticed=_noticed(case, due_on, today))
        scheduled = schedule(case, account, strategy.strategy, now)
        return Outcome(scheduled, Reason.NOTICED if reached else Reason.SUPPRESSED, tasks=tasks)
    if not reached or not case.is_open or contact.episode != _episode(case):
        return Outcome(schedule(case, account, strategy.strategy, now), Reason.SUPPRESSED, tasks=tasks)
    return _climb(case, account, strategy, contact.step, now, tasks)


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
    )


def _close(case: Case, because: str, now: datetime) -> Case:
    return replace(
        case,
        version=case.version + 1,
        status="closed",
        closed_on=now.date(),
        closed_because=because,
        blocked_step=None,
    )


def _why_closed(account: Account, ended: Collection[str]) -> str:
    """What is still owed but held back goes before what ended, and money before what was given up."""
    if account.held_back:
        return "disputed" if any(item.is_disputed for item in account.held_back) else "on_plan"
    if ended and {"written_off", "voided"}.issuperset(ended):
        return "written_off" if "written_off" in ended else "voided"
    return "settled"


def _quiet_until(case: Case) -> list[date]:
    """The first days on which the customer may be contacted again, after a message and after each hold."""
    after_holds = [h.until + ONE_DAY for h in case.holds if h.until]
    return [case.rest_until, *after_holds] if case.rest_until else after_holds


def _coming_rung(case: Case, account: Account, strategy: Strategy, today: date) -> Coming | Reason:
    rung = strategy.rung_after(case.level)
    if rung is None:
        return Reason.LADDER_EXHAUSTED
    if case.blocked_step == rung.name and not _reachable(case, account):
        return Reason.UNREACHABLE
    days = [min(_opens_on(item, rung) for item in account.overdue)]
    if case.climbed_on:
        days.append(case.climbed_on + timedelta(days=strategy.catch_up.gap_days))
    if case.hastened:
        days = [min(item.collect_again_on or item.due_on + ONE_DAY for item in account.overdue)]
    opens_on = max(days + _quiet_until(case))
    return Coming(rung, opens_on, account.chased_on(max(opens_on, today)))


def _opens_on(item: Item, step: Step) -> date:
    """The first day on which a step may be taken for an invoice, which is not one of its fresh days."""
    on = item.due_on + timedelta(days=step.days_from_due)
    return max(on, item.collect_again_on) if item.collect_again_on else on


def _coming_notices(case: Case, account: Account, strategy: Strategy, today: date) -> list[Coming]:
    """One for each due date ahead. Invoices issued when their notice would be due are too fresh for one."""
    step = strategy.notice
    if step is None:
        return []
    ahead: dict[date, list[Item]] = {}
    for item in account.items:
        if item.is_collectable and not item.is_overdue and item.due_on >= today and item.due_on not in case.noticed:
            ahead.setdefault(item.due_on, []).append(item)
    notices = []
    for due_on, items in ahead.items():
        on = due_on + timedelta(days=step.days_from_due)
        opens_on = max([min(_opens_on(item, step) for item in items), *_quiet_until(case)])
        told = tuple(item for item in items if not item.rests_on(max(opens_on, today)))
        if opens_on <= due_on and any(item.issued_on < on for item in told):
            notices.append(Coming(step, opens_on, told, due_on))
    return notices


def _reachable(case: Case, account: Account) -> bool:
    return account.email is not None and account.email != case.refused_email


def _check_from(case: Case, day: date, account: Account, policy: Policy) -> Case:
    return replace(case, check_at=contacts.opening(day, account.time_zone, policy))


def _contact(
    case: Case, strategy: Published, step: Coming, contact_id: UUID, recipient: str | None, now: datetime
) -> Contact:
    assert step.step.channel is not None
    assert step.step.tone is not None
    assert step.step.template is not None
    return Contact(
        id=contact_id,
        version=1,
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        episode=contacts.before_due(step.due_on) if step.due_on else _episode(case),
        step=step.step.name,
        channel=step.step.channel,
        strategy=strategy.name,
        strategy_version=strategy.version,
        tone=step.step.tone,
        template=step.step.template,
        status="planned",
        reason=None,
        invoices=numbers(step.items),
        amounts=totals(item.collectable for item in step.items),
        recipient=recipient,
        due_at=now,
    )


def _suppress_unreachable(
    case: Case, account: Account, strategy: Published, step: Coming, contact: Contact, now: datetime
) -> Outcome:
    """Recorded once for a step: it is due again when the customer has a new address."""
    today = local_date(now, account.time_zone)
    if step.due_on:
        case = replace(case, noticed=_noticed(case, step.due_on, today))
    else:
        case = replace(case, blocked_step=step.step.name)
    return Outcome(
        schedule(case, account, strategy.strategy, now),
        Reason.SUPPRESSED,
        contact=contact.decided_against(Suppression.UNREACHABLE),
        tasks=() if step.due_on else (_find_an_address(case, now),),
    )


def _climb(
    case: Case,
    account: Account,
    strategy: Published,
    step: str,
    now: datetime,
    tasks: tuple[AssignTask, ...] = (),
) -> Outcome:
    """Up by one rung, from the level the case stands on. The event asks other services for the step's actions; a case
    climbs a rung once in an episode, so they are asked once."""
    rung = strategy.strategy.rung_after(case.level)
    actions = rung.actions if rung and rung.name == step else ()
    today = local_date(now, account.time_zone)
    if "agency_referral" in actions and (chased := account.chased_on(today)):
        tasks = (*tasks, _decide_on_referral(case, chased, now))
    case = replace(
        case,
        version=case.version + 1,
        level=case.level + 1,
        step=step,
        climbed_on=today,
        blocked_step=None,
        check_at=None,
        hastened=False,
    )
    event = _event(CaseEscalated, case, account, now, actions=actions)
    return Outcome(schedule(case, account, strategy.strategy, now), Reason.ESCALATED, (event,), tasks=tasks)


def _decide_on_referral(case: Case, items: Sequence[Item], now: datetime) -> AssignTask:
    late = (now.date() - items[0].due_on).days
    owed = " and ".join(str(money) for money in totals(item.collectable for item in items))
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="agency_referral",
        occasion=_episode(case),
        title=f"Decide on agency referral: {owed}, {late} days overdue",
        detail=f"The reminders of this episode have gone out without success. {len(items)} invoices are"
        f" overdue, the oldest ({items[0].number}) since {items[0].due_on.isoformat()}.",
        due_on=now.date(),
    )


def _tasks_after(contact: Contact, case: Case, now: datetime) -> tuple[AssignTask, ...]:
    if contact.status == "failed" or contact.reason == Suppression.UNREACHABLE:
        return (_find_an_address(case, now, contact.reason if contact.status == "failed" else None),)
    if contact.status != "unknown":
        return ()
    doubt = AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="fate_unknown",
        occasion=str(contact.id),
        title=f"Find out whether the message {contact.step!r} reached {contact.recipient}",
        detail=f"{contact.reason}. It is not sent again. Its Message-ID begins with {contact.id}.",
        due_on=now.date(),
    )
    return (doubt,)


def _find_an_address(case: Case, now: datetime, said: str | None = None) -> AssignTask:
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="unreachable",
        occasion=_episode(case),
        title="Find an e-mail address for this customer's reminders",
        detail=said or "No contact person of the customer has an e-mail address.",
        due_on=now.date(),
    )


def _noticed(case: Case, due_on: date, today: date) -> tuple[date, ...]:
    return tuple(sorted({day for day in case.noticed if day >= today} | {due_on}))


def _episode(case: Case) -> str:
    return str(case.episode)


def _event(of: type[CaseEvent], case: Case, account: Account, now: datetime, /, **more: Any) -> CaseEvent:
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
    )
    return of(
        customer_id=case.customer_id,
        effective_on=now.date(),
        booked_on=now.date(),
        entity_id=case.entity_id,
        case=state,
        **more,
    )


def letter(contact: Contact, account: Account, balance: Balance, items: Sequence[BalanceItem], now: datetime) -> Letter:
    """The letter of a contact that is confirmed."""
    assert contact.recipient is not None
    return Letter(
        contact_id=contact.id,
        customer_id=contact.customer_id,
        recipient=contact.recipient,
        person=account.person.name if account.person else None,
        customer=account.name,
        language=account.language,
        country=account.country,
        template=contact.template,
        tone=contact.tone,
        seller=balance.seller,
        items=tuple(items),
        due_on=contact.about_due_date,
        pay_link=balance.pay_link,
        written_on=local_date(now, account.time_zone),
    )
