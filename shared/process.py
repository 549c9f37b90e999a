"""The two processes of a service, and its commands: `python -m services.<name> api | worker | migrate | ...`.

The api answers HTTP and touches no broker. The worker relays, consumes, ticks and retries; whatever of it fails ends
the whole process with exit code 1, and whoever supervises it starts a new one: a half-alive worker is worse than none.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared import broker as brokers
from shared import log, telemetry
from shared.broker import DEAD_LETTER_TOPIC, Broker
from shared.clock import Clock
from shared.consumer import Consumer
from shared.db import Database, transaction
from shared.delivery import retry_parked_until
from shared.events import catalogue
from shared.gauges import gauge_until
from shared.housekeeping import housekeep_until
from shared.http.health import worker_app
from shared.relay import Relay
from shared.service import Service
from shared.settings import ServiceSettings
from shared.ticks import Ticker

logger = log.get(__name__)

Resources = Callable[[ServiceSettings], AbstractAsyncContextManager[Any]]

KEEP_ALIVE_SECONDS = 75
"""Longer than any client's own idle limit, so that the server never closes a connection a client is about to use."""
SHUTDOWN_SECONDS = 10
COLLECT_EVERY_OBJECTS = 10_000
STARTUP_FAILED = 3
"""The exit code of an api that could not begin to serve."""


def broker_of(settings: ServiceSettings) -> Broker:
    return Broker(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        topic_prefix=settings.topic_prefix,
        partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication_factor,
        idempotence=settings.kafka_idempotence,
        leaves_groups=settings.kafka_leaves_groups,
        fetch_max_wait_ms=settings.kafka_fetch_max_wait_ms,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=settings.kafka_sasl_password.get_secret_value() if settings.kafka_sasl_password else None,
        ssl_ca_file=str(settings.kafka_ssl_ca_file) if settings.kafka_ssl_ca_file else None,
    )


def serve(api: FastAPI, settings: ServiceSettings) -> None:
    """Answer HTTP until SIGTERM; requests under way are finished first."""
    keep_what_is_loaded()
    config = uvicorn.Config(
        api,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    server = Server(config, api.state.closing)
    with suppress(KeyboardInterrupt):  # uvicorn raises it once more when all is closed.
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


class Server(uvicorn.Server):
    """Tells streams, which have no end of their own, that the process ends; uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()
        await super().shutdown(sockets)


async def run_worker(service: Service, settings: ServiceSettings, resources: Resources | None = None) -> None:
    """Run everything of a service that is not HTTP until SIGTERM, then drain, commit and end."""
    telemetry.set_up(f"{service.name}.worker", settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)

    async with AsyncExitStack() as stack:
        health = await stack.enter_async_context(_health_server(settings))
        database = await Database.open(
            settings.database_url,
            clock=Clock(settings.simulation),
            pool_min=settings.database_pool_min,
            pool_max=settings.database_pool_max,
        )
        stack.push_async_callback(database.close)
        opened = await stack.enter_async_context(resources(settings)) if resources else None
        broker = broker_of(settings)
        cluster = await bind_to_broker(service, database, broker)

        ticker = Ticker(database, service.ticks, opened)
        jobs: dict[str, Coroutine[Any, Any, None]] = {
            "relay": Relay(database, broker, catalogue.source(service.name)).run(stop),
            "ticks": ticker.run(stop),
            "broker-watch": brokers.watch(broker, cluster, stop),
            "gauges": gauge_until(stop, database),
            "housekeeping": housekeep_until(stop, database),
        }
        if service.subscriptions.topics:
            consumer = Consumer(database, service.subscriptions, broker, on_applied=ticker.events_applied)
            jobs["consumer"] = consumer.run(stop)
            jobs["parked"] = retry_parked_until(stop, database, service.subscriptions)
        for job in service.jobs:
            jobs[getattr(job, "__name__", repr(job))] = job(stop, database, opened)
        keep_what_is_loaded()
        health.ready = True
        logger.info("worker_started", service=service.name, cluster=cluster)
        await _until_one_ends(jobs, stop)
    logger.info("worker_stopped", service=service.name)


async def bind_to_broker(service: Service, database: Database, broker: Broker) -> str:
    """Make sure the topics are there, and that what was published to another cluster is published again to this one."""
    async with brokers.admin(broker) as client:
        await brokers.ensure_topics(
            client, broker, [*service.publishes, *service.subscriptions.topics, DEAD_LETTER_TOPIC]
        )
        cluster = await brokers.cluster_id(client)
    async with transaction_without_clock(database) as tx:
        if await brokers.bind(tx, cluster):
            logger.warning("broker_replaced", cluster=cluster, consequence="everything logged is published again")
    return cluster


def keep_what_is_loaded() -> None:
    """Tell the garbage collector that what a process has loaded at its start stays as long as the process.

    It would go through those 200,000 objects (modules, models, routes) again and again, and take up to half the time of
    work that makes many objects, such as reading a batch. Little that this house makes refers to itself, so looking
    every 10,000 objects is often enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY_OBJECTS)


@asynccontextmanager
async def transaction_without_clock(database: Database):
    """A transaction before anybody has set the simulated clock."""
    async with transaction(Database(database.pool, Clock())) as tx:
        yield tx


async def _until_one_ends(jobs: dict[str, Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """All jobs stop when told to; one that ends before that, or fails, takes the others with it."""
    tasks = {asyncio.create_task(job, name=name) for name, job in jobs.items()}
    try:
        finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in finished:
            if not task.cancelled() and (error := task.exception()):
                logger.error("worker_failed", job=task.get_name(), error=repr(error))
    finally:
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=SHUTDOWN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()


class _Health:
    ready = False


@asynccontextmanager
async def _health_server(settings: ServiceSettings):
    """The worker's own small door: /healthz, /readyz and /metrics."""
    health = _Health()
    config = uvicorn.Config(
        worker_app(lambda: health.ready),
        host=settings.http_host,
        port=settings.worker_port,
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    try:
        yield health
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def main(
    service: Service,
    settings: Callable[[], ServiceSettings],
    create_api: Callable[[], FastAPI],
    worker: Callable[[], Coroutine[Any, Any, None]],
    own_commands: Callable[[], Sequence[Callable[[], None]]] = tuple,
) -> None:
    """The commands of a service: what `services/<name>/__main__.py` calls. `own_commands` are those that others do not
    have, named and told of as the functions are."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if command == "api":
            serve(create_api(), settings())
        elif command == "worker":
            sys.exit(run_to_the_end(worker()))
        else:
            from shared import commands  # Here, so that the two processes start without a command line's libraries.

            commands.run(service, settings, own_commands())
    except ValidationError as fault:
        if fault.title != "Settings":
            raise
        sys.exit("\n".join(_told(error) for error in fault.errors()))


def _told(error: ErrorDetails) -> str:
    """A setting as the environment has it, and what is wrong with it."""
    return f"{'_'.join(map(str, error['loc'])).upper()}: {error['msg'].removeprefix('Value error, ')}"


def run_to_the_end(work: Coroutine[Any, Any, None]) -> int:
    """A failed job or a lost broker has been logged already: exit code 1, and no traceback after it."""
    try:
        uvloop.run(work)
    except ValidationError:  # Of its settings: told by `main`.
        raise
    except Exception as error:  # The process ends either way; the supervisor starts another.
        logger.error("worker_ended", error=repr(error))
        return 1
    return 0
