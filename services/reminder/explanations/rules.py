"""A customer's case in plain words: why it was contacted, why it is silent now, what is next and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.reminder.cases.rules import Case, Coming, Reason, coming
from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.holds.rules import holding
from services.reminder.policies.rules import POLICY
from services.reminder.receivables.rules import Account, Item, totals
from services.reminder.strategies.rules import Action, Published, Step
from shared.calendar import local_date
from shared.money import Money

_DOES: dict[Action, str] = {
    "task": "a person gets a task",
    "notify_sales": "the account's sales person is told",
    "credit_hold": "the credit service is asked for a hold",
    "plan": "instalments are proposed",
    "formal_notice": "formal notice is given",
    "agency_placement": "a person is asked to decide on placing the account with an agency",
    "agency_referral": "a person is asked to decide on agency referral",
    "fee": "the reminder fee of the seller's policy is charged",
    "interest": "interest to date is charged",
}


_CLOSED_BECAUSE = {
    "disputed": "the rest is disputed",
    "on_plan": "the rest is on a plan",
    "settled": "everything overdue was settled",
    "voided": "what was overdue was voided",
    "written_off": "what was overdue was written off",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences; `last_suppression` is None when nothing was held back since the last message."""

    situation: str
    last_contact: str
    last_suppression: str | None
    silence: str
    next: str

    @property
    def text(self) -> str:
        parts = (self.situation, self.last_contact, self.last_suppression, self.silence, self.next)
        return " ".join(part for part in parts if part)


def explain(
    case: Case, account: Account, strategy: Published, contacts: Sequence[Contact], now: datetime
) -> Explanation:
    """`contacts` are the customer's late ones, newest first."""
    today = local_date(now, account.time_zone)
    step = coming(case, account, strategy.strategy, today)
    sent = next((contact for contact in contacts if contact.status == "sent"), None)
    held = next((contact for contact in contacts if contact.status in ("suppressed", "failed", "unknown")), None)
    if held and sent and held.id < sent.id:
        held = None
    return Explanation(
        situation=_situation(case, account, today),
        last_contact=_last_contact(sent, strategy, account),
        last_suppression=_held_back(held, account) if held else None,
        silence=_silence(case, account, strategy, step, contacts, today),
        next=_next(case, account, step, now),
    )


def _situation(case: Case, account: Account, today: date) -> str:
    who = account.name or "This customer"
    if not case.is_open:
        ahead = [item for item in account.items if not item.is_overdue]
        owed = f"; {_invoices(ahead)} not due yet" if ahead else ""
        if case.episode == 0:
            return f"{who} has never had an overdue invoice that could be chased{owed}."
        because = _CLOSED_BECAUSE.get(case.closed_because or "", "everything overdue was settled")
        closed = _day(case.closed_on) if case.closed_on else "an earlier day"
        return f"{who} has no open case: the last one was closed on {closed}, because {because}{owed}."
    oldest = account.overdue[0] if account.overdue else None
    facts = f"{_invoices(account.overdue)} overdue and may be chased"
    age = (
        f", the oldest ({oldest.number}) was due on {_day(oldest.due_on)}, {_days((today - oldest.due_on).days)} ago"
        if oldest
        else ""
    )
    held = f"; {_invoices(account.held_back)} overdue but {_held(account)}" if account.held_back else ""
    resting = [item for item in account.overdue if item.rests_on(today)]
    rest = f"; of that, {_invoices(resting)} left in peace for now, after a dispute" if resting else ""
    return f"{who} has an open case, number {case.episode}: {facts}{age}{rest}{held}."


def _held(account: Account) -> str:
    """What holds back the invoices that are overdue and not chased."""
    disputed = any(item.is_disputed for item in account.held_back)
    on_plan = any(item.is_on_plan for item in account.held_back)
    if disputed and on_plan:
        return "disputed or on a plan"
    return "on a plan" if on_plan else "disputed"


def _last_contact(sent: Contact | None, strategy: Published, account: Account) -> str:
    if sent is None or sent.sent_at is None:
        return "No message has been sent so far."
    step = next((step for step in strategy.strategy.steps if step.name == sent.step), None)
    why = f" because {_rule(step)}" if step else ""
    about = f"{_numbers(sent.invoices)} ({_sums(sent.amounts)})"
    return (
        f"The last message, {sent.step!r} of strategy {sent.strategy!r} version {sent.strategy_version}, went to "
        f"{sent.recipient} on {_moment(sent.sent_at, account)}{why}; it was about {about}."
    )


def _held_back(contact: Contact, account: Account) -> str:
    when = _moment(contact.due_at, account)
    if contact.status == "suppressed":
        because = SUPPRESSED_BECAUSE[Suppression(contact.reason or "")]
        return f"On {when} the message {contact.step!r} was not sent, because {because}."
    if contact.status == "failed":
        return f"On {when} the message {contact.step!r} could not be delivered: {contact.reason}."
    return f"Whether the message {contact.step!r} of {when} arrived is not known: {contact.reason}."


def _silence(
    case: Case, account: Account, strategy: Published, step: Coming | Reason, contacts: Sequence[Contact], today: date
) -> str:
    if isinstance(step, Coming):
        return _too_early(case, step, contacts, today)
    if step is Reason.UNDER_WAY:
        waiting = next((contact for contact in contacts if contact.id in case.pending), None)
        said = f"; it waits because {waiting.reason}" if waiting and waiting.reason else ""
        return f"A message is under way now{said}."
    if step is Reason.UNREACHABLE:
        return "Nothing goes out, because no contact person has an e-mail address that works; a task asks for one."
    if step is Reason.AWAITS_APPROVAL:
        return f"Nothing goes out, because the step {case.awaiting!r} waits for somebody to approve it."
    resting = holding(case.holds, today)
    if resting and step == resting.kind:
        return f"Nothing goes out, because {SUPPRESSED_BECAUSE[Suppression(resting.kind)]}: {resting.detail}."
    if step is Reason.LADDER_EXHAUSTED:
        last = strategy.strategy.rungs[-1].name
        return f"Nothing more goes out in this episode: its last step, {last!r}, was taken on {_day(case.climbed_on)}."
    if step is Reason.DISPUTED or step is Reason.ON_PLAN:
        chased = "what is paid by a plan is" if step is Reason.ON_PLAN else "disputed invoices are"
        return f"Nothing goes out, because what is overdue is {_held(account)}: {chased} not chased."
    return "Nothing goes out, because nothing is owed that could be chased or announced."


def _too_early(case: Case, step: Coming, contacts: Sequence[Contact], today: date) -> str:
    if step.opens_on <= today:
        return f"The step {step.step.name!r} is due now; messages go out from {POLICY.opens:%H:%M} on."
    newest = contacts[0] if contacts else None
    if case.promised_on and case.promised_on >= today:
        return f"Nothing goes out: the customer promised to pay by {_day(case.promised_on)}."
    if step.opens_on == case.rest_until:
        if newest and newest.reason == Suppression.CONTACT_CAP:
            return (
                f"Nothing goes out today: the customer was contacted {POLICY.contacts_max} times within "
                f"{POLICY.within_days} days, and that is the most the contact policy allows."
            )
        return "Nothing more goes out today: one message a day is enough."
    fresh = [item.number for item in step.items if item.collect_again_on == step.opens_on]
    if fresh:
        again_on = _day(step.opens_on)
        return (
            f"Nothing goes out: the dispute of {_numbers(fresh)} has ended, and nothing is asked for before {again_on}."
        )
    due_on = step.due_on or step.items[0].due_on
    if (step.opens_on - due_on).days == step.step.days_from_due:
        return f"Nothing goes out today, because {_rule(step.step)}."
    return f"Nothing goes out today: after {case.step!r} the strategy leaves some days before the next step."


def _next(case: Case, account: Account, step: Coming | Reason, now: datetime) -> str:
    if not isinstance(step, Coming):
        if step is Reason.UNDER_WAY:
            return "What is next is decided when it has arrived."
        return "This changes only when something happens: a payment, a new invoice, a due date, a changed address."
    at = max(case.check_at or now, now)
    when = f"On {_moment(at, account)}"
    if not step.step.channels:
        return f"{when} {_actions(step.step)}, if something overdue is still collectable."
    if step.due_on:
        about = f"about what is due on {_day(step.due_on)}, unless it is paid or disputed by then"
        return f"{when} the message {step.step.name!r} goes to {account.email or 'nobody yet'} {about}."
    then = f" With it, {_actions(step.step)}." if step.step.actions else ""
    return (
        f"{when} the message {step.step.name!r} goes to {account.email or 'nobody yet'}, if something overdue is still "
        f"collectable then.{then}"
    )


def _rule(step: Step) -> str:
    days = step.days_from_due
    if days is None:
        after = step.days_after_previous or 0
        return f"{step.name!r} is for {_days(after)} after the step before it"
    if days <= 0:
        return f"{step.name!r} is for {_days(-days)} before the due date"
    return f"{step.name!r} is for {_days(days)} after the due date of the oldest invoice that may be chased"


def _actions(step: Step) -> str:
    return " and ".join(_DOES[action] for action in step.actions)


def _invoices(items: Sequence[Item]) -> str:
    """`2 invoices (100.00 EUR) are`"""
    owed = totals(item.balance for item in items)
    noun, verb = ("invoice", "is") if len(items) == 1 else ("invoices", "are")
    return f"{len(items)} {noun} ({_sums(owed)}) {verb}"


def _sums(amounts: Sequence[Money]) -> str:
    return " and ".join(str(money) for money in amounts) or "nothing"


def _numbers(numbers: Sequence[str]) -> str:
    if len(numbers) > 5:
        return f"{', '.join(numbers[:5])} and {len(numbers) - 5} more"
    return ", ".join(numbers)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else "an unknown day"


def _moment(at: datetime, account: Account) -> str:
    local = at.astimezone(ZoneInfo(account.time_zone))
    return f"{_day(local.date())} at {local:%H:%M} ({account.time_zone})"
