"""What a case asks people to do: find an address, find out, decide, call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from services.reminder.contacts.rules import Contact, Suppression
from services.reminder.next_steps.rules import Case
from services.reminder.receivables.rules import Item, totals
from services.reminder.strategies.rules import Step
from services.reminder.tasks.rules import AssignTask
from shared.calendar import add_months
from shared.money import Money


def tasks_after(contact: Contact, case: Case, now: datetime) -> tuple[AssignTask, ...]:
    if contact.channel in ("chat", "webhook") and contact.status != "unknown":
        return ()
    if contact.status == "failed" or contact.reason == Suppression.UNREACHABLE:
        said = contact.reason if contact.status == "failed" else None
        return (find_an_address(case, now, contact.channel, said),)
    if contact.channel == "call" and contact.status == "sent":
        return (_make_the_call(contact, case, now),)
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


def find_an_address(case: Case, now: datetime, channel: str, said: str | None = None) -> AssignTask:
    title, missing = _SEARCHED.get(channel, _SEARCHED["email"])
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="unreachable",
        occasion=case.episode_key,
        title=title,
        detail=said or missing,
        due_on=now.date(),
    )


_SEARCHED = {
    "email": ("Find an e-mail address for this customer's reminders", "No contact person has an e-mail address."),
    "sms": ("Find a number for text messages to this customer", "No contact person has a phone number."),
    "letter": ("Find the postal address of this customer", "The customer has no postal address."),
}


INSTALMENTS_FROM_DAYS = 14
"""The first instalment that is proposed is due so many days later, the others by the month."""


def tasks_of_actions(
    case: Case, step: Step, chased: Sequence[Item], today: date, now: datetime
) -> Iterator[AssignTask]:
    """What the step's actions ask people to do, about the invoices that may be chased."""
    if chased and not {"agency_referral", "agency_placement"}.isdisjoint(step.actions):
        yield decide_on_referral(case, chased, now)
    if step.task:
        yield task_of(case, step, now)
    if chased and "notify_sales" in step.actions:
        yield _tell_sales(case, step, chased, today, now)
    if chased and "plan" in step.actions:
        yield _propose_plan(case, step, chased, today, now)


def instalments(owed: Money, count: int, today: date) -> tuple[tuple[date, Money], ...]:
    """Equal monthly parts, the first of them in a while."""
    return monthly_parts(owed, count, today + timedelta(days=INSTALMENTS_FROM_DAYS))


def monthly_parts(owed: Money, count: int, first: date) -> tuple[tuple[date, Money], ...]:
    """Equal parts on a day of each month, the first ones a cent more where it does not come out even."""
    each, more = divmod(owed.minor, count)
    return tuple((add_months(first, n), Money(each + (n < more), owed.currency)) for n in range(count))


def _tell_sales(case: Case, step: Step, chased: Sequence[Item], today: date, now: datetime) -> AssignTask:
    owed = " and ".join(str(money) for money in totals(item.collectable for item in chased))
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="tell_sales",
        occasion=f"{case.episode_key}:{step.name}",
        title=f"Know of {step.name!r}: {owed} overdue",
        detail=f"The step {step.name!r} was taken; the oldest invoice ({chased[0].number}) is"
        f" {(today - chased[0].due_on).days} days overdue. Talk to collections before you talk to the customer.",
        due_on=now.date(),
        role="sales",
    )


def _propose_plan(case: Case, step: Step, chased: Sequence[Item], today: date, now: datetime) -> AssignTask:
    count = step.plan_instalments_max or 1
    lines = []
    for money in totals(item.collectable for item in chased):
        parts = ", ".join(f"{part} on {day.isoformat()}" for day, part in instalments(money, count, today))
        lines.append(f"{money} in {count} instalments: {parts}.")
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="propose_plan",
        occasion=f"{case.episode_key}:{step.name}",
        title=f"Propose instalments for {' and '.join(str(m) for m in totals(i.collectable for i in chased))}",
        detail=" ".join(lines),
        due_on=now.date(),
    )


def decide_on_referral(case: Case, items: Sequence[Item], now: datetime) -> AssignTask:
    late = (now.date() - items[0].due_on).days
    owed = " and ".join(str(money) for money in totals(item.collectable for item in items))
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="agency_referral",
        occasion=case.episode_key,
        title=f"Decide on agency referral: {owed}, {late} days overdue",
        detail=f"The reminders of this episode have gone out without success. {len(items)} invoices are"
        f" overdue, the oldest ({items[0].number}) since {items[0].due_on.isoformat()}.",
        due_on=now.date(),
    )


def task_of(case: Case, step: Step, now: datetime) -> AssignTask:
    assert step.task is not None
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="step",
        occasion=f"{case.episode_key}:{step.name}",
        title=step.task.title,
        detail=step.task.detail,
        due_on=now.date() + timedelta(days=step.task.within_days),
    )


def _make_the_call(contact: Contact, case: Case, now: datetime) -> AssignTask:
    owed = " and ".join(str(money) for money in contact.amounts)
    return AssignTask(
        customer_id=case.customer_id,
        case_id=case.id,
        entity_id=case.entity_id,
        kind="call",
        occasion=str(contact.id),
        title=f"Call the customer about {owed}",
        detail=f"The step {contact.step!r} asks for a call"
        + (f", to {contact.recipient}" if contact.recipient else "")
        + f". It is about {', '.join(contact.invoices)}.",
        due_on=now.date(),
    )
