"""The words in which a case is explained: why it is silent, what a step is for, days, amounts, moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.reminder.conditions.rules import Conditions, Facts
from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Reason
from services.reminder.receivables.rules import Account, Item, totals
from services.reminder.strategies.rules import Action, Channel, Published, Step
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that an explanation rests on, and where it is from: `invoice R-1`, `pause <id>`, `contact policy`."""

    fact: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences, and the facts that they rest on. `last_suppression` is None when nothing was held back since the last
    message; `not_known` is what cannot be said any more of a day that is past. `next_at` is the moment of what is
    foretold; `reason` the engine's own name of why nothing goes out, None where that is not known any more."""

    situation: str
    last_contact: str
    last_suppression: str | None
    silence: str
    next: str
    not_known: str | None = None
    facts: tuple[Fact, ...] = ()
    strategy: str = ""
    strategy_version: int = 0
    next_at: datetime | None = None
    reason: str | None = None

    @property
    def text(self) -> str:
        parts = (self.situation, self.last_contact, self.last_suppression, self.silence, self.next, self.not_known)
        return " ".join(part for part in parts if part)


CAME_OUT: Mapping[Reason, str] = {
    Reason.OPENED: "A case was opened, because an overdue invoice may be chased.",
    Reason.CLOSED: "The case was closed, because nothing overdue may be chased any more.",
    Reason.MESSAGE_PLANNED: "A message goes out now.",
    Reason.SUPPRESSED: "A message was due and did not go out.",
    Reason.ESCALATED: "A step of the strategy was taken.",
    Reason.NOTICED: "A message before due was sent.",
    Reason.TOO_EARLY: "Nothing goes out yet, because the day of the next step has not come.",
    Reason.WINDOW_CLOSED: "Nothing goes out now, because it is none of the hours and days for contacts.",
    Reason.UNDER_WAY: "A message is under way now",
    Reason.UNREACHABLE: (
        "Nothing goes out, because no contact person has an e-mail address that works; a task asks for one."
    ),
    Reason.DISPUTED: "Nothing goes out, because what is overdue is disputed.",
    Reason.ON_PLAN: "Nothing goes out, because what is overdue is on a plan.",
    Reason.LADDER_EXHAUSTED: "Nothing more goes out in this episode: the last step was taken.",
    Reason.NOTHING_COLLECTABLE: "Nothing goes out, because nothing is owed that could be chased or announced.",
    Reason.UNCHANGED: "Nothing has changed.",
    Reason.SKIPPED: "A step was passed over, and the case goes on with the next one.",
    Reason.AWAITS_APPROVAL: "Nothing goes out, because the next step waits for somebody to approve it.",
    Reason.HELD: "The case began to rest.",
    Reason.RELEASED: "What the case rested for is over.",
    Reason.PROMISED: "Nothing goes out, because the customer promised to pay.",
    Reason.PAUSED: "Nothing goes out, because the case is paused.",
    Reason.REPLIED: "Nothing goes out, because the customer has written and nobody has looked at it yet.",
    Reason.CONVERSATION: "Nothing goes out, because somebody has just spoken with the customer.",
    Reason.PLACED: "Nothing goes out, because the account is placed with an agency.",
    Reason.LEGAL: "Nothing goes out, because legal action is under way.",
    Reason.INSOLVENT: "Nothing goes out, because the customer is insolvent.",
}
"""How a decision came out, for every reason there is."""

RESTS_BECAUSE: Mapping[HoldKind, str] = {
    HoldKind.PROMISED: "the customer promised to pay",
    HoldKind.PAUSED: "the case is paused",
    HoldKind.REPLIED: "the customer has written, and nobody has looked at it yet",
    HoldKind.CONVERSATION: "somebody has just spoken with the customer",
    HoldKind.PLACED: "the account is placed with an agency",
    HoldKind.LEGAL: "legal action is under way",
    HoldKind.INSOLVENT: "the customer is insolvent",
}

DOES: Mapping[Action, str] = {
    "task": "a person gets a task",
    "notify_sales": "the account's sales person is told",
    "credit_hold": "the credit service is asked for a hold",
    "plan": "a person is asked to propose instalments",
    "formal_notice": "formal notice is given",
    "agency_placement": "a person is asked to decide on placing the account with an agency",
    "agency_referral": "a person is asked to decide on agency referral",
    "fee": "the reminder fee of the seller's policy is charged",
    "interest": "interest to date is charged",
}

DID: Mapping[Action, str] = {
    "task": "a person got a task",
    "notify_sales": "the account's sales person was told",
    "credit_hold": "the credit service was asked for a hold",
    "plan": "a person was asked to propose instalments",
    "formal_notice": "formal notice was given",
    "agency_placement": "a person was asked to decide on placing the account with an agency",
    "agency_referral": "a person was asked to decide on agency referral",
    "fee": "the invoice service was asked for the reminder fee",
    "interest": "the invoice service was asked for interest to date",
}

BY: Mapping[Channel, str] = {
    "email": "the message",
    "sms": "the text message",
    "letter": "the letter",
    "call": "the call",
    "chat": "the note to the account's team",
    "webhook": "the call of another system",
}


_CLOSED_BECAUSE: Mapping[str, str] = {
    "disputed": "the rest is disputed",
    "on_plan": "the rest is on a plan",
    "settled": "everything overdue was settled",
    "voided": "what was overdue was voided",
    "written_off": "what was overdue was written off",
}


def rests(hold: Hold) -> str:
    """`the customer promised to pay by 20 February 2026 (100.00 EUR by 2026-02-20)`"""
    by = f" by {day(hold.promised_on)}" if hold.promised_on else ""
    detail = f" ({hold.detail})" if hold.detail else ""
    return f"{RESTS_BECAUSE[hold.kind]}{by}{detail}"


def closed_because(reason: str | None) -> str:
    return _CLOSED_BECAUSE.get(reason or "", "everything overdue was settled")


def last_contact(sent: Contact | None, strategy: Published, account: Account) -> str:
    """`strategy` says what the step is for, where it has one of that name."""
    if sent is None or sent.sent_at is None:
        return "No message has been sent so far."
    step = next((step for step in strategy.strategy.steps if step.name == sent.step), None)
    why = f" because {rule(step)}" if step else ""
    about = f"{numbers(sent.invoices)} ({sums(sent.amounts)})"
    by = "" if sent.channel == "email" else f" by {sent.channel}"
    to = sent.recipient or "the customer"
    did = [DID[action] for action in step.actions] if step else []
    besides = f" With it, {listed(did)}." if did else ""
    return (
        f"The last message, {sent.step!r} of strategy {sent.strategy!r} version {sent.strategy_version}, went{by} to "
        f"{to} on {moment(sent.sent_at, account)}{why}; it was about {about}.{besides}"
    )


def held_back(contact: Contact, account: Account) -> str:
    when = moment(contact.due_at, account)
    if contact.status == "suppressed":
        because = SUPPRESSED_BECAUSE[Suppression(contact.reason or "")]
        return f"On {when} the message {contact.step!r} was not sent, because {because}."
    if contact.status == "failed":
        return f"On {when} the message {contact.step!r} could not be delivered: {contact.reason}."
    return f"Whether the message {contact.step!r} of {when} arrived is not known: {contact.reason}."


def rule(step: Step) -> str:
    on = step.days_from_due
    if on is None:
        after = step.days_after_previous or 0
        return f"{step.name!r} is for {days(after)} after the step before it"
    if on <= 0:
        return f"{step.name!r} is for {days(-on)} before the due date"
    return f"{step.name!r} is for {days(on)} after the due date of the oldest invoice that may be chased"


def actions(step: Step) -> str:
    return " and ".join(DOES[action] for action in step.actions)


def unmet(conditions: Conditions, facts: Facts) -> tuple[str, ...]:
    """Which conditions do not hold, and by how much."""
    found = []
    owed = {money.currency: money for money in facts.collectable}
    wants = [Money.parse(amount, currency) for currency, amount in (conditions.amount_at_least or {}).items()]
    there = [owed.get(money.currency, Money(0, money.currency)) for money in wants]
    if all(has.minor < wanted.minor for wanted, has in zip(wants, there, strict=True)):
        for wanted, has in zip(wants, there, strict=True):
            less = Money(wanted.minor - has.minor, wanted.currency)
            found.append(f"it is for {wanted} and more, and {has} may be asked for, {less} less")
    if conditions.invoices_at_least is not None and facts.invoices < conditions.invoices_at_least:
        found.append(f"it is for {conditions.invoices_at_least} invoices and more, and there are {facts.invoices}")
    if conditions.risk_classes and facts.risk_class not in conditions.risk_classes:
        wanted = " or ".join(conditions.risk_classes)
        found.append(f"it is for risk class {wanted}, and the customer's is {facts.risk_class or 'not known'}")
    least = conditions.broken_promises_at_least
    if least is not None and facts.broken_promises < least:
        found.append(f"it is for {least} broken promises and more, and there are {facts.broken_promises}")
    return tuple(found)


def invoices(items: Sequence[Item]) -> str:
    """`2 invoices (100.00 EUR) are`"""
    owed = totals(item.balance for item in items)
    noun, verb = ("invoice", "is") if len(items) == 1 else ("invoices", "are")
    return f"{len(items)} {noun} ({sums(owed)}) {verb}"


def sums(amounts: Sequence[Money]) -> str:
    return listed([str(money) for money in amounts]) or "nothing"


def listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def numbers(of: Sequence[str]) -> str:
    if len(of) > 5:
        return f"{', '.join(of[:5])} and {len(of) - 5} more"
    return ", ".join(of)


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def day(of: date | None) -> str:
    return f"{of.day} {of:%B %Y}" if of else "an unknown day"


def moment(at: datetime, account: Account, *, also_utc: bool = False) -> str:
    """At the customer's; with `also_utc` in the seller's own business time as well, where that shows another clock."""
    local = at.astimezone(ZoneInfo(account.time_zone))
    business = at.astimezone(UTC)
    differ = also_utc and local.utcoffset() != business.utcoffset()
    if not differ:
        return f"{day(local.date())} at {local:%H:%M} ({account.time_zone})"
    there = f"{business:%H:%M}" if business.date() == local.date() else f"{day(business.date())}, {business:%H:%M}"
    return f"{day(local.date())} at {local:%H:%M} ({account.time_zone}; {there} UTC)"
