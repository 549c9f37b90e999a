"""The pages of duplicates and mergers, gathered from the other features. Nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.assessments.rules import Standing
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.desk_mergers.rules import NoSuchNumber
from services.credit.duplicates import handlers as duplicates
from services.credit.duplicates.rules import Likeness, Suspect
from services.credit.exposure.rules import Breakdown, Facts
from services.credit.groups import handlers as groups
from services.credit.groups.rules import GroupNotFound
from services.credit.holds import handlers as holds
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, rules_of, usable_rates
from services.credit.mergers import rules as mergers
from services.credit.reservations import handlers as reservations
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import Wanted
from services.credit.term_requests import handlers as term_requests
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import DomainError
from shared.money import Money

COUNTED_MAX = 100


@dataclass(frozen=True, slots=True)
class Suspected:
    customer: Customer
    suspects: Sequence[Suspect]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, with all that a merger would move or end; counts stop at a hundred."""

    customer: Customer
    account: Account
    facts: Facts
    exposure: Breakdown
    standing: Standing | None
    holds: int
    reserved: int
    blocked: int
    requests: int
    term_requests: int
    reviews: int

    @property
    def open_invoices(self) -> int:
        return sum(each.open_invoices for each in self.exposure.components)


@dataclass(frozen=True, slots=True)
class Direction:
    """`closes` goes on as `goes_on`, whose headroom would be `headroom`; `refused` is why it cannot."""

    closes: Side
    goes_on: Side
    headroom: Money
    refused: str | None


@dataclass(frozen=True, slots=True)
class MergerShown:
    customer: Customer
    reasons: Sequence[Likeness]
    directions: tuple[Direction, Direction]


async def draw_suspects(tx: Tx, customer_id: UUID) -> Suspected:
    """Raises CustomerNotFound, and UnknownCompany for one that is closed."""
    customer = await customers.get_customer(tx, customer_id)
    return Suspected(customer, await duplicates.suspect_duplicates(tx, customer_id))


async def find_by_number(tx: Tx, external_id: str) -> UUID:
    """Raises NoSuchNumber."""
    found = await customers.find_customers(tx, external_id)
    if not found:
        raise NoSuchNumber(f"Nobody has the number {external_id}.")
    return found[0].id


async def draw_merger(tx: Tx, customer_id: UUID, other_id: UUID) -> MergerShown:
    """Both ways round. Raises CustomerNotFound."""
    one, other = await _side(tx, customer_id), await _side(tx, other_id)
    closed = "closed" in (one.customer.status, other.customer.status)
    suspects = () if closed else await duplicates.suspect_duplicates(tx, customer_id)
    return MergerShown(
        one.customer,
        next((each.reasons for each in suspects if each.company.id == other_id), ()),
        (await _direction(tx, one, other), await _direction(tx, other, one)),
    )


async def _side(tx: Tx, customer_id: UUID) -> Side:
    today = local_date(tx.now, "UTC")
    customer = await customers.get_customer(tx, customer_id)
    account, facts = await limits.standing(tx, customer_id, today)
    rates = usable_rates(facts, rules_of(facts.policy_rules), today)
    placed = await holds.list_holds(tx, customer_id, None, COUNTED_MAX)
    orders = await reservations.list_reservations(tx, customer_id, None, COUNTED_MAX)
    return Side(
        customer=customer,
        account=account,
        facts=facts,
        exposure=facts.exposure.against(account.limit.currency, rates),
        standing=(await assessments.latest_of(tx, {customer_id})).get(customer_id),
        holds=sum(each.released_at is None for each in placed),
        reserved=sum(each.status == "held" for each in orders),
        blocked=len(await reservations.list_blocked(tx, "waiting", customer_id, None, COUNTED_MAX)),
        requests=len(await limit_requests.list_requests(tx, "waiting", customer_id, None, COUNTED_MAX)),
        term_requests=len(await term_requests.list_requests(tx, "waiting", customer_id, None, COUNTED_MAX)),
        reviews=len(await reviews.list_reviews(tx, Wanted("open", customer_id), None, COUNTED_MAX)),
    )


async def _direction(tx: Tx, closes: Side, goes_on: Side) -> Direction:
    limit = goes_on.account.limit
    today = local_date(tx.now, "UTC")
    rates = usable_rates(goes_on.facts, rules_of(goes_on.facts.policy_rules), today)
    brought = closes.facts.exposure.against(limit.currency, rates).total
    return Direction(closes, goes_on, limit - goes_on.exposure.total - brought, await _refusal(tx, closes, goes_on))


async def _refusal(tx: Tx, closes: Side, goes_on: Side) -> str | None:
    """As the merger itself would say it now."""
    ancestors = await customers.ancestors(tx, goes_on.customer.id)
    heads_group = await _heads_group(tx, closes.customer.id)
    try:
        mergers.check(closes.customer, goes_on.customer, ancestors, heads_group=heads_group)
    except DomainError as refused:
        return refused.detail
    return None


async def _heads_group(tx: Tx, customer_id: UUID) -> bool:
    try:
        await groups.get_group_limit(tx, customer_id)
    except GroupNotFound:
        return False
    return True
