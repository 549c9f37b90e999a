"""Try policies on the past, some customers at a time. Nothing is written: the caller's transaction is read-only."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.customers import handlers as customers
from services.credit.decisions import handlers as decisions
from services.credit.decisions.rules import Decision
from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import Facts, InvoiceOutcome
from services.credit.limits import handlers as limits
from services.credit.limits.rules import (
    Account,
    rules_of,
    usable_rates,
)
from services.credit.policy_rules import rules as policy_rules
from services.credit.policy_rules.rules import Policy, PolicyLimit, PolicyNotFound, PolicyRules
from services.credit.scorecards import handlers as scorecards
from services.credit.scorecards import rules as documents
from services.credit.terms.rules import Terms
from services.credit.what_ifs import rules
from services.credit.what_ifs.rules import Book, Changed, Figures, Judged, Proposal, Rated
from shared.calendar import ONE_DAY, local_date
from shared.db import Tx
from shared.errors import Refused

CUSTOMERS_AT_ONCE = 50
ACCOUNTS_AT_ONCE = 500
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried: limits and rules that nobody published, or a version; neither: the policy in force."""

    title: str
    limits: tuple[PolicyLimit, ...] | None = None
    rules: PolicyRules | None = None
    version: int | None = None
    scorecard: str | None = None
    scorecard_document: str | None = None
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class WhatIf:
    wanted: tuple[Wanted, ...]
    since: date
    until: date


@dataclass
class Side:
    """What came of one policy. The first side is what was decided, the book as it stands; it changes nobody."""

    title: str
    proposal: Proposal | None
    figures: Figures = field(default_factory=Counter)
    changed: list[Changed] = field(default_factory=list)
    changed_customers: int = 0
    book: Book = field(default_factory=Book)


@dataclass(frozen=True, slots=True)
class Hindsight:
    since: date
    until: date
    decisions: int
    without_inputs: int
    sides: tuple[Side, ...]


async def what_if(tx: Tx, command: WhatIf) -> Hindsight:
    """Decide everything of a period again, and look at the book as it would be. Raises Refused and ContradictoryPolicy
    with the place in the request, PolicyNotFound, ScorecardNotFound, InvalidScorecard."""
    today = local_date(tx.now, "UTC")
    rules.check_period(command.since, command.until, today)
    since, until = _midnight(command.since), _midnight(command.until + ONE_DAY)
    count, without_inputs = await decisions.count_between(tx, since, until)
    if count > rules.DECISIONS_MAX:
        raise Refused(
            f"{count} decisions were made in this time; {rules.DECISIONS_MAX} can be made again at once.", field="/from"
        )
    proposals = [await _proposal(tx, each, f"/proposals/{n}") for n, each in enumerate(command.wanted)]
    sides = (Side("as it was decided", None), *(Side(proposal.title, proposal) for proposal in proposals))
    await _decide_again(tx, sides, since, until)
    await _look_at_the_book(tx, sides, today)
    return Hindsight(command.since, command.until, count, without_inputs, sides)


async def _proposal(tx: Tx, wanted: Wanted, place: str) -> Proposal:
    policy = (await limits.policy_in_force(tx)).policy
    if wanted.version is not None:
        policy = (await limits.get_policy(tx, wanted.version)).policy
    elif wanted.limits is not None or wanted.rules is not None:
        policy = policy_rules.amended(policy, wanted.limits or policy.limits, wanted.rules, None, None)
        try:
            policy_rules.check(policy.limits, policy.rules)
        except Refused as fault:
            fault.field = f"{place}/policy{fault.field or ''}"
            raise
    scorecard = None
    if wanted.scorecard_document is not None:
        scorecard = documents.parse(wanted.scorecard_document)
    elif wanted.scorecard is not None:
        scorecard = (await scorecards.find_scorecard(tx, wanted.scorecard)).scorecard
    kept = policy.rules.model_dump(mode="json", exclude_defaults=True)
    return Proposal(wanted.title, policy, kept, scorecard, wanted.by_class)


def _needs_material(sides: Sequence[Side]) -> bool:
    return any(side.proposal and (side.proposal.scorecard or side.proposal.by_class) for side in sides)


async def _decide_again(tx: Tx, sides: Sequence[Side], since: datetime, until: datetime) -> None:
    policies: dict[int, Policy | None] = {}
    after = _FIRST
    while customers := await decisions.asked_about(tx, after, since, until, CUSTOMERS_AT_ONCE):
        after = customers[-1]
        accounts = await limits.accounts_of(tx, customers)
        rated = await _rated(tx, customers, until)
        made = await decisions.between(tx, customers, since, until)
        for each in made:
            version = each.inputs.facts.policy_version if each.inputs else 0
            if version not in policies:
                policies[version] = await _policy(tx, version)
        concerned = [(each, rules.newest_before(rated[each.customer_id], each.decided_at)) for each in made]
        if _needs_material(sides):
            concerned = await _with_material(tx, concerned)
        invoices = await _invoices(tx, customers)
        for side in sides:
            judged = _judged(side.proposal, concerned, accounts, policies)
            side.figures.update(rules.count(judged, invoices))
            found = rules.changed(judged)
            side.changed_customers += len(found)
            side.changed = rules.most_changed([*side.changed, *found])
            await asyncio.sleep(0)  # Others' requests get their turn.


def _judged(
    proposal: Proposal | None,
    concerned: Sequence[tuple[Decision, Rated | None]],
    accounts: Mapping[UUID, Account],
    policies: Mapping[int, Policy | None],
) -> list[Judged]:
    judged = []
    under: dict[UUID, Rated | None] = {}
    for decision, rated in concerned:
        segment = accounts[decision.customer_id].segment
        if proposal is None:
            judged.append(rules.as_decided(decision, segment, rated))
            continue
        if rated and rated.id not in under:  # An assessment stands behind many decisions.
            under[rated.id] = rules.rated_under(proposal, rated)
        assert decision.inputs
        was = policies[decision.inputs.facts.policy_version]
        judged.append(rules.judge(proposal, decision, was, segment, under[rated.id] if rated else None))
    return judged


async def _policy(tx: Tx, version: int) -> Policy | None:
    try:
        return (await limits.get_policy(tx, version)).policy
    except PolicyNotFound:
        return None


async def _rated(tx: Tx, customers: Sequence[UUID], until: datetime) -> Mapping[UUID, Sequence[Rated]]:
    rated: dict[UUID, list[Rated]] = defaultdict(list)
    for customer_id, at, id, risk_class in await assessments.classes_until(tx, customers, until):
        rated[customer_id].append(Rated(at, id, risk_class))
    return rated


async def _with_material(
    tx: Tx, concerned: Sequence[tuple[Decision, Rated | None]]
) -> list[tuple[Decision, Rated | None]]:
    materials = await assessments.materials_of(tx, {rated.id for _, rated in concerned if rated})
    return [
        (decision, replace(rated, material=materials[rated.id]) if rated else None) for decision, rated in concerned
    ]


async def _invoices(tx: Tx, customers: Sequence[UUID]) -> Mapping[tuple[UUID, str], Sequence[InvoiceOutcome]]:
    known: dict[tuple[UUID, str], list[InvoiceOutcome]] = defaultdict(list)
    for invoice in await exposure.outcomes_of(tx, customers):
        for name in dict.fromkeys(invoice.names):
            known[invoice.customer_id, name].append(invoice)
    return known


async def _look_at_the_book(tx: Tx, sides: Sequence[Side], today: date) -> None:
    after = _FIRST
    by_class = any(side.proposal and side.proposal.by_class for side in sides)
    while accounts := await limits.accounts_after(tx, after, ACCOUNTS_AT_ONCE):
        after = accounts[-1].customer_id
        concerned = [account.customer_id for account in accounts]
        standings = await assessments.latest_of(tx, concerned)
        wanted = {each.assessment_id for each in standings.values()} if _needs_material(sides) else ()
        materials = await assessments.materials_of(tx, wanted)
        facts = await exposure.facts_of(tx, concerned, today)
        known = await customers.customers_of(tx, concerned) if by_class else {}
        for account in accounts:
            rated, customer = None, known.get(account.customer_id)
            if standing := standings.get(account.customer_id):
                material = materials.get(standing.assessment_id)
                rated = Rated(tx.now, standing.assessment_id, standing.risk_class, material)
            terms = customer.particulars.terms if customer else None
            for side in sides:
                side.book += _account_of(side.proposal, account, terms, facts[account.customer_id], rated, today)
        await asyncio.sleep(0)


def _account_of(
    proposal: Proposal | None, account: Account, terms: Terms | None, facts: Facts, rated: Rated | None, today: date
) -> Book:
    if proposal is None:
        rates = usable_rates(facts, rules_of(facts.policy_rules), today)
        return rules.book_of(account, account.limit, facts.exposure.against(account.limit.currency, rates).total, rated)
    rates = usable_rates(facts, proposal.policy.rules, today)
    rated = rules.rated_under(proposal, rated)
    limit = rules.limit_in_the_book(account, proposal, rated, rates, today)
    moves = rules.terms_moves(proposal, account, terms, rated, rates) if terms else ()
    return rules.book_of(account, limit, facts.exposure.against(limit.currency, rates).total, rated, moves)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
