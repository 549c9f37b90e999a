"""Keep what credit and invoice publish of customers and invoices, and ask the invoice service what is owed now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import httpx

from services.reminder.receivables import rules, store
from services.reminder.receivables.rules import Account, Balance, Heard, Key
from shared.calendar import ONE_DAY
from shared.db import Tx
from shared.events.credit import CreditFileState, CustomerState
from shared.events.invoice import InvoiceState

ASKED_AT_ONCE = 8
NEVER_HEARD = Heard(0)


@dataclass(frozen=True, slots=True)
class KeepAccounts:
    """A batch of news: customers, invoices with their customer's id, and the days before which invoices that were
    disputed are not to be chased, by the invoice's id; `assessed` is how risky customers are, `also` are other
    customers whom it concerns."""

    customers: Sequence[CustomerState]
    invoices: Sequence[tuple[UUID, InvoiceState]]
    fresh_days: Sequence[tuple[UUID, date]] = ()
    assessed: Sequence[tuple[UUID, CreditFileState]] = ()
    also: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What news made of the accounts. `first_time` says of each invoice state, in the order told, whether it was news:
    what was heard before, under another event id, has no effect. `ended` is by account how overdue invoices of it have
    just ended: `settled`, `voided`, `written_off`."""

    first_time: Sequence[bool] = ()
    ended: Mapping[Key, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The balance could not be had, and why."""

    reason: str


async def keep_accounts(tx: Tx, command: KeepAccounts) -> Kept:
    """Take what is newer than the kept state, under the locks of all customers concerned."""
    ids = {customer.id for customer in command.customers} | {customer_id for customer_id, _ in command.invoices}
    ids |= set(command.also) | {customer_id for customer_id, _ in command.assessed}
    if not ids:
        return Kept()
    await store.lock_or_make(tx, list(ids))
    kept = Kept()
    if command.customers:
        latest = {c.id: c for c in sorted(command.customers, key=lambda customer: customer.version)}
        await store.keep_customers(tx, list(latest.values()))
    if command.assessed:
        await store.keep_risk_classes(tx, dict(sorted(command.assessed, key=lambda pair: pair[1].version)))
    if command.invoices:
        kept = await _keep_invoices(tx, command.invoices)
    if command.fresh_days:
        await store.keep_fresh_days(tx, rules.latest_of_each(command.fresh_days))
    return kept


async def _keep_invoices(tx: Tx, told: Sequence[tuple[UUID, InvoiceState]]) -> Kept:
    newest = rules.newest_of_each(told)
    stood = await store.keep_invoices(tx, newest)
    first_time, known = rules.hear([invoice for _, invoice in told], stood)
    waited_for = {id: now.unheard for id, now in known.items() if now.unheard != stood.get(id, NEVER_HEARD).unheard}
    if waited_for:
        await store.keep_unheard(tx, waited_for)
    taken = [pair for pair in newest if pair[1].version > stood.get(pair[1].id, NEVER_HEARD).version]
    return Kept(first_time, rules.ended(taken, tx.now.date()))


async def subsidiaries(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Customers whose messages go to one of these, by that one: what changes there, such as an address, concerns
    them."""
    return await store.subsidiaries(tx, customer_ids) if customer_ids else {}


async def party_members(tx: Tx, parent_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """All customers whose messages these companies take, themselves as well, each with who takes them."""
    return await store.party_members(tx, parent_ids)


async def lock(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """Everything that publishes for a customer does so under this lock. A stranger is not locked, nor made known."""
    await store.lock(tx, customer_ids)


async def customers_at(tx: Tx, address: str) -> Sequence[UUID]:
    """Customers with a contact person of that mail address; capitals do not matter. At most ten."""
    return await store.customers_at(tx, address)


async def rest_invoices(tx: Tx, key: Key, numbers: Sequence[str], again_on: date) -> Mapping[str, date | None]:
    """Some invoices are not chased before a day. Returns by number the day that stood before, which `wake_invoices`
    brings back."""
    return await store.rest_invoices(tx, key, numbers, again_on)


async def wake_invoices(tx: Tx, key: Key, before: Mapping[str, date | None], again_on: date) -> None:
    """They rest no longer than they did before; what has moved their day in the meantime stands."""
    await store.wake_invoices(tx, key, before, again_on)


async def accounts(tx: Tx, keys: Sequence[Key]) -> Mapping[Key, Account]:
    """With their open items; a customer never heard of is not in the answer."""
    return await store.accounts(tx, keys)


async def open_invoices(tx: Tx, key: Key) -> Mapping[str, UUID]:
    """The id of each open invoice of an account by its number."""
    return await store.open_invoices(tx, key)


async def days_late(tx: Tx, keys: Sequence[Key]) -> Mapping[Key, float]:
    """By how many days after due each account paid on average, early payments as negative; none without a payment."""
    return await store.days_late(tx, keys)


async def keep_unwanted(tx: Tx, customer_id: UUID, unwanted: Sequence[rules.Unwanted]) -> None:
    """The channels that the customer does not want, all of them. The customer is locked by the caller."""
    await store.keep_unwanted(tx, customer_id, unwanted)


async def deciding(tx: Tx, keys: Sequence[Key]) -> Mapping[Key, Account]:
    """With only those open items on which it turns whether a case is open and when its next step is due: a customer
    with thousands of them is looked at as quickly as one with a few. Sums over such an account mean nothing."""
    return await store.deciding(tx, keys, tx.now.date() - ONE_DAY)  # It may be yesterday at the customer's.


async def ask_balances(invoice_service: httpx.AsyncClient, keys: Sequence[Key]) -> Mapping[Key, Balance | NoAnswer]:
    """What each customer owes the entity at this moment, a few asked at a time. Runs outside any transaction."""
    gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(key: Key) -> Balance | NoAnswer:
        async with gate:
            try:
                customer_id, entity_id = key
                path = f"/v1/customers/{customer_id}/balance"
                answer = await invoice_service.get(path, params={"entity_id": entity_id})
                answer.raise_for_status()
                return rules.read_balance(answer.json())
            except httpx.HTTPError as fault:
                return NoAnswer(f"the invoice service did not give the balance: {fault!r}")
            except (KeyError, TypeError, ValueError) as fault:
                return NoAnswer(f"the invoice service gave a balance that cannot be read: {fault!r}")

    return dict(zip(keys, await asyncio.gather(*map(ask, keys)), strict=True))
