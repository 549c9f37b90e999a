"""Keep a customer's method of payment, and collect what falls due with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from services.invoice.autopay import rules, store
from services.invoice.autopay.rules import Collection, Method, MethodNotFound
from services.invoice.cash_application.rules import Wanted
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries.rules import Notice
from services.invoice.invoices import handlers as invoices
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment
from services.invoice.plans import handlers as plans
from shared.db import Tx
from shared.errors import Refused, Unavailable
from shared.ids import new_id
from shared.money import Money

NEXT_LOOK = store.NEXT_LOOK
AT_ONCE = 20
ASK_AGAIN_AFTER = timedelta(minutes=15)
CHARGED = "succeeded"
UNDER_WAY = "processing"


class Intent(Protocol):
    """A payment at the provider."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def method_id(self) -> str | None: ...
    @property
    def customer_id(self) -> str | None: ...
    @property
    def mandate_id(self) -> str | None: ...
    @property
    def failure(self) -> str | None: ...
    @property
    def failure_code(self) -> str | None: ...


class Named(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def last4(self) -> str | None: ...


class Allowed(Protocol):
    @property
    def reference(self) -> str | None: ...


class ChargeDesk(Protocol):
    """Who holds the cards and mandates: the payment provider."""

    async def intent(self, intent_id: str) -> Intent: ...
    async def method(self, method_id: str) -> Named: ...
    async def mandate(self, mandate_id: str) -> Allowed: ...
    async def charge(self, *, key: str, amount: Money, customer_id: str, method_id: str, kind: str) -> Intent: ...


@dataclass(frozen=True, slots=True)
class Charged:
    """What the provider said to one charge: the status of its intent, or why it failed; neither where it said
    nothing."""

    collection_id: UUID
    intent_id: str | None = None
    status: str | None = None
    failure: str | None = None
    futile: bool = False


async def want_method(tx: Tx, account: Account, intent_id: str) -> None:
    """The customer left a method with `intent_id`, a payment or the setup of a method; which it was, the provider is
    asked later."""
    method = Method(
        id=new_id(),
        customer_id=account.customer.id,
        entity_id=account.entity.id,
        status="wanted",
        intent_id=intent_id,
        added_at=tx.now,
        look_at=tx.now,
    )
    await store.save_method(tx, method)


async def wanted_methods(tx: Tx) -> list[Method]:
    return await store.wanted_methods(tx, tx.now, AT_ONCE)


async def look_up(desk: ChargeDesk, method: Method) -> Method | None:
    """The method as the provider knows it; None while it cannot be asked. For the tick, outside its transaction."""
    try:
        intent = await desk.intent(method.intent_id)
        if intent.method_id is None or intent.customer_id is None:
            return replace(method, status="removed", look_at=None)
        named = await desk.method(intent.method_id)
        allowed = await desk.mandate(intent.mandate_id) if named.kind == "sepa_debit" and intent.mandate_id else None
    except Unavailable:
        return None
    except Refused:
        return replace(method, status="removed", look_at=None)
    if named.kind not in ("card", "sepa_debit") or (named.kind == "sepa_debit" and not (allowed and allowed.reference)):
        return replace(method, status="removed", look_at=None)  # Nothing that could be charged later.
    return replace(
        method,
        status="active",
        look_at=None,
        provider_customer=intent.customer_id,
        provider_method=intent.method_id,
        label=named.label,
        kind=named.kind,
        last4=named.last4,
        mandate_id=intent.mandate_id if allowed else None,
        mandate_reference=allowed.reference if allowed else None,
    )


async def keep_method(tx: Tx, wanted: Method, found: Method | None) -> None:
    """File what was found; a newer method takes the place of an older one."""
    account = await customers.lock_account(tx, CustomerRef(customer_id=wanted.customer_id), wanted.entity_id)
    if found is None:
        await store.save_method(tx, replace(wanted, look_at=tx.now + ASK_AGAIN_AFTER))
        return
    older = await store.active_method(tx, account.customer.id, account.entity.id) if found.status == "active" else None
    if older:
        await store.save_method(tx, replace(older, status="removed"))
    await store.save_method(tx, found)
    if older:
        for collection in await _undone(tx, older):
            await store.save_collection(tx, rules.follows(found, collection))


async def get_method(tx: Tx, account: Account) -> Method | None:
    return await store.active_method(tx, account.customer.id, account.entity.id)


async def remove_method(tx: Tx, account: Account) -> None:
    """Nothing is collected with it any more. Raises MethodNotFound."""
    locked = await customers.lock_account(tx, CustomerRef(customer_id=account.customer.id), account.entity.id)
    if not await _remove(tx, locked):
        raise MethodNotFound("no payment method is saved")


async def _remove(tx: Tx, account: Account) -> bool:
    method = await store.active_method(tx, account.customer.id, account.entity.id)
    if method is None:
        return False
    await store.save_method(tx, replace(method, status="removed"))
    for collection in await _undone(tx, method):
        await store.save_collection(tx, rules.dropped(collection))
    return True


async def _undone(tx: Tx, method: Method) -> list[Collection]:
    """What was announced or is to be tried again with a method."""
    latest = await store.latest(tx, method.customer_id, method.entity_id)
    return [each for each in latest if each.method_id == method.id and each.status in ("announced", "refused")]


async def end_mandate(tx: Tx, mandate_id: str) -> None:
    """The customer's bank, or the customer there, has taken the mandate back: nothing is debited by it any more."""
    method = await store.method_by_mandate(tx, mandate_id)
    if method:
        await _remove(
            tx, await customers.lock_account(tx, CustomerRef(customer_id=method.customer_id), method.entity_id)
        )


async def begin_due(tx: Tx) -> int:
    """Write down a charge for each invoice and instalment that reached its due date, and announce the debits of those
    that will. Returns how many were looked at."""
    due = await store.due_invoices(tx, tx.now, AT_ONCE)
    for method_id, invoice_id in due:
        method, account = await _locked(tx, method_id)
        invoice = await invoices.get_invoice(tx, invoice_id)
        await _begin(tx, account, rules.begin(new_id(), method, account.entity, invoice, tx.now))
    instalments = await store.due_instalments(tx, tx.now, AT_ONCE)
    for method_id, plan_id, on in instalments:
        method, account = await _locked(tx, method_id)
        standing = await plans.get_plan(tx, plan_id)
        begun = rules.begin_instalment(new_id(), method, account.entity, standing.plan, standing.filled, on, tx.now)
        await _begin(tx, account, begun)
    return len(due) + len(instalments)


async def _locked(tx: Tx, method_id: UUID) -> tuple[Method, Account]:
    method = await store.method(tx, method_id)
    assert method is not None
    return method, await customers.lock_account(tx, CustomerRef(customer_id=method.customer_id), method.entity_id)


async def _begin(tx: Tx, account: Account, begun: Collection | None) -> None:
    if begun is None:
        return
    await store.save_collection(tx, begun)
    if begun.status == "announced":
        await _tell(tx, account, "debit_announced", begun)


async def _tell(tx: Tx, account: Account, kind: Notice, collection: Collection) -> None:
    await deliveries.notify(
        tx, account.entity, account.customer, kind, invoice_id=collection.invoice_id, collection_id=collection.id
    )


async def to_charge(tx: Tx) -> list[tuple[Collection, Method]]:
    """Charges whose time has come; a refused one comes back as its next attempt. What is no longer owed is left."""
    ready = []
    for found in await store.due_collections(tx, tx.now, AT_ONCE):
        method, account = await _locked(tx, found.method_id)
        collection = await _next_attempt(tx, account, found, method)
        if collection is None or (method.status != "active" and collection.intent_id is None):
            await store.save_collection(tx, rules.needless(found))
        else:
            await store.save_collection(tx, rules.unheard(collection, tx.now))
            ready.append((collection, method))
    return ready


async def _next_attempt(tx: Tx, account: Account, found: Collection, method: Method) -> Collection | None:
    """What to ask the provider for: what was announced, what was refused once more; None where nothing is owed."""
    if found.status not in ("announced", "refused"):
        return found
    owed = await _owed(tx, found, account.entity.today(tx.now))
    if found.status == "announced":
        return rules.confirmed(found, owed, tx.now)
    following = rules.again(new_id(), method, found, owed, tx.now)
    if following:
        await store.save_collection(tx, replace(found, look_at=None))
    return following


async def _owed(tx: Tx, collection: Collection, today: date) -> int:
    """What may be collected now of what the charge is for."""
    if collection.plan_id is None:
        assert collection.invoice_id is not None
        return (await invoices.get_invoice(tx, collection.invoice_id)).collectable_minor
    standing = await plans.get_plan(tx, collection.plan_id)
    return rules.plan_owes(standing.plan, standing.filled, today, collection.amount_minor)


async def charge(desk: ChargeDesk, collection: Collection, method: Method) -> Charged:
    """Ask the provider, outside any transaction: to charge, or how a debit under way went."""
    try:
        if collection.intent_id:
            intent = await desk.intent(collection.intent_id)
        else:
            intent = await desk.charge(
                key=str(collection.id),
                amount=collection.amount,
                customer_id=method.provider_customer or "",
                method_id=method.provider_method or "",
                kind=method.kind,
            )
    except Unavailable:
        return Charged(collection.id)
    except (Refused, ValueError) as error:
        return Charged(collection.id, failure=str(error), futile=getattr(error, "code", None) in rules.FUTILE)
    if intent.status not in (CHARGED, UNDER_WAY):
        return refusal(collection.id, intent.failure, intent.failure_code)
    return Charged(collection.id, intent.id, intent.status)


def refusal(collection_id: UUID, failure: str | None, code: str | None) -> Charged:
    """A charge that came to nothing; without a reason it is one that waits for the customer."""
    why = failure or "the bank wants the customer to confirm it"
    return Charged(collection_id, failure=why, futile=code in rules.FUTILE)


async def record(tx: Tx, charged: Charged) -> None:
    """Book what was charged, or note the refusal and when to try again."""
    seen = await store.find(tx, charged.collection_id)
    if seen is None:  # A call about something that another installation has charged.
        return
    account = await customers.lock_account(tx, CustomerRef(customer_id=seen.customer_id), seen.entity_id)
    found = await store.lock_collection(tx, seen.id)
    assert found is not None
    if found.status != "meant":
        return
    if found.under_way and found.plan_id and (charged.failure or charged.status == CHARGED):
        await plans.await_debit(tx, found.plan_id, -found.amount_minor)
    if charged.failure:
        method = await store.method(tx, found.method_id)
        assert method is not None
        entity = account.entity
        refused = rules.refused(found, method, charged.failure, entity, entity.today(tx.now), futile=charged.futile)
        if method.status != "active":
            refused = rules.dropped(refused)
        await store.save_collection(tx, refused)
        await _tell(tx, account, "collection_failed", refused)
    elif charged.intent_id and charged.status == CHARGED:
        payment_id = await _book(tx, account, found)
        await store.save_collection(tx, rules.paid(found, charged.intent_id, payment_id))
    elif charged.intent_id:
        if found.plan_id and not found.under_way:
            await plans.await_debit(tx, found.plan_id, found.amount_minor)
        await store.save_collection(tx, rules.under_way(found, charged.intent_id, tx.now))


async def _book(tx: Tx, account: Account, collection: Collection) -> UUID:
    method = await store.method(tx, collection.method_id)
    assert method is not None
    wanted = await _wanted(tx, collection)
    recorded = await payments.receive_payment(
        tx,
        ReceivePayment(
            collection.amount,
            CustomerRef(customer_id=collection.customer_id),
            method="direct_debit" if method.debits else "card",
            reference=f"collection {collection.id}",
            allocations=wanted,
            apply="auto" if wanted else "none",
            entity_id=account.entity.id,
        ),
    )
    return recorded.payment.id


async def _wanted(tx: Tx, collection: Collection) -> tuple[Wanted, ...]:
    """Where the money goes: to the invoice as far as it is still owed, or to the plan's invoices."""
    if collection.plan_id is None:
        assert collection.invoice_id is not None
        invoice = await invoices.get_invoice(tx, collection.invoice_id)
        minor = min(collection.amount_minor, invoice.balance_minor)
        return (Wanted(invoice.id, None, invoice.money(minor)),) if minor else ()
    plan = (await plans.get_plan(tx, collection.plan_id)).plan
    parts = await plans.parts_of(tx, plan, collection.amount_minor)
    return tuple(Wanted(invoice.id, None, invoice.money(minor)) for invoice, minor in parts)


async def payment_of_intent(tx: Tx, intent_id: str) -> UUID | None:
    """The payment that a charge became."""
    found = await store.of_intent(tx, intent_id)
    return found.payment_id if found else None


async def collects(tx: Tx, plan_id: UUID, due_date: date) -> bool:
    """Whether an instalment is collected without the customer: a charge to its saved method is announced, made or to be
    tried again, or will be when its day comes."""
    return await store.collects(tx, plan_id, due_date)


async def get_collection(tx: Tx, collection_id: UUID) -> tuple[Collection, Method]:
    """A charge with the method it is made to."""
    found = await store.find(tx, collection_id)
    assert found is not None
    method = await store.method(tx, found.method_id)
    assert method is not None
    return found, method


async def latest_collections(tx: Tx, account: Account) -> Sequence[Collection]:
    """The last attempt at each invoice and instalment, for the customer's page."""
    return await store.latest(tx, account.customer.id, account.entity.id)
