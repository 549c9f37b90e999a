"""What credit listens to. Exposure needs nothing but the newest balance of each invoice; what says how a customer
behaves (late payments, disputes, broken promises) is kept beside it, and has those assessed again who were before."""

from __future__ import annotations

from collections.abc import Sequence

from services.credit.assessments import handlers as assessments
from services.credit.behaviour import handlers as behaviour
from services.credit.drifts import handlers as drifts
from services.credit.exposure import handlers as exposure
from services.credit.holds import handlers as holds
from shared.db import Tx
from shared.delivery import Received, Subscriptions
from shared.events.invoice import InvoiceEvent
from shared.events.reminder import CaseEscalated, PromiseBroken

subscriptions = Subscriptions(group="credit", topics=("ar.invoice", "ar.reminder"))


@subscriptions.every_batch
async def keep_exposure(tx: Tx, received: Sequence[Received]) -> None:
    await exposure.keep_exposure(tx, [one.event for one in received if isinstance(one.event, InvoiceEvent)])


@subscriptions.every_batch
async def follow_behaviour(tx: Tx, received: Sequence[Received]) -> None:
    events = [one.event for one in received if one.event]
    causes = await behaviour.hear(tx, events)
    await drifts.hear(tx, events)  # Before the credit files, as the tick that looks for drifts locks them.
    await assessments.note(tx, causes)


@subscriptions.on(PromiseBroken)
async def hold_for_promise(tx: Tx, event: PromiseBroken) -> None:
    promise = event.promise
    reason = f"The promise to pay {promise.amount} by {promise.promised_on} was broken."
    await holds.place_for_event(tx, event.customer_id, "promise_broken", str(promise.id), reason)


@subscriptions.on(CaseEscalated)
async def hold_for_dunning(tx: Tx, event: CaseEscalated) -> None:
    """`actions` may ask for a `credit_hold`."""
    if "credit_hold" in event.actions:
        reason = f"The dunning step {event.case.step} asks for it."
        await holds.place_for_event(tx, event.customer_id, "dunning", str(event.case.id), reason)
