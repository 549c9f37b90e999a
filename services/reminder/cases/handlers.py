"""Follow accounts, take due steps, and conclude messages: lock, decide, write state and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.reminder.cases import rules, store
from services.reminder.cases.rules import Case, CaseNotFound, Hold, HoldKind, Outcome, Reason, Send, Wait
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact, Suppression, retry_seconds
from services.reminder.mails.handlers import Delivery
from services.reminder.mails.rules import Letter
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import NoAnswer
from services.reminder.receivables.rules import ENTITY, Account, Balance, Key, numbers, totals
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.rules import Published
from services.reminder.tasks import handlers as tasks
from shared import context, outbox
from shared.db import Tx
from shared.ids import new_id

NEXT_DUE = f"least({store.NEXT_CHECK}, {contacts.UNDER_WAY_SINCE})"
"""The earliest moment with a step to decide or a message to send."""

TEMPORARY_REFUSALS_MAX = 15
"""About forty minutes: longer than a mailbox that greets strangers with "try again later" usually asks for."""


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
    """A case with what its decisions rest on."""

    case: Case
    account: Account
    strategy: Published


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
class ConfirmReminders:
    """Balances by account, as the invoice service has just given them. Leases and retries are in real time."""

    contacts: Sequence[Contact]
    balances: Mapping[Key, Balance | NoAnswer]
    real_now: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class ConcludeReminders:
    """What became of the letters that were handed to the mail server."""

    deliveries: Sequence[Delivery]
    real_now: datetime


async def follow_accounts(tx: Tx, causes: Mapping[Key, Cause], of_customers: Mapping[UUID, Cause]) -> None:
    """Open, close and reschedule the cases of accounts of which something is new, and all cases of customers of whom
    something is. The customers' rows are locked."""
    if not causes and not of_customers:
        return
    known = await store.load(tx, list({customer_id for customer_id, _ in causes} | of_customers.keys()))
    causes = {**_spread(of_customers, known), **causes}
    views = await _views_of(tx, await receivables.deciding(tx, list(causes)), known)
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


async def escalate_cases(tx: Tx, limit: int) -> int:
    """Take the step that is due in each case: plan a message, record why there is none, assign a task. Returns how
    many cases were decided."""
    due = await store.due(tx, limit)
    if not due:
        return 0
    customer_ids = list({customer_id for customer_id, _ in due})
    await receivables.lock(tx, customer_ids)
    loaded = await store.load(tx, customer_ids)
    known = {key: loaded[key] for key in due if _is_due(loaded[key], tx.now)}
    recent = await contacts.recent(tx, customer_ids)
    decided = []
    for view in await _views(tx, list(known), known):
        at = recent[view.case.customer_id]
        outcome = rules.escalate(view.case, view.account, view.strategy, at, new_id(), tx.now)
        if outcome.reason is Reason.MESSAGE_PLANNED:
            at.append(tx.now)  # Other entities' cases of the customer may be due at the same moment.
        decided.append((view, outcome))
    again = {contact.id for contact in await contacts.plan(tx, [o.contact for _, o in decided if o.contact])}
    outcomes = [
        (view.case, await _already_reminded(tx, view, outcome, outcome.contact))
        if outcome.contact and outcome.contact.id in again
        else (view.case, outcome)
        for view, outcome in decided
    ]
    await _publish(tx, outcomes)
    return len(due)


async def confirm_reminders(tx: Tx, command: ConfirmReminders) -> list[Letter]:
    """Decide again for planned messages and mark those that go out now as being sent; returns their letters."""
    customer_ids = list({contact.customer_id for contact in command.contacts})
    await receivables.lock(tx, customer_ids)
    planned = await contacts.in_status(tx, [contact.id for contact in command.contacts], "planned")
    views = await _views_of_contacts(tx, planned)
    letters, changed, outcomes = [], [], []
    for contact in planned:
        view, balance = views[contact.account], command.balances[contact.account]
        if isinstance(balance, NoAnswer):
            changed.append(_retried(contact, balance.reason, command.real_now))
            continue
        verdict = rules.confirm(contact, view.case, view.account, balance, tx.now)
        if isinstance(verdict, Send):
            assert view.account.email is not None
            contact = contact.sending(
                numbers(verdict.items),
                totals(item.collectable for item in verdict.items),
                view.account.email,
                command.lease_until,
            )
            letters.append(rules.letter(contact, view.account, balance, verdict.items, tx.now))
        elif isinstance(verdict, Wait):
            contact = contact.waiting(verdict.until)
        else:
            contact = contact.suppressed(verdict)
            outcomes.append((view.case, _conclude(view, contact, tx.now)))
        changed.append(contact)
    await contacts.save(tx, changed)
    await _publish(tx, outcomes)
    return letters


async def conclude_reminders(tx: Tx, command: ConcludeReminders) -> None:
    """Record what became of the letters, and let their cases climb."""
    customer_ids = list({delivery.customer_id for delivery in command.deliveries})
    await receivables.lock(tx, customer_ids)
    fates = {delivery.contact_id: delivery for delivery in command.deliveries}
    under_way = await contacts.in_status(tx, list(fates), "sending")
    views = await _views_of_contacts(tx, under_way)
    changed, outcomes = [], []
    for contact in under_way:
        delivery = fates[contact.id]
        contact = _after(contact, delivery, tx.now, command.real_now)
        changed.append(contact)
        if contact.status != "planned":
            view = views[contact.account]
            refused = delivery.address_refused
            outcomes.append((view.case, _conclude(view, contact, tx.now, address_refused=refused)))
    await contacts.save(tx, changed)
    await _publish(tx, outcomes)


async def give_up(tx: Tx, abandoned: Sequence[Contact]) -> None:
    """Messages whose sender is gone: nobody knows whether they left, so they are looked into and never sent again."""
    customer_ids = list({contact.customer_id for contact in abandoned})
    await receivables.lock(tx, customer_ids)
    under_way = await contacts.in_status(tx, [contact.id for contact in abandoned], "sending")
    views = await _views_of_contacts(tx, under_way)
    changed, outcomes = [], []
    for contact in under_way:
        contact = contact.unknown("the process that was sending it ended before it could record the outcome")
        changed.append(contact)
        view = views[contact.account]
        outcomes.append((view.case, _conclude(view, contact, tx.now)))
    await contacts.save(tx, changed)
    await _publish(tx, outcomes)


async def hold_case(tx: Tx, command: HoldCase) -> View:
    """Let the case rest. Raises CaseNotFound."""
    view = await _locked(tx, command.customer_id, command.entity_id)
    return await _decide(tx, view, rules.hold(view.case, view.account, view.strategy, command.hold, tx.now))


async def release_case(tx: Tx, command: ReleaseCase) -> View:
    """What the case rested for is over: it goes on unless another hold rests. Raises CaseNotFound."""
    view = await _locked(tx, command.customer_id, command.entity_id)
    outcome = rules.release(view.case, view.account, view.strategy, command.kind, command.source, tx.now)
    return await _decide(tx, view, outcome)


async def count_broken_promise(tx: Tx, customer_id: UUID, entity_id: str) -> View:
    """One more promise was broken; the strategy may ask how many, and the next rung is due at once. Raises
    CaseNotFound."""
    view = await _locked(tx, customer_id, entity_id)
    return await _decide(tx, view, rules.hasten(view.case, view.account, view.strategy, tx.now))


async def find_case(tx: Tx, customer_id: UUID, entity_id: str = ENTITY) -> View:
    """Raises CaseNotFound for a customer of whom nothing was ever published."""
    found = await _views(tx, [(customer_id, entity_id)], await store.load(tx, [customer_id]))
    if not found:
        raise CaseNotFound(f"no customer {customer_id} is known here")
    return found[0]


async def account_of(tx: Tx, case_id: UUID) -> Key | None:
    """Whose case it is; None where there is none with that id."""
    return await store.account_of(tx, case_id)


async def find_cases(tx: Tx, keys: Sequence[Key]) -> Mapping[Key, View]:
    """Many at once; customers of whom nothing was ever published are left out."""
    known = await store.load(tx, list({customer_id for customer_id, _ in keys}))
    return {view.case.key: view for view in await _views(tx, keys, known)}


async def list_cases(tx: Tx, status: str | None, entity_id: str | None, after: Key | None, limit: int) -> list[View]:
    """Cases that ever had an episode, by customer id and entity, those after a given one."""
    found = {case.key: case for case in await store.page(tx, status, entity_id, after, limit)}
    views = {view.case.key: view for view in await _views(tx, list(found), found)} if found else {}
    return [views[key] for key in found]


async def _locked(tx: Tx, customer_id: UUID, entity_id: str) -> View:
    await receivables.lock(tx, [customer_id])
    return await find_case(tx, customer_id, entity_id)


async def _decide(tx: Tx, view: View, outcome: Outcome) -> View:
    await _publish(tx, [(view.case, outcome)])
    return replace(view, case=outcome.case)


async def _views(tx: Tx, keys: Sequence[Key], known: Mapping[Key, Case]) -> list[View]:
    """The accounts' cases, a new one where there is none yet; an open case keeps the version it runs on."""
    return await _views_of(tx, await receivables.accounts(tx, keys), known)


async def _views_of(tx: Tx, accounts: Mapping[Key, Account], known: Mapping[Key, Case]) -> list[View]:
    library = await strategies.library(tx, {case.runs_on for case in known.values() if case.is_open})
    views = []
    for account in accounts.values():
        case, strategy = known.get(account.key), library.for_segment(account.segment)
        if case is None:
            case = rules.new_case(new_id(), account.id, strategy, account.entity_id)
        elif case.is_open:
            strategy = library.pinned[case.runs_on]
        views.append(View(case, account, strategy))
    return views


async def _views_of_contacts(tx: Tx, concerned: Iterable[Contact]) -> Mapping[Key, View]:
    keys = list({contact.account for contact in concerned})
    return await find_cases(tx, keys) if keys else {}


def _spread(of_customers: Mapping[UUID, Cause], known: Iterable[Key]) -> dict[Key, Cause]:
    """News of a customer concerns each of its cases."""
    spread = {(customer_id, ENTITY): cause for customer_id, cause in of_customers.items()}
    spread |= {key: of_customers[key[0]] for key in known if key[0] in of_customers}
    return spread


def _is_due(case: Case, now: datetime) -> bool:
    return case.check_at is not None and case.check_at <= now


def _follow(view: View, account: Account, causes: Mapping[Key, Cause], now: datetime) -> Outcome:
    cause = causes[view.case.key]
    return rules.follow(view.case, account, view.strategy, now, cause.held, cause.ended)


async def _already_reminded(tx: Tx, view: View, outcome: Outcome, contact: Contact) -> Outcome:
    """The step stands in the books as sent: it is recorded as suppressed, and the case goes on as if it were."""
    await contacts.plan(tx, [contact.decided_against(Suppression.ALREADY_REMINDED)])
    return rules.conclude(outcome.case, contact.sent(tx.now), view.account, view.strategy, tx.now)


def _conclude(view: View, contact: Contact, now: datetime, *, address_refused: bool = False) -> Outcome:
    return rules.conclude(view.case, contact, view.account, view.strategy, now, address_refused=address_refused)


def _after(contact: Contact, delivery: Delivery, now: datetime, real_now: datetime) -> Contact:
    reason = delivery.reason or ""
    match delivery.fate:
        case "sent":
            return contact.sent(now)
        case "refused":
            return contact.failed(reason)
        case "doubtful":
            return contact.unknown(reason)
        case "untried":
            return contact.waiting()
        case "deferred":
            return _retried(contact, reason, real_now)
        case "refused_for_now":
            if contact.attempts + 1 >= TEMPORARY_REFUSALS_MAX:
                return contact.failed(f"after {contact.attempts + 1} attempts: {reason}")
            return _retried(contact, reason, real_now)


def _retried(contact: Contact, reason: str, real_now: datetime) -> Contact:
    return contact.deferred(reason, real_now + timedelta(seconds=retry_seconds(contact.attempts + 1)))


async def _publish(tx: Tx, outcomes: Sequence[tuple[Case, Outcome]]) -> None:
    await _save(tx, outcomes)
    await tasks.assign_tasks(tx, [task for _, outcome in outcomes for task in outcome.tasks])
    await outbox.append(tx, *(event for _, outcome in outcomes for event in outcome.events))


async def _save(tx: Tx, outcomes: Sequence[tuple[Case, Outcome]]) -> None:
    changed = [outcome.case for before, outcome in outcomes if outcome.case != before]
    if changed:
        await store.save(tx, changed)
