"""A customer's case in plain words: why it was contacted, why it is silent now, what is next and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Contact, Suppression
from services.reminder.holds.rules import holding
from services.reminder.next_steps.rules import Case, Coming, Reason, coming
from services.reminder.outlooks import rules as outlooks
from services.reminder.outlooks.rules import Counted, Outlook, Passed
from services.reminder.policies.rules import POLICY, Policy, Touch
from services.reminder.receivables.rules import Account
from services.reminder.sayings import rules as sayings
from services.reminder.sayings.rules import Explanation, day, days, moment
from services.reminder.strategies.rules import Published
from shared.calendar import local_date
from shared.errors import Refused


class DayRefused(Refused):
    slug = "explanation-day"
    title = "Nothing can be explained for that day"


def explain(
    case: Case,
    account: Account,
    strategy: Published,
    contacts: Sequence[Contact],
    touches: Collection[Touch],
    outlook: Outlook,
    now: datetime,
    policy: Policy = POLICY,
) -> Explanation:
    """`contacts` are the customer's late ones, newest first; `touches` all that reached them of late."""
    today = local_date(now, account.time_zone)
    step = coming(case, account, strategy.strategy, today)
    sent = next((contact for contact in contacts if contact.status == "sent"), None)
    held = next((contact for contact in contacts if contact.status in ("suppressed", "failed", "unknown")), None)
    if held and sent and held.id < sent.id:
        held = None
    return Explanation(
        situation=_situation(case, account, today, now.date()),
        last_contact=sayings.last_contact(sent, strategy, account),
        last_suppression=sayings.held_back(held, account) if held else None,
        silence=_silence(case, account, strategy, step, contacts, touches, today, policy),
        next=_next(case, account, outlook, policy),
        reason=_reason(case, step, today),
    )


def _reason(case: Case, step: Coming | Reason, today: date) -> str:
    """The engine's own name of why nothing goes out."""
    resting = holding(case.holds, today)
    if resting and step is not Reason.UNDER_WAY:
        return str(resting.kind)
    return str(Reason.TOO_EARLY if isinstance(step, Coming) else step)


def _situation(case: Case, account: Account, today: date, counted_on: date) -> str:
    """`today` is the customer's; days late are counted up to `counted_on`, as everywhere else."""
    who = account.name or "This customer"
    if not case.is_open:
        ahead = [item for item in account.items if not item.is_overdue]
        owed = f"; {sayings.invoices(ahead)} not due yet" if ahead else ""
        if case.episode == 0:
            return f"{who} has never had an overdue invoice that could be chased{owed}."
        closed = day(case.closed_on) if case.closed_on else "an earlier day"
        because = sayings.closed_because(case.closed_because)
        return f"{who} has no open case: the last one was closed on {closed}, because {because}{owed}."
    oldest = account.overdue[0] if account.overdue else None
    facts = f"{sayings.invoices(account.overdue)} overdue and may be chased"
    age = (
        f", the oldest ({oldest.number}) was due on {day(oldest.due_on)}, {days((counted_on - oldest.due_on).days)} ago"
        if oldest
        else ""
    )
    held = f"; {sayings.invoices(account.held_back)} overdue but {_held(account)}" if account.held_back else ""
    resting = [item for item in account.overdue if item.rests_on(today)]
    rest = f"; of that, {sayings.invoices(resting)} left in peace for now, after a dispute" if resting else ""
    return f"{who} has an open case, number {case.episode}: {facts}{age}{rest}{held}."


def _held(account: Account) -> str:
    """What holds back the invoices that are overdue and not chased."""
    disputed = any(item.is_disputed for item in account.held_back)
    on_plan = any(item.is_on_plan for item in account.held_back)
    if disputed and on_plan:
        return "disputed or on a plan"
    return "on a plan" if on_plan else "disputed"


def _silence(
    case: Case,
    account: Account,
    strategy: Published,
    step: Coming | Reason,
    contacts: Sequence[Contact],
    touches: Collection[Touch],
    today: date,
    policy: Policy,
) -> str:
    resting = holding(case.holds, today)
    if resting and step is not Reason.UNDER_WAY:
        through = f" through {day(resting.until)}" if resting.until else ""
        return f"Nothing goes out{through}, because {sayings.rests(resting)}."
    if isinstance(step, Coming):
        return _too_early(case, account, step, contacts, touches, today, policy)
    if step is Reason.UNDER_WAY:
        return _under_way(case, contacts)
    if step is Reason.AWAITS_APPROVAL:
        return f"Nothing goes out, because the step {case.awaiting!r} waits for somebody to approve it."
    if step is Reason.UNREACHABLE and (rung := strategy.strategy.rung_after(case.level)):
        if rung.channels == ("email",):
            return sayings.CAME_OUT[step]
        ways = sayings.listed([*rung.channels, *([rung.fallback] if rung.fallback else [])])
        return f"Nothing goes out, because the customer has no address that works for {ways}; a task asks for one."
    if step is Reason.LADDER_EXHAUSTED:
        last = strategy.strategy.rungs[-1].name
        return f"Nothing more goes out in this episode: its last step, {last!r}, was taken on {day(case.climbed_on)}."
    if step is Reason.DISPUTED or step is Reason.ON_PLAN:
        chased = "what is paid by a plan is" if step is Reason.ON_PLAN else "disputed invoices are"
        return f"Nothing goes out, because what is overdue is {_held(account)}: {chased} not chased."
    return sayings.CAME_OUT[step]


def _under_way(case: Case, contacts: Sequence[Contact]) -> str:
    waiting = [contact for contact in contacts if contact.id in case.pending]
    if any(contact.channel == "letter" and contact.status == "planned" for contact in waiting):
        return "A letter waits to be printed and posted; it goes out with the next batch that somebody closes."
    said = next((contact.reason for contact in waiting if contact.reason), None)
    return f"{sayings.CAME_OUT[Reason.UNDER_WAY]}{f'; it waits because {said}' if said else ''}."


def _too_early(
    case: Case,
    account: Account,
    step: Coming,
    contacts: Sequence[Contact],
    touches: Collection[Touch],
    today: date,
    policy: Policy,
) -> str:
    if step.opens_on <= today:
        return f"The step {step.step.name!r} is due now; {_window(policy)}."
    newest = contacts[0] if contacts else None
    if step.opens_on == case.rest_until:
        if newest and newest.reason and newest.status == "suppressed":
            because = Suppression(newest.reason)
            on = local_date(newest.due_at, account.time_zone)
            counts = outlooks.counted(because, [newest.channel], touches, account, on, policy)
            if counts:
                return f"Nothing goes out today: {_counted(because, counts)}."
        if policy.min_gap_days == 1:
            return "Nothing more goes out today: one message a day is enough."
        return f"Nothing goes out today: the contact policy leaves {days(policy.min_gap_days)} between two messages."
    fresh = [item.number for item in step.items if item.collect_again_on == step.opens_on]
    if fresh:
        return (
            f"Nothing goes out: the dispute of {sayings.numbers(fresh)} has ended, and nothing is asked for before "
            f"{day(step.opens_on)}."
        )
    due_on = step.due_on or step.items[0].due_on
    if (step.opens_on - due_on).days == step.step.days_from_due:
        return f"Nothing goes out today, because {sayings.rule(step.step)}."
    if step.step.days_after_previous:
        return f"Nothing goes out today, because {sayings.rule(step.step)}; that was {day(case.stepped_on)}."
    return f"Nothing goes out today: after {case.step!r} the strategy leaves some days before the next step."


def _window(policy: Policy) -> str:
    holidays = ", not on public holidays" if policy.rests_on_holidays else ""
    some = "" if len(policy.weekdays) == 7 else ", on some weekdays only"
    return f"messages go out from {policy.opens:%H:%M} to {policy.closes:%H:%M} where the customer is{some}{holidays}"


def _counted(because: Suppression, counts: Counted) -> str:
    """Which contacts the policy counted, and what it allows."""
    on = f" (on {sayings.listed([day(each) for each in counts.on])})" if counts.on else ""
    number, within = sayings.times(len(counts.on)), days(counts.within_days)
    match because:
        case Suppression.CONTACT_CAP:
            most = "and that is the most the contact policy allows"
            return f"the customer was contacted {number} within {within}{on}, {most}"
        case Suppression.CHANNEL_CAP:
            return (
                f"the customer was contacted this way {number} within {within}{on}, the most the contact policy allows"
            )
        case Suppression.REG_F:
            return f"12 CFR 1006.14 allows no further call yet, after what was said or tried within {within}{on}"
        case Suppression.CONVERSATION:
            return (
                f"somebody spoke with the customer within {within}{on}, and the contact policy keeps silence after that"
            )
        case _:
            return f"the contact policy leaves {within} between two messages, and the customer had one{on}"


def _next(case: Case, account: Account, outlook: Outlook, policy: Policy) -> str:
    passed = "".join(f"{_said(each, account)} " for each in outlook.passed[:5])
    if len(outlook.passed) > 5:
        passed += f"{len(outlook.passed) - 5} more steps are held back or passed over. "
    return passed + _then(case, account, outlook)


def _said(passed: Passed, account: Account) -> str:
    when = moment(passed.at, account, also_utc=True)
    if passed.counted:
        return f"On {when} the step {passed.step!r} is held back, because {_counted(passed.because, passed.counted)}."
    if passed.because is Suppression.CONDITIONS and passed.detail:
        return f"On {when} the step {passed.step!r} is passed over: {'; '.join(passed.detail)}."
    if passed.because is Suppression.MISSED:
        return f"On {when} the step {passed.step!r} is left out, because its day was missed."
    if passed.because is Suppression.OPTED_OUT:
        return f"On {when} the step {passed.step!r} is passed over, because {SUPPRESSED_BECAUSE[passed.because]}."
    return f"On {when} the step {passed.step!r} is held back, because {SUPPRESSED_BECAUSE[passed.because]}."


def _then(case: Case, account: Account, outlook: Outlook) -> str:
    if outlook.reason is Reason.UNDER_WAY:
        return "What is next is decided when it has arrived."
    if outlook.reason is Reason.AWAITS_APPROVAL:
        return "It goes on when the task is approved, or without the step when it is refused."
    if outlook.at is None or outlook.step is None:
        return "This changes only when something happens: a payment, a new invoice, a due date, a changed address."
    step, when = outlook.step, f"On {moment(outlook.at, account, also_utc=True)}"
    if outlook.does == "approval":
        return f"{when} somebody is asked to approve the step {step.name!r}; until then nothing goes out."
    if outlook.does == "unreachable":
        return f"{when} the step {step.name!r} is due and has nowhere to go: a task asks for an address that works."
    if outlook.does == "actions":
        return f"{when} {sayings.actions(step)}, if something overdue is still collectable."
    if outlook.due_on:
        about = f"about what is due on {day(outlook.due_on)}, unless it is paid or disputed by then"
        return f"{when} {_goes(outlook)} {about}."
    then = f" With it, {sayings.actions(step)}." if step.actions else ""
    return f"{when} {_goes(outlook)}, if something overdue is still collectable then.{then}"


def _goes(outlook: Outlook) -> str:
    """`the message 'firm-reminder' goes to ada@acme.example`, with each further channel."""
    first, *others = [contact for _, contact in outlook.going]
    named = f"{sayings.BY[first.channel]} {first.step!r}"
    goes = f"{named} goes to {first.recipient}" if first.recipient else f"{named} is due"
    more = [sayings.BY[contact.channel] for contact in others]
    return goes + (f", with {sayings.listed(more)}" if more else "")
