"""How events reach webhooks: each at least once, in order per customer, and nobody waits for another's trouble.

A run goes through the feed with one cursor. A customer whose event cannot be delivered gets a lane, a cursor of its
own, and the run goes on without it; the lane is given up when it has caught up. So what is kept is small: a row for
each customer in trouble, however long the history. Everything here is real time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.reporting.feed.rules import Kept, Wanted, told
from services.reporting.webhooks.rules import Failure, Webhook, message
from shared.errors import NotFound, Refused

RETRY_SECONDS = (5, 30, 2 * 60, 10 * 60, 30 * 60, 3_600, 2 * 3_600, 4 * 3_600, 8 * 3_600)
"""After the first failed call, the second ...; the last goes on. Each a fifth more or less."""
JITTER = 0.2
DEAD_AFTER = timedelta(days=3)
DISABLED_AFTER = timedelta(days=5)
REST_SECONDS = (5, 15, 60, 300)
"""For how long a receiver that fails altogether is left alone."""

PAGE_EVENTS = 100
LANES_AT_ONCE = 32
PROBES = 8
"""Of each, while the receiver fails altogether."""
LANE_EVENTS = 20

TEST_TYPE = "dueward.webhook.test.v1"

Kind = Literal["live", "replay"]
Roll = Callable[[], float]
"""A random number from 0 to below 1."""


class EmptyRange(Refused):
    slug = "empty-range"
    title = "The range ends before it begins"


class NothingToRetry(NotFound):
    slug = "nothing-to-retry"
    title = "This event does not wait and is not dead"


@dataclass(frozen=True, slots=True)
class Run:
    """`place`: up to this feed number all is delivered, or has a lane. A replay is narrowed to a range of time."""

    id: UUID
    webhook_id: UUID
    kind: Kind
    since: datetime | None
    until: datetime | None
    place: int
    last_place: int | None
    failures: int
    failing_since: datetime | None
    lease: UUID | None

    def wanted(self, webhook: Webhook, customers: tuple[UUID, ...] | None = None) -> Wanted:
        return Wanted(
            types=webhook.types,
            customers=customers or webhook.customers,
            since=self.since,
            until=self.until,
        )

    @property
    def page_events(self) -> int:
        return PROBES if self.failures else PAGE_EVENTS

    @property
    def lanes_at_once(self) -> int:
        return PROBES if self.failures else LANES_AT_ONCE


@dataclass(frozen=True, slots=True)
class Lane:
    """A customer's next events, in order; `complete` when there are no more up to where the round leads. `kept` says
    that it has a row already; `asked` that it is a dead event which somebody wants tried again."""

    customer_id: UUID
    events: Sequence[Kept]
    complete: bool = True
    attempts: int = 0
    failing_since: datetime | None = None
    kept: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """A run's next piece of work: lanes to go through, and the feed number that it leads to."""

    run: Run
    webhook: Webhook
    leads_to: int
    lanes: Sequence[Lane]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many events of a lane were delivered, and what stopped it; without a failure, the rest was not begun."""

    delivered: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class LaneRow:
    customer_id: UUID
    place: int
    event_id: UUID | None
    attempts: int
    failing_since: datetime | None
    retry_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeadRow:
    event_id: UUID
    customer_id: UUID
    type: str
    attempts: int
    reason: str


@dataclass(slots=True)
class Settlement:
    """What is written down after a round."""

    place: int
    delivered: int = 0
    lanes: list[LaneRow] = field(default_factory=list)
    caught_up: list[UUID] = field(default_factory=list)
    dead: list[DeadRow] = field(default_factory=list)
    revived: list[UUID] = field(default_factory=list)
    still_dead: list[tuple[UUID, str]] = field(default_factory=list)
    failures: int = 0
    failing_since: datetime | None = None
    rest_until: datetime | None = None
    recovered: bool = False
    disable_because: str | None = None


def lanes_of_page(page: Sequence[Kept], in_lanes: frozenset[UUID]) -> list[Lane]:
    """A page's events by customer, in the order of each's first; those of customers that have a lane wait there."""
    by_customer: dict[UUID, list[Kept]] = {}
    for event in page:
        if event["customer_id"] not in in_lanes:
            by_customer.setdefault(event["customer_id"], []).append(event)
    return [Lane(customer_id, events) for customer_id, events in by_customer.items()]


def settle(round: Round, outcomes: Sequence[tuple[Lane, Outcome]], now: datetime, roll: Roll) -> Settlement:
    """What a round's outcomes mean for its lanes, its run and its webhook. Every lane of the round has an outcome."""
    run, failed = round.run, [outcome.failure for _, outcome in outcomes if outcome.failure]
    settled = Settlement(place=round.leads_to, delivered=sum(outcome.delivered for _, outcome in outcomes))
    for lane, outcome in outcomes:
        if lane.asked:
            _settle_asked(settled, lane, outcome)
        else:
            _settle_lane(settled, lane, outcome, now, roll)
    if settled.delivered or not outcomes:
        settled.recovered = run.failures > 0 and settled.delivered > 0
        settled.failures, settled.failing_since = (0, None) if settled.delivered else (run.failures, run.failing_since)
    elif failed:
        settled.failures, settled.failing_since = run.failures + 1, run.failing_since or now
        if len(failed) > 1:
            settled.rest_until = now + _spread(REST_SECONDS[min(run.failures, len(REST_SECONDS) - 1)], roll)
    else:
        settled.failures, settled.failing_since = run.failures, run.failing_since
    asked_seconds = max((failure.retry_after_seconds or 0 for failure in failed), default=0)
    if asked_seconds:
        asked = now + timedelta(seconds=asked_seconds)
        settled.rest_until = max(settled.rest_until or asked, asked)
    settled.disable_because = _why_disabled(failed, settled.failing_since, now)
    if settled.disable_because:  # Whoever makes it active again begins with a clean sheet.
        settled.failures, settled.failing_since, settled.rest_until = 0, None, None
    return settled


def _settle_asked(settled: Settlement, lane: Lane, outcome: Outcome) -> None:
    event_id = lane.events[0]["id"]
    if outcome.delivered:
        settled.revived.append(event_id)
    elif outcome.failure:
        settled.still_dead.append((event_id, outcome.failure.reason))


def _settle_lane(settled: Settlement, lane: Lane, outcome: Outcome, now: datetime, roll: Roll) -> None:
    if outcome.delivered == len(lane.events):
        if not lane.complete:
            settled.lanes.append(LaneRow(lane.customer_id, lane.events[-1]["seq"], None, 0, None, now, None))
        elif lane.kept:
            settled.caught_up.append(lane.customer_id)
        return
    head = lane.events[outcome.delivered]
    attempts, since = (0, None) if outcome.delivered else (lane.attempts, lane.failing_since)
    before, failure = head["seq"] - 1, outcome.failure
    if failure is None:
        settled.lanes.append(LaneRow(lane.customer_id, before, head["id"], attempts, since, now, None))
        return
    attempts, since = attempts + 1, since or now
    if now - since >= DEAD_AFTER:
        settled.dead.append(DeadRow(head["id"], lane.customer_id, head["type"], attempts, failure.reason))
        settled.lanes.append(LaneRow(lane.customer_id, head["seq"], None, 0, None, now, None))
        return
    again = now + max(backoff(attempts, roll), timedelta(seconds=failure.retry_after_seconds or 0))
    settled.lanes.append(LaneRow(lane.customer_id, before, head["id"], attempts, since, again, failure.reason))


def backoff(attempts: int, roll: Roll) -> timedelta:
    """How long an event waits after so many failed calls, from 1."""
    return _spread(RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1], roll)


def _spread(seconds: float, roll: Roll) -> timedelta:
    """So that those who failed together do not come back together."""
    return timedelta(seconds=seconds * (1 - JITTER + 2 * JITTER * roll()))


def _why_disabled(failed: Sequence[Failure], failing_since: datetime | None, now: datetime) -> str | None:
    if any(failure.gone for failure in failed):
        return "the receiver answered 410: it is gone for good"
    if failing_since and failed and now - failing_since >= DISABLED_AFTER:
        return f"nothing could be delivered since {failing_since:%Y-%m-%d %H:%M} UTC; last: {failed[-1].reason}"
    return None


def message_of(event: Kept) -> bytes:
    """Byte for byte the same each time it is sent."""
    return message(event["type"], event["time"], told(event))
