"""Dates on which customers said they will pay: promises, and the instalments of plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import InvoicePlanAgreed, InvoicePlanBroken, InvoicePlanEnded
from shared.events.reminder import PromiseEvent

KEPT_BEFORE = 2
"""What everybody keeps counts as much as so many promises of a customer's own."""


class Commitment(NamedTuple):
    """What an event says of a promise, or of a plan on an invoice. `made_on` is null while only its end was heard."""

    id: UUID
    invoice_id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    currency: str
    kind: Literal["promise", "plan"]
    made_on: date | None
    ended_on: date | None
    outcome: str | None
    numbers: tuple[str, ...]
    dates: tuple[date, ...]
    amounts_minor: tuple[int, ...]


def commitments(events: Iterable[Event | None]) -> list[Commitment]:
    """One a promise, and one a plan and invoice, sorted; the newest of several, with what an older one knew."""
    found: dict[tuple[UUID, UUID], Commitment] = {}
    for event in events:
        if (new := _commitment(event)) is None:
            continue
        known = found.get(new[:2])
        found[new[:2]] = _merged(known, new) if known else new
    return [found[key] for key in sorted(found)]


def _commitment(event: Event | None) -> Commitment | None:
    if isinstance(event, PromiseEvent):
        return _promise(event)
    if isinstance(event, InvoicePlanAgreed | InvoicePlanBroken | InvoicePlanEnded):
        return _plan(event)
    return None


def _promise(event: PromiseEvent) -> Commitment:
    promise = event.promise
    running = promise.status == "open"
    return Commitment(
        promise.id,
        promise.id,
        promise.version,
        event.customer_id,
        promise.entity_id,
        promise.amount.currency,
        "promise",
        promise.made_on,
        None if running else event.effective_on,
        None if running else promise.status,
        promise.items,
        (promise.promised_on,),
        (max(promise.amount.minor - promise.paid.minor, 0),),
    )


def _plan(event: InvoicePlanAgreed | InvoicePlanBroken | InvoicePlanEnded) -> Commitment:
    agreed = event if isinstance(event, InvoicePlanAgreed) else None
    outcome = event.outcome if isinstance(event, InvoicePlanEnded) else "broken"
    return Commitment(
        event.plan_id,
        event.invoice.id,
        event.invoice.version,
        event.customer_id,
        event.invoice.entity_id,
        event.invoice.total.currency,
        "plan",
        agreed.effective_on if agreed else None,
        None if agreed else event.effective_on,
        None if agreed else outcome,
        (event.invoice.number,),
        tuple(each.due_date for each in agreed.instalments) if agreed else (),
        tuple(each.amount.minor for each in agreed.instalments) if agreed else (),
    )


def _merged(one: Commitment, other: Commitment) -> Commitment:
    """A plan's end does not say again what was agreed."""
    older, newer = sorted((one, other), key=lambda each: each.version)
    if newer.dates:
        return newer._replace(made_on=newer.made_on or older.made_on)
    return newer._replace(made_on=older.made_on, dates=older.dates, amounts_minor=older.amounts_minor)


def kept_share(kept: Mapping[UUID, int], broken: Mapping[UUID, int], customer_id: UUID) -> float:
    """How likely a promise of this customer is kept: its own record, drawn to everybody's while it is short.

    Without any record one half, as nothing speaks for either.
    """
    all_kept, all_broken = sum(kept.values()), sum(broken.values())
    everybody = (all_kept + 1) / (all_kept + all_broken + 2)
    own_kept, own_broken = kept.get(customer_id, 0), broken.get(customer_id, 0)
    return (own_kept + KEPT_BEFORE * everybody) / (own_kept + own_broken + KEPT_BEFORE)
