"""Watch how late customers pay, and tell once when one begins to pay later than it used to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.credit.assessments import handlers as assessments
from services.credit.behaviour.rules import Cause
from services.credit.control_charts.rules import Chart
from services.credit.drifts import rules, store
from services.credit.drifts.rules import Drift, DriftUnknown
from services.credit.follow_ups import handlers as follow_ups
from services.credit.segment_drifts import handlers as segment_drifts
from services.credit.segment_drifts.rules import norm_for
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.events.credit import DriftDetected
from shared.events.event import Event
from shared.events.invoice import InvoiceEvent, InvoiceSettled

LOOK_DUE = store.LOOK_DUE
LOOKED_AT_A_RUN = 200


async def hear(tx: Tx, events: Sequence[Event]) -> None:
    """Note who is to be looked at. A batch that tells nothing costs no statement."""
    told = [event for event in events if isinstance(event, InvoiceEvent)]
    if looks := rules.news(told, tx.now):
        await store.watch(tx, looks)
    if any(isinstance(event, InvoiceSettled) for event in told):
        await segment_drifts.begin_rounds(tx)


async def look_again(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """Their payments are others now."""
    await store.watch(tx, dict.fromkeys(customer_ids, tx.now))


async def watch_customers(tx: Tx, customers_max: int = LOOKED_AT_A_RUN) -> int:
    """Look at a bounded number of those that are due; who was assessed before is assessed again after a drift. Returns
    how many were due."""
    today = local_date(tx.now, "UTC")
    due = await store.take_due(tx, customers_max)
    known = await segment_drifts.norms(tx) if due else {}
    looked, causes = [], dict[UUID, set[Cause]]()
    for customer_id, paying in (await _paying(tx, sorted(due), today)).items():
        after, events, again = rules.look(due[customer_id], paying, norm_for(paying.segment, known), today)
        await outbox.append(tx, *events)
        looked.append((after, again))
        if any(isinstance(event, DriftDetected) for event in events):
            causes[customer_id] = {Cause.DRIFT}
    if looked:
        await store.save(tx, looked)
    await assessments.note(tx, causes)
    await follow_ups.note(tx, {customer_id: causes.get(customer_id, {"paying"}) for customer_id in due})
    return len(due)


async def _paying(tx: Tx, customer_ids: Sequence[UUID], today: date) -> dict[UUID, rules.Paying]:
    return await store.paying(tx, customer_ids, rules.since_when(today), today) if customer_ids else {}


async def chart(tx: Tx, customer_id: UUID) -> tuple[Drift, Chart]:
    """The chart as it looks today, and what was found last. Raises DriftUnknown."""
    today = local_date(tx.now, "UTC")
    found, paying = await store.find(tx, customer_id), (await _paying(tx, [customer_id], today)).get(customer_id)
    if found is None or paying is None:
        raise DriftUnknown(customer_id)
    return found, rules.chart_of(paying, norm_for(paying.segment, await segment_drifts.norms(tx)))


async def list_drifting(tx: Tx, after: tuple[date, UUID] | None, count_max: int) -> Sequence[Drift]:
    """Who pays later than before, the newest first."""
    return await store.drifting(tx, after, count_max)
