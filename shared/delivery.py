"""Events take effect here: each once, in order per customer, or is kept where an operator sees it.

A batch is applied in one transaction, together with its inbox rows; when a handler fails, the batch is halved until
the bad event stands alone, so that it costs only itself. Where events come from is `shared.consumer`'s business.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from shared import context, inbox, log, parked, telemetry
from shared.db import INFRASTRUCTURE_ERRORS, Database, Tx, transaction
from shared.events import catalogue
from shared.events.envelope import Envelope, decode
from shared.events.event import Event
from shared.waiting import wait_until_set

logger = log.get(__name__)

Handler = Callable[[Tx, Any], Awaitable[None]]
BatchHandler = Callable[[Tx, Sequence["Received"]], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """An event as it came: the envelope, the typed event (None where this release does not know the type), and the
    raw message for whoever has to keep it."""

    envelope: Envelope
    event: Event | None
    topic: str
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        return orjson.loads(self.envelope.data)


class Fenced(Exception):
    """The partition was taken away while its batch was under way: nothing of it may be committed."""


@dataclass
class Subscriptions:
    """Every subscription of a service, one readable list: which handler takes which event."""

    group: str
    topics: tuple[str, ...]
    routes: dict[str, list[Handler]] = field(default_factory=lambda: defaultdict(list))
    batch_handlers: list[BatchHandler] = field(default_factory=list)

    def on(self, *kinds: type[Event]) -> Callable[[Handler], Handler]:
        """Declare a handler for some kinds of event. It runs in the transaction of its batch; raising parks."""
        for kind in kinds:
            if kind.topic not in self.topics:
                raise ValueError(f"{kind.type} travels on {kind.topic}, which {self.group} does not listen to")

        def declare(handler: Handler) -> Handler:
            for kind in kinds:
                self.routes[kind.type].append(handler)
            return handler

        return declare

    def every_batch(self, handler: BatchHandler) -> BatchHandler:
        """Declare a handler for whole batches of new events, of every type: for read models."""
        self.batch_handlers.append(handler)
        return handler

    async def apply(self, tx: Tx, received: Sequence[Received]) -> None:
        for handler in self.batch_handlers:
            await handler(tx, received)
        for one in received:
            handlers = self.routes.get(one.envelope.type, ())
            if one.event is None or not handlers:
                continue
            envelope = one.envelope
            context.correlation.set(envelope.correlation_id)
            context.causation.set(str(envelope.id))
            with (
                telemetry.span(
                    f"{self.group} takes {envelope.type}", kind="consumer", traceparent=envelope.traceparent
                ),
                telemetry.HANDLER_SECONDS.labels(envelope.type).time(),
            ):
                for handler in handlers:
                    await handler(tx, one.event)


async def deliver_batch(
    database: Database,
    subscriptions: Subscriptions,
    received: Sequence[Received],
    still_owned: Callable[[], bool] = lambda: True,
) -> int:
    """Apply a batch in one transaction; return how many were new. Raises whatever a handler raised, or Fenced."""
    async with transaction(database) as tx:
        fresh = await inbox.claim(tx, subscriptions.group, received)
        for one, behind_parked in fresh:
            if behind_parked:
                await parked.park(tx, subscriptions.group, one, "an earlier event of this customer is parked")
        todo = [one for one, behind_parked in fresh if not behind_parked]
        if todo:
            await subscriptions.apply(tx, todo)
        if not still_owned():
            raise Fenced
    telemetry.EVENTS_DUPLICATE.labels(subscriptions.group).inc(len(received) - len(fresh))
    for one, _ in fresh:
        telemetry.EVENTS_APPLIED.labels(one.topic).inc()
    return len(fresh)


async def deliver(
    database: Database,
    subscriptions: Subscriptions,
    batch: Sequence[Received],
    still_owned: Callable[[], bool] = lambda: True,
) -> None:
    """Apply a batch; where a handler fails, halve it until the bad event stands alone, and park that one.

    Everything before the bad event is applied before it, everything after it later: the order of a key is kept.
    Raises Fenced and the machinery's faults, upon which the caller may deliver the same batch again.
    """
    try:
        await deliver_batch(database, subscriptions, batch, still_owned)
    except (*INFRASTRUCTURE_ERRORS, Fenced):
        raise
    except Exception as error:  # Any fault of a handler's own.
        if len(batch) == 1:
            await _park_alone(database, subscriptions, batch[0], error, still_owned)
            return
        middle = len(batch) // 2
        await deliver(database, subscriptions, batch[:middle], still_owned)
        await deliver(database, subscriptions, batch[middle:], still_owned)


async def _park_alone(
    database: Database,
    subscriptions: Subscriptions,
    one: Received,
    error: Exception,
    still_owned: Callable[[], bool],
) -> None:
    logger.error("event_parked", type=one.envelope.type, event_id=str(one.envelope.id), exc_info=error)
    async with transaction(database) as tx:
        for claimed, _ in await inbox.claim(tx, subscriptions.group, [one]):
            await parked.park(tx, subscriptions.group, claimed, f"{type(error).__name__}: {error}")
        if not still_owned():
            raise Fenced


async def retry_parked(database: Database, subscriptions: Subscriptions) -> bool:
    """Try the first parked event whose time has come; False when there is none."""
    async with transaction(database) as tx:
        row = await parked.take_due(tx, subscriptions.group)
        if row is None:
            return False
        try:
            async with tx.savepoint():
                await subscriptions.apply(tx, [_unparked(row)])
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception as error:  # The handler's own fault once more: it waits longer.
            await parked.failed_again(tx, row["id"], row["attempts"], f"{type(error).__name__}: {error}")
        else:
            await parked.applied(tx, row["id"])
    return True


def _unparked(row: dict[str, Any]) -> Received:
    envelope = decode(row["key"], row["value"], row["headers"])
    return Received(
        envelope=envelope,
        event=catalogue.parse(envelope),
        topic=row["topic"],
        partition=row["partition"],
        offset=row["message_offset"],
        headers=row["headers"],
        value=row["value"],
    )


async def retry_parked_until(stop: asyncio.Event, database: Database, subscriptions: Subscriptions) -> None:
    """Look every second for parked events whose time has come."""
    while not stop.is_set():
        try:
            if await retry_parked(database, subscriptions):
                continue
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("parked_retry_interrupted", error=repr(error))
        await wait_until_set(stop, 1.0)
