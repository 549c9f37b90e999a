"""What a policy or a scorecard would have made of the past: decisions again from their own inputs, and limits now.

Each decision is judged on the exposure there was when it was asked for: that an earlier order would have been declined,
and its invoice not been owed, changes nothing later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from services.credit.assessments import rules as assessments
from services.credit.assessments.rules import Material
from services.credit.decisions import rules as decisions
from services.credit.decisions.rules import Decision, Inputs, Judgement, Verdict
from services.credit.exposure.rules import InvoiceOutcome
from services.credit.limits.rules import Account
from services.credit.policy_rules.rules import Policy, RiskClass
from services.credit.rates.rules import Rates
from services.credit.recommendations.rules import Recommendation, recommend
from services.credit.scorecards.rules import Scorecard
from services.credit.terms.rules import Terms
from services.credit.vetting.rules import FinancialStatement
from shared.errors import Refused
from shared.money import Money

DECISIONS_MAX = 100_000
DAYS_MAX = 1_100
LISTED_MAX = 200

ASSUMPTIONS = (
    "Each decision is judged on what was owed and reserved when it was asked for, whatever became of earlier ones.",
    "A limit that was the policy's at the time becomes the proposed one's; limits set by hand or raised stay.",
    "By class, terms are held against those that customers have today, whoever set them.",
    "The segment is the customer's of today; the risk class that of the newest assessment before the decision.",
    "Holds, closed customers, overrides and groups' limits stay as they were.",
    "An invoice is refused where a decision that names its number or its order is declined.",
)

What = Literal["approved", "referred", "declined", "loss", "sale", "undecided"]
"""Decisions by their outcome; refused invoices by what became of them: written off, paid in full, or neither yet."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`policy` is what is tried, `kept` its rules as decisions keep them. By class, a limit is the one recommended by
    the customer's risk class, which `scorecard` says where there is one; else it is the policy's for segment and
    currency."""

    title: str
    policy: Policy
    kept: Mapping[str, Any]
    scorecard: Scorecard | None = None
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class Rated:
    """An assessment as far as it matters here; `material` only where a proposal needs it."""

    at: datetime
    id: UUID
    risk_class: RiskClass
    material: Material | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What figures are told apart by; the class is None where the customer was not assessed by then."""

    segment: str
    risk_class: RiskClass | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision under a proposal."""

    decision: Decision
    limit: Money
    judgement: Judgement
    group: Group


Figures = Counter[tuple[What, Group, str, Literal["count", "minor"]]]
"""How many, and of which amount by currency, in each group."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A customer of whom some decisions come out otherwise: how many, by before and after; and the last limit."""

    customer_id: UUID
    moves: tuple[tuple[Verdict, Verdict, int], ...]
    limit_before: Money
    limit_after: Money

    @property
    def decisions(self) -> int:
        return sum(count for _, _, count in self.moves)


def check_period(since: date, until: date, today: date) -> None:
    """Both days are included and over. Raises Refused."""
    if until < since:
        raise Refused(f"{until} is before {since}.", field="/to")
    if until >= today:
        raise Refused(f"The past ends yesterday, so {until} is too late.", field="/to")
    if (until - since).days >= DAYS_MAX:
        raise Refused(f"A period is {DAYS_MAX} days at most.", field="/from")


def newest_before(rated: Sequence[Rated], moment: datetime) -> Rated | None:
    """Of one customer's assessments, the oldest first."""
    place = bisect_right(rated, moment, key=lambda each: each.at)
    return rated[place - 1] if place else None


def rated_under(proposal: Proposal, rated: Rated | None) -> Rated | None:
    """The same assessment by the proposal's scorecard, where it has one."""
    if rated is None or rated.material is None or proposal.scorecard is None:
        return rated
    return replace(rated, risk_class=assessments.assess(rated.material, proposal.scorecard).score.risk_class)


def limit_given(proposal: Proposal, segment: str, currency: str, rated: Rated | None, rates: Rates | None) -> Money:
    """The base of a limit that nobody set by hand."""
    advice = _advice(proposal, segment, currency, rated, rates)
    return (advice.limit if advice else None) or _by_policy(proposal, segment, currency)


def _by_policy(proposal: Proposal, segment: str, currency: str) -> Money:
    return proposal.policy.limit_for(segment, currency) or Money.zero(currency)


def _advice(
    proposal: Proposal, segment: str, currency: str, rated: Rated | None, rates: Rates | None
) -> Recommendation | None:
    if not proposal.by_class or rated is None:
        return None
    statements = [each.particulars for each in rated.material.inputs] if rated.material else []
    net_worth = next((each.equity for each in statements if isinstance(each, FinancialStatement)), None)
    terms = proposal.policy.rules.classes[rated.risk_class]
    return recommend(rated.risk_class, terms, _by_policy(proposal, segment, currency), net_worth, rates)


def judge(proposal: Proposal, decision: Decision, was: Policy | None, segment: str, rated: Rated | None) -> Judged:
    """A decision again. `was` is the policy it was made under: a limit that was not this policy's is left as it was.
    `rated` is the customer under the proposal."""
    inputs, limit = _inputs(decision), decision.limit
    if was is not None and limit == (was.limit_for(segment, limit.currency) or Money.zero(limit.currency)):
        limit = limit_given(proposal, segment, limit.currency, rated, inputs.facts.rates)
    facts = replace(inputs.facts, policy_rules=proposal.kept)
    judgement = decisions.judge(replace(inputs, limit=limit, facts=facts), decision.decided_at)
    return Judged(decision, limit, judgement, _group(segment, rated))


def as_decided(decision: Decision, segment: str, rated: Rated | None) -> Judged:
    judgement = Judgement(decision.outcome, decision.reasons, decision.available)
    return Judged(decision, decision.limit, judgement, _group(segment, rated))


def _group(segment: str, rated: Rated | None) -> Group:
    return Group(segment, rated.risk_class if rated else None)


def count(judged: Iterable[Judged], invoices: Mapping[tuple[UUID, str], Sequence[InvoiceOutcome]]) -> Figures:
    """Of some customers, all their decisions: an invoice counts once, however many decisions it had. `invoices` are by
    customer and the names that decisions know them by."""
    figures: Figures = Counter()
    refused: dict[UUID, tuple[InvoiceOutcome, Group]] = {}
    for each in judged:
        requested = each.decision.requested
        _add(figures, each.judgement.outcome, each.group, requested)
        if each.judgement.outcome == "declined":
            for name in _inputs(each.decision).question.names:
                for invoice in invoices.get((each.decision.customer_id, name), ()):
                    refused.setdefault(invoice.invoice_id, (invoice, each.group))
    for invoice, group in refused.values():
        if invoice.is_loss:
            _add(figures, "loss", group, invoice.written_off)
        else:
            _add(figures, "sale" if invoice.is_paid else "undecided", group, invoice.total)
    return figures


def _add(figures: Figures, what: What, group: Group, amount: Money) -> None:
    figures[what, group, amount.currency, "count"] += 1
    figures[what, group, amount.currency, "minor"] += amount.minor


def total(figures: Figures, what: What) -> int:
    return sum(n for (kind, _, _, unit), n in figures.items() if kind == what and unit == "count")


def amounts(figures: Figures, what: What) -> tuple[Money, ...]:
    """By currency."""
    sums: Counter[str] = Counter()
    for (kind, _, currency, unit), n in figures.items():
        if kind == what and unit == "minor":
            sums[currency] += n
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))


def by_segment(figures: Figures) -> dict[str, Figures]:
    return _split(figures, lambda group: group.segment)


def by_class(figures: Figures) -> dict[str, Figures]:
    """`none` for who was not assessed."""
    return _split(figures, lambda group: group.risk_class or "none")


def _split(figures: Figures, name: Any) -> dict[str, Figures]:
    parts: dict[str, Figures] = {}
    for key, n in figures.items():
        parts.setdefault(name(key[1]), Counter())[key] += n
    return dict(sorted(parts.items()))


def changed(judged: Sequence[Judged]) -> list[Changed]:
    """Of some customers' decisions, in their order."""
    moves: dict[UUID, Counter[tuple[Verdict, Verdict]]] = {}
    last: dict[UUID, Judged] = {}
    for each in judged:
        before, after = each.decision.outcome, each.judgement.outcome
        if before != after:
            moves.setdefault(each.decision.customer_id, Counter())[before, after] += 1
            last[each.decision.customer_id] = each
    return [
        Changed(
            customer_id,
            tuple((before, after, n) for (before, after), n in sorted(counted.items())),
            last[customer_id].decision.limit,
            last[customer_id].limit,
        )
        for customer_id, counted in moves.items()
    ]


def most_changed(found: Iterable[Changed]) -> list[Changed]:
    """Those of whom most decisions change, first."""
    return sorted(found, key=lambda each: (-each.decisions, each.customer_id))[:LISTED_MAX]


def limit_in_the_book(
    account: Account, proposal: Proposal, rated: Rated | None, rates: Rates | None, today: date
) -> Money:
    """What an account's limit would be today: its additions stay, and what a person set."""
    if account.source == "manual" and not (account.valid_until and account.valid_until < today):
        return account.limit
    limit = limit_given(proposal, account.segment, account.limit.currency, rated, rates)
    for addition in account.additions:
        if addition.counts_on(today):
            limit += addition.counted
    return limit


TermsMove = Literal["longer", "shorter", "more_prepaid", "less_prepaid", "more_deposit", "less_deposit"]
"""How a customer's terms would be others: more or fewer days to pay, of each order paid in advance, asked as a deposit.
"""


def terms_moves(
    proposal: Proposal, account: Account, has: Terms, rated: Rated | None, rates: Rates | None
) -> tuple[TermsMove, ...]:
    """Of an account under a proposal by class; none for who was not assessed."""
    advice = _advice(proposal, account.segment, account.limit.currency, rated, rates)
    gets = advice.customer_terms if advice else None
    if gets is None:
        return ()
    deposits = [
        each.minor if each and each.currency == account.limit.currency else 0 for each in (has.deposit, gets.deposit)
    ]
    compared: tuple[tuple[int, int, TermsMove, TermsMove], ...] = (
        (has.net_days, gets.net_days, "longer", "shorter"),
        (has.prepaid_percent, gets.prepaid_percent, "more_prepaid", "less_prepaid"),
        (deposits[0], deposits[1], "more_deposit", "less_deposit"),
    )
    return tuple(up if after > before else down for before, after, up, down in compared if after != before)


@dataclass(frozen=True, slots=True)
class Book:
    """All accounts as they would stand today: sums of the limits by currency, and how many go up, go down, and owe
    more than they may; `classes` has how many customers each class would have, `terms` of how many the terms would be
    others, by how."""

    accounts: int = 0
    limits: tuple[tuple[str, int], ...] = ()
    raised: int = 0
    lowered: int = 0
    over_limit: int = 0
    classes: tuple[tuple[str, int], ...] = ()
    terms: tuple[tuple[TermsMove, int], ...] = ()

    def __add__(self, other: Book) -> Book:
        return Book(
            self.accounts + other.accounts,
            _summed(self.limits, other.limits),
            self.raised + other.raised,
            self.lowered + other.lowered,
            self.over_limit + other.over_limit,
            _summed(self.classes, other.classes),
            _summed(self.terms, other.terms),
        )


Name = TypeVar("Name", bound=str)


def _summed(one: Iterable[tuple[Name, int]], other: Iterable[tuple[Name, int]]) -> tuple[tuple[Name, int], ...]:
    sums = Counter(dict(one))
    sums.update(dict(other))  # Unlike `+` this keeps what is zero.
    return tuple(sorted(sums.items()))


def book_of(account: Account, limit: Money, owed: Money, rated: Rated | None, moves: Sequence[TermsMove] = ()) -> Book:
    """One account of it; `owed` is what counts against the limit."""
    return Book(
        accounts=1,
        limits=((limit.currency, limit.minor),),
        raised=int(limit.minor > account.limit.minor),
        lowered=int(limit.minor < account.limit.minor),
        over_limit=int(owed.minor > limit.minor),
        classes=((rated.risk_class if rated else "none", 1),),
        terms=tuple((each, 1) for each in moves),
    )


def _inputs(decision: Decision) -> Inputs:
    if decision.inputs is None:
        raise decisions.NoInputsKept(f"Decision {decision.id} was made before all inputs were kept.")
    return decision.inputs
