"""The credit policy: limits by segment and currency, who approves, what counts, what is recommended, whom it holds.

Every rule has a default under which nothing happens that did not happen before: nobody has to approve, nobody is held,
and what goes over the limit is declined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import NotFound, PreconditionFailed, Refused
from shared.money import Money

RiskClass = Literal["A", "B", "C", "D", "E"]
Held = Literal["orders", "invoices", "delivery"]
CLASSES: tuple[RiskClass, ...] = get_args(RiskClass)
HELD: tuple[Held, ...] = get_args(Held)

ReviewCause = Literal[
    "class_worsened",
    "drift",
    "late_payment",
    "reminded",
    "disputed",
    "written_off",
    "promise_broken",
    "new_input",
]

Percent = Annotated[int, Field(ge=0, le=100)]
Days = Annotated[int, Field(ge=0, le=3650)]


class ContradictoryPolicy(Refused):
    """`contradiction` is its stable name, a member of the problem document."""

    slug = "contradictory-policy"
    title = "The policy says two things at once"

    def __init__(self, contradiction: str, detail: str, *, field: str) -> None:
        super().__init__(detail, field=field, contradiction=contradiction)


class PolicyNotFound(NotFound):
    slug = "policy-version-not-found"
    title = "There is no such version of the policy"

    def __init__(self, version: int) -> None:
        super().__init__(f"The policy has no version {version}.")


class StalePolicy(PreconditionFailed):
    """Two changes of the policy started from the same version; one won."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approval(_Part):
    """A limit above this amount, in this currency, takes so many persons besides the one who asks."""

    above: Money
    approvers: Annotated[int, Field(ge=1, le=2)]


class Counted(_Part):
    """The share of a security's amount that raises the limit. Insurers leave a part of each loss to the insured, which
    is why 90 percent of the cover counts."""

    guarantee: Percent = 100
    deposit: Percent = 100
    insurance: Percent = 90


class ClassTerms(_Part):
    """What a risk class gets: a share of the policy's limit for segment and currency, and at most this share of the
    customer's net worth where that is known; days to pay, the share of each order to be paid in advance, and a deposit
    as a share of the limit that is recommended."""

    limit_percent: Annotated[int, Field(ge=0, le=1000)]
    net_worth_percent: Percent = 10
    net_days_max: Annotated[int, Field(ge=0, le=365)]
    prepaid_percent: Percent = 0
    deposit_percent: Percent = 0


class HoldRules(_Part):
    """When a customer is held without anybody deciding it, and released when the cause is gone. Null or false: never.
    Overdue beyond means more than so many days, more than such an amount in the limit's own currency. `insolvency` and
    `court_flags_from` (so many judgments, liens and protests that are open) go by what vetting knows."""

    held: Annotated[tuple[Held, ...], Field(max_length=3)] = ("orders",)
    overdue_days_above: Days | None = None
    overdue_amounts_above: Annotated[tuple[Money, ...], Field(max_length=200)] = ()
    promise_broken: bool = False
    over_limit: bool = False
    insolvency: bool = False
    court_flags_from: Annotated[int, Field(ge=1, le=1000)] | None = None

    @property
    def goes_by_vetting(self) -> bool:
        return self.insolvency or self.court_flags_from is not None

    @property
    def is_on(self) -> bool:
        return (
            self.goes_by_vetting
            or self.overdue_days_above is not None
            or bool(self.overdue_amounts_above)
            or self.promise_broken
            or self.over_limit
        )


class ReviewRules(_Part):
    """When a person looks at a customer's credit: so many months after the last time, by class, and after such events.
    It is due `days` after it was found to be. Nothing named: nobody is reviewed."""

    months: dict[RiskClass, Annotated[int, Field(ge=1, le=60)]] = Field(default_factory=dict)
    after: Annotated[tuple[ReviewCause, ...], Field(max_length=20)] = ()
    days: Annotated[int, Field(ge=0, le=365)] = 14

    @property
    def is_on(self) -> bool:
        return bool(self.months or self.after)


class RecommendedRules(_Part):
    """What becomes of the limit that an assessment recommends. `ask`: it is a limit request, which `approvers` approve
    or more where the amount takes more. `apply`: it takes effect by itself where it goes up or down by no more than so
    many percent of the limit before, where nobody has to approve the amount, and where no person set the limit before;
    else it is asked for. What changes the limit by less than `least_percent` is left alone."""

    then: Literal["nothing", "ask", "apply"] = "nothing"
    up_percent_max: Annotated[int, Field(ge=0, le=1000)] = 25
    down_percent_max: Percent = 50
    least_percent: Percent = 10
    approvers: Annotated[int, Field(ge=1, le=2)] = 1


class TermRules(_Part):
    """What becomes of the terms that an assessment recommends: days, prepayment, deposit. `ask`: they are a term
    request, which `approvers` approve, or more where the customer's limit takes more. `apply`: they take effect by
    themselves where days grow by no more than `longer_days_max` and shrink by no more than `shorter_days_max`, where
    prepayment (percent of an order) and deposit (percent of the recommended limit) move by no more than `points_max`,
    where nobody has to approve such a limit, and where no person set the terms; else they are asked for. Where days
    move by less than `least_days` and the others by less than `least_points` they are left alone."""

    then: Literal["nothing", "ask", "apply"] = "nothing"
    longer_days_max: Annotated[int, Field(ge=0, le=365)] = 15
    shorter_days_max: Annotated[int, Field(ge=0, le=365)] = 30
    points_max: Percent = 30
    least_days: Annotated[int, Field(ge=1, le=365)] = 5
    least_points: Annotated[int, Field(ge=1, le=100)] = 5
    approvers: Annotated[int, Field(ge=1, le=2)] = 1


DEFAULT_CLASSES: dict[RiskClass, ClassTerms] = {
    "A": ClassTerms(limit_percent=200, net_days_max=60),
    "B": ClassTerms(limit_percent=100, net_days_max=30),
    "C": ClassTerms(limit_percent=50, net_days_max=30),
    "D": ClassTerms(limit_percent=20, net_days_max=14, prepaid_percent=30),
    "E": ClassTerms(limit_percent=0, net_worth_percent=0, net_days_max=0, prepaid_percent=100),
}


class PolicyRules(_Part):
    """`refer_over_percent`: what exceeds the limit by no more than this share of it goes to a person instead of being
    declined. `rate_days_max`: how old an exchange rate may be. `reservation_days`: how long an order is reserved for
    where it does not say. `limit_letters`, `term_letters`: whether customers are written when their limit or their
    terms change."""

    approvals: Annotated[tuple[Approval, ...], Field(max_length=200)] = ()
    counted: Counted = Counted()
    classes: dict[RiskClass, ClassTerms] = Field(default_factory=lambda: dict(DEFAULT_CLASSES))
    holds: HoldRules = HoldRules()
    reviews: ReviewRules = ReviewRules()
    recommended: RecommendedRules = RecommendedRules()
    terms: TermRules = TermRules()
    refer_over_percent: Percent = 0
    rate_days_max: Annotated[int, Field(ge=0, le=30)] = 7
    reservation_days: Annotated[int, Field(ge=1, le=365)] = 14
    limit_letters: bool = False
    term_letters: bool = False

    @property
    def follows(self) -> bool:
        """Whether something is done about customers of whom there is news, besides holds."""
        return self.reviews.is_on or self.recommended.then != "nothing" or self.terms.then != "nothing"

    def approvers_for(self, limit: Money) -> int:
        """How many others have to approve this limit: those of the highest threshold it exceeds. A currency without a
        threshold of its own needs what the strictest other one needs, so that no currency is a way around."""
        own = [each for each in self.approvals if each.above.currency == limit.currency]
        if not own:
            return max((each.approvers for each in self.approvals), default=0)
        return max((each.approvers for each in own if limit.minor > each.above.minor), default=0)

    def approvers_for_terms(self, limit: Money) -> int:
        """Terms take whoever approves the limit that they are given with, once the policy does something about them."""
        return self.approvers_for(limit) if self.terms.then != "nothing" else 0


DEFAULTS = PolicyRules()


@dataclass(frozen=True, slots=True)
class PolicyLimit:
    """What a customer of this segment may owe in this currency; of any segment not named otherwise when None."""

    segment: str | None
    limit: Money


@dataclass(frozen=True, slots=True)
class Policy:
    """`owner` answers for it; on `review_on` its outcomes are to be looked at; `reason` is why the version was made."""

    version: int
    limits: tuple[PolicyLimit, ...]
    rules: PolicyRules = DEFAULTS
    owner: str | None = None
    review_on: date | None = None
    reason: str | None = None

    def limit_for(self, segment: str, currency: str) -> Money | None:
        """The segment's own limit in the currency, else the currency's limit for everybody, else None."""
        for_everybody = None
        for entry in self.limits:
            if entry.limit.currency == currency:
                if entry.segment == segment:
                    return entry.limit
                if entry.segment is None:
                    for_everybody = entry.limit
        return for_everybody


def amended(
    policy: Policy,
    limits: tuple[PolicyLimit, ...],
    rules: PolicyRules | None,
    owner: str | None,
    review_on: date | None,
) -> Policy:
    """The policy with other limits; what is None stays as it is."""
    return replace(
        policy,
        limits=limits,
        rules=rules or policy.rules,
        owner=owner or policy.owner,
        review_on=review_on or policy.review_on,
    )


def faults(limits: Sequence[PolicyLimit], rules: PolicyRules) -> Iterator[Refused]:
    """All that is wrong with a policy, each with its place: limits below zero, and what contradicts itself."""
    seen: dict[tuple[str | None, str], int] = {}
    for position, entry in enumerate(limits):
        if entry.limit.minor < 0:
            yield Refused(f"A limit is zero or more, not {entry.limit}.", field=f"/limits/{position}/limit/amount")
        name = (entry.segment, entry.limit.currency)
        if name in seen:
            whom = f"segment {entry.segment}" if entry.segment else "every segment"
            yield ContradictoryPolicy(
                "limit-named-twice",
                f"Entry {seen[name]} has a limit for {whom} in {entry.limit.currency} already.",
                field=f"/limits/{position}",
            )
        seen[name] = position
    yield from _faults_of_rules(rules)
    yield from _faults_together(limits, rules)


def check(limits: Sequence[PolicyLimit], rules: PolicyRules) -> None:
    """Raises the first fault: Refused, ContradictoryPolicy."""
    for fault in faults(limits, rules):
        raise fault


def _faults_of_rules(rules: PolicyRules) -> Iterator[Refused]:
    """Amounts below zero, and where one part undoes another, each with its place."""
    yield from _faults_of_approvals(rules.approvals)
    yield from _faults_of_classes(rules)
    yield from _faults_of_terms(rules)
    reviewed = [(name, rules.reviews.months[name]) for name in CLASSES if name in rules.reviews.months]
    for (better, months), (worse, months_of_worse) in pairwise(reviewed):
        if months_of_worse > months:
            yield ContradictoryPolicy(
                "worse-class-reviewed-later",
                f"Class {worse} is reviewed less often than class {better}.",
                field=f"/rules/reviews/months/{worse}",
            )
    holds = rules.holds
    if holds.is_on and not holds.held:
        yield ContradictoryPolicy(
            "holds-nothing", "Customers are to be held, and nothing of theirs.", field="/rules/holds/held"
        )
    if len(set(holds.held)) < len(holds.held):
        yield ContradictoryPolicy("held-twice", "One thing is held twice.", field="/rules/holds/held")
    seen: set[str] = set()
    for position, amount in enumerate(holds.overdue_amounts_above):
        field = f"/rules/holds/overdue_amounts_above/{position}"
        if amount.minor < 0:
            yield Refused(f"An amount is zero or more, not {amount}.", field=field)
        if amount.currency in seen:
            yield ContradictoryPolicy(
                "amount-named-twice", f"There is an amount in {amount.currency} already.", field=field
            )
        seen.add(amount.currency)


def _faults_together(limits: Sequence[PolicyLimit], rules: PolicyRules) -> Iterator[Refused]:
    """Where a limit that the policy gives by itself, to whoever it concerns, would take two persons if one asked for
    it."""
    for position, limit in enumerate(entry.limit for entry in limits):
        for each in rules.approvals:
            if each.approvers == 2 and each.above.currency == limit.currency and limit.minor > each.above.minor:
                yield ContradictoryPolicy(
                    "given-above-two-persons",
                    f"{limit} is given to everybody it concerns, and above {each.above} it takes two to approve it.",
                    field=f"/limits/{position}",
                )


def _faults_of_approvals(approvals: Sequence[Approval]) -> Iterator[Refused]:
    for position, each in enumerate(approvals):
        field = f"/rules/approvals/{position}"
        if each.above.minor < 0:
            yield Refused(f"A threshold is zero or more, not {each.above}.", field=f"{field}/above")
        for other in approvals[:position]:
            if other.above.currency != each.above.currency:
                continue
            if other.above == each.above:
                yield ContradictoryPolicy(
                    "threshold-named-twice", f"There is a rule for {each.above} already.", field=field
                )
                continue
            higher, lower = (each, other) if each.above.minor > other.above.minor else (other, each)
            if higher.approvers <= lower.approvers:
                yield ContradictoryPolicy(
                    "more-takes-no-more",
                    f"Above {higher.above} it takes {higher.approvers}, no more than above {lower.above}.",
                    field=field,
                )


def _faults_of_classes(rules: PolicyRules) -> Iterator[Refused]:
    """A worse class never gets more than a better one; who pays everything in advance is given no time to pay."""
    missing = [name for name in CLASSES if name not in rules.classes]
    if missing:
        yield ContradictoryPolicy("class-left-out", f"Class {missing[0]} gets nothing said.", field="/rules/classes")
        return
    ranked = [(name, rules.classes[name]) for name in CLASSES]
    for (better, first), (worse, second) in pairwise(ranked):
        for what, more in (
            ("limit_percent", second.limit_percent > first.limit_percent),
            ("net_worth_percent", second.net_worth_percent > first.net_worth_percent),
            ("net_days_max", second.net_days_max > first.net_days_max),
            ("prepaid_percent", second.prepaid_percent < first.prepaid_percent),
            ("deposit_percent", second.deposit_percent < first.deposit_percent and second.limit_percent > 0),
        ):
            if more:
                yield ContradictoryPolicy(
                    "worse-class-gets-more",
                    f"Class {worse} gets more than class {better}.",
                    field=f"/rules/classes/{worse}/{what}",
                )
    for name, terms in ranked:
        if terms.prepaid_percent == 100 and (terms.net_days_max or terms.limit_percent):
            what = "net_days_max" if terms.net_days_max else "limit_percent"
            yield ContradictoryPolicy(
                "prepaid-and-owed",
                f"Class {name} pays everything in advance, and may owe something.",
                field=f"/rules/classes/{name}/{what}",
            )


def _faults_of_terms(rules: PolicyRules) -> Iterator[Refused]:
    """A deposit of a limit that there is none of; terms that are to move by themselves, and never could."""
    for name, each in rules.classes.items():
        if each.deposit_percent and not each.limit_percent:
            yield ContradictoryPolicy(
                "deposit-of-nothing",
                f"Class {name} may owe nothing, and is to give a share of that as a deposit.",
                field=f"/rules/classes/{name}/deposit_percent",
            )
    terms = rules.terms
    if terms.then != "apply":
        return
    if terms.least_days > max(terms.longer_days_max, terms.shorter_days_max) and terms.least_points > terms.points_max:
        yield ContradictoryPolicy(
            "applies-nothing",
            "Terms are to take effect by themselves, and the least change is beyond the largest.",
            field="/rules/terms/then",
        )
