"""What is to be known of a strategy before it is published: why it cannot be, given what else there is, and, if it can,
what in it will hardly do what its writer wants. The contact policy and the other strategies are handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

from services.reminder.conditions.rules import AmountRange, Conditions, DaysRange, Fits
from services.reminder.policies import rules as policies
from services.reminder.policies.rules import Policy, Touch
from services.reminder.receivables.rules import Account
from services.reminder.strategies.rules import ASKS_NOTHING, TO_CUSTOMER, Action, Step, Strategy, parse, read
from shared.calendar import at_local_time
from shared.documents import Document, Fault

_TAKES_JSON_SCHEMA_FROM = "https://json-schema.org/draft/2020-12/schema"
SILENCE_DAYS_MAX = 45
"""Longer than this a debt is not to age without any contact: the chance of being paid falls with every month."""
ENDS: frozenset[Action] = frozenset({"agency_placement", "agency_referral", "task", "formal_notice"})
"""What hands a case to a person or an agency: a last step with one of these leaves nobody forgotten."""
_DUE = date(2026, 1, 1)
"""Some due date: steps are walked in days from it, and the policy is asked about dates."""
_SOMEBODY = Account(
    id=UUID(int=0), external_id=None, name=None, country=None, language="en", time_zone="UTC", segment=None, person=None
)


def other_name(document: str, name: str) -> list[Fault]:
    """A document that says another name than it is to be published under."""
    said = parse(document).name
    return [] if said == name else [read(document).fault("/name", f"the document is for {said!r}, not for {name!r}")]


def unknown_templates(document: str, known: Collection[str]) -> list[Fault]:
    """Steps whose template is not one of these."""
    written, there_are = read(document), ", ".join(sorted(known)) or "none"
    return [
        written.fault(f"/steps/{index}/template", f"there is no template {step.template!r}; there are {there_are}")
        for index, step in enumerate(parse(document).steps)
        if step.template is not None and step.template not in known
    ]


def unknown_champion(document: str, others: Mapping[str, Strategy]) -> list[Fault]:
    """What is wrong with whom the strategy challenges. `others` are the newest versions of the other strategies."""
    strategy = parse(document)
    if strategy.challenger is None:
        return []
    champion, written = strategy.challenger.of, read(document)
    if champion not in others:
        return [written.fault("/challenger/of", f"there is no strategy {champion!r} to challenge")]
    if others[champion].challenger:
        return [written.fault("/challenger/of", f"{champion!r} is a challenger itself")]
    for other in others.values():
        if other.active and strategy.active and other.challenger and other.challenger.of == champion:
            return [written.fault("/challenger/of", f"{champion!r} is challenged by {other.name!r} already")]
    return []


def advise(strategy: Strategy, document: Document, others: Iterable[Strategy], policy: Policy) -> list[Fault]:
    """Everything worth saying that refuses nothing, in the order of the lines. `others` are the newest versions of the
    other strategies."""
    found = [
        *_behind_the_agency(strategy),
        *_never_true(strategy),
        *_silences(strategy),
        *_dead_end(strategy),
        *_unannounced(strategy),
        *_held_up(strategy, policy),
        *_rivals(strategy, others),
    ]
    faults = (document.fault(pointer, detail) for pointer, detail in found)
    return sorted(faults, key=lambda fault: (fault.line, fault.pointer))


Advice = Iterator[tuple[str, str]]
"""(pointer, what to know about it)"""


def _behind_the_agency(strategy: Strategy) -> Advice:
    """A placed account is contacted by the agency alone."""
    for index, step in enumerate(strategy.steps):
        for earlier in strategy.steps[:index]:
            if "agency_placement" in earlier.actions and implies(step.conditions, earlier.conditions):
                yield (
                    f"/steps/{index}",
                    f"{step.name!r} is never reached: {earlier.name!r} hands the account to an agency before",
                )
                break


def _never_true(strategy: Strategy) -> Advice:
    kinds = strategy.kinds
    for index, step in enumerate(strategy.steps):
        wanted = step.conditions
        if wanted.risk_classes and all(
            fits.risk_classes and set(fits.risk_classes).isdisjoint(wanted.risk_classes) for fits in kinds
        ):
            yield (
                f"/steps/{index}/conditions/risk_classes",
                f"{step.name!r} is never taken: the strategy is for accounts of other risk classes",
            )
        least = wanted.amount_at_least
        if least and all(_out_of_reach(least, fits.open_balance) for fits in kinds):
            yield (
                f"/steps/{index}/conditions/amount_at_least",
                f"{step.name!r} is never taken: the strategy is for accounts that owe less",
            )


def _out_of_reach(least: Mapping[str, Decimal], balance: Mapping[str, AmountRange]) -> bool:
    """With a max anywhere, an account owes in no currency that is not named."""
    if all(range.max is None for range in balance.values()):
        return False
    return all(
        currency not in balance or ((most := balance[currency].max) is not None and most < amount)
        for currency, amount in least.items()
    )


def implies(later: Conditions, earlier: Conditions) -> bool:
    """Whether the earlier conditions hold whenever the later ones do, on the same facts."""
    return (
        _implies_amounts(later.amount_at_least, earlier.amount_at_least)
        and (later.invoices_at_least or 1) >= (earlier.invoices_at_least or 1)
        and (
            not earlier.risk_classes
            or (bool(later.risk_classes) and set(later.risk_classes) <= set(earlier.risk_classes))
        )
        and (later.broken_promises_at_least or 0) >= (earlier.broken_promises_at_least or 0)
    )


def _implies_amounts(later: Mapping[str, Decimal] | None, earlier: Mapping[str, Decimal] | None) -> bool:
    if not earlier:
        return True
    return bool(later) and all(
        currency in earlier and earlier[currency] <= amount for currency, amount in later.items()
    )


def _silences(strategy: Strategy) -> Advice:
    """Steps with conditions may be passed over, so they do not end a silence for everybody."""
    since, after = 0, "the due date"
    for index, (step, day) in enumerate(zip(strategy.steps, strategy.earliest_days, strict=True)):
        if day <= 0 or step.conditions != Conditions() or not step.reaches_customer:
            continue
        if day - since > SILENCE_DAYS_MAX:
            yield (
                f"/steps/{index}",
                f"{day - since} days pass between {after} and {step.name!r} without any contact that is sure to happen"
                f" (more than {SILENCE_DAYS_MAX})",
            )
        since, after = day, repr(step.name)


def _dead_end(strategy: Strategy) -> Advice:
    index, last = len(strategy.steps) - 1, strategy.steps[-1]
    if ENDS.isdisjoint(last.actions):
        yield (
            f"/steps/{index}",
            f"after {last.name!r} nothing happens any more and nobody is told: end with a task or an agency's step",
        )


def _unannounced(strategy: Strategy) -> Advice:
    """Where every message before may be passed over, a customer can be charged without having heard anything."""
    for index, step in enumerate(strategy.steps):
        if step.is_before_due:
            continue
        if step.reaches_customer and step.conditions == Conditions():
            return
        burden = [action for action in step.actions if action not in ASKS_NOTHING]
        if burden:
            yield (
                f"/steps/{index}/actions",
                f"{burden[0]!r} may meet a customer who heard nothing: every message before it has conditions",
            )
            return


def _held_up(strategy: Strategy, policy: Policy) -> Advice:
    """Walk the steps as early as strategy and policy allow, for an account whose conditions all hold."""
    touches: list[Touch] = []
    taken: int | None = None
    for index, step in enumerate(strategy.steps):
        if step.days_from_due is None:
            wanted = paced = (taken or 0) + (step.days_after_previous or 0)
        else:
            wanted = step.days_from_due
            paced = wanted if taken is None else max(wanted, taken + strategy.catch_up.gap_days)
        channels, refused = _let_through(step, policy)
        if refused:
            yield f"/steps/{index}", refused
            continue
        day = _free_day(paced, channels, touches, policy)
        if day is None:
            yield f"/steps/{index}", f"the contact policy never lets {step.name!r} through after the steps before it"
            continue
        if day > wanted:
            because = (
                f"the steps of an episode are {strategy.catch_up.gap_days} days apart (catch_up.gap_days)"
                if day == paced
                else "the contact policy allows no contact sooner after the steps before it"
            )
            yield f"/steps/{index}", f"{step.name!r} opens on day {wanted}, but comes on day {day} at best: {because}"
        touches += [Touch(at_local_time(_on(day), policy.opens, _SOMEBODY.time_zone), channel) for channel in channels]
        taken = taken if step.is_before_due else day


def _let_through(step: Step, policy: Policy) -> tuple[list[str], str | None]:
    """The channels to the customer that the policy leaves of a step, or why there are none."""
    wanted = [channel for channel in step.channels if channel in TO_CUSTOMER]
    ways = [*wanted, step.fallback] if wanted and step.fallback in TO_CUSTOMER else wanted
    shut = {channel for channel, limit in policy.channels.items() if limit.contacts_max == 0}
    if not wanted:
        return [], None
    left = [channel for channel in wanted if channel not in shut] or [way for way in ways if way not in shut]
    if left:
        return list(map(str, left)), None
    named = " or ".join(map(str, ways))
    return [], f"the contact policy allows no contact by {named}, so {step.name!r} never reaches anybody"


def _free_day(day: int, channels: Sequence[str], touches: Sequence[Touch], policy: Policy) -> int | None:
    """The first day on which the policy lets all of these through; None when there is none for a year."""
    free, _ = policies.free_on(channels, touches, _SOMEBODY, _on(day), policy)
    days = (free - _on(0)).days
    return days if days - day < policies.LOOK_AHEAD_DAYS else None


def _on(day: int) -> date:
    return _DUE + timedelta(days=day)


def _rivals(strategy: Strategy, others: Iterable[Strategy]) -> Advice:
    """Strategies between which only their names decide."""
    if strategy.challenger or not strategy.active:
        return
    for other in sorted(others, key=lambda other: other.name):
        if other.name == strategy.name or other.challenger or not other.active or other.priority != strategy.priority:
            continue
        kinds = product(strategy.kinds, other.kinds)
        if any(ours.specificity == theirs.specificity and meet(ours, theirs) for ours, theirs in kinds):
            wins = min(strategy.name, other.name)
            yield (
                "/priority",
                f"{other.name!r} fits some of the same accounts with the same priority {other.priority} and asks for as"
                f" much: {wins!r} takes them, by its name alone",
            )


def meet(one: Fits, other: Fits) -> bool:
    """Whether an account can fit both."""
    sets = (
        (one.segments, other.segments),
        (one.countries, other.countries),
        (one.languages, other.languages),
        (one.risk_classes, other.risk_classes),
    )
    if any(ours and theirs and set(ours).isdisjoint(theirs) for ours, theirs in sets):
        return False
    late = [_bounds(days) for days in (one.average_days_late, other.average_days_late) if days]
    if len(late) == 2 and not _overlap(*late):
        return False
    return _balances_meet(one.open_balance, other.open_balance)


def _balances_meet(one: Mapping[str, AmountRange], other: Mapping[str, AmountRange]) -> bool:
    """Too much is said of accounts in several currencies rather than too little."""
    if not one or not other:
        return True
    shared = set(one) & set(other)
    if not shared:
        return not all(any(range.max is not None for range in ranges.values()) for ranges in (one, other))
    return any(_overlap(_bounds(one[currency]), _bounds(other[currency])) for currency in shared)


def _bounds(range: AmountRange | DaysRange) -> tuple[float, float]:
    least = float(range.min) if range.min is not None else float("-inf")
    return least, float(range.max) if range.max is not None else float("inf")


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def json_schema(templates: Collection[str] = ()) -> dict[str, Any]:
    """The published schema of the document, for editors; `templates` are those that it offers."""
    schema = Strategy.model_json_schema()
    if templates:
        schema["$defs"]["Step"]["properties"]["template"]["examples"] = sorted(templates)
    return {"$schema": _TAKES_JSON_SCHEMA_FROM, **schema, "examples": [_EXAMPLE]}


_EXAMPLE = {
    "name": "small",
    "title": "Small accounts",
    "fits": {"segments": ["small"], "open_balance": {"EUR": {"max": 2500}}},
    "priority": 10,
    "catch_up": {"mode": "skip_to_current", "gap_days": 5},
    "steps": [
        {"name": "ask", "days_from_due": 3, "channel": "email", "tone": "friendly", "template": "first-reminder"},
        {
            "name": "insist",
            "days_after_previous": 10,
            "channels": ["sms"],
            "fallback": "email",
            "tone": "firm",
            "template": "firm-reminder",
            "actions": ["fee"],
        },
        {
            "name": "hand-over",
            "days_from_due": 91,
            "conditions": {"amount_at_least": {"EUR": 100}},
            "actions": ["agency_referral"],
            "approval": True,
        },
    ],
}
