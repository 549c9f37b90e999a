"""Make promises, hear what is paid of them, and judge them when their grace is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import httpx

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase, View
from services.reminder.holds.rules import HoldKind
from services.reminder.promises import rules, store
from services.reminder.promises.rules import Figures, Origin, Payment, Promise, PromiseNotFound, Status, Wanted
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Account, Key
from services.reminder.tasks import handlers as tasks
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCredited,
    InvoiceEvent,
    InvoicePromiseOffered,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.ids import new_id
from shared.money import Money

NEXT_LOOK = store.NEXT_LOOK
"""The earliest moment at which a promise's days of grace are over."""

AT_ONCE = 100
ASKED_AT_ONCE = 8
BY_PAYMENT = ("allocation", "unallocation")
LOWERED_BY = (InvoiceBalanceChanged, InvoiceSettled, InvoiceCredited, InvoiceVoided, InvoiceWrittenOff)


@dataclass(frozen=True, slots=True)
class MakePromise:
    """`replaces` is an open promise that this one takes the place of. The day of an offer that was accepted may be any:
    offers have limits of their own."""

    customer_id: UUID
    entity_id: str
    wanted: Wanted
    made_by: str
    note: str | None = None
    replaces: UUID | None = None
    origin: Origin = "staff"
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawPromise:
    promise_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of an invoice, and what it belongs to."""

    event: InvoiceEvent
    event_id: UUID
    correlation_id: str | None


Unapplied = Mapping[Key, Mapping[str, int] | None]
"""By account and currency, what of a customer's money no invoice has; None where the answer could not be had."""


async def make_promise(tx: Tx, command: MakePromise) -> Promise:
    """Raises CaseNotFound, PromiseNotFound, PromiseOver, NothingToPromise, PromisedDayRefused, InvoiceNotOwed,
    AmountRefused."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    today = local_date(tx.now, view.account.time_zone)
    limits = (await authority.get_authority(tx, command.entity_id)).authority.promises
    if command.origin == "offer":
        limits = limits.model_copy(update={"days_max": 3_650})
    promise_id = new_id()
    if command.replaces:
        replaced = await _found(tx, command.replaces)
        if replaced.customer_id != command.customer_id:
            raise PromiseNotFound(f"this customer has no promise {command.replaces}", field="/replaces")
        await _conclude(tx, rules.end(replaced, "replaced", today, str(promise_id)), today)
    running = [each for each in await store.open_of(tx, [command.customer_id]) if each.entity_id == command.entity_id]
    if command.origin == "offer":  # What was negotiated last is what stands.
        for each in running:
            await _conclude(tx, rules.end(each, "replaced", today, str(promise_id)), today)
        running = []
    wanted = rules.check(command.wanted, view.account, running, limits, today, is_open=view.case.is_open)
    promise = rules.make(
        promise_id,
        wanted,
        view.account,
        limits,
        today,
        entity_id=command.entity_id,
        case_id=view.case.id,
        origin=command.origin,
        made_by=command.made_by,
        note=command.note,
        reference=command.reference,
    )
    await _rest(tx, promise)
    await store.insert(tx, promise)
    await outbox.append(tx, rules.event(promise, today))
    return promise


async def withdraw_promise(tx: Tx, command: WithdrawPromise) -> Promise:
    """The customer, or whoever wrote it down, takes it back: the case goes on. Raises PromiseNotFound, PromiseOver."""
    seen = await _found(tx, command.promise_id)
    await receivables.lock(tx, [seen.customer_id])
    today = await _today(tx, seen)
    promise = rules.end(await _found(tx, seen.id), "withdrawn", today, command.reason)
    await _conclude(tx, promise, today)
    return promise


async def hear(tx: Tx, heard: Sequence[Heard]) -> list[Promise]:
    """Take promises from customers' pages, and what was paid of running ones, in the order it happened. The customers
    are locked. Returns the promises that are over now."""
    told = [each for each in heard if isinstance(each.event, (*LOWERED_BY, InvoicePromiseOffered))]
    if not told:
        return []
    before = {each.id: each for each in await store.open_of(tx, list({each.event.customer_id for each in told}))}
    if not before and not any(isinstance(each.event, InvoicePromiseOffered) for each in told):
        return []
    accounts = await receivables.accounts(tx, list({_key(each) for each in told}))
    running = dict(before)
    for each in told:
        context.correlation.set(each.correlation_id)
        context.causation.set(str(each.event_id))
        if isinstance(each.event, InvoicePromiseOffered):
            await _take_offered(tx, running, each, each.event, accounts[_key(each)])
        elif payment := _payment(each.event):
            running = {id: rules.pay(promise, payment) for id, promise in running.items()}
    ended = []
    for promise in running.values():
        key = promise.customer_id, promise.entity_id
        if not promise.is_open or key not in accounts:
            continue
        today = local_date(tx.now, accounts[key].time_zone)
        judged = rules.judge(promise, accounts[key].items, today)
        if not judged.is_open:
            await _conclude(tx, judged, today)
            ended.append(judged)
        elif judged != before.get(judged.id):
            await store.save(tx, judged)
    return ended


async def _take_offered(
    tx: Tx, running: dict[UUID, Promise], told: Heard, event: InvoicePromiseOffered, account: Account
) -> None:
    """The customer's word takes the place of whatever was promised before. Its page tells of each invoice by itself:
    those of one correlation are one promise."""
    today, number = local_date(tx.now, account.time_zone), event.invoice.number
    own = [each for each in running.values() if (each.customer_id, each.entity_id) == account.key and each.is_open]
    same = [
        each
        for each in own
        if each.origin == "customer"
        and each.reference == told.correlation_id
        and each.currency == event.amount.currency
    ]
    if same:
        if number not in same[0].items:
            running[same[0].id] = wider = rules.widen(same[0], number, event.amount)
            await _rest(tx, wider)
            await store.save(tx, wider)
            await outbox.append(tx, rules.event(wider, today))
        return
    promise_id = new_id()
    for each in own:
        if each.reference != told.correlation_id:
            running[each.id] = replaced = rules.end(each, "replaced", today, str(promise_id))
            await _conclude(tx, replaced, today)
    limits = (await authority.get_authority(tx, account.entity_id)).authority.promises
    promise = rules.make(
        promise_id,
        Wanted(event.amount, max(event.promised_on, today), (number,)),
        account,
        limits,
        today,
        entity_id=account.entity_id,
        case_id=promise_id,
        origin="customer",
        made_by="the customer, on its page",
        reference=told.correlation_id,
    )
    view = await _rest(tx, promise)
    promise = replace(promise, case_id=view.case.id)  # The customer's first case may have begun with this.
    running[promise.id] = promise
    await store.insert(tx, promise)
    await outbox.append(tx, rules.event(promise, today))


async def open_of(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[str, Promise]:
    """The customers' promises that run, by id as holds name them."""
    return {str(promise.id): promise for promise in await store.open_of(tx, customer_ids)}


async def due(tx: Tx) -> list[Promise]:
    """Promises whose days of grace are over."""
    return await store.due(tx, tx.now, AT_ONCE)


async def ask_unapplied(invoice_service: httpx.AsyncClient, promises: Sequence[Promise]) -> Unapplied:
    """What money of these customers waits to be allocated. Runs outside any transaction."""
    gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(key: Key) -> Mapping[str, int] | None:
        customer_id, entity_id = key
        async with gate:
            try:
                answer = await invoice_service.get(
                    f"/v1/customers/{customer_id}/balance", params={"entity_id": entity_id}
                )
                answer.raise_for_status()
                return {each["currency"]: _minor(each["unapplied"]) for each in answer.json()["totals"]}
            except (httpx.HTTPError, KeyError, TypeError, ValueError):
                return None

    keys = list({(each.customer_id, each.entity_id) for each in promises})
    return dict(zip(keys, await asyncio.gather(*map(ask, keys)), strict=True))


def _minor(told: Mapping[str, Any]) -> int:
    return Money.parse(told["amount"], told["currency"]).minor


async def judge_promises(tx: Tx, unapplied: Unapplied) -> list[Promise]:
    """Say of each whose grace is over what has become of it; one whose account could not be asked of waits. Returns the
    promises that were looked at, as they are now."""
    await receivables.lock(tx, list({customer_id for customer_id, _ in unapplied}))
    accounts = await receivables.accounts(tx, list(unapplied))
    looked_at = []
    for promise in await store.due(tx, tx.now, AT_ONCE):
        key = promise.customer_id, promise.entity_id
        cash = unapplied.get(key)
        if cash is None:
            continue
        account = accounts[key]
        today = local_date(tx.now, account.time_zone)
        judged = rules.judge(promise, account.items, today, cash.get(promise.currency, 0))
        if judged.is_open:
            judged = rules.look_again(judged, account, today)
            await store.save(tx, judged)
            await _rest(tx, judged, until=today)
        else:
            await _conclude(tx, judged, today)
        looked_at.append(judged)
    return looked_at


async def get_promise(tx: Tx, promise_id: UUID) -> Promise:
    """Raises PromiseNotFound."""
    return await _found(tx, promise_id)


async def list_promises(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Promise]:
    """Newest first."""
    return await store.page(tx, customer_id, entity_id, status, before, limit)


async def figures(tx: Tx, customer_id: UUID, entity_id: str) -> Figures:
    """How good the customer's word is. Raises CaseNotFound."""
    await cases.find_case(tx, customer_id, entity_id)
    return await store.figures(tx, customer_id, entity_id)


async def _rest(tx: Tx, promise: Promise, until: date | None = None) -> View:
    hold = rules.hold_of(promise, until)
    return await cases.hold_case(tx, HoldCase(promise.customer_id, promise.entity_id, hold))


async def _conclude(tx: Tx, promise: Promise, today: date) -> None:
    """Keep how it ended, tell of it, and let the case go on: after a broken promise at once, with somebody asked to
    call."""
    await store.save(tx, promise)
    await outbox.append(tx, rules.event(promise, today))
    if promise.status == "broken":
        await cases.count_broken_promise(tx, promise.customer_id, promise.entity_id)
        await tasks.assign_tasks(tx, [rules.ask_what_happened(promise, today)])
    release = ReleaseCase(promise.customer_id, promise.entity_id, HoldKind.PROMISED, str(promise.id))
    await cases.release_case(tx, release)


async def _found(tx: Tx, promise_id: UUID) -> Promise:
    promise = await store.find(tx, promise_id)
    if promise is None:
        raise PromiseNotFound(f"there is no promise {promise_id}")
    return promise


async def _today(tx: Tx, promise: Promise) -> date:
    key = promise.customer_id, promise.entity_id
    return local_date(tx.now, (await receivables.accounts(tx, [key]))[key].time_zone)


def _key(heard: Heard) -> Key:
    return heard.event.customer_id, heard.event.invoice.entity_id


def _payment(event: InvoiceEvent) -> Payment | None:
    if not isinstance(event, InvoiceBalanceChanged | InvoiceSettled) or event.reason not in BY_PAYMENT:
        return None
    return Payment(
        customer_id=event.customer_id,
        entity_id=event.invoice.entity_id,
        number=event.invoice.number,
        minor=-event.change.minor,
        currency=event.change.currency,
        counts_on=event.effective_on,
    )
