"""What changed between two versions of the credit policy, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.credit.policy_rules.rules import CLASSES, Policy, PolicyRules
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Change:
    """`place` is a JSON pointer into the policy as it is shown; `before` and `after` are None where there is nothing.
    `says` is the same in a sentence."""

    place: str
    before: str | None
    after: str | None
    says: str


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """In the order in which a policy is written."""
    return (*_of_limits(before, after), *_of_rules(before.rules, after.rules), *_of_the_document(before, after))


def _of_limits(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = ({(e.segment, e.limit.currency): e.limit for e in each.limits} for each in (before, after))
    for segment, currency in sorted(old.keys() | new.keys(), key=lambda name: (name[0] or "", name[1])):
        whom = f"segment {segment}" if segment else "every other segment"
        what = f"the limit in {currency} for {whom}"
        place = f"/limits/{segment or '*'}/{currency}"
        yield from _change(place, what, old.get((segment, currency)), new.get((segment, currency)))


def _of_rules(before: PolicyRules, after: PolicyRules) -> Iterator[Change]:
    old, new = ({each.above: each.approvers for each in rules.approvals} for rules in (before, after))
    for above in sorted(old.keys() | new.keys(), key=lambda money: (money.currency, money.minor)):
        what = f"how many others approve a limit above {above}"
        yield from _change(f"/rules/approvals/{above}", what, old.get(above), new.get(above))
    for kind in ("guarantee", "deposit", "insurance"):
        shares = [_percent(getattr(rules.counted, kind)) for rules in (before, after)]
        yield from _change(f"/rules/counted/{kind}", f"the share of {_WITH_ARTICLE[kind]} that counts", *shares)
    for name in CLASSES:
        for what, says in _OF_A_CLASS.items():
            told = [_told(what, getattr(rules.classes[name], what)) for rules in (before, after)]
            yield from _change(f"/rules/classes/{name}/{what}", f"class {name}'s {says}", *told)
    for what, says in _OF_HOLDS.items():
        told = [_told(what, getattr(rules.holds, what)) for rules in (before, after)]
        yield from _change(f"/rules/holds/{what}", says, *told)
    for name in CLASSES:
        months = [_told("months", rules.reviews.months.get(name)) for rules in (before, after)]
        yield from _change(f"/rules/reviews/months/{name}", f"the time between reviews of class {name}", *months)
    for part, names in (("reviews", _OF_REVIEWS), ("recommended", _OF_RECOMMENDED), ("terms", _OF_TERMS)):
        for what, says in names.items():
            told = [_told(what, getattr(getattr(rules, part), what)) for rules in (before, after)]
            yield from _change(f"/rules/{part}/{what}", says, *told)
    for what, says in _OF_THE_RULES.items():
        told = [_told(what, getattr(rules, what)) for rules in (before, after)]
        yield from _change(f"/rules/{what}", says, *told)


def _of_the_document(before: Policy, after: Policy) -> Iterator[Change]:
    yield from _change("/owner", "who answers for the policy", before.owner, after.owner)
    yield from _change("/review_on", "the day of its review", before.review_on, after.review_on)


_WITH_ARTICLE = {"guarantee": "a guarantee", "deposit": "a deposit", "insurance": "a credit insurance"}
_OF_A_CLASS = {
    "limit_percent": "share of the policy's limit",
    "net_worth_percent": "share of its net worth",
    "net_days_max": "longest time to pay",
    "prepaid_percent": "share to be paid in advance",
    "deposit_percent": "deposit as a share of its limit",
}
_OF_HOLDS = {
    "held": "what is held",
    "overdue_days_above": "the days overdue beyond which a customer is held",
    "overdue_amounts_above": "the amounts overdue beyond which a customer is held",
    "promise_broken": "a hold for a broken promise",
    "over_limit": "a hold for being over the limit",
    "insolvency": "a hold for an insolvency on record",
    "court_flags_from": "the court entries from which a customer is held",
}
_OF_REVIEWS = {
    "after": "what is followed by a review",
    "days": "how long a review may take",
}
_OF_RECOMMENDED = {
    "then": "what becomes of a recommended limit",
    "up_percent_max": "by how much a limit goes up by itself",
    "down_percent_max": "by how much a limit goes down by itself",
    "least_percent": "the least change of a limit",
    "approvers": "how many approve a recommended limit",
}
_OF_TERMS = {
    "then": "what becomes of recommended terms",
    "longer_days_max": "by how much the time to pay grows by itself",
    "shorter_days_max": "by how much the time to pay shrinks by itself",
    "points_max": "by how many points prepayment and deposit move by themselves",
    "least_days": "the least change of the time to pay",
    "least_points": "the least change of prepayment and deposit, in points",
    "approvers": "how many approve recommended terms",
}
_OF_THE_RULES = {
    "refer_over_percent": "what may exceed the limit and still go to a person",
    "rate_days_max": "how old an exchange rate may be",
    "reservation_days": "how long an order is reserved for",
    "limit_letters": "letters about changed limits",
    "term_letters": "letters about changed terms",
}


def _told(what: str, value: Any) -> str | None:
    """A value with its unit; None for what is not said."""
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, str):
        return value
    if "_percent" in what:
        return _percent(value)
    if what in ("court_flags_from", "approvers", "points_max", "least_points"):
        return str(value)
    if what == "months":
        return f"{value} month" if value == 1 else f"{value} months"
    return f"{value} day" if value == 1 else f"{value} days"


def _percent(value: int) -> str:
    return f"{value} %"


def _change(place: str, what: str, before: Money | object, after: Money | object) -> Iterator[Change]:
    if before == after:
        return
    old, new = (None if value is None else str(value) for value in (before, after))
    if old is None:
        says = f"New: {what}, {new}."
    elif new is None:
        says = f"No longer there: {what}, {old} before."
    else:
        says = f"{what[0].upper()}{what[1:]}: {new} instead of {old}."
    yield Change(place, old, new, says)
