"""The last look before a message leaves: whether it may, with the balance as its owner has just given it, and what its
letter is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reminder.contacts.rules import Contact, Suppression
from services.reminder.holds.rules import holding
from services.reminder.mails.rules import Letter
from services.reminder.next_steps.rules import Case, has_address
from services.reminder.policies import rules as policies
from services.reminder.policies.rules import POLICY, Policy
from services.reminder.receivables.rules import Account, Balance, BalanceItem
from services.reminder.strategies.rules import Step
from shared.calendar import local_date
from shared.records import replace


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
    if _is_over(contact, case):
        return Suppression.EPISODE_OVER
    today = local_date(now, account.time_zone)
    owed = _less_what_was_heard(balance.due_on(due_on) if due_on else balance.overdue, account)
    if not owed:
        return Suppression.NOTHING_COLLECTABLE
    resting = {item.number for item in account.items if item.rests_on(today)}
    items = tuple(item for item in owed if item.number not in resting)
    if not items:
        return Suppression.FRESH_DAYS
    items = tuple(item for item in items if not account.opted_out(contact.channel, item.number))
    forbidden = Suppression.OPTED_OUT if not items else forbids(contact, case, account, now)
    if forbidden:
        return forbidden
    if not policies.is_open((contact.channel,), account, now, policy):
        return Wait(policies.next_opening((contact.channel,), account, now, policy))
    return Send(items)


def forbids(contact: Contact, case: Case, account: Account, now: datetime) -> Suppression | None:
    """What keeps a message back whatever the balance is, so that nobody has to be asked for it."""
    if _is_over(contact, case):
        return Suppression.EPISODE_OVER
    if account.opted_out(contact.channel):
        return Suppression.OPTED_OUT
    held = holding(case.holds, local_date(now, account.time_zone))
    if held:
        return Suppression(held.kind)
    return None if has_address(contact.channel, case, account) else Suppression.UNREACHABLE


def letter(
    contact: Contact,
    account: Account,
    balance: Balance,
    items: Sequence[BalanceItem],
    now: datetime,
    step: Step | None = None,
    *,
    hastened: bool = False,
) -> Letter:
    """The letter of a contact that is confirmed, by its `step`; `hastened` after a broken promise. What stays in the
    house has no recipient of the customer's."""
    return Letter(
        contact_id=contact.id,
        customer_id=contact.customer_id,
        recipient=contact.recipient or "",
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
        entity_id=contact.entity_id,
        case_id=contact.case_id,
        episode=contact.episode,
        banks=balance.banks,
        channel=contact.channel,
        step=contact.step,
        attachments=step.attachments if step else (),
        formal_notice=step is not None and step.gives_formal_notice,
        plan_instalments_max=step.plan_instalments_max if step else None,
        after_broken_promise=hastened,
        address=account.address,
        seller_address=balance.seller_address,
        seller_country=balance.seller_country,
    )


def _is_over(contact: Contact, case: Case) -> bool:
    runs = case.is_open and contact.episode == case.episode_key
    return contact.id not in case.pending or (contact.about_due_date is None and not runs)


def _less_what_was_heard(owed: Sequence[BalanceItem], account: Account) -> tuple[BalanceItem, ...]:
    """The balance without what has been paid, disputed or taken back by what was heard since it was asked for."""
    heard = {item.number: item.collectable for item in account.items if item.is_collectable}
    return tuple(
        item if item.collectable.minor <= heard[item.number].minor else replace(item, collectable=heard[item.number])
        for item in owed
        if item.number in heard
    )
