"""Customers who begin to pay later than they used to: found once an episode, with the evidence, and over when they are
back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Literal
from uuid import UUID

from services.credit.control_charts.rules import Chart, Norm, Plotted, Point, draw, drifts, drifts_on
from shared.calendar import ONE_DAY, add_months
from shared.errors import NotFound
from shared.events.credit import DriftDetected, DriftEnded, DriftPoint, DriftState
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoiceIssued,
    InvoicePlanBroken,
    InvoicePlanEnded,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)

Status = Literal["steady", "drifting"]
MONTHS = 24
PAYMENTS_MAX = 400
"""Payments older than that, or further back, are no longer drawn."""
POINTS_TOLD = 12
TELLING = (
    InvoiceSettled,
    InvoiceWrittenOff,
    InvoiceVoided,
    InvoiceDisputeResolved,
    InvoicePlanEnded,
    InvoicePlanBroken,
)
"""After these a payment, or an open invoice, is on the chart that was not, or the reverse."""


class DriftUnknown(NotFound):
    slug = "drift-unknown"
    title = "Nothing is known yet of how this customer pays"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"No invoice of the customer {customer_id} has been heard of.")


@dataclass(frozen=True, slots=True)
class Drift:
    """How a customer's payments stand; `since` is the day on which the running drift was found."""

    id: UUID
    customer_id: UUID
    version: int
    since: date | None

    @property
    def status(self) -> Status:
        return "drifting" if self.since else "steady"


@dataclass(frozen=True, slots=True)
class Paying:
    """What there is to draw of a customer: payments, and what is open (not what is disputed or on a plan)."""

    segment: str
    paid: tuple[Point, ...]
    still_open: tuple[Point, ...]


def news(events: Iterable[InvoiceEvent], now: datetime) -> dict[UUID, datetime]:
    """Whose chart is to be looked at, and when: the day after a payment, so that a day's payments are seen together;
    of a new invoice, the day after it is due."""
    midnight = datetime.combine(now.astimezone(UTC).date() + ONE_DAY, time(), UTC)
    found: dict[UUID, datetime] = {}
    for event in events:
        if isinstance(event, InvoiceIssued):
            at = datetime.combine(event.invoice.due_date + ONE_DAY, time(), UTC)
        elif isinstance(event, TELLING) or (isinstance(event, InvoiceBalanceChanged) and event.change.minor > 0):
            at = midnight
        else:
            continue
        found[event.customer_id] = min(found.get(event.customer_id, at), at)
    return found


def since_when(today: date) -> date:
    return add_months(today, -MONTHS)


def chart_of(paying: Paying, norm: Norm | None) -> Chart:
    return draw(paying.paid, paying.still_open, norm)


def look(before: Drift, paying: Paying, norm: Norm | None, today: date) -> tuple[Drift, list[Event], datetime | None]:
    """Hold the chart against what was found before: the drift as it is now, the event of one that began or ended, and
    when to look again if nothing is heard until then."""
    chart = chart_of(paying, norm)
    last, new_level = chart.last, bool(before.since and chart.new_level_on and chart.new_level_on >= before.since)
    goes_on = chart.is_drifting
    if before.since and last and not new_level:
        # An invoice that was found open stands elsewhere once it is paid: what was told ends at half the limit only.
        goes_on = drifts(True, last.smoothed, last.limit)
    after, events = before, list[Event]()
    if goes_on != (before.since is not None):
        after = replace(before, version=before.version + 1, since=today if goes_on else None)
        events = [_told(after, paying.segment, chart, norm, today, new_level)]
    again = None if goes_on else drifts_on(paying.paid, paying.still_open, norm)
    return after, events, datetime.combine(again, time(), UTC) if again else None


def _told(drift: Drift, segment: str, chart: Chart, norm: Norm | None, today: date, new_level: bool) -> Event:
    baseline = chart.baseline
    about = {
        "customer_id": drift.customer_id,
        "effective_on": today,
        "booked_on": today,
        "drift": DriftState(
            id=drift.id,
            version=drift.version,
            status=drift.status,
            since=drift.since,
            segment=segment,
            own_payments=baseline.own_payments,
            expected_days=_text(baseline.expected_days),
            spread_days=_text(baseline.spread_days),
            segment_days=_text(norm.mean_days) if norm else None,
        ),
    }
    if drift.since is None:
        return DriftEnded(**about, outcome="new_level" if new_level else "came_back")
    return DriftDetected(**about, points=tuple(_point(each) for each in chart.plotted[-POINTS_TOLD:]))


def _point(plotted: Plotted) -> DriftPoint:
    return DriftPoint(
        invoice_id=plotted.point.invoice_id,
        due_date=plotted.point.due_date,
        seen_on=plotted.point.seen_on,
        days=plotted.point.days,
        still_open=plotted.point.still_open,
        expected_days=_text(plotted.expected_days),
        smoothed_days=_text(plotted.smoothed_days),
        limit_days=_text(plotted.limit_days),
    )


def _text(days: float) -> str:
    return f"{days:.1f}"
