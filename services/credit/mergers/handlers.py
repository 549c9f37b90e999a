"""Merge two customers: what credit knows of the one is the other's from now on, and the one is closed.

Its invoices stay with it at the invoice service, with their number, their buyer and their payments; here what is open
on them counts against the limit of the customer that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.behaviour import handlers as behaviour
from services.credit.behaviour.rules import Cause
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.drifts import handlers as drifts
from services.credit.exposure import handlers as exposure
from services.credit.groups import handlers as groups
from services.credit.groups.rules import GroupNotFound
from services.credit.holds import handlers as holds
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limits import handlers as limits
from services.credit.limits.rules import CustomerNotFound
from services.credit.mergers import rules, store
from services.credit.mergers.rules import Merger
from services.credit.reservations import handlers as reservations
from services.credit.reviews import handlers as reviews
from services.credit.segments import handlers as segments
from services.credit.term_requests import handlers as term_requests
from services.credit.vetting import handlers as vetting
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import Refused
from shared.money import Money

LATECOMERS_DUE = store.LATECOMERS_DUE
LATECOMERS_A_RUN = 20
REQUESTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class MergeCustomers:
    """`customer_id` is closed and goes on as `into_id`."""

    customer_id: UUID
    into_id: UUID
    reason: str
    by: str


async def merge_customers(tx: Tx, command: MergeCustomers) -> Merger:
    """Raises CustomerNotFound, Refused for a survivor that is not known, CustomerClosed, MergerRefused and
    OrderReserved."""
    today = local_date(tx.now, "UTC")
    family = await customers.lock_family(tx, [command.customer_id, command.into_id])
    customer, into = family.get(command.customer_id), family.get(command.into_id)
    if customer is None:
        raise CustomerNotFound(command.customer_id)
    if into is None:
        raise Refused(f"There is no customer {command.into_id}.", field="/into_id")
    ancestors = await customers.ancestors(tx, into.id)
    rules.check(customer, into, ancestors, heads_group=await _heads_group(tx, customer.id))

    because = f"It goes on as customer {into.external_id}: {command.reason}"
    for subsidiary, parent_id in rules.parents_after(customer, into, list(family.values())):
        await customers.move_subsidiary(tx, subsidiary, parent_id, today)
    moved = await _move(tx, customer, into, command.by, because)
    await customers.close_customer(tx, customer, into.id, command.reason, today)
    merger = Merger(customer.id, into.id, command.reason, command.by, tx.now, moved)
    await store.add(tx, merger)
    return merger


async def _heads_group(tx: Tx, customer_id: UUID) -> bool:
    try:
        await groups.get_group_limit(tx, customer_id)
    except GroupNotFound:
        return False
    return True


async def _move(tx: Tx, customer: Customer, into: Customer, by: str, because: str) -> dict[str, int]:
    """The limit of the one that goes on stays as it is; that of the other ends, with all that raised it."""
    one, other = customer.id, into.id
    await limits.lock_standings(tx, [one, other], local_date(tx.now, "UTC"))
    reserved, blocked = await reservations.move(tx, one, other, by, because)
    requests = await _close_requests(tx, one, by, because)
    asked = await term_requests.close_all(tx, one, by, because)
    held = await holds.move(tx, one, other, by, because)
    invoices = await exposure.move(tx, one, other)
    payments = await behaviour.move(tx, one, other)
    await drifts.look_again(tx, [one, other])
    await _end_limit(tx, one, because)
    await vetting.move(tx, one, other)
    await assessments.close_file(tx, one)
    await reviews.drop_review(tx, one, by, because)
    pins = await segments.move(tx, one, other, f"pinned for customer {customer.external_id}")
    await assessments.note(tx, {other: {Cause.NEW_INPUT}})
    await exposure.watch(tx, [other], tx.now)
    return {
        "invoices": invoices,
        "payments": payments,
        "reservations": reserved,
        "blocked_orders": blocked,
        "limit_requests": requests,
        "term_requests": asked,
        "holds": held,
        "segment_pins": pins,
    }


async def _close_requests(tx: Tx, customer_id: UUID, by: str, because: str) -> int:
    closed = 0
    while waiting := await limit_requests.list_requests(tx, "waiting", customer_id, None, REQUESTS_AT_ONCE):
        for request in waiting:
            await limit_requests.close_request(tx, request.id, by, because)
        closed += len(waiting)
    return closed


async def _end_limit(tx: Tx, customer_id: UUID, because: str) -> None:
    today = local_date(tx.now, "UTC")
    account, _ = await limits.standing(tx, customer_id, today)
    for addition in account.additions:
        if addition.ended_on is None:
            await limits.end_addition(tx, customer_id, addition.id, because, today)
    await limits.put_limit(tx, customer_id, Money.zero(account.limit.currency), because, None, today)


async def follow_mergers(tx: Tx) -> int:
    """What was heard of merged customers since, such as the payment of an old invoice, is the surviving one's too.
    Returns how many customers that concerned."""
    latecomers = await store.latecomers(tx, LATECOMERS_A_RUN)
    for customer_id in latecomers:
        survivor = await customers.survivor(tx, customer_id)
        await limits.lock_standings(tx, [customer_id, survivor], local_date(tx.now, "UTC"))
        await exposure.move(tx, customer_id, survivor)
        await behaviour.move(tx, customer_id, survivor)
        await drifts.look_again(tx, [survivor])
        await assessments.note(tx, {survivor: {Cause.NEW_INPUT}})
        await exposure.watch(tx, [survivor], tx.now)
    return len(latecomers)


async def list_mergers(tx: Tx, customer_id: UUID) -> Sequence[Merger]:
    """Who goes on as the customer, and as whom it goes on."""
    return await store.of_customer(tx, customer_id)
