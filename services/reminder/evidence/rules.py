"""The facts that an explanation rests on, one by one, each with where it is from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from services.reminder.contacts.rules import Contact
from services.reminder.holds.rules import Hold
from services.reminder.next_steps.rules import Case, facts
from services.reminder.outlooks.rules import Outlook
from services.reminder.policies.rules import Policy, Touch
from services.reminder.receivables.rules import Account
from services.reminder.sayings import rules as sayings
from services.reminder.sayings.rules import Fact
from services.reminder.strategies.rules import Published
from shared.calendar import local_date


def facts_of(
    case: Case,
    account: Account,
    strategy: Published,
    contacts: Sequence[Contact],
    touches: Collection[Touch],
    outlook: Outlook,
    now: datetime,
    policy: Policy,
) -> tuple[Fact, ...]:
    """`contacts` are the customer's late ones, newest first."""
    today = local_date(now, account.time_zone)
    return (
        *_of_case(case, strategy),
        *_of_account(case, account, today),
        *of_holds(case.holds, today),
        *_of_contacts(case, contacts),
        *_of_policy(touches, account, today, policy),
        *_of_outlook(case, account, outlook),
    )


def _of_case(case: Case, strategy: Published) -> Iterator[Fact]:
    source = f"case {case.id}"
    yield Fact("case", f"{case.status}, episode {case.episode}", source)
    yield Fact("strategy", f"{strategy.name} version {strategy.version}", source)
    if case.is_open:
        yield Fact("steps_taken", str(case.level), source)
        if case.step:
            yield Fact("last_step", f"{case.step} on {_iso(case.climbed_on)}", source)
    if case.closed_because:
        yield Fact("closed", f"{case.closed_because} on {_iso(case.closed_on)}", source)
    if case.awaiting:
        yield Fact("approval_awaited", case.awaiting, source)
    if case.broken_promises:
        yield Fact("broken_promises", str(case.broken_promises), source)
    if case.formal_notice_on:
        yield Fact("formal_notice_on", case.formal_notice_on.isoformat(), source)
    if case.hastened:
        yield Fact("hastened", "a promise was broken: the next step is due at once", source)
    for due_on in case.noticed:
        yield Fact("told_before_due", due_on.isoformat(), source)
    for address in case.refused:
        yield Fact("address_refused", address, source)


def _of_account(case: Case, account: Account, today: date) -> Iterator[Fact]:
    for money in facts(case, account, today).collectable:
        yield Fact("may_be_asked_for", str(money), f"invoices {sayings.numbers(_numbers(account))}")
    if account.overdue:
        oldest = account.overdue[0]
        yield Fact("oldest_due_on", oldest.due_on.isoformat(), f"invoice {oldest.number}")
        yield Fact("days_overdue", str((today - oldest.due_on).days), f"invoice {oldest.number}")
    for item in account.held_back:
        kept = "disputed" if item.is_disputed else "on a plan"
        yield Fact("not_chased", f"{item.balance}, {kept}", f"invoice {item.number}")
    for item in account.items:
        if item.rests_on(today):
            yield Fact("fresh_until", _iso(item.collect_again_on), f"invoice {item.number}")
    if account.person:
        yield Fact("written_to", f"{account.person.name}, {account.email}", f"customer {account.id}")
    for unwanted in account.unwanted:
        about = f" about {unwanted.invoice}" if unwanted.invoice else ""
        yield Fact("opted_out", f"{unwanted.channel}{about}", f"customer {account.id}")


def of_holds(holds: Iterable[Hold], today: date) -> Iterator[Fact]:
    """What a case rests for on a day."""
    for hold in holds:
        if hold.rests_on(today):
            until = f" through {hold.until.isoformat()}" if hold.until else ""
            yield Fact(f"rests_{hold.kind}", f"{hold.detail}{until}".strip(), f"{hold.kind} {hold.source}")


def _of_contacts(case: Case, contacts: Sequence[Contact]) -> Iterator[Fact]:
    sent = next((contact for contact in contacts if contact.status == "sent"), None)
    if sent and sent.sent_at:
        said = f"{sent.step} by {sent.channel} to {sent.recipient} at {_utc(sent.sent_at)}"
        yield Fact("last_contact", said, f"contact {sent.id}")
    for contact in contacts:
        if contact.status in ("suppressed", "failed", "unknown") and (sent is None or contact.id > sent.id):
            yield Fact(f"contact_{contact.status}", f"{contact.step}: {contact.reason}", f"contact {contact.id}")
        elif contact.id in case.pending:
            yield Fact("under_way", f"{contact.step} by {contact.channel}", f"contact {contact.id}")


def _of_policy(touches: Collection[Touch], account: Account, today: date, policy: Policy) -> Iterator[Fact]:
    on = sorted((local_date(touch.at, account.time_zone), touch.channel, touch.kind) for touch in touches)
    within = [each for each in on if 0 <= (today - each[0]).days < policy.within_days]
    counted = sum(1 for _, _, kind in within if kind in ("contact", "call"))
    yield Fact("contacts_counted", f"{counted} of {policy.contacts_max} in {policy.within_days} days", "contact policy")
    for at, channel, kind in within:
        yield Fact("contact_counted", f"{at.isoformat()} {channel} ({kind})", "contact policy")


def _of_outlook(case: Case, account: Account, outlook: Outlook) -> Iterator[Fact]:
    source = f"strategy {case.strategy} version {case.strategy_version}"
    for passed in outlook.passed:
        detail = "; ".join(passed.detail)
        said = f"{passed.step} at {_utc(passed.at)}: {passed.because}{f' ({detail})' if detail else ''}"
        yield Fact("will_not_go_out", said, "contact policy" if passed.counted else source)
    if outlook.step is None or outlook.at is None:
        return
    yield Fact("next_step", f"{outlook.step.name} ({outlook.does})", source)
    yield Fact("next_at", _utc(outlook.at), "contact policy" if outlook.going else source)
    for leaves, contact in outlook.going:
        yield Fact(
            "next_channel", f"{contact.channel} to {contact.recipient or 'nobody named'} at {_utc(leaves)}", source
        )
    for action in outlook.step.actions:
        yield Fact("next_action", action, source)


def _numbers(account: Account) -> tuple[str, ...]:
    return tuple(item.number for item in account.overdue)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else "unknown"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
