"""Onboard customers and change them; each gets a credit account, whose limit follows segment and currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.credit.customers import rules, store
from services.credit.customers.rules import Customer, DuplicateExternalId, Outcome, Particulars
from services.credit.limits import handlers as limits
from services.credit.limits.rules import CustomerNotFound, expect_none_to_approve, rules_of
from services.credit.term_changes import handlers as term_changes
from services.credit.terms.rules import Source, Terms
from shared import outbox
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class OnboardCustomer:
    external_id: str
    particulars: Particulars
    today: date


@dataclass(frozen=True, slots=True)
class ChangeCustomer:
    """`wanted` maps names of `Particulars` to their new values; what is not named stays."""

    customer_id: UUID
    wanted: Mapping[str, Any]
    expected_version: int
    today: date


async def onboard_customer(tx: Tx, command: OnboardCustomer) -> Customer:
    """Raises DuplicateExternalId, ParentRefused."""
    outcome = rules.onboard(new_id(), command.external_id, command.particulars, command.today)
    customer = outcome.customer
    await _check_parent(tx, customer)
    if not await store.add_customer(tx, customer):
        holder = await store.find_customer(tx, command.external_id)
        raise DuplicateExternalId(command.external_id, holder.id if holder else None)
    await outbox.append(tx, *outcome.events)
    about = customer.particulars
    await limits.open_account(tx, customer.id, about.segment, about.currency, command.today)
    return customer


async def change_customer(tx: Tx, command: ChangeCustomer) -> Customer:
    """Raises CustomerNotFound, PreconditionFailed, CustomerClosed, ParentRefused, Refused, ApprovalNeeded for terms
    that one alone may not set, and LimitSetByHand where such a limit would change its currency."""
    moves = not {"parent_id", "contact_parent"}.isdisjoint(command.wanted)
    if moves:
        await store.lock_parents(tx)
    customer = await store.lock_customer(tx, command.customer_id)
    if customer is None:
        raise CustomerNotFound(command.customer_id)
    if customer.version != command.expected_version:
        raise PreconditionFailed(
            f"The customer is at version {customer.version}, not {command.expected_version}; look again, then decide.",
            current_version=customer.version,
        )

    rules.expect_active(customer)
    outcome = rules.change(customer, command.wanted, command.today)

    if moves:
        await _check_parent(tx, outcome.customer)
    if outcome.terms_before:
        account, facts = await limits.lock_standing(tx, customer.id, command.today)
        expect_none_to_approve(rules_of(facts.policy_rules), account.limit)
    await _save(tx, outcome)
    if outcome.moved_limit:
        await limits.follow_customer(tx, customer.id, command.today)
    return outcome.customer


async def put_terms(tx: Tx, customer_id: UUID, terms: Terms, source: Source, reason: str, today: date) -> Customer:
    """Set terms that were approved, or that take effect by themselves; the caller has locked the customer. Raises
    CustomerNotFound, CustomerClosed, Refused."""
    customer = await get_customer(tx, customer_id)
    rules.expect_active(customer)
    wanted = {**{name: getattr(terms, name) for name in rules.TERMS}, "terms_source": source}
    return await _save(tx, rules.change(customer, wanted, today, reason))


async def _check_parent(tx: Tx, customer: Customer) -> None:
    """One at a time, so that two changes together make no circle that neither makes alone."""
    about = customer.particulars
    ancestors = await store.ancestors(tx, about.parent_id) if about.parent_id else ()
    rules.check_parent(customer.id, about, ancestors)


async def lock_family(tx: Tx, customer_ids: Collection[UUID]) -> Mapping[UUID, Customer]:
    """Customers with all that belong to them directly, locked in the one order for everybody. Until the transaction
    ends nobody else changes who belongs to whom."""
    return {customer.id: customer for customer in await store.lock_family(tx, customer_ids)}


async def ancestors(tx: Tx, customer_id: UUID) -> Sequence[UUID]:
    """The customer, its parent, that one's and so on."""
    return await store.ancestors(tx, customer_id)


async def move_subsidiary(tx: Tx, customer: Customer, parent_id: UUID | None, today: date) -> None:
    """Have a locked customer belong to another company, or to none."""
    wanted = {"parent_id": parent_id, "contact_parent": customer.particulars.contact_parent and parent_id is not None}
    await _save(tx, rules.change(customer, wanted, today))


async def close_customer(tx: Tx, customer: Customer, merged_into: UUID, reason: str, today: date) -> Customer:
    """A locked customer goes on as another. Raises CustomerClosed."""
    return await _save(tx, rules.close(customer, merged_into, reason, today))


async def _save(tx: Tx, outcome: Outcome) -> Customer:
    if outcome.events:
        await store.save_customer(tx, outcome.customer)
        await outbox.append(tx, *outcome.events)
    if outcome.terms_before:
        await term_changes.note(tx, outcome.customer.id, outcome.terms_before)
    return outcome.customer


async def survivor(tx: Tx, customer_id: UUID) -> UUID:
    """Who the customer goes on as: itself, unless it was merged."""
    return await store.survivor(tx, customer_id)


async def refuse_closed(tx: Tx, customer_id: UUID) -> None:
    """Nothing new begins with a closed customer. Raises CustomerNotFound, CustomerClosed."""
    rules.expect_active(await get_customer(tx, customer_id))


async def get_customer(tx: Tx, customer_id: UUID) -> Customer:
    """Raises CustomerNotFound."""
    customer = await store.read_customer(tx, customer_id)
    if customer is None:
        raise CustomerNotFound(customer_id)
    return customer


async def customers_of(tx: Tx, customer_ids: Collection[UUID]) -> Mapping[UUID, Customer]:
    """To look at; those that are not known are not in the answer."""
    return {customer.id: customer for customer in await store.read_customers(tx, customer_ids)}


async def find_customers(tx: Tx, external_id: str) -> Sequence[Customer]:
    """The one who has it, or nobody."""
    customer = await store.find_customer(tx, external_id)
    return [customer] if customer else []


async def list_customers(tx: Tx, after: UUID | None, count_max: int) -> Sequence[Customer]:
    return await store.list_customers(tx, after, count_max)
