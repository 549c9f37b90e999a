"""Instalment plans: agreed, looked at as days pass and money comes, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.entities.rules import DEFAULT, Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.plans import rules, store
from services.invoice.plans.rules import (
    AgreedBy,
    Filled,
    Instalment,
    Interval,
    Offer,
    Plan,
    PlanNotFound,
    PlanRefused,
    Reminder,
    Rest,
    Schedule,
    Share,
)
from shared import outbox
from shared.calendar import at_local_time
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money

NEXT_LOOK = store.NEXT_LOOK
NEXT_REMINDER = store.NEXT_REMINDER
CHUNK = 50


@dataclass(frozen=True, slots=True)
class EvenParts:
    """So many instalments from a day on, the first of them `first_on`, after a down payment today."""

    count: int
    every: Interval
    first_on: date
    down_payment: Money | None = None


@dataclass(frozen=True, slots=True)
class AgreePlan:
    """On the invoices named, or on all of the customer's that are overdue and may be collected; with the dates and
    amounts given, in even parts, or (`offered`) in as many as the customer chose of what it was offered."""

    customer_id: UUID
    entity_id: str = DEFAULT
    invoice_ids: tuple[UUID, ...] = ()
    instalments: tuple[tuple[date, Money], ...] = ()
    parts: EvenParts | None = None
    offered: int | None = None
    agreed_by: AgreedBy = "staff"


@dataclass(frozen=True, slots=True)
class CancelPlan:
    plan_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan with what is paid of each instalment."""

    plan: Plan
    filled: tuple[Filled, ...]


async def agree_plan(tx: Tx, command: AgreePlan) -> Standing:
    """Put what may be collected of the invoices on a plan: none of it is chased while the plan runs.

    Raises CustomerUnknown, InvoiceNotFound, PlanRefused, ScheduleRefused, OnPlan.
    """
    account = await customers.lock_account(tx, CustomerRef(customer_id=command.customer_id), command.entity_id)
    today, policy = account.entity.today(tx.now), account.entity.policies.plans
    planned = rules.plannable(await _invoices_of(tx, command, today))
    total = Money(sum(invoice.collectable_minor for invoice in planned), planned[0].currency)
    schedule = rules.checked(_schedule(command, total, account, today), total, today)
    plan = Plan(
        id=new_id(),
        version=1,
        entity_id=command.entity_id,
        customer_id=command.customer_id,
        status="agreed",
        currency=total.currency,
        amount_minor=total.minor,
        grace_days=policy.grace_days,
        missed_max=policy.missed_max,
        agreed_on=today,
        agreed_by=command.agreed_by,
        shares=tuple(Share(invoice.id, invoice.number, invoice.collectable_minor) for invoice in planned),
        schedule=schedule,
        remind_days_before=policy.remind_days_before,
        remind_missed=policy.remind_missed,
    )
    parts = rules.by_invoice(plan.shares, schedule)
    outcomes = [rules.agree(invoice, plan.id, part, today) for invoice, part in zip(planned, parts, strict=True)]
    judged = rules.judge(plan, total.minor, today)
    assert judged.look_on is not None

    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    try:
        remind_at = _remind_at(account.entity, plan, total.minor)
        await store.insert(tx, plan, account.entity.starts(judged.look_on), remind_at)
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "plan_invoice_one_running":
            raise rules.OnPlan("one of the invoices is on a plan already") from None
        raise
    await outbox.append(tx, *(event for outcome in outcomes for event in outcome.events))
    await deliveries.notify(tx, account.entity, account.customer, "plan_agreed", plan_id=plan.id)
    return Standing(plan, rules.fill(plan, total.minor))


async def _invoices_of(tx: Tx, command: AgreePlan, today: date) -> list[Invoice]:
    if not command.invoice_ids:
        return [
            invoice
            for invoice in await invoices.open_items(tx, command.customer_id, command.entity_id)
            if invoice.overdue_minor(today) and invoice.collectable_minor > 0
        ]
    found = await invoices.named(tx, command.customer_id, command.entity_id, [], command.invoice_ids)
    if len(found) != len(set(command.invoice_ids)):
        missing = set(command.invoice_ids) - {invoice.id for invoice in found}
        names = ", ".join(str(each) for each in sorted(missing))
        raise PlanRefused(f"the customer has no invoice {names}", field="/invoice_ids")
    return found


def _schedule(command: AgreePlan, total: Money, account: Account, today: date) -> Schedule:
    if command.offered is not None:
        return rules.within_limits(command.offered, total, account.entity.policies.plans, today)
    if command.parts:
        parts, down = command.parts, command.parts.down_payment
        if down and down.currency != total.currency:
            raise rules.ScheduleRefused(f"what is owed is in {total.currency}", field="/down_payment/currency")
        return rules.even_schedule(
            total.minor,
            count=parts.count,
            every=parts.every,
            first_on=parts.first_on,
            down_payment_minor=down.minor if down else 0,
            down_on=today,
        )
    for n, (_, amount) in enumerate(command.instalments):
        if amount.currency != total.currency:
            raise rules.ScheduleRefused(
                f"what is owed is in {total.currency}", field=f"/instalments/{n}/amount/currency"
            )
    return tuple(Instalment(day, amount.minor) for day, amount in command.instalments)


async def offers(tx: Tx, account: Account, invoice_ids: Sequence[UUID]) -> tuple[Money, tuple[Offer, ...]] | None:
    """What the customer may agree by itself for these invoices (all overdue ones when none are named): the amount and
    the schedules to choose from, chosen by `AgreePlan.offered`. None when no plan can be made of them."""
    today = account.entity.today(tx.now)
    command = AgreePlan(account.customer.id, account.entity.id, tuple(invoice_ids))
    try:
        planned = rules.plannable(await _invoices_of(tx, command, today))
    except (PlanRefused, rules.OnPlan):
        return None
    total = Money(sum(invoice.collectable_minor for invoice in planned), planned[0].currency)
    return total, rules.offers(total, account.entity.policies.plans, today)


async def cancel_plan(tx: Tx, command: CancelPlan) -> Standing:
    """Call a plan off: what is left of it may be chased at once. Raises PlanNotFound, PlanOver."""
    seen = await _found(tx, command.plan_id)
    account = await customers.lock_account(tx, CustomerRef(customer_id=seen.customer_id), seen.entity_id)
    plan = await _found(tx, seen.id)
    left = (await store.left_of(tx, [plan.id])).get(plan.id, 0)
    today = account.entity.today(tx.now)
    cancelled = rules.cancel(plan, left, command.reason, today)
    await _end(tx, account, cancelled, today)
    return Standing(cancelled, rules.fill(cancelled, left))


async def _end(tx: Tx, account: Account, plan: Plan, today: date) -> None:
    ids = [share.invoice_id for share in plan.shares]
    of = {invoice.id: invoice for invoice in await invoices.named(tx, plan.customer_id, plan.entity_id, [], ids)}
    outcomes = [rules.end(of[invoice_id], plan, today) for invoice_id in ids]
    await store.save(tx, plan, None, None)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    await outbox.append(tx, *(event for outcome in outcomes for event in outcome.events))
    if plan.status == "broken":
        await deliveries.notify(tx, account.entity, account.customer, "plan_broken", plan_id=plan.id)
    elif plan.status == "kept":
        await deliveries.notify(tx, account.entity, account.customer, "plan_kept", plan_id=plan.id)


async def judge_plans(tx: Tx) -> bool:
    """Look at plans of which an instalment may have been missed, or an invoice changed: kept, broken, or looked at
    again later. Whether there was any."""
    found = await store.to_look_at(tx, tx.now, CHUNK)
    if not found:
        return False
    await customers.lock_customers(tx, {customer_id for _, customer_id in found})
    left = await store.left_of(tx, [plan_id for plan_id, _ in found])
    for plan_id, customer_id in found:
        plan = await _found(tx, plan_id)
        account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id), plan.entity_id)
        if not plan.runs:
            continue
        today = account.entity.today(tx.now)
        judged = rules.judge(plan, left.get(plan_id, 0), today)
        if judged.look_on is None:
            await _end(tx, account, judged.plan, today)
        else:
            remind_at = _remind_at(account.entity, judged.plan, left.get(plan_id, 0))
            await store.save(tx, judged.plan, account.entity.starts(judged.look_on), remind_at)
    return True


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told now of a plan's instalments."""

    account: Account
    plan: Plan
    reminders: tuple[Reminder, ...]


async def take_reminders(tx: Tx) -> list[Telling]:
    """The plans of which something was to be told by now, each with what of it is still to be told: taken once, so the
    caller tells it in this transaction. Holds the customers' locks."""
    found = await store.to_remind(tx, tx.now, CHUNK)
    if not found:
        return []
    await customers.lock_customers(tx, {customer_id for _, customer_id in found})
    telling = []
    for plan_id, customer_id in found:
        plan = await _found(tx, plan_id)
        account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id), plan.entity_id)
        left = (await store.left_of(tx, [plan.id])).get(plan.id, 0)
        # Nothing any more, where another round has taken it while this one waited for the lock.
        telling.append(Telling(account, plan, rules.due_reminders(plan, left, account.entity.today(tx.now))))
        decided = rules.reminded(plan, account.entity.today(tx.now))
        await store.reminded(tx, decided, _remind_at(account.entity, decided, left))
    return telling


def _remind_at(entity: Entity, plan: Plan, left_minor: int) -> datetime | None:
    day = rules.reminds_on(plan, left_minor)
    return at_local_time(day, rules.REMINDED_AT, entity.time_zone) if day else None


async def still_to_tell(tx: Tx, plan_id: UUID, due_date: date) -> bool:
    """Whether an instalment that a message is about is still to be paid, on a plan that runs."""
    plan = await _found(tx, plan_id)
    left = (await store.left_of(tx, [plan_id])).get(plan_id, 0)
    return rules.still_to_tell(plan, left, due_date)


async def put_back(tx: Tx, taken_back: Sequence[tuple[Invoice, int]]) -> dict[UUID, int]:
    """What of payments that are taken back returns to running plans, by invoice: it may turn out to be missed."""
    if not taken_back:
        return {}
    shares = {
        share.invoice_id: (plan, share)
        for plan in await store.running_of(tx, [invoice.id for invoice, _ in taken_back])
        for share in plan.shares
    }
    return {
        invoice.id: rules.put_back(*shares[invoice.id], invoice.planned_minor, minor)
        for invoice, minor in taken_back
        if invoice.id in shares
    }


async def await_debit(tx: Tx, plan_id: UUID, minor: int) -> None:
    """A debit on the plan is under way (or, with the amount negative, no longer): the bank has yet to confirm it, and
    so much is not missed meanwhile. The caller holds the lock."""
    await store.await_debit(tx, plan_id, minor)


async def parts_of(tx: Tx, plan: Plan, minor: int) -> list[tuple[Invoice, int]]:
    """The invoices that a sum paid on the plan goes to, with how much of it each gets."""
    ids = [share.invoice_id for share in plan.shares]
    found = {each.id: each for each in await invoices.named(tx, plan.customer_id, plan.entity_id, [], ids)}
    planned = {each.id: each.planned_minor for each in found.values()}
    return [(found[invoice_id], part) for invoice_id, part in rules.spread(plan, planned, minor)]


async def get_plan(tx: Tx, plan_id: UUID) -> Standing:
    """Raises PlanNotFound."""
    [standing] = await _standing(tx, [await _found(tx, plan_id)])
    return standing


async def list_plans(
    tx: Tx,
    *,
    after: UUID | None,
    limit: int,
    customer_id: UUID | None = None,
    status: rules.Status | None = None,
    invoice_id: UUID | None = None,
) -> list[Standing]:
    found = await store.page(
        tx, after=after, customer_id=customer_id, status=status, invoice_id=invoice_id, limit=limit
    )
    return await _standing(tx, found)


async def running_plans(tx: Tx, customer_id: UUID, entity_id: str) -> list[Standing]:
    """The plans that a customer keeps with an entity now."""
    return await _standing(tx, await store.running_for(tx, customer_id, entity_id))


async def rests_of(tx: Tx, invoice_ids: Sequence[UUID], as_of: date) -> list[Rest]:
    """The days on which plans on these invoices run, or ran until they were kept, up to a day."""
    return await store.rests_of(tx, invoice_ids, as_of)


async def _standing(tx: Tx, plans: Sequence[Plan]) -> list[Standing]:
    left = await store.left_of(tx, [plan.id for plan in plans if plan.runs])
    return [
        Standing(plan, rules.fill(plan, left.get(plan.id, 0) if plan.left_minor is None else plan.left_minor))
        for plan in plans
    ]


async def _found(tx: Tx, plan_id: UUID) -> Plan:
    plan = await store.find(tx, plan_id)
    if plan is None:
        raise PlanNotFound(f"there is no plan {plan_id}")
    return plan
