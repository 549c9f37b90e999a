"""Instalment plans: the dates and amounts that were agreed on an invoice, and how that ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import InvoicePlanAgreed, InvoicePlanBroken, InvoicePlanEnded


class Plan(NamedTuple):
    """What one event says of a plan on an invoice; its end does not say again what was agreed."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    number: str
    made_on: date | None
    ended_on: date | None
    outcome: str | None
    dates: list[date]
    amounts_minor: list[int]


def plans(events: Iterable[Event | None]) -> list[Plan]:
    """One a plan and invoice, of both of its events where both are there, sorted."""
    found: dict[tuple[UUID, UUID], Plan] = {}
    for event in events:
        if isinstance(event, InvoicePlanAgreed | InvoicePlanBroken | InvoicePlanEnded):
            new = _plan(event)
            known = found.get(new[:2])
            found[new[:2]] = _together(known, new) if known else new
    return [found[key] for key in sorted(found)]


def _plan(event: InvoicePlanAgreed | InvoicePlanBroken | InvoicePlanEnded) -> Plan:
    ids = event.plan_id, event.invoice.id, event.customer_id, event.invoice.number
    if isinstance(event, InvoicePlanAgreed):
        dates = [each.due_date for each in event.instalments]
        return Plan(*ids, event.effective_on, None, None, dates, [each.amount.minor for each in event.instalments])
    outcome = event.outcome if isinstance(event, InvoicePlanEnded) else "broken"
    return Plan(*ids, None, event.effective_on, outcome, [], [])


def _together(one: Plan, other: Plan) -> Plan:
    return one._replace(
        made_on=one.made_on or other.made_on,
        ended_on=one.ended_on or other.ended_on,
        outcome=one.outcome or other.outcome,
        dates=one.dates or other.dates,
        amounts_minor=one.amounts_minor or other.amounts_minor,
    )
