"""Messages on their way: decide again before one leaves, and record what became of it, under its customer's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases import rules as case_rules
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.handlers import RecordBounce
from services.reminder.contacts.rules import Contact, Suppression, retry_seconds
from services.reminder.deliveries.rules import Delivery
from services.reminder.episodes.rules import Outcome
from services.reminder.mails.rules import Letter
from services.reminder.next_steps.rules import Case
from services.reminder.parents import rules as parents
from services.reminder.policies import handlers as policies
from services.reminder.policies.handlers import OptOut
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import NoAnswer
from services.reminder.receivables.rules import Balance, Key, numbers, totals
from services.reminder.reminders import rules
from services.reminder.reminders.rules import Send, Wait
from services.reminder.strategies.rules import Published, Step
from shared.db import Tx

TEMPORARY_REFUSALS_MAX = 15
"""About forty minutes: longer than a mailbox that greets strangers with "try again later" usually asks for."""


@dataclass(frozen=True, slots=True)
class ConfirmReminders:
    """Balances by account, as the invoice service has just given them. Leases and retries are in real time."""

    contacts: Sequence[Contact]
    balances: Mapping[Key, Balance | NoAnswer]
    real_now: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class ConcludeReminders:
    """What became of letters. Those that somebody else may have taken in hand in the meantime were sent on a lease, and
    count only while it is theirs."""

    deliveries: Sequence[Delivery]
    real_now: datetime
    lease_until: datetime | None = None


async def confirm_reminders(tx: Tx, command: ConfirmReminders) -> list[Letter]:
    """Decide again for planned messages and mark those that go out now as being sent; returns their letters. A call is
    handed to a person instead."""
    customer_ids = list({contact.customer_id for contact in command.contacts})
    await receivables.lock(tx, customer_ids)
    planned = await contacts.in_status(tx, [contact.id for contact in command.contacts], "planned")
    views = await _views_of_contacts(tx, planned)
    unanswered = _unanswered(planned, command.balances)
    written, changed, outcomes = list[tuple[Contact, Letter]](), [], []
    for contact in planned:
        view, balance = views[contact.account], command.balances[contact.account]
        balance = unanswered.get(contact.delivery, balance)
        verdict: Send | Wait | Suppression
        if not isinstance(balance, NoAnswer):
            verdict = rules.confirm(contact, view.case, view.account, balance, tx.now, view.policy)
        elif forbidden := rules.forbids(contact, view.case, view.account, tx.now):
            verdict = forbidden
        else:
            changed.append(_retried(contact, balance.reason, command.real_now))
            continue
        if isinstance(verdict, Send):
            assert isinstance(balance, Balance)
            contact = contact.sending(
                numbers(verdict.items),
                totals(item.collectable for item in verdict.items),
                view.account.reached_at(contact.channel),
                command.lease_until,
            )
            if contact.channel == "call":
                contact = contact.sent(tx.now)
                _conclude(views, contact, tx.now, outcomes)
            else:
                step, hastened = _step(view.strategy, contact.step), view.case.hastened
                args = contact, view.account, balance, verdict.items, tx.now, step
                written.append((contact, rules.letter(*args, hastened=hastened)))
        elif isinstance(verdict, Wait):
            contact = contact.waiting(verdict.until)
        else:
            contact = contact.suppressed(verdict)
            _conclude(views, contact, tx.now, outcomes)
        changed.append(contact)
    await contacts.save(tx, changed)
    await cases.record(tx, outcomes)
    return parents.in_one_message(written)


async def conclude_reminders(tx: Tx, command: ConcludeReminders) -> None:
    """Record what became of the letters, and let their cases climb."""
    customer_ids = list({delivery.customer_id for delivery in command.deliveries})
    await receivables.lock(tx, customer_ids)
    fates = {delivery.contact_id: delivery for delivery in command.deliveries}
    sending = await contacts.in_status(tx, list(fates), "sending")
    under_way = [each for each in sending if command.lease_until in (None, each.lease_until)]
    for contact in under_way:
        if fates[contact.id].opted_out:
            said = fates[contact.id].reason or "the customer told the provider"
            await policies.opt_out(tx, OptOut(contact.customer_id, contact.channel, None, said, "provider"))
    views = await _views_of_contacts(tx, under_way)
    changed, outcomes = [], []
    for contact in under_way:
        delivery = fates[contact.id]
        contact = _after(contact, delivery, tx.now, command.real_now)
        changed.append(contact)
        if contact.status != "planned":
            _conclude(views, contact, tx.now, outcomes, address_refused=delivery.address_refused)
    await contacts.save(tx, changed)
    await cases.record(tx, outcomes)


async def give_up(tx: Tx, abandoned: Sequence[Contact], real_now: datetime) -> None:
    """Messages whose sender is gone. What had not left is sent after all; of what was leaving nobody knows whether it
    did, so it is looked into and never sent again."""
    customer_ids = list({contact.customer_id for contact in abandoned})
    await receivables.lock(tx, customer_ids)
    under_way = await contacts.left_behind(tx, [contact.id for contact in abandoned], real_now)
    views = await _views_of_contacts(tx, under_way)
    changed, outcomes = [], []
    for contact in under_way:
        contact = contact.unknown("the process that was sending it ended before it could record the outcome")
        changed.append(contact)
        _conclude(views, contact, tx.now, outcomes)
    await contacts.save(tx, changed)
    await cases.record(tx, outcomes)


async def bounce_contact(tx: Tx, command: RecordBounce) -> Contact:
    """A message came back: its address is not used again, and somebody looks for another; by each of the customers
    that it was about. Raises ContactNotFound."""
    sent = await contacts.find_contact(tx, command.contact_id)
    others = await contacts.sharing(tx, sent)
    await receivables.lock(tx, [each.customer_id for each in (sent, *others)])
    bounced = [await contacts.record_bounce(tx, replace(command, contact_id=each.id)) for each in (sent, *others)]
    for contact in bounced:
        view = await cases.find_case(tx, contact.customer_id, contact.entity_id)
        outcome = case_rules.bounce(view.case, contact, view.account, view.strategy, tx.now, view.policy)
        await cases.record(tx, [(view.case, outcome)])
    return bounced[0]


async def _views_of_contacts(tx: Tx, concerned: Iterable[Contact]) -> dict[Key, cases.View]:
    keys = list({contact.account for contact in concerned})
    return await cases.find_cases(tx, keys) if keys else {}


def _unanswered(planned: Iterable[Contact], balances: Mapping[Key, Balance | NoAnswer]) -> dict[UUID, NoAnswer]:
    """By delivery: of what goes out as one message nothing does while somebody's balance cannot be had."""
    answers = ((contact.delivery, balances[contact.account]) for contact in planned)
    return {delivery: answer for delivery, answer in answers if isinstance(answer, NoAnswer)}


def _conclude(
    views: dict[Key, cases.View],
    contact: Contact,
    now: datetime,
    outcomes: list[tuple[Case, Outcome]],
    *,
    address_refused: bool = False,
) -> None:
    """Several contacts of a case may end at once: each is concluded on what the one before made of the case."""
    view = views[contact.account]
    outcome = case_rules.conclude(
        view.case, contact, view.account, view.strategy, now, view.policy, address_refused=address_refused
    )
    outcomes.append((view.case, outcome))
    views[contact.account] = replace(view, case=outcome.case)


def _step(strategy: Published, name: str) -> Step | None:
    return next((each for each in strategy.strategy.steps if each.name == name), None)


def _after(contact: Contact, delivery: Delivery, now: datetime, real_now: datetime) -> Contact:
    reason = delivery.reason or ""
    match delivery.fate:
        case "sent":
            return contact.sent(now, delivery.provider_id)
        case "refused":
            return contact.failed(reason)
        case "doubtful":
            return contact.unknown(reason)
        case "untried":
            return contact.waiting()
        case "deferred":
            return _retried(contact, reason, real_now, delivery.retry_after_seconds)
        case "refused_for_now":
            if contact.attempts + 1 >= TEMPORARY_REFUSALS_MAX:
                return contact.failed(f"after {contact.attempts + 1} attempts: {reason}")
            return _retried(contact, reason, real_now, delivery.retry_after_seconds)


def _retried(contact: Contact, reason: str, real_now: datetime, asked_seconds: float | None = None) -> Contact:
    pause = max(retry_seconds(contact.attempts + 1), asked_seconds or 0)
    return contact.deferred(reason, real_now + timedelta(seconds=pause))
