"""Follow accounts and take due steps: lock, decide, write state and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from uuid import UUID

from services.reminder.cases import rules, store
from services.reminder.cases.rules import CaseNotFound
from services.reminder.cases.store import Loaded
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.handlers import RecordTouch
from services.reminder.contacts.rules import Contact, Suppression, with_their_first
from services.reminder.episodes import rules as episodes
from services.reminder.episodes.rules import Outcome
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps import rules as next_steps
from services.reminder.next_steps.rules import Case, Reason
from services.reminder.policies import handlers as policies
from services.reminder.policies.rules import POLICY, Policy
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import ENTITY, Account, Key
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.rules import Published
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.handlers import FinishTask
from services.reminder.trials import handlers as trials
from services.reminder.trials.rules import progress
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id

NEXT_DUE = f"least({store.NEXT_CHECK}, {contacts.UNDER_WAY_SINCE})"
"""The earliest moment with a step to decide or a message to send."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that an account is followed for."""

    correlation_id: str | None
    event_id: UUID
    held: Hold | None = None
    """What the case rests for from now on, where one of the events says so."""
    ended: frozenset[str] = frozenset()
    """How overdue invoices of the account have ended with this event: settled, voided, written_off."""


@dataclass(frozen=True, slots=True)
class View:
    """A case with what its decisions rest on. `challenger` and `arm` are those of a new episode, where the strategy it
    would run on is on trial."""

    case: Case
    account: Account
    strategy: Published
    policy: Policy = POLICY
    challenger: str | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class HoldCase:
    """The case rests for `hold`; one of the same kind and source is replaced."""

    customer_id: UUID
    entity_id: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class ReleaseCase:
    customer_id: UUID
    entity_id: str
    kind: HoldKind
    source: str


@dataclass(frozen=True, slots=True)
class JudgeStep:
    """Somebody lets the step that a task is about be taken, or does not."""

    task_id: UUID
    by: str
    approved: bool
    note: str | None = None


async def follow_accounts(
    tx: Tx,
    causes: Mapping[Key, Cause],
    of_customers: Mapping[UUID, Cause],
    messages: Sequence[RecordTouch] = (),
) -> frozenset[Key]:
    """Open, close and reschedule the cases of accounts of which something is new, and all cases of customers of whom
    something is. `messages` are what other services sent to them. The customers' rows are locked. Returns the accounts
    whose case is held by anything: whoever holds them may want to know."""
    if not causes and not of_customers:
        return frozenset()
    loaded = await store.load(tx, list({customer_id for customer_id, _ in causes} | of_customers.keys()))
    causes = {**_spread(of_customers, loaded.cases), **causes}
    if messages and policies.read(loaded.policy).counts_other_messages:
        await contacts.record_touches(tx, messages)
    views = await _views_of(tx, await receivables.deciding(tx, list(causes)), loaded, whole=False)
    followed = [(view, _follow(view, view.account, causes, tx.now)) for view in views]
    telling = [view.account.key for view, outcome in followed if outcome.events and outcome.case.is_open]
    accounts = await receivables.accounts(tx, telling) if telling else {}
    outcomes = []
    for view, outcome in followed:
        if view.account.key in accounts:  # The event tells what all of it comes to.
            outcome = _follow(view, accounts[view.account.key], causes, tx.now)
        outcomes.append((view.case, outcome))
        cause = causes[view.case.key]
        context.correlation.set(cause.correlation_id)
        context.causation.set(str(cause.event_id))
        await outbox.append(tx, *outcome.events)
    await _save(tx, outcomes)
    return frozenset(before.key for before, outcome in outcomes if before.holds or outcome.case.holds)


async def escalate_cases(tx: Tx, limit: int) -> int:
    """Take the step that is due in each case: plan its messages, record why there are none, assign a task. Returns how
    many cases were decided."""
    found = await store.due(tx, limit)
    if not found:
        return 0
    due, party_of = list(found), dict[UUID, UUID]()
    if taking := {party for party in found.values() if party}:  # Their customers are decided together.
        party_of |= await receivables.party_members(tx, list(taking))
        due = list(dict.fromkeys((*due, *await store.due_of(tx, list(party_of)))))
    customer_ids = list({customer_id for customer_id, _ in due} | party_of.keys())
    await receivables.lock(tx, customer_ids)
    loaded = await store.load(tx, customer_ids)
    ready = [key for key in due if _is_due(loaded.cases[key], tx.now)]
    policy = policies.read(loaded.policy)
    recent = await contacts.recent(tx, customer_ids, policy, party_of)
    beside: dict[UUID, list[Contact]] = defaultdict(list)
    decided = []
    for view in sorted(await _views(tx, ready, loaded), key=lambda view: rules.turn(view.case)):
        party = party_of.get(view.case.customer_id, view.case.customer_id)
        args = view.case, view.account, view.strategy, recent[party], new_id, tx.now, policy, beside[party]
        outcome = rules.escalate(*args)
        if outcome.reason is Reason.MESSAGE_PLANNED:
            beside[party] += outcome.contacts
        decided.append((view, outcome))
    planned = with_their_first([contact for _, outcome in decided for contact in outcome.contacts])
    again = {contact.id for contact in await contacts.plan(tx, planned)}
    outcomes = [
        (view.case, await _already_reminded(tx, view, outcome, again) if again else outcome)
        for view, outcome in decided
    ]
    await _publish(tx, outcomes)
    return len(due)


async def judge_step(tx: Tx, command: JudgeStep) -> View:
    """Take the step that waits, or go on without it. Raises TaskNotFound, TaskOver, StepNotWaiting."""
    task = await tasks.find_task(tx, command.task_id)
    view = await _locked(tx, task.customer_id, task.entity_id)
    episode, _, step = task.occasion.partition(":")
    if task.kind != "approve_step" or episode != str(view.case.episode):
        raise rules.StepNotWaiting("the task is about no step that waits for approval")
    judge = rules.approve if command.approved else rules.refuse
    outcome = judge(view.case, view.account, view.strategy, step, tx.now, view.policy)
    said = ("approved" if command.approved else "refused") + (f": {command.note}" if command.note else "")
    await tasks.finish_task(tx, FinishTask(task.id, command.by, said))
    return await _decide(tx, view, outcome)


async def hold_case(tx: Tx, command: HoldCase) -> View:
    """Let the case rest. Raises CaseNotFound."""
    view = await _locked(tx, command.customer_id, command.entity_id)
    outcome = episodes.hold(view.case, view.account, view.strategy, command.hold, tx.now, view.policy)
    return await _decide(tx, view, outcome)


async def release_case(tx: Tx, command: ReleaseCase) -> View:
    """What the case rested for is over: it goes on unless another hold rests. Raises CaseNotFound."""
    view = await _locked(tx, command.customer_id, command.entity_id)
    kind, source = command.kind, command.source
    outcome = episodes.release(view.case, view.account, view.strategy, kind, source, tx.now, view.policy)
    return await _decide(tx, view, outcome)


async def count_broken_promise(tx: Tx, customer_id: UUID, entity_id: str) -> View:
    """One more promise was broken; the strategy may ask how many, and the next rung is due at once. Raises
    CaseNotFound."""
    view = await _locked(tx, customer_id, entity_id)
    return await _decide(tx, view, episodes.hasten(view.case, view.account, view.strategy, tx.now, view.policy))


async def record(tx: Tx, decided: Sequence[tuple[Case, Outcome]]) -> None:
    """Keep what the rules of another feature decided on cases (before, and what came out), under their customers'
    locks."""
    await _publish(tx, decided)


async def find_case(tx: Tx, customer_id: UUID, entity_id: str = ENTITY) -> View:
    """Raises CaseNotFound for a customer of whom nothing was ever published."""
    found = await _views(tx, [(customer_id, entity_id)], await store.load(tx, [customer_id]))
    if not found:
        raise CaseNotFound(f"no customer {customer_id} is known here")
    return found[0]


async def account_of(tx: Tx, case_id: UUID) -> Key | None:
    """Whose case it is; None where there is none with that id."""
    return await store.account_of(tx, case_id)


async def find_cases(tx: Tx, keys: Sequence[Key]) -> dict[Key, View]:
    """Many at once; customers of whom nothing was ever published are left out."""
    loaded = await store.load(tx, list({customer_id for customer_id, _ in keys}))
    return {view.case.key: view for view in await _views(tx, keys, loaded)}


async def load_cases(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[Key, Case]:
    """All cases of the customers as they are kept, for whoever only reads them."""
    return (await store.load(tx, customer_ids)).cases


async def list_cases(tx: Tx, status: str | None, entity_id: str | None, after: Key | None, limit: int) -> list[View]:
    """Cases that ever had an episode, by customer id and entity, those after a given one."""
    keys = [case.key for case in await store.page(tx, status, entity_id, after, limit)]
    views = await find_cases(tx, keys) if keys else {}
    return [views[key] for key in keys]


async def _locked(tx: Tx, customer_id: UUID, entity_id: str) -> View:
    await receivables.lock(tx, [customer_id])
    return await find_case(tx, customer_id, entity_id)


async def _decide(tx: Tx, view: View, outcome: Outcome) -> View:
    await _publish(tx, [(view.case, outcome)])
    return replace(view, case=outcome.case)


async def _views(tx: Tx, keys: Sequence[Key], loaded: Loaded) -> list[View]:
    """The accounts' cases, a new one where there is none yet; an open case keeps the version it runs on."""
    return await _views_of(tx, await receivables.accounts(tx, keys), loaded)


async def _views_of(tx: Tx, accounts: Mapping[Key, Account], loaded: Loaded, *, whole: bool = True) -> list[View]:
    """`whole`: whether the accounts have all their items, and not only those that decide when to look."""
    known, policy = loaded.cases, policies.read(loaded.policy)
    library = await strategies.library(tx, {case.runs_on for case in known.values() if case.is_open})
    new = [account for key, account in accounts.items() if key not in known or not known[key].is_open]
    fitted = await _fitted(tx, new, library, whole)
    views = []
    for key, account in accounts.items():
        case = known.get(key)
        if case and case.is_open:
            views.append(View(case, account, library.pinned[case.runs_on], policy))
            continue
        today = local_date(tx.now, account.time_zone)
        blank = case or episodes.new_case(new_id(), account.id, library.newest[strategies.DEFAULT], account.entity_id)
        choice = library.for_account(next_steps.facts(blank, fitted.get(key, account), today))
        if case is None:
            blank = episodes.new_case(blank.id, account.id, choice.strategy, account.entity_id)
        views.append(View(blank, account, choice.strategy, policy, choice.challenger, choice.arm))
    return views


def _asks_more(library: strategies.Library) -> bool:
    """Whether a strategy in use asks what a customer owes in all, or how late it pays."""
    kinds = (each.strategy.kinds for each in library.newest.values() if each.strategy.active)
    return any(fits.open_balance or fits.average_days_late for fits in chain.from_iterable(kinds))


async def _fitted(
    tx: Tx, accounts: Sequence[Account], library: strategies.Library, whole: bool
) -> Mapping[Key, Account]:
    """The accounts as the choice of a strategy needs them, where a strategy asks for more than there is already."""
    if not accounts or not _asks_more(library):
        return {}
    keys = [account.key for account in accounts]
    found = {account.key: account for account in accounts} if whole else await receivables.accounts(tx, keys)
    late = await receivables.days_late(tx, keys)
    return {key: replace(account, average_days_late=late.get(key)) for key, account in found.items()}


def _spread(of_customers: Mapping[UUID, Cause], known: Iterable[Key]) -> dict[Key, Cause]:
    """News of a customer concerns each of its cases."""
    spread = {(customer_id, ENTITY): cause for customer_id, cause in of_customers.items()}
    spread |= {key: of_customers[key[0]] for key in known if key[0] in of_customers}
    return spread


def _is_due(case: Case, now: datetime) -> bool:
    return case.check_at is not None and case.check_at <= now


def _follow(view: View, account: Account, causes: Mapping[Key, Cause], now: datetime) -> Outcome:
    cause = causes[view.case.key]
    outcome = episodes.follow(view.case, account, view.strategy, now, cause.held, cause.ended, view.policy)
    if outcome.reason is not Reason.OPENED or (view.challenger, view.arm) == (view.case.challenger, view.case.arm):
        return outcome
    return replace(outcome, case=replace(outcome.case, challenger=view.challenger, arm=view.arm))


async def _already_reminded(tx: Tx, view: View, outcome: Outcome, again: Collection[UUID]) -> Outcome:
    """What stands in the books as sent is recorded as suppressed, and the case goes on as if it were sent now."""
    for contact in outcome.contacts:
        if contact.id in again:
            await contacts.plan(tx, [contact.decided_against(Suppression.ALREADY_REMINDED)])
            case, sent = outcome.case, contact.sent(tx.now)
            outcome = rules.conclude(case, sent, view.account, view.strategy, tx.now, view.policy)
    return outcome


async def _publish(tx: Tx, outcomes: Sequence[tuple[Case, Outcome]]) -> None:
    await _save(tx, outcomes)
    await tasks.assign_tasks(tx, [task for _, outcome in outcomes for task in outcome.tasks])
    await outbox.append(tx, *(event for _, outcome in outcomes for event in outcome.events))


async def _save(tx: Tx, outcomes: Sequence[tuple[Case, Outcome]]) -> None:
    """A case may have come out several times; its last state is kept."""
    before = {case.key: case for case, _ in reversed(outcomes)}
    after = {outcome.case.key: outcome.case for _, outcome in outcomes}
    changed = [case for key, case in after.items() if case != before[key]]
    if changed:
        await store.save(tx, changed)
    if tried := [told for _, outcome in outcomes for told in progress(outcome.case, outcome.events)]:
        await trials.record_progress(tx, tried)
