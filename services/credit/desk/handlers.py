"""The work list, gathered from the other features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.credit.applications import handlers as applications
from services.credit.applications.rules import Application
from services.credit.assessments import handlers as assessments
from services.credit.assessments.rules import Standing
from services.credit.customers import handlers as customers
from services.credit.desk import rules
from services.credit.exposure import handlers as exposure
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limit_requests.rules import LimitRequest
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, available, rules_of, usable_rates
from services.credit.reservations import handlers as reservations
from services.credit.reservations.rules import BlockedOrder
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import Wanted
from services.credit.reviews.rules import Review
from services.credit.sign_offs import handlers as sign_offs
from services.credit.sign_offs.rules import Due
from services.credit.term_requests import handlers as term_requests
from services.credit.term_requests.rules import TermRequest
from services.credit.terms.rules import Terms
from shared.calendar import local_date
from shared.db import Tx
from shared.money import Money

SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Whose:
    """A customer that an entry is about, with what there is to decide by."""

    id: UUID
    name: str
    terms: Terms
    account: Account
    available: Money
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class WorkList:
    """Each part has the oldest hundred, reviews the first due."""

    today: date
    release_until: date
    requests: Sequence[LimitRequest]
    term_requests: Sequence[TermRequest]
    orders: Sequence[BlockedOrder]
    applications: Sequence[Application]
    reviews: Sequence[Review]
    outcomes: Sequence[Due]
    whose: Mapping[UUID, Whose]

    @property
    def late_reviews(self) -> int:
        return sum(rules.is_late(review.due_on, self.today) for review in self.reviews)


async def draw_work_list(tx: Tx) -> WorkList:
    today = local_date(tx.now, "UTC")
    requests = await limit_requests.list_requests(tx, "waiting", None, None, SHOWN_MAX)
    asked = await term_requests.list_requests(tx, "waiting", None, None, SHOWN_MAX)
    orders = await reservations.list_blocked(tx, "waiting", None, None, SHOWN_MAX)
    applied = await applications.list_applications(tx, rules.APPLICATIONS, None, SHOWN_MAX)
    due = await reviews.list_reviews(tx, Wanted("open"), None, SHOWN_MAX)
    concerned = {each.customer_id for part in (requests, asked, orders, due) for each in part}
    policy = (await limits.policy_in_force(tx)).policy
    return WorkList(
        today=today,
        release_until=today + timedelta(days=policy.rules.reservation_days),
        requests=requests,
        term_requests=asked,
        orders=orders,
        applications=rules.in_order(applied),
        reviews=due,
        outcomes=await sign_offs.outcomes_due(tx),
        whose=await _whose(tx, concerned, today),
    )


async def _whose(tx: Tx, customer_ids: set[UUID], today: date) -> dict[UUID, Whose]:
    known = await customers.customers_of(tx, customer_ids)
    accounts = await limits.accounts_of(tx, customer_ids)
    standings = await assessments.latest_of(tx, customer_ids)
    facts = await exposure.facts_of(tx, sorted(customer_ids), today)
    return {
        id: Whose(
            id,
            customer.particulars.name,
            customer.particulars.terms,
            accounts[id],
            available(
                accounts[id].limit,
                facts[id].exposure,
                usable_rates(facts[id], rules_of(facts[id].policy_rules), today),
            ),
            standings.get(id),
        )
        for id, customer in known.items()
    }
