"""When an account is contacted, and when it is left in peace: pure decisions on a customer's collection case.

Within an episode (`episodes`) the strategy's rungs are climbed one by one, each at most once, by the age of the oldest
collectable invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from services.reminder.contacts import rules as contacts
from services.reminder.contacts.rules import Contact, Suppression
from services.reminder.episodes.rules import Outcome, case_event, schedule
from services.reminder.errands.rules import find_an_address, tasks_after, tasks_of_actions
from services.reminder.next_steps.rules import Case, Coming, Reason, channels_for, coming, facts, has_address
from services.reminder.policies import rules as policies
from services.reminder.policies.rules import POLICY, Policy, Refusal, Touch
from services.reminder.receivables.rules import Account, numbers, totals
from services.reminder.strategies.rules import TO_CUSTOMER, Channel, Published, Strategy
from services.reminder.tasks.rules import AssignTask
from shared.calendar import local_date
from shared.errors import Conflict, NotFound
from shared.events.reminder import CaseEscalated, CaseStepSkipped
from shared.records import replace

REFUSED_KEPT = 10


class CaseNotFound(NotFound):
    slug = "case-not-found"
    title = "This service knows no such customer"


class StepNotWaiting(Conflict):
    slug = "step-not-waiting"
    title = "The step does not wait for anybody"


def escalate(
    case: Case,
    account: Account,
    strategy: Published,
    touches: Collection[Touch],
    make_id: Callable[[], UUID],
    now: datetime,
    policy: Policy = POLICY,
    beside: Sequence[Contact] = (),
) -> Outcome:
    """Take the next step if it is due: plan its messages, or record why none goes out. One step a run, and a rung opens
    on its day: one that opens on the 5th is climbed on the 5th.

    `touches` are what reached of late whoever is contacted for the customer; `make_id` gives a new contact its id.
    `beside` is what was planned for the same party at this very moment: a message about another of its companies is
    shared, and the policy is asked for what all of them come to.
    """
    today = local_date(now, account.time_zone)
    step = coming(case, account, strategy.strategy, today)
    if isinstance(step, Reason):
        return Outcome(replace(case, check_at=None), step)
    if today < step.opens_on:
        opens = policies.opening(step.step.channels, account, step.opens_on, policy)
        return Outcome(replace(case, check_at=opens), Reason.TOO_EARLY)
    if step.skips:
        return _skip(case, account, strategy, step.skips, Suppression.MISSED, now, policy)
    if step.step.conditions.model_fields_set and not step.step.conditions.hold(facts(case, account, today)):
        return _unfulfilled(case, account, strategy, step, make_id, now, policy)
    if step.step.approval and case.approved != step.step.name and not step.due_on:
        return _ask_approval(case, account, strategy, step, now, policy)
    channels = step.step.channels
    if not channels:
        return _climb(case, account, strategy, step.step.name, now, policy)
    if not policies.is_open(channels, account, now, policy):
        opens = policies.next_opening(channels, account, now, policy)
        return Outcome(replace(case, check_at=opens), Reason.WINDOW_CLOSED)

    ways = channels_for(step.step, case, account)
    if not ways:
        return _suppress_unreachable(case, account, strategy, step, make_id, now, policy)
    planned = tuple(_contact(case, strategy, step, make_id(), channel, account, now) for channel in ways)
    shared = [each for each in beside if _is_shared(each, case, account, step)]
    free_on, refusal = _free_on(ways, shared, touches, beside, account, now, policy)
    if refusal:
        rested = replace(case, rest_until=free_on)
        suppressed = tuple(contact.decided_against(_REFUSED[refusal]) for contact in planned)
        return Outcome(schedule(rested, account, strategy.strategy, now, policy), Reason.SUPPRESSED, (), suppressed)
    if shared:
        deliveries = {each.channel: each.delivery for each in shared}
        planned = tuple(replace(contact, delivery_id=deliveries.get(contact.channel)) for contact in planned)
    under_way = replace(case, pending=tuple(contact.id for contact in planned), reached=False, check_at=None)
    return Outcome(under_way, Reason.MESSAGE_PLANNED, contacts=planned)


def _free_on(
    ways: Collection[Channel],
    shared: Collection[Contact],
    touches: Collection[Touch],
    beside: Collection[Contact],
    account: Account,
    now: datetime,
    policy: Policy,
) -> tuple[date, Refusal | None]:
    """What the policy says of a step on these channels: today together with what it shares, later by itself."""
    today = local_date(now, account.time_zone)
    if not beside:
        return policies.free_on(ways, touches, account, today, policy)
    channels = {each.channel for each in shared}
    others = [Touch(now, each.channel) for each in beside if each.channel in TO_CUSTOMER and each not in shared]
    at_once = max(len(TO_CUSTOMER.intersection(ways)), len(channels))
    together = tuple(dict.fromkeys((*ways, *sorted(channels))))
    free_on, refusal = policies.free_on(together, [*touches, *others], account, today, policy, at_once)
    if refusal:
        just_now = (Touch(now, channel) for channel in sorted(channels))
        free_on, _ = policies.free_on(ways, [*touches, *others, *just_now], account, today, policy)
    return free_on, refusal


def _is_shared(other: Contact, case: Case, account: Account, step: Coming) -> bool:
    """Whether the step's message goes out as one with another company's: to the same address, of the same seller, both
    about what is overdue or about the same due date."""
    return (
        other.channel in TO_CUSTOMER
        and other.entity_id == case.entity_id
        and other.about_due_date == step.due_on
        and other.recipient == account.reached_at(other.channel)
    )


def turn(case: Case) -> tuple[bool, UUID, str]:
    """In which order cases that are due at a moment are decided: reminders go before messages before due."""
    return not case.is_open, *case.key


_REFUSED = {refusal: Suppression(str(refusal)) for refusal in Refusal}


def approve(
    case: Case, account: Account, strategy: Published, step: str, now: datetime, policy: Policy = POLICY
) -> Outcome:
    """A person lets the step be taken: it is due now. Raises StepNotWaiting."""
    _must_wait(case, step)
    case = replace(case, awaiting=None, approved=step, check_at=now)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.UNCHANGED)


def refuse(
    case: Case, account: Account, strategy: Published, step: str, now: datetime, policy: Policy = POLICY
) -> Outcome:
    """A person does not want the step: the case goes on without it. Raises StepNotWaiting."""
    _must_wait(case, step)
    return _skip(case, account, strategy, (step,), Suppression.APPROVAL_REFUSED, now, policy)


def bounce(
    case: Case, contact: Contact, account: Account, strategy: Published, now: datetime, policy: Policy = POLICY
) -> Outcome:
    """What a contact was sent to does not work: nothing more goes there, and somebody looks for another."""
    if contact.recipient is None or contact.recipient in case.refused:
        return Outcome(case, Reason.UNCHANGED)
    case = replace(case, refused=_refused(case, contact.recipient))
    tasks = (find_an_address(case, now, contact.channel, contact.bounce_reason),)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.UNREACHABLE, tasks=tasks)


def conclude(
    case: Case,
    contact: Contact,
    account: Account,
    strategy: Published,
    now: datetime,
    policy: Policy = POLICY,
    *,
    address_refused: bool = False,
) -> Outcome:
    """A message reached an end. When the last one of its step did: climb the rung if one was sent or may have been,
    else say why the case stays.

    Nothing more is sent to the customer for the policy's least gap of days.
    """
    if contact.id not in case.pending:
        return Outcome(case, Reason.UNCHANGED)
    today = local_date(now, account.time_zone)
    reached = case.reached or _reached(contact, strategy.strategy)
    left = tuple(id for id in case.pending if id != contact.id)
    rest_until = today + timedelta(days=policy.min_gap_days) if contact.channel in TO_CUSTOMER else case.rest_until
    case = replace(case, pending=left, reached=reached and bool(left), rest_until=rest_until)
    if address_refused and contact.recipient:
        case = replace(case, refused=_refused(case, contact.recipient))
    tasks = tasks_after(contact, case, now)
    due_on = contact.about_due_date
    unreached = contact.status == "failed" or contact.reason == Suppression.UNREACHABLE
    if due_on is not None and (contact.status != "suppressed" or unreached):
        case = replace(case, noticed=_noticed(case, due_on, today))
    if left:
        return Outcome(case, Reason.UNDER_WAY, tasks=tasks)
    if due_on is not None:
        scheduled = schedule(case, account, strategy.strategy, now, policy)
        return Outcome(scheduled, Reason.NOTICED if reached else Reason.SUPPRESSED, tasks=tasks)
    if _was_taken(contact, case, strategy.strategy):
        return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.UNCHANGED, tasks=tasks)
    if unreached and not reached:
        case = replace(case, blocked_step=contact.step)
    if not reached or not case.is_open or contact.episode != case.episode_key:
        return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.SUPPRESSED, tasks=tasks)
    return _climb(case, account, strategy, contact.step, now, policy, tasks)


def _reached(contact: Contact, strategy: Strategy) -> bool:
    """Whether the contact did what its step is for. A step for the customer has to reach them: telling the team does
    not. In a step that stays in the house also a failure does: a hook that is gone holds nobody's ladder up."""
    step = next((each for each in strategy.steps if each.name == contact.step), None)
    if step is not None and not step.reaches_customer:
        return contact.status in ("sent", "unknown", "failed")
    return contact.channel in TO_CUSTOMER and contact.status in ("sent", "unknown")


def _was_taken(contact: Contact, case: Case, strategy: Strategy) -> bool:
    """Whether the case climbed the contact's rung already: one that did not arrive may be sent once more."""
    taken = strategy.rungs[: case.level] if contact.episode == case.episode_key else ()
    return any(step.name == contact.step for step in taken)


def _must_wait(case: Case, step: str) -> None:
    if not case.is_open or case.awaiting != step:
        raise StepNotWaiting(f"the case does not wait for somebody to approve {step!r}")


def _contact(
    case: Case,
    strategy: Published,
    step: Coming,
    contact_id: UUID,
    channel: Channel,
    account: Account,
    now: datetime,
) -> Contact:
    assert step.step.tone is not None
    return Contact(
        id=contact_id,
        version=1,
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        episode=contacts.before_due(step.due_on) if step.due_on else case.episode_key,
        step=step.step.name,
        channel=channel,
        strategy=strategy.name,
        strategy_version=strategy.version,
        tone=step.step.tone,
        template=step.step.says or "",
        status="planned",
        reason=None,
        invoices=numbers(step.items),
        amounts=totals(item.collectable for item in step.items),
        recipient=account.reached_at(channel),
        due_at=now,
    )


def _against(
    case: Case,
    account: Account,
    strategy: Published,
    step: Coming,
    because: Suppression,
    make_id: Callable[[], UUID],
    now: datetime,
) -> tuple[Contact, ...]:
    made = (_contact(case, strategy, step, make_id(), channel, account, now) for channel in step.step.channels)
    return tuple(contact.decided_against(because) for contact in made)


def _suppress_unreachable(
    case: Case,
    account: Account,
    strategy: Published,
    step: Coming,
    make_id: Callable[[], UUID],
    now: datetime,
    policy: Policy,
) -> Outcome:
    """Recorded once for a step: it is due again when the customer has a new address. A customer who wants no messages
    on the step's channels is left with the steps that use others."""
    today = local_date(now, account.time_zone)
    ways = (*step.step.channels, step.step.fallback) if step.step.fallback else step.step.channels
    asked: list[Channel] = [channel for channel in ways if channel in TO_CUSTOMER]
    refused = [channel for channel in asked if has_address(channel, case, account)]
    because = Suppression.OPTED_OUT if refused else Suppression.UNREACHABLE
    against = _against(case, account, strategy, step, because, make_id, now)
    if step.due_on:
        case = replace(case, noticed=_noticed(case, step.due_on, today))
        scheduled = schedule(case, account, strategy.strategy, now, policy)
        return Outcome(scheduled, Reason.SUPPRESSED, contacts=against)
    if refused:
        skipped = _skip(case, account, strategy, (step.step.name,), because, now, policy)
        return replace(skipped, contacts=against)
    case = replace(case, blocked_step=step.step.name)
    return Outcome(
        schedule(case, account, strategy.strategy, now, policy),
        Reason.SUPPRESSED,
        contacts=against,
        tasks=(find_an_address(case, now, step.step.channels[0]),),
    )


def _unfulfilled(
    case: Case,
    account: Account,
    strategy: Published,
    step: Coming,
    make_id: Callable[[], UUID],
    now: datetime,
    policy: Policy,
) -> Outcome:
    """The step's conditions do not hold on its day: the case goes on without it."""
    against = _against(case, account, strategy, step, Suppression.CONDITIONS, make_id, now)
    if step.due_on:
        case = replace(case, noticed=_noticed(case, step.due_on, local_date(now, account.time_zone)))
        return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.SKIPPED, contacts=against)
    skipped = _skip(case, account, strategy, (step.step.name,), Suppression.CONDITIONS, now, policy)
    return replace(skipped, contacts=against)


def _skip(
    case: Case,
    account: Account,
    strategy: Published,
    steps: Sequence[str],
    because: Suppression,
    now: datetime,
    policy: Policy,
) -> Outcome:
    """Up without taking the steps. The next one is looked at as soon as it opens, perhaps at once."""
    events = []
    for step in steps:
        case = replace(case, version=case.version + 1, level=case.level + 1)
        events.append(case_event(CaseStepSkipped, case, account, now, skipped=step, reason=str(because)))
    today = local_date(now, account.time_zone)
    case = replace(case, stepped_on=today, blocked_step=None, awaiting=None, approved=None)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.SKIPPED, tuple(events))


def _ask_approval(
    case: Case, account: Account, strategy: Published, step: Coming, now: datetime, policy: Policy
) -> Outcome:
    owed = " and ".join(str(money) for money in totals(item.collectable for item in step.items))
    task = AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="approve_step",
        occasion=f"{case.episode_key}:{step.step.name}",
        title=f"Approve the step {step.step.name!r}: {owed}",
        detail=f"The strategy {strategy.name!r} takes this step only when somebody lets it.",
        due_on=now.date(),
    )
    waiting = schedule(replace(case, awaiting=step.step.name), account, strategy.strategy, now, policy)
    return Outcome(waiting, Reason.AWAITS_APPROVAL, tasks=(task,))


def _climb(
    case: Case,
    account: Account,
    strategy: Published,
    step: str,
    now: datetime,
    policy: Policy,
    tasks: tuple[AssignTask, ...] = (),
) -> Outcome:
    """Up by one rung, from the level the case stands on. The event asks other services for the step's actions; a case
    climbs a rung once in an episode, so they are asked once."""
    rung = strategy.strategy.rung_after(case.level)
    taken = rung if rung and rung.name == step else None
    actions = taken.actions if taken else ()
    today = local_date(now, account.time_zone)
    chased = account.chased_on(today)
    if taken and actions:
        tasks = (*tasks, *tasks_of_actions(case, taken, chased, today, now))
    noticed_on = today if taken and taken.gives_formal_notice else case.formal_notice_on
    case = replace(
        case,
        version=case.version + 1,
        level=case.level + 1,
        step=step,
        climbed_on=today,
        stepped_on=today,
        blocked_step=None,
        approved=None,
        check_at=None,
        hastened=False,
        formal_notice_on=noticed_on,
    )
    plan = taken.plan.instalments_max if taken and taken.plan else None
    event = case_event(CaseEscalated, case, account, now, actions=actions, plan_instalments_max=plan)
    return Outcome(schedule(case, account, strategy.strategy, now, policy), Reason.ESCALATED, (event,), tasks=tasks)


def _refused(case: Case, address: str) -> tuple[str, ...]:
    """The latest of them: a customer changes its addresses now and then, and old ones do not matter any more."""
    return (*(known for known in case.refused if known != address), address)[-REFUSED_KEPT:]


def _noticed(case: Case, due_on: date, today: date) -> tuple[date, ...]:
    return tuple(sorted({day for day in case.noticed if day >= today} | {due_on}))
