"""Send events to webhooks: take a round, make its calls outside any transaction, write down what came of it.

A crash in between leaves a lease behind; when it is over the round is taken again, and its calls bear the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from time import monotonic
from uuid import UUID, uuid4

import asyncpg

from services.reporting.feed import handlers as feed
from services.reporting.notices import handlers as notices
from services.reporting.notices.rules import Content, Target
from services.reporting.webhook_deliveries import rules, store
from services.reporting.webhook_deliveries.rules import (
    EmptyRange,
    Lane,
    NothingToRetry,
    Outcome,
    Round,
    Run,
    Settlement,
)
from services.reporting.webhooks import handlers as webhooks
from services.reporting.webhooks.handlers import CALL_TIMEOUTS, Outlet
from services.reporting.webhooks.rules import Failure, Webhook, message
from shared import log
from shared.clock import real_now
from shared.db import Tx
from shared.ids import new_id

logger = log.get(__name__)

CALLS_AT_ONCE = 8
"""To one receiver."""
ASKED_AT_ONCE = 20


async def take_rounds(tx: Tx, lease_seconds: float, limit: int) -> list[Round]:
    """Claim runs that have something to do, each with its next piece of work."""
    now = real_now()
    await store.ensure_live_runs(tx)
    runs = await store.claim(tx, uuid4(), now, now + timedelta(seconds=lease_seconds), limit)
    return [await _round(tx, run, now) for run in runs]


async def _round(tx: Tx, run: Run, now: datetime) -> Round:
    webhook = await webhooks.find_webhook(tx, run.webhook_id)
    end = await feed.end_of_feed(tx) if run.last_place is None else run.last_place
    page = await feed.read_on(tx, run.wanted(webhook), run.place, end, run.page_events)
    leads_to = page[-1]["seq"] if len(page) == run.page_events else max(end, run.place)
    in_lanes = await store.customers_in_lanes(tx, run.id, [event["customer_id"] for event in page])
    lanes = rules.lanes_of_page(page, in_lanes)
    for row in await store.due_lanes(tx, run.id, now, run.lanes_at_once):
        lanes.append(await _kept_lane(tx, run, webhook, row, leads_to))
    if run.kind == "live":
        lanes += [await _asked_lane(tx, id) for id in await store.asked_for(tx, run.webhook_id, ASKED_AT_ONCE)]
    return Round(run, webhook, leads_to, lanes)


async def _kept_lane(tx: Tx, run: Run, webhook: Webhook, row: asyncpg.Record, leads_to: int) -> Lane:
    customer_id, events = row["customer_id"], []
    if not webhook.customers or customer_id in webhook.customers:
        wanted = run.wanted(webhook, (customer_id,))
        events = await feed.read_on(tx, wanted, row["place"], leads_to, rules.LANE_EVENTS)
    complete = len(events) < rules.LANE_EVENTS
    return Lane(customer_id, events, complete, row["attempts"], row["failing_since"], kept=True)


async def _asked_lane(tx: Tx, event_id: UUID) -> Lane:
    event = await feed.find_event(tx, event_id)
    return Lane(event["customer_id"], [event], asked=True)


async def make_calls(outlet: Outlet, round: Round, stop: asyncio.Event) -> list[tuple[Lane, Outcome]]:
    """Go through the lanes, several at a time, each in order up to its first failure. Raises nothing; what could not be
    over before the lease is, is not begun, nor is anything once the receiver asks for rest."""
    begin_until = monotonic() + outlet.lease_seconds - CALL_TIMEOUTS * outlet.timeout_seconds - 1
    outcomes: list[tuple[Lane, Outcome]] = []
    todo, halt = list(reversed(round.lanes)), False

    async def go_through(lane: Lane) -> Outcome:
        nonlocal halt
        for place, event in enumerate(lane.events):
            if halt or stop.is_set() or monotonic() >= begin_until:
                return Outcome(place)
            failure = await webhooks.call(outlet, round.webhook, str(event["id"]), rules.message_of(event))
            if failure:
                halt = halt or failure.gone or failure.retry_after_seconds is not None
                return Outcome(place, failure)
        return Outcome(len(lane.events))

    async def work() -> None:
        while todo:
            lane = todo.pop()
            outcomes.append((lane, await go_through(lane)))

    await asyncio.gather(*(work() for _ in range(min(CALLS_AT_ONCE, len(todo)))))
    return outcomes


async def settle_round(tx: Tx, round: Round, outcomes: Sequence[tuple[Lane, Outcome]]) -> Settlement | None:
    """Write down what came of it; None when the lease was over and another has taken the run."""
    run, now = round.run, real_now()
    if run.lease is None or not await store.hold(tx, run.id, run.lease):
        return None
    settled = rules.settle(round, outcomes, now, random)
    await store.write_down(tx, run, settled, now)
    if settled.disable_because:
        await _disable(tx, run.webhook_id, settled.disable_because)
    return settled


async def _disable(tx: Tx, webhook_id: UUID, because: str) -> None:
    disabled = await webhooks.disable_webhook(tx, webhook_id, because)
    if disabled is None:
        return
    logger.warning("webhook_disabled", webhook=str(webhook_id), reason=because)
    if disabled.notify:
        facts = (("Webhook", disabled.description or str(disabled.id)), ("Address", disabled.url), ("Because", because))
        intro = "Its place in the feed is kept: made active again, it goes on where it stopped and nothing is lost."
        content = Content("dueward.webhook.disabled.v1", "A webhook was disabled", intro, facts)
        await notices.plan(tx, [Target("email", disabled.notify)], content)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a test call, and how long it took."""

    failure: Failure | None
    milliseconds: int


async def try_webhook(outlet: Outlet, webhook: Webhook) -> Tried:
    """Send a message that says it is a test. Outside any transaction."""
    call_id, begun_at = str(uuid4()), monotonic()
    body = message(rules.TEST_TYPE, real_now(), {"webhook_id": webhook.id, "description": webhook.description})
    failure = await webhooks.call(outlet, webhook, call_id, body)
    return Tried(failure, round(1_000 * (monotonic() - begun_at)))


async def replay(tx: Tx, webhook_id: UUID, since: datetime, until: datetime) -> asyncpg.Record:
    """Send the events of a range of time once more, beside what is new. Raises WebhookNotFound, EmptyRange."""
    await webhooks.find_webhook(tx, webhook_id)
    if until <= since:
        raise EmptyRange(f"{until.isoformat()} is not after {since.isoformat()}", field="/until")
    return await store.add_replay(tx, new_id(), webhook_id, since, until)


async def retry_now(tx: Tx, webhook_id: UUID, event_id: UUID | None) -> int:
    """Try what waits and what is dead now, or one event of them; how many. Raises WebhookNotFound, NothingToRetry."""
    await webhooks.find_webhook(tx, webhook_id)
    count = await store.ask_again(tx, webhook_id, event_id, real_now())
    if event_id and not count:
        raise NothingToRetry(f"the event {event_id} neither waits for this webhook nor is dead", field="/event_id")
    return count


@dataclass(frozen=True, slots=True)
class State:
    """How far a webhook is. `run` is None until its first event was looked for."""

    webhook: Webhook
    run: asyncpg.Record | None
    behind: bool
    waiting: int
    dead: int


async def read_state(tx: Tx, webhook_id: UUID) -> State:
    """Raises WebhookNotFound."""
    webhook = await webhooks.find_webhook(tx, webhook_id)
    runs = await store.runs(tx, webhook_id, "live", None, 1)
    run = runs[0] if runs else None
    place = run["place"] if run else webhook.starts_behind
    counts = await store.counts(tx, webhook_id)
    return State(webhook, run, place < await feed.end_of_feed(tx), counts["waiting"], counts["dead"])


async def measure(tx: Tx) -> asyncpg.Record:
    """What waits and what is dead over all webhooks, and for how many seconds the oldest event has waited."""
    return await store.measure(tx, real_now())


async def list_replays(tx: Tx, webhook_id: UUID, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    await webhooks.find_webhook(tx, webhook_id)
    return await store.runs(tx, webhook_id, "replay", after, limit)


async def list_waiting(tx: Tx, webhook_id: UUID, after: tuple[UUID, UUID] | None, limit: int) -> list[asyncpg.Record]:
    """One a customer: the event that all its later ones wait for."""
    await webhooks.find_webhook(tx, webhook_id)
    return await store.waiting(tx, webhook_id, after, limit)


async def list_dead(tx: Tx, webhook_id: UUID, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    await webhooks.find_webhook(tx, webhook_id)
    return await store.dead(tx, webhook_id, after, limit)
