"""A customer as it stood some time ago, and what became known of it since, as far as that is kept: the invoices with
their due and settlement dates, the contacts, and the cases' events of this service's log.

What is not kept is not made up. Parts paid before an invoice was settled, disputes and plans that have ended, and
earlier addresses are unknown; `simulations.rules.assumptions` says so to whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.reminder.contacts.rules import is_before_due
from services.reminder.courses.rules import Fact, Said, midnight
from services.reminder.episodes import rules as episodes
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Case
from services.reminder.policies.rules import Policy
from services.reminder.receivables.rules import Account, Item, Key
from services.reminder.strategies.rules import Published
from shared.calendar import ONE_DAY
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Logged:
    """An event of a case: the last words of its type (`case.opened`), when it was decided, and its data."""

    kind: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice of which something was owed in the period: `item` as it stands today or, settled, as it was whole."""

    item: Item
    settled_on: date | None


def owed(row: Any) -> Owed:
    """A row of a receivable, settled or not."""
    currency, total = row["currency"], Money(row["total_minor"], row["currency"])
    nothing = Money(0, currency)
    open_item = Item(
        number=row["number"],
        issued_on=row["issue_date"],
        due_on=row["due_date"],
        balance=Money(row["balance_minor"], currency),
        disputed=Money(row["disputed_minor"], currency),
        collectable=Money(row["collectable_minor"], currency),
        overdue_since=None,
        collect_again_on=row["collect_again_on"],
        is_on_plan=row["on_plan_minor"] > 0,
    )
    if row["settled_on"] is None:
        return Owed(open_item, None)
    whole = replace(
        open_item, balance=total, disputed=nothing, collectable=total, collect_again_on=None, is_on_plan=False
    )
    return Owed(whole, row["settled_on"])


def account_then(today: Account, owed: Iterable[Owed], begins: datetime) -> Account:
    """The customer with what was open at the beginning: issued before, and not settled yet."""
    first = begins.date()
    items = [
        replace(each.item, overdue_since=each.item.due_on + ONE_DAY if each.item.due_on < first else None)
        for each in owed
        if each.item.issued_on < first and (each.settled_on is None or each.settled_on > first)
    ]
    return replace(today, items=tuple(sorted(items, key=lambda item: (item.due_on, item.number))))


def facts_since(
    key: Key, owed: Iterable[Owed], logged: Iterable[Logged], begins: datetime, ends: datetime
) -> list[Fact]:
    """What became known from the beginning on: invoices issued, overdue, settled; holds that began and ended."""
    found = []
    for each in owed:
        item, settled = each.item, each.settled_on
        issued_at, overdue_at = midnight(item.issued_on), midnight(item.due_on + ONE_DAY)
        settled_at = midnight(settled) if settled else None
        if settled_at and settled_at <= max(begins, issued_at):
            continue
        if begins <= issued_at < ends:
            found.append(Fact(issued_at, key, item=item))
        overdue_at = max(overdue_at, issued_at)
        if begins <= overdue_at < ends and (settled_at is None or overdue_at < settled_at):
            overdue = replace(item, overdue_since=item.due_on + ONE_DAY)
            found.append(Fact(overdue_at, key, item=overdue))
        if settled_at and begins < settled_at < ends:
            found.append(Fact(settled_at, key, paid=item.number))
    for one in logged:
        if begins <= one.at < ends and one.kind == "case.held":
            found.append(Fact(one.at, key, held=_hold(one.data)))
        elif begins <= one.at < ends and one.kind == "case.released":
            found.append(Fact(one.at, key, released=(HoldKind(one.data["kind"]), one.data["source"])))
    return found


def case_then(
    blank: Case,
    account: Account,
    logged: Iterable[Logged],
    said: Sequence[Said],
    rest_until: date | None,
    library: Mapping[tuple[str, int], Published],
    newest: Published,
    begins: datetime,
    policy: Policy,
) -> Case:
    """As the log leaves it at the beginning, with its next look. Where the log and what was open do not agree (it may
    have closed for a dispute that nobody knows of here) what was open counts, once the course begins."""
    case = blank
    for one in logged:
        if one.at < begins:
            case = _told(case, one)
    due = {date.fromisoformat(each.episode[4:]) for each in said if is_before_due(each.episode)}
    noticed = tuple(sorted(day for day in due if day >= begins.date()))
    holds = tuple(hold for hold in case.holds if hold.until is None or hold.until >= begins.date() - ONE_DAY)
    case = replace(case, rest_until=rest_until, noticed=noticed, holds=holds, version=max(case.version, 1))
    strategy = library.get(case.runs_on, newest) if case.is_open else newest
    if case.is_open and case.runs_on not in library:
        case = replace(case, strategy=newest.name, strategy_version=newest.version)
    if bool(account.overdue) != case.is_open:
        return episodes.follow(case, account, strategy if case.is_open else newest, begins, policy=policy).case
    return episodes.schedule(case, account, strategy.strategy, begins, policy)


def rests_after(sent_on: Iterable[date], policy: Policy) -> date | None:
    """The first day on which the customer could be contacted again, after the last message before the beginning."""
    last = max(sent_on, default=None)
    return last + timedelta(days=policy.min_gap_days) if last else None


def _told(case: Case, one: Logged) -> Case:
    state, on = one.data["case"], date.fromisoformat(one.data["effective_on"])
    case = replace(
        case,
        id=UUID(state["id"]),
        version=state["version"],
        status=state["status"],
        episode=state["episode"],
        strategy=state["strategy"],
        strategy_version=state["strategy_version"],
        level=state["level"],
        step=state["step"],
    )
    match one.kind:
        case "case.opened":
            return replace(case, opened_on=on, climbed_on=None, stepped_on=None)
        case "case.escalated":
            return replace(case, climbed_on=on, stepped_on=on)
        case "case.step_skipped":
            return replace(case, stepped_on=on)
        case "case.closed":
            return replace(case, closed_on=on, closed_because=one.data["reason"])
        case "case.held":
            hold = _hold(one.data)
            others = tuple(h for h in case.holds if (h.kind, h.source) != (hold.kind, hold.source))
            return replace(case, holds=(*others, hold))
        case "case.released":
            ended = one.data["kind"], one.data["source"]
            return replace(case, holds=tuple(h for h in case.holds if (h.kind, h.source) != ended))
        case _:
            return case


def _hold(data: Mapping[str, Any]) -> Hold:
    until = date.fromisoformat(data["until"]) if data["until"] else None
    return Hold(HoldKind(data["kind"]), until, data["source"], "")
