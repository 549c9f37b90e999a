"""Every subscription of the reminder service.

News of a batch is taken at once: who the customers are (`ar.customer`), how risky (`ar.credit`), what they owe
(`ar.invoice`, `ar.overdue`: both bear the invoice's whole state), and then each case concerned is looked at again. What
a payment does arrives as the changed balance of its invoices. A version of an invoice counts once, whatever the ids of
the events that tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import Cause
from services.reminder.contacts.handlers import RecordTouch
from services.reminder.legal import handlers as legal
from services.reminder.moot_tasks import handlers as moot_tasks
from services.reminder.offers import handlers as offers
from services.reminder.placements import handlers as placements
from services.reminder.promises import handlers as promises
from services.reminder.promises.handlers import Heard
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import KeepAccounts, Kept
from services.reminder.receivables.rules import Key
from shared.db import Tx
from shared.delivery import Received, Subscriptions
from shared.events.credit import CreditAssessed, CustomerEvent, CustomerUpdated
from shared.events.invoice import (
    InvoiceDelivered,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoicePromiseOffered,
    NoticeSent,
)

subscriptions = Subscriptions(group="reminder", topics=("ar.customer", "ar.credit", "ar.invoice", "ar.overdue"))


@subscriptions.every_batch
async def follow_accounts(tx: Tx, received: Sequence[Received]) -> None:
    customers = [one.event for one in received if isinstance(one.event, CustomerEvent)]
    moved = [event.customer_id for event in customers if isinstance(event, CustomerUpdated)]
    written_to_there = await receivables.subsidiaries(tx, moved)
    kept = await receivables.keep_accounts(tx, _accounts_to_keep(received, customers, written_to_there))
    news = iter(kept.first_time)
    received = [one for one in received if not isinstance(one.event, InvoiceEvent) or next(news)]
    invoices = [one.event for one in received if isinstance(one.event, InvoiceEvent)]
    causes, of_customers = _causes(received, kept)
    for subsidiary, parent in written_to_there.items():
        of_customers.setdefault(subsidiary, of_customers[parent])
    held = await cases.follow_accounts(tx, causes, of_customers, messages=_messages(received, tx.now))
    await legal.watch(tx, invoices)
    # A promise that is open, or a placement, holds its case: of other accounts nobody has to look for any.
    minded = held | {
        (event.customer_id, event.entity_id) for event in invoices if isinstance(event, InvoicePromiseOffered)
    }
    heard = [
        Heard(one.event, one.envelope.id, one.envelope.correlation_id)
        for one in received
        if isinstance(one.event, InvoiceEvent) and (one.event.customer_id, one.event.entity_id) in minded
    ]
    await offers.hear(tx, await promises.hear(tx, heard))
    await placements.hear(tx, [(each.event, each.event_id, each.correlation_id) for each in heard])
    # An invoice of which nothing may be asked for any more may have been the last one of its case.
    uncollectable = {(e.customer_id, e.entity_id) for e in invoices if not e.invoice.collectable.minor}
    await moot_tasks.end_moot_tasks(tx, uncollectable)


def _accounts_to_keep(
    received: Sequence[Received], customers: Sequence[CustomerEvent], subsidiaries: Iterable[UUID]
) -> KeepAccounts:
    invoices = [one.event for one in received if isinstance(one.event, InvoiceEvent)]
    return KeepAccounts(
        customers=[event.customer for event in customers],
        invoices=[(event.customer_id, event.invoice) for event in invoices],
        fresh_days=[
            (event.invoice.id, event.collect_again_on)
            for event in invoices
            if isinstance(event, InvoiceDisputeResolved) and event.collect_again_on
        ],
        assessed=[(one.event.customer_id, one.event.file) for one in received if isinstance(one.event, CreditAssessed)],
        also=[*subsidiaries, *(one.event.customer_id for one in received if isinstance(one.event, NoticeSent))],
    )


def _causes(received: Iterable[Received], kept: Kept) -> tuple[dict[Key, Cause], dict[UUID, Cause]]:
    """What accounts are looked at again for, and what customers are with all their accounts: the last news of each."""
    causes: dict[Key, Cause] = {}
    of_customers: dict[UUID, Cause] = {}
    for one in received:
        if isinstance(one.event, InvoiceEvent):
            key = one.event.customer_id, one.event.invoice.entity_id
            causes[key] = Cause(one.envelope.correlation_id, one.envelope.id, ended=kept.ended.get(key, frozenset()))
        elif isinstance(one.event, NoticeSent):
            notice = one.event.customer_id, one.event.entity_id
            causes.setdefault(notice, Cause(one.envelope.correlation_id, one.envelope.id))
        elif isinstance(one.event, CustomerEvent | CreditAssessed):
            of_customers[one.event.customer_id] = Cause(one.envelope.correlation_id, one.envelope.id)
    return causes, of_customers


def _messages(received: Iterable[Received], at: datetime) -> list[RecordTouch]:
    """What other services sent to customers."""
    sent, noticed = list[RecordTouch](), list[RecordTouch]()
    for event in (one.event for one in received):
        if isinstance(event, InvoiceDelivered) and event.channel == "email":
            about = event.invoice.entity_id, "email", "other", at, str(event.delivery_id)
            sent.append(RecordTouch(event.customer_id, *about))
        elif isinstance(event, NoticeSent):
            about = event.entity_id, event.channel, "other", at, str(event.delivery_id)
            noticed.append(RecordTouch(event.customer_id, *about))
    return [*sent, *noticed]
