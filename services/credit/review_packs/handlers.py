"""Gather a review pack, and print it. Nothing is written: the caller's transaction is read-only."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import typst

from services.credit.assessments import handlers as assessments
from services.credit.decisions import handlers as decisions
from services.credit.decisions.rules import Decision, Verdict
from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import InvoiceOutcome
from services.credit.limits import handlers as limits
from services.credit.limits.handlers import PolicyInForce
from services.credit.policies import rules as policies
from services.credit.policies.rules import Change
from services.credit.policy_rules.rules import RiskClass
from services.credit.review_days.handlers import review_days
from services.credit.review_packs import rules, store
from services.credit.review_packs.rules import Became, Named, Overridden, PolicyOutcome, ScorecardOutcome
from services.credit.scorecards import handlers as scorecards
from shared.calendar import ONE_DAY, local_date
from shared.db import Tx
from shared.errors import Refused

CUSTOMERS_AT_ONCE = 50
DECISIONS_MAX = 500_000
_FIRST = UUID(int=0)
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class ReviewPack:
    """`changes` are those of the policy within the period; `policy` is the one in force, whose outcomes are to be
    looked at next on `review_on`."""

    since: date
    until: date
    made_on: date
    policy: PolicyInForce
    review_on: date | None
    changes: tuple[tuple[PolicyInForce, tuple[Change, ...]], ...]
    outcome: PolicyOutcome
    scorecard: ScorecardOutcome


async def gather(tx: Tx, scorecard: str, since: date, until: date) -> ReviewPack:
    """Raises Refused for a period that cannot be looked at, and ScorecardNotFound."""
    today = local_date(tx.now, "UTC")
    rules.check_period(since, until, today)
    card = (await scorecards.find_scorecard(tx, scorecard)).scorecard
    first, last = _midnight(since), _midnight(until + ONE_DAY)
    count, _ = await decisions.count_between(tx, first, last)
    if count > DECISIONS_MAX:
        raise Refused(
            f"{count} decisions were made in this time; {DECISIONS_MAX} can be looked at at once.", field="/from"
        )
    versions, observed = await store.observed(tx, scorecard, since, until, today)
    policy, days = await limits.policy_in_force(tx), await review_days(tx)
    review_on = days.of_scorecard(scorecard, card.review_on)
    return ReviewPack(
        since=since,
        until=until,
        made_on=today,
        policy=policy,
        review_on=days.of_policy(policy.policy.review_on),
        changes=await _changes(tx, first, last),
        outcome=await _outcome(tx, first, last),
        scorecard=rules.scorecard_outcome(scorecard, versions, card.owner, review_on, observed, today),
    )


async def _changes(tx: Tx, since: datetime, until: datetime) -> tuple[tuple[PolicyInForce, tuple[Change, ...]], ...]:
    """The newest first."""
    found, later = [], None
    before: int | None = None
    while True:
        versions = await limits.list_policies(tx, before, CUSTOMERS_AT_ONCE)
        for each in versions:
            if later and later.changed_at and since <= later.changed_at < until:
                found.append((later, policies.changes(each.policy, later.policy)))
            later, before = each, each.policy.version
        if not versions or (later and later.changed_at and later.changed_at < since):
            return tuple(found)


async def _outcome(tx: Tx, since: datetime, until: datetime) -> PolicyOutcome:
    outcomes: Counter[Verdict] = Counter()
    reasons: Counter[str] = Counter()
    named: list[Named] = []
    after = _FIRST
    while customers := await decisions.asked_about(tx, after, since, until, CUSTOMERS_AT_ONCE):
        after = customers[-1]
        made = await decisions.between(tx, customers, since, until)
        told, why = rules.counted(made)
        outcomes.update(told)
        reasons.update(why)
        named += _named(made, await _invoices(tx, customers), await _classes(tx, customers, until))
        await asyncio.sleep(0)  # Others' requests get their turn.
    overridden = await _overridden(tx, since, until)
    fates: Counter[Became] = Counter(each.became for each in overridden)
    return PolicyOutcome(
        decisions=tuple(sorted(outcomes.items())),
        reasons=tuple(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        overrides=tuple(sorted(fates.items())),
        overridden=tuple(overridden[: rules.OVERRIDES_LISTED_MAX]),
        sold=rules.sold(named),
    )


Invoices = Mapping[tuple[UUID, str], Sequence[InvoiceOutcome]]
Classes = Mapping[UUID, Sequence[tuple[datetime, RiskClass]]]


def _named(made: Sequence[Decision], invoices: Invoices, classes: Classes) -> list[Named]:
    """Each invoice once, with the last of its decisions."""
    last: dict[UUID, Named] = {}
    for each in made:
        names = each.inputs.question.names if each.inputs else ()
        known = classes.get(each.customer_id, ())
        place = bisect_right(known, each.decided_at, key=lambda one: one[0])
        for name in names:
            for invoice in invoices.get((each.customer_id, name), ()):
                last[invoice.invoice_id] = Named(invoice, each, known[place - 1][1] if place else None)
    return list(last.values())


async def _invoices(tx: Tx, customers: Sequence[UUID]) -> Invoices:
    known: dict[tuple[UUID, str], list[InvoiceOutcome]] = defaultdict(list)
    for invoice in await exposure.outcomes_of(tx, customers):
        for name in dict.fromkeys(invoice.names):
            known[invoice.customer_id, name].append(invoice)
    return known


async def _classes(tx: Tx, customers: Sequence[UUID], until: datetime) -> Classes:
    known: dict[UUID, list[tuple[datetime, RiskClass]]] = defaultdict(list)
    for customer_id, at, _, risk_class in await assessments.classes_until(tx, customers, until):
        known[customer_id].append((at, risk_class))
    return known


async def _overridden(tx: Tx, since: datetime, until: datetime) -> list[Overridden]:
    found = await store.overrides(tx, since, until)
    invoices = await _invoices(tx, sorted({customer_id for _, customer_id, *_ in found}))
    overridden = []
    for decision_id, customer_id, reference, amount, reason, by, at, declined_for in found:
        how, lost = rules.became(invoices.get((customer_id, reference), ()))
        overridden.append(
            Overridden(decision_id, customer_id, reference, amount, reason, by, at, declined_for, how, lost)
        )
    return overridden


def print_pack(view: Mapping[str, Any], made_on: date) -> bytes:
    """A PDF/A-3b of a pack as it is shown over HTTP. It takes some hundredths of a second of processor time, so doors
    call it by `asyncio.to_thread`."""
    pdf = typst.compile(
        _TEMPLATES / "review_pack.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"data": orjson.dumps(view).decode()},
        pdf_standards=["a-3b"],
        timestamp=datetime.combine(made_on, time(), UTC),
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """The typefaces that come with typst; the system's only help out with characters those do not have."""
    return typst.Fonts(include_system_fonts=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
