"""Who gets nothing more for now, of what, why, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from services.credit.exposure.rules import Facts
from services.credit.limits.rules import Account, available, rules_of, usable_rates
from services.credit.policy_rules.rules import HELD, Held, HoldRules
from services.credit.rates.rules import convert
from services.credit.vetting.rules import Input, court_flags, insolvency
from shared.errors import Conflict, NotFound, Refused
from shared.events.credit import HoldPlaced, HoldReleased, HoldState
from shared.money import Money

Cause = Literal[
    "by_hand",
    "overdue_days",
    "overdue_amount",
    "promise_broken",
    "over_limit",
    "insolvency",
    "dunning",
    "insolvency_on_record",
    "court_flags",
]
ByHand = Literal["by_hand", "insolvency"]
MEASURED: tuple[Cause, ...] = ("overdue_days", "overdue_amount", "over_limit", "insolvency_on_record", "court_flags")
"""Causes that the figures, or what vetting knows, show: such a hold comes and goes with them."""
UNTIL_PAID: tuple[Cause, ...] = ("promise_broken", "dunning")
"""Causes that an event brings, and that are gone when nothing is overdue any longer."""
POLICY = "policy"

_DAY = timedelta(days=1)


class HoldNotFound(NotFound):
    slug = "hold-not-found"
    title = "There is no such hold"

    def __init__(self, hold_id: UUID) -> None:
        super().__init__(f"The customer has no hold with the id {hold_id}.")


class HoldReleasedBefore(Conflict):
    slug = "hold-released-before"
    title = "The hold was released before"


class CausePersists(Conflict):
    slug = "cause-persists"
    title = "The policy would place the hold again"


@dataclass(frozen=True, slots=True)
class Hold:
    """`source` tells holds of one cause apart: the promise, the case, or the hold itself where a person placed it."""

    id: UUID
    version: int
    customer_id: UUID
    cause: Cause
    source: str
    held: tuple[Held, ...]
    reason: str
    placed_by: str
    placed_at: datetime
    until_on: date | None = None
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the figures show: the measured causes with the reason in words, whether anything is overdue, and the next
    day on which time alone may change that."""

    causes: Mapping[Cause, str]
    anything_overdue: bool
    look_again_on: date | None


def place(
    id: UUID,
    customer_id: UUID,
    cause: Cause,
    source: str,
    held: Iterable[Held],
    reason: str,
    by: str,
    now: datetime,
    today: date,
    until_on: date | None = None,
) -> Hold:
    """Raises Refused where nothing is held, or only until a day that is past."""
    wanted = set(held)
    if not wanted:
        raise Refused("A hold holds orders, invoices or delivery.", field="/held")
    if until_on and until_on < today:
        raise Refused(f"A hold until {until_on} would have ended already.", field="/until")
    return Hold(
        id, 1, customer_id, cause, source, tuple(each for each in HELD if each in wanted), reason, by, now, until_on
    )


def release(hold: Hold, by: str, reason: str, now: datetime) -> Hold:
    """Raises HoldReleasedBefore."""
    if hold.released_at:
        raise HoldReleasedBefore(f"{hold.released_by} released it: {hold.release_reason}")
    return replace(hold, version=hold.version + 1, released_at=now, released_by=by, release_reason=reason)


def look(account: Account, facts: Facts, due_dates: Sequence[date], today: date, inputs: Sequence[Input] = ()) -> Look:
    """Hold the account against the hold rules of the policy. More than so many days: the day itself is not beyond.
    `inputs` are what vetting knows and counts today."""
    policy = rules_of(facts.policy_rules)
    rules, rates = policy.holds, usable_rates(facts, policy, today)
    causes: dict[Cause, str] = {}
    days: list[date] = []
    overdue_since = [day for day in due_dates if day < today]

    if rules.overdue_days_above is not None:
        begins = [day + timedelta(days=rules.overdue_days_above + 1) for day in due_dates]
        if begins and begins[0] <= today:
            late = (today - due_dates[0]).days
            causes["overdue_days"] = f"Something is {late} days overdue, more than {rules.overdue_days_above}."
        days += [day for day in begins if day > today]
    currency = account.limit.currency
    for threshold in rules.overdue_amounts_above:
        if threshold.currency == currency:
            parts = [convert(owed.overdue, currency, rates) for owed in facts.exposure.by_currency]
            overdue = sum((part.minor for part in parts if part), 0)
            if overdue > threshold.minor:
                causes["overdue_amount"] = f"{Money(overdue, currency)} is overdue, more than {threshold}."
            days += [day + _DAY for day in due_dates if day >= today]
    if rules.over_limit:
        left = available(account.limit, facts.exposure, rates)
        if left.minor < 0:
            causes["over_limit"] = f"{-left} more is owed than the limit of {account.limit} allows."
    causes |= _on_record(rules, inputs)
    if rules.goes_by_vetting:
        days += [each.expires_on + _DAY for each in inputs]
    return Look(causes, bool(overdue_since), min(days, default=None))


def _on_record(rules: HoldRules, inputs: Sequence[Input]) -> dict[Cause, str]:
    causes: dict[Cause, str] = {}
    if rules.insolvency and insolvency(inputs) == "open":
        causes["insolvency_on_record"] = "Insolvency proceedings are open."
    flags = court_flags(inputs) or 0
    if rules.court_flags_from is not None and flags >= rules.court_flags_from:
        causes["court_flags"] = f"Open judgments, liens and protests: {flags}, held from {rules.court_flags_from}."
    return causes


def ended(holds: Sequence[Hold], seen: Look, today: date) -> list[tuple[Hold, str]]:
    """The holds whose cause is gone, each with the reason for its release."""
    gone: list[tuple[Hold, str]] = []
    for hold in holds:
        if hold.cause in MEASURED and hold.cause not in seen.causes:
            gone.append((hold, "The cause is gone."))
        elif hold.cause in UNTIL_PAID and not seen.anything_overdue:
            gone.append((hold, "Nothing is overdue any longer."))
        elif hold.until_on and today > hold.until_on:
            gone.append((hold, f"It was placed until {hold.until_on}."))
    return gone


def next_look(holds: Sequence[Hold], seen: Look) -> date | None:
    days = [hold.until_on + _DAY for hold in holds if hold.until_on]
    return min([*days, *([seen.look_again_on] if seen.look_again_on else [])], default=None)


def held_by(holds: Iterable[Hold]) -> tuple[Held, ...]:
    """What they hold together."""
    wanted = {each for hold in holds for each in hold.held}
    return tuple(each for each in HELD if each in wanted)


def told(hold: Hold, held_now: tuple[Held, ...], today: date) -> HoldPlaced | HoldReleased:
    """The event of what just happened to it."""
    state = HoldState(
        id=hold.id,
        version=hold.version,
        status="released" if hold.released_at else "in_force",
        cause=hold.cause,
        held=hold.held,
        reason=hold.reason,
        until=hold.until_on,
    )
    about = {
        "customer_id": hold.customer_id,
        "effective_on": today,
        "booked_on": today,
        "hold": state,
        "held_now": held_now,
    }
    return HoldReleased(**about, release_reason=hold.release_reason or "") if hold.released_at else HoldPlaced(**about)
