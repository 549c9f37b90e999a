"""The pages of customers, gathered from the other features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.assessments.rules import Assessment
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.decisions import handlers as decisions
from services.credit.decisions.rules import Decision
from services.credit.desk_customers import rules, store
from services.credit.desk_customers.rules import Bars, Curve, Found, InputRow, Search
from services.credit.drifts import handlers as drifts
from services.credit.drifts.rules import Drift, DriftUnknown
from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import Breakdown
from services.credit.holds import handlers as holds
from services.credit.holds.rules import Hold
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limit_requests.rules import LimitRequest
from services.credit.limits import handlers as limits
from services.credit.limits import rules as standing
from services.credit.limits.rules import Account, Reason
from services.credit.recommendations import handlers as recommendations
from services.credit.recommendations.rules import Recommendation, TermsInForce
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import Wanted
from services.credit.reviews.rules import Review
from services.credit.sellers import handlers as sellers
from services.credit.sellers.rules import Assigned
from services.credit.term_requests import handlers as term_requests
from services.credit.term_requests.rules import TermRequest
from services.credit.vetting import handlers as vetting
from shared.calendar import local_date
from shared.db import Tx
from shared.money import Money

SHOWN_MAX = 50
DECISIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """`owed` counts against the limit, `available` is what is left of it."""

    found: Found
    owed: Money
    available: Money


@dataclass(frozen=True, slots=True)
class CustomerList:
    rows: Sequence[Row]
    segments: Sequence[str]
    more: tuple[str, UUID] | None


async def list_customers(tx: Tx, wanted: Search, after: tuple[str, UUID] | None) -> CustomerList:
    """Fifty at a time, by name."""
    found = await store.search(tx, wanted, after, SHOWN_MAX + 1)
    shown, today = found[:SHOWN_MAX], local_date(tx.now, "UTC")
    known = await exposure.facts_of(tx, [each.id for each in shown], today)
    rows = []
    for each in shown:
        facts = known[each.id]
        rates = standing.usable_rates(facts, standing.rules_of(facts.policy_rules), today)
        owed = facts.exposure.against(each.limit.currency, rates).total
        rows.append(Row(each, owed, each.limit - owed))
    more = (shown[-1].name, shown[-1].id) if len(found) > SHOWN_MAX else None
    return CustomerList(rows, await store.segments(tx), more)


@dataclass(frozen=True, slots=True)
class GroupShown:
    """The group that the customer belongs to, by the company at its top."""

    top_id: UUID
    name: str
    limit: Money
    exposure: Breakdown

    @property
    def available(self) -> Money:
        return self.limit - self.exposure.total


@dataclass(frozen=True, slots=True)
class CreditFile:
    """All that a person wants to know before deciding about a customer."""

    customer: Customer
    today: date
    account: Account
    exposure: Breakdown
    rates_on: date | None
    reasons: Sequence[Reason]
    bars: Bars
    group: GroupShown | None
    parent: Customer | None
    assessment: Assessment | None
    recommendation: Recommendation
    terms: TermsInForce
    inputs: Sequence[InputRow]
    holds: Sequence[Hold]
    past_holds: Sequence[Hold]
    requests: Sequence[LimitRequest]
    term_requests: Sequence[TermRequest]
    reviews: Sequence[Review]
    decisions: Sequence[Decision]
    drift: Drift | None
    curve: Curve | None
    seller: Assigned

    @property
    def available(self) -> Money:
        return self.account.limit - self.exposure.total


async def draw_file(tx: Tx, customer_id: UUID) -> CreditFile:
    """Raises CustomerNotFound."""
    today = local_date(tx.now, "UTC")
    customer = await customers.get_customer(tx, customer_id)
    account, facts = await limits.standing(tx, customer_id, today)
    rates = standing.usable_rates(facts, standing.rules_of(facts.policy_rules), today)
    owed = facts.exposure.against(account.limit.currency, rates)
    concerned = await _concerned(tx, [customer.particulars.parent_id, facts.group.top_id if facts.group else None])
    made = await assessments.list_assessments(tx, customer_id, None, 1)
    kept, passed = await vetting.list_inputs(tx, customer_id, None, SHOWN_MAX)
    placed = await holds.list_holds(tx, customer_id, None, SHOWN_MAX)
    drift, curve = await _drift(tx, customer_id)
    return CreditFile(
        customer=customer,
        today=today,
        account=account,
        exposure=owed,
        rates_on=rates.on if rates and facts.exposure.currencies - {account.limit.currency} else None,
        reasons=standing.reasons(account, facts, rates),
        bars=rules.bars_of(owed, account.limit),
        group=GroupShown(
            group.top_id,
            concerned[group.top_id].particulars.name,
            group.limit,
            group.exposure.against(group.limit.currency, rates),
        )
        if (group := facts.group)
        else None,
        parent=concerned.get(customer.particulars.parent_id) if customer.particulars.parent_id else None,
        assessment=made[0] if made else None,
        recommendation=await recommendations.recommend_limit(tx, customer_id),
        terms=await recommendations.terms_in_force(tx, customer_id),
        inputs=rules.input_rows(kept, passed, today),
        holds=[each for each in placed if each.released_at is None],
        past_holds=[each for each in placed if each.released_at is not None],
        requests=await limit_requests.list_requests(tx, "waiting", customer_id, None, SHOWN_MAX),
        term_requests=await term_requests.list_requests(tx, "waiting", customer_id, None, SHOWN_MAX),
        reviews=await reviews.list_reviews(tx, Wanted("open", customer_id), None, SHOWN_MAX),
        decisions=await decisions.list_decisions(tx, customer_id, None, DECISIONS_SHOWN),
        drift=drift,
        curve=curve,
        seller=await sellers.seller_of(tx, customer_id),
    )


async def _concerned(tx: Tx, customer_ids: Sequence[UUID | None]) -> Mapping[UUID, Customer]:
    wanted = {each for each in customer_ids if each}
    return await customers.customers_of(tx, wanted) if wanted else {}


async def _drift(tx: Tx, customer_id: UUID) -> tuple[Drift | None, Curve | None]:
    try:
        found, chart = await drifts.chart(tx, customer_id)
    except DriftUnknown:
        return None, None
    return found, rules.curve_of(chart)
