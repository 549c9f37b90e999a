"""Keep a customer's method of payment, and collect what falls due with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from services.invoice.autopay import rules, store
from services.invoice.autopay.rules import Collection, Method, MethodNotFound
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.invoices import handlers as invoices
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment
from services.invoice.payments.rules import Wanted
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


class Named(Protocol):
    @property
    def label(self) -> str: ...


class ChargeDesk(Protocol):
    """Who holds the cards and mandates: the payment provider."""

    async def intent(self, intent_id: str) -> Intent: ...
    async def method(self, method_id: str) -> Named: ...
    async def charge(self, *, key: str, amount: Money, customer_id: str, method_id: str) -> Intent: ...


@dataclass(frozen=True, slots=True)
class Charged:
    """What the provider said to one charge; neither intent nor failure where it said nothing."""

    collection_id: UUID
    intent: Intent | None = None
    failure: str | None = None


async def want_method(tx: Tx, account: Account, intent_id: str) -> None:
    """The customer paid with `intent_id` and asked to keep the method; which it was, the provider is asked later."""
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
    except Unavailable:
        return None
    except Refused:
        return replace(method, status="removed", look_at=None)
    return replace(
        method,
        status="active",
        look_at=None,
        provider_customer=intent.customer_id,
        provider_method=intent.method_id,
        label=named.label,
    )


async def keep_method(tx: Tx, wanted: Method, found: Method | None) -> None:
    """File what was found; a newer method takes the place of an older one."""
    account = await customers.lock_account(tx, CustomerRef(customer_id=wanted.customer_id), wanted.entity_id)
    if found is None:
        await store.save_method(tx, replace(wanted, look_at=tx.now + ASK_AGAIN_AFTER))
        return
    if found.status == "active":
        await _remove(tx, account)
    await store.save_method(tx, found)


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
    for collection in await store.latest(tx, account.customer.id, account.entity.id):
        if collection.method_id == method.id and collection.status == "refused":
            await store.save_collection(tx, replace(collection, status="given_up", look_at=None))
    return True


async def begin_due(tx: Tx) -> int:
    """Write down a charge for each invoice that reached its due date. Returns how many were looked at."""
    due = await store.due_invoices(tx, tx.now, AT_ONCE)
    for method_id, invoice_id in due:
        method = await store.method(tx, method_id)
        assert method is not None
        await customers.lock_account(tx, CustomerRef(customer_id=method.customer_id), method.entity_id)
        collection = rules.begin(new_id(), method, await invoices.get_invoice(tx, invoice_id), 1, tx.now)
        if collection:
            await store.save_collection(tx, collection)
    return len(due)


async def to_charge(tx: Tx) -> list[tuple[Collection, Method]]:
    """Charges whose time has come; a refused one comes back as its next attempt. What is no longer owed is left."""
    ready = []
    for found in await store.due_collections(tx, tx.now, AT_ONCE):
        method = await store.method(tx, found.method_id)
        assert method is not None
        await customers.lock_account(tx, CustomerRef(customer_id=found.customer_id), found.entity_id)
        collection = await _next_attempt(tx, found, method) if found.status == "refused" else found
        if collection is None or (method.status != "active" and collection.intent_id is None):
            await store.save_collection(tx, rules.needless(found))
        else:
            await store.save_collection(tx, rules.unheard(collection, tx.now))
            ready.append((collection, method))
    return ready


async def _next_attempt(tx: Tx, refused: Collection, method: Method) -> Collection | None:
    invoice = await invoices.get_invoice(tx, refused.invoice_id)
    following = rules.begin(new_id(), method, invoice, refused.attempt + 1, tx.now)
    if following:
        await store.save_collection(tx, replace(refused, look_at=None))
    return following


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
            )
    except Unavailable:
        return Charged(collection.id)
    except (Refused, ValueError) as error:
        return Charged(collection.id, failure=str(error))
    if intent.status not in (CHARGED, UNDER_WAY):
        return Charged(collection.id, failure="the bank wants the customer to confirm it")
    return Charged(collection.id, intent)


async def record(tx: Tx, charged: Charged) -> None:
    """Book what was charged, or note the refusal and when to try again."""
    found = await store.lock_collection(tx, charged.collection_id)
    assert found is not None
    account = await customers.lock_account(tx, CustomerRef(customer_id=found.customer_id), found.entity_id)
    if found.status != "meant":
        return
    if charged.failure:
        await store.save_collection(
            tx, rules.refused(found, charged.failure, account.entity, account.entity.today(tx.now))
        )
        await deliveries.notify(
            tx,
            account.entity,
            account.customer,
            "collection_failed",
            invoice_id=found.invoice_id,
            collection_id=found.id,
        )
    elif charged.intent and charged.intent.status == CHARGED:
        payment_id = await _book(tx, account, found)
        await store.save_collection(tx, rules.paid(found, charged.intent.id, payment_id))
    elif charged.intent:
        await store.save_collection(tx, rules.under_way(found, charged.intent.id, tx.now))


async def _book(tx: Tx, account: Account, collection: Collection) -> UUID:
    invoice = await invoices.get_invoice(tx, collection.invoice_id)
    minor = min(collection.amount_minor, invoice.balance_minor)
    wanted = (Wanted(invoice.id, None, invoice.money(minor)),) if minor else ()
    recorded = await payments.receive_payment(
        tx,
        ReceivePayment(
            collection.amount,
            CustomerRef(customer_id=collection.customer_id),
            method="card",
            reference=f"collection {collection.id}",
            allocations=wanted,
            apply="auto" if wanted else "none",
            entity_id=account.entity.id,
        ),
    )
    return recorded.payment.id


async def get_collection(tx: Tx, collection_id: UUID) -> Collection | None:
    return await store.find(tx, collection_id)


async def latest_collections(tx: Tx, account: Account) -> Sequence[Collection]:
    """The last attempt at each invoice, for the customer's page."""
    return await store.latest(tx, account.customer.id, account.entity.id)
