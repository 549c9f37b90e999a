"""Deliveries written down, read and moved on. Features that make documents ask for their delivery here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.rules import Customer
from services.invoice.deliveries import rules, store
from services.invoice.deliveries.rules import Channel, Delivery, DeliveryNotFound, Notice, Status
from services.invoice.entities.rules import Entity
from services.invoice.preferences import handlers as preferences
from shared.db import Tx
from shared.ids import new_id

MAILS_UNDER_WAY_SINCE = store.MAILS_UNDER_WAY_SINCE


async def invoice_issued(tx: Tx, entity: Entity, customer: Customer, invoice_id: UUID, channel: Channel) -> None:
    """Where the entity delivers by itself, an invoice is on its way from the moment it is issued."""
    if entity.policies.delivery.automatic:
        await store.add(tx, [_of_invoice(tx, entity, customer, invoice_id, channel)])


async def invoices_issued(tx: Tx, entity: Entity, issued: Sequence[tuple[UUID, UUID, Channel]]) -> None:
    """The same for many: (customer, invoice, channel)."""
    if not entity.policies.delivery.automatic or not issued:
        return
    found = await customers.find_customers(tx, list({customer_id for customer_id, _, _ in issued}), [])
    known = {customer.id: customer for customer in found}
    await store.add(tx, [_of_invoice(tx, entity, known[owner], invoice, channel) for owner, invoice, channel in issued])


def _of_invoice(tx: Tx, entity: Entity, customer: Customer, invoice_id: UUID, channel: Channel) -> Delivery:
    return rules.ask(
        entity,
        customer,
        tx.now,
        delivery_id=new_id(),
        kind="invoice",
        channel=channel,
        invoice_id=invoice_id,
    )


async def credit_note_issued(tx: Tx, entity: Entity, customer: Customer, note_id: UUID, invoice_id: UUID) -> None:
    """A credit note follows its invoice, by mail or on paper."""
    if entity.policies.delivery.automatic:
        asked = rules.ask(
            entity,
            customer,
            tx.now,
            delivery_id=new_id(),
            kind="credit_note",
            channel=await channel_for(tx, entity, customer),
            invoice_id=invoice_id,
            credit_note_id=note_id,
        )
        await store.add(tx, [asked])


async def payment_received(tx: Tx, entity: Entity, customer: Customer, payment_id: UUID) -> None:
    """Where the entity thanks for payments, with a receipt."""
    if not entity.policies.delivery.receipts:
        return
    channel = await channel_for(tx, entity, customer)
    if channel == "letter" or rules.address_of(customer.contacts):
        asked = rules.ask(
            entity, customer, tx.now, delivery_id=new_id(), kind="receipt", channel=channel, payment_id=payment_id
        )
        await store.add(tx, [asked])


async def channel_for(tx: Tx, entity: Entity, customer: Customer) -> Channel:
    """On paper for customers who want it so."""
    wanted = await preferences.preference_of(tx, customer.id, entity.id)
    return "letter" if wanted.paper else "email"


async def notify(
    tx: Tx,
    entity: Entity,
    customer: Customer,
    kind: Notice,
    *,
    invoice_id: UUID | None = None,
    dispute_id: UUID | None = None,
    plan_id: UUID | None = None,
    collection_id: UUID | None = None,
    payment_id: UUID | None = None,
    instalment_on: date | None = None,
) -> bool:
    """Tell the customer by mail or, where it wants paper, by letter, where the entity sends by itself; nothing is asked
    of the database otherwise. What has to be told is a letter where there is no address to write to. Returns whether
    the word is on its way: without an address for mails it is not."""
    if not rules.wants_told(entity, kind):
        return False
    channel, reachable = await channel_for(tx, entity, customer), rules.address_of(customer.contacts) is not None
    if channel == "email" and not reachable and kind in rules.DUTIES:
        channel = "letter"
    if channel == "email" and not reachable:
        return False
    asked = rules.ask(
        entity,
        customer,
        tx.now,
        delivery_id=new_id(),
        kind=kind,
        channel=channel,
        invoice_id=invoice_id,
        dispute_id=dispute_id,
        plan_id=plan_id,
        collection_id=collection_id,
        payment_id=payment_id,
        instalment_on=instalment_on,
    )
    await store.add(tx, [asked])
    return True


async def ask(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    if deliveries:
        await store.add(tx, deliveries)


async def save(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    if deliveries:
        await store.save(tx, deliveries)


async def to_do(tx: Tx, real_now: datetime, limit: int) -> list[Delivery]:
    return await store.to_do(tx, real_now, limit)


async def in_status(tx: Tx, ids: Sequence[UUID], status: Status) -> list[Delivery]:
    return await store.in_status(tx, ids, status)


async def find_deliveries(tx: Tx, ids: Sequence[UUID]) -> list[Delivery]:
    return await store.find(tx, ids)


async def get_delivery(tx: Tx, delivery_id: UUID) -> Delivery:
    """Raises DeliveryNotFound."""
    found = await store.find(tx, [delivery_id])
    if not found:
        raise DeliveryNotFound(f"there is no delivery {delivery_id}")
    return found[0]


async def list_deliveries(
    tx: Tx,
    *,
    before: UUID | None,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    status: Status | None = None,
    limit: int,
) -> list[Delivery]:
    """The newest first."""
    return await store.page(tx, before, invoice_id, customer_id, status, limit)
