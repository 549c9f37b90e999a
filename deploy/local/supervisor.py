"""Keeps the local stack alive: starts the parts and the eight processes, and starts again whatever dies.

One process, started by `stack.up`, told to stop with SIGTERM. What it knows stands in `.local/stack.json`, so that
`make status`, a later `make down` and the next `make up` need not ask it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from deploy.local.apache_kafka import ApacheKafka
from deploy.local.embedded import EmbeddedPartFailed, Launch, end_stray_postgres, stop
from deploy.local.layout import SERVICE_PORTS, SERVICES, TOPIC_PARTITIONS, WORKER_PORTS, Layout
from deploy.local.outside import OutsidePartFailed, database_address, require_broker, require_database
from shared import broker as brokers
from shared.events.catalogue import TOPICS
from shared.migrate import MigrationFailed, migrate
from shared.process import broker_of
from shared.settings import ServiceSettings

LOOK_EVERY_S = 0.05
BACK_OFF_FIRST_S = 0.2
BACK_OFF_MOST_S = 5.0
HEALTHY_AFTER_S = 10.0
PATIENCE_S = 12.0
TOPICS_WITHIN_S = 20.0
HEARS_WITHIN_S = 0.2


@dataclass
class Child:
    """A process that is kept alive."""

    name: str
    launch: Callable[[], Launch]
    log: Path
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None
    created: float = 0.0
    restarts: int = 0
    failures_in_a_row: int = 0
    not_before: float = 0.0
    wanted: bool = True

    def start(self) -> None:
        self.process = self.launch().start(self.log)
        try:
            self.created = psutil.Process(self.process.pid).create_time()
        except psutil.NoSuchProcess:  # Gone already; the next look finds out.
            self.created = 0.0

    def lived_s(self) -> float:
        return time.time() - self.created

    def for_the_record(self) -> dict[str, Any]:
        alive = self.process is not None and self.process.poll() is None
        return {
            "pid": self.process.pid if self.process and alive else None,
            "created": self.created,
            "restarts": self.restarts,
            "port": self.port,
            "log": str(self.log),
        }


@dataclass
class Supervisor:
    """The stack of one layout, from nothing until SIGTERM."""

    layout: Layout
    phase: str = "starting"
    failure: str | None = None
    children: dict[str, Child] = field(default_factory=dict)
    stopping: bool = False

    def run(self) -> int:
        """Start everything, watch until told to stop, stop everything. Returns the exit code."""
        signal.signal(signal.SIGTERM, self._told_to_stop)
        signal.signal(signal.SIGINT, self._told_to_stop)
        try:
            self._start_parts()
            self._start_services()
            self._enter("running")
            while not self.stopping:
                self._look()
                time.sleep(LOOK_EVERY_S)
        except (EmbeddedPartFailed, OutsidePartFailed, MigrationFailed, OSError) as error:
            self.failure = str(error)
            _say(f"failed: {error}")
        except _Stopped:
            pass
        finally:
            self.stopping = False  # From here on nothing interrupts.
            self._stop_all()
        self._enter("failed" if self.failure else "stopped")
        return 1 if self.failure else 0

    def _told_to_stop(self, *_: object) -> None:
        self.stopping = True

    # Starting.

    def _start_parts(self) -> None:
        """PostgreSQL with its databases, beside the broker with its topics: they do not need each other."""
        if self.layout.mode == "demo":
            self._discard_demo_data()
        self.layout.make_secrets()
        self._enter(self._what_starts())
        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(self._start_databases), pool.submit(self._start_broker)]
            for each in started:
                each.result()
        if self.stopping:
            raise _Stopped

    def _what_starts(self) -> str:
        database, broker = self.layout.outside_database, self.layout.outside_broker
        own = [name for name, outside in (("PostgreSQL", database), ("the broker", broker)) if not outside]
        outside = [f"PostgreSQL at {database_address(database)}"] if database else []
        outside += [f"Kafka at {broker}"] if broker else []
        said = [f"starting {' and '.join(own)}"] if own else []
        return ", ".join([*said, *([f"connecting to {' and '.join(outside)}"] if outside else [])])

    def _discard_demo_data(self) -> None:
        if self.layout.postgres:
            self.layout.postgres.destroy()
        shutil.rmtree(self.layout.data, ignore_errors=True)

    def _start_databases(self) -> None:
        if postgres := self.layout.postgres:
            postgres.prepare()
            child = self._child("postgres", postgres.launch, postgres.port)
            child.start()
            assert child.process is not None
            postgres.wait_until_ready(child.process, child.log)
        elif outside := self.layout.outside_database:
            self._unless_stopped(require_database(outside))
            if self.layout.mode == "demo":
                for service in SERVICES:
                    migrate(self.layout.database_url(service), service, "drop")
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            for done in [pool.submit(migrate, self.layout.database_url(s), s) for s in SERVICES]:
                done.result()

    def _start_broker(self) -> None:
        if broker := self.layout.broker:
            broker.prepare()
            child = self._child("broker", broker.launch, broker.port)
            child.start()
            assert child.process is not None
            broker.wait_until_ready(child.process, child.log)
        else:
            self._unless_stopped(require_broker(self._house_broker()))
        self._unless_stopped(self._make_topics())

    def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in this thread, and hear SIGTERM, which only the main thread gets, meanwhile. Raises _Stopped."""

        async def listening() -> None:
            task = asyncio.create_task(work)
            while not task.done():
                await asyncio.wait([task], timeout=HEARS_WITHIN_S)
                if self.stopping:
                    task.cancel()
                    await asyncio.wait([task])
                    raise _Stopped
            task.result()

        asyncio.run(listening())

    def _house_broker(self) -> brokers.Broker:
        """The broker as the services see it: of an outside one, the environment has TLS and the credentials too."""
        settings = ServiceSettings(
            database_url="",
            kafka_bootstrap_servers=self.layout.bootstrap_servers,
            topic_prefix=self.layout.topic_prefix,
            topic_partitions=TOPIC_PARTITIONS,
        )
        if self.layout.broker:
            settings = settings.model_copy(update={"topic_replication_factor": 1})
        return broker_of(settings)

    async def _make_topics(self) -> None:
        house = self._house_broker()
        async with brokers.admin(house) as client:
            if self.layout.outside_broker and self.layout.mode == "demo":
                mine, now = f"{self.layout.name}.", self.layout.topic_prefix
                old = [t for t in await client.list_topics() if t.startswith(mine) and not t.startswith(now)]
                if old:
                    await client.delete_topics(old)
            await brokers.ensure_topics(client, house, [*TOPICS, brokers.DEAD_LETTER_TOPIC])

    def _start_services(self) -> None:
        self._enter("starting the services")
        self._child("mails", self.layout.mail_sink)
        for service in SERVICE_PORTS:
            api, worker = self._launcher(service, "api"), self._launcher(service, "worker")
            self._child(f"{service}-api", api, self.layout.port(SERVICE_PORTS[service]))
            self._child(f"{service}-worker", worker, self.layout.port(WORKER_PORTS[service]))
        for child in self.children.values():
            if child.process is None:
                child.start()

    def _launcher(self, service: str, part: Any) -> Callable[[], Launch]:
        return lambda: self.layout.service(service, part)

    def _child(self, name: str, launch: Callable[[], Launch], port: int | None = None) -> Child:
        self.children[name] = Child(name, launch, self.layout.log(name), port)
        return self.children[name]

    # Watching.

    def _look(self) -> None:
        """Start again what ended: at once the first time, later and later when it keeps ending."""
        changed = False
        for child in self.children.values():
            if child.process is not None and (status := child.process.poll()) is not None:
                self._note_end(child, status)
                changed = True
            if child.process is None and child.wanted and time.monotonic() >= child.not_before:
                self._start_again(child)
                changed = True
        if changed:
            self._record()

    def _note_end(self, child: Child, status: int) -> None:
        lived_s = child.lived_s()
        child.failures_in_a_row = 0 if lived_s >= HEALTHY_AFTER_S else child.failures_in_a_row + 1
        pause_s = min(BACK_OFF_FIRST_S * 2**child.failures_in_a_row, BACK_OFF_MOST_S)
        child.process, child.not_before = None, time.monotonic() + pause_s
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
        _say(f"{child.name} ended after {lived_s:.1f} s with {how}; starting it again in {pause_s:.1f} s")

    def _start_again(self, child: Child) -> None:
        child.restarts += 1
        if child.name == "broker" and self.layout.broker and self.layout.broker.forgets_when_restarted:
            self._replace_broker(child)
            return
        if child.name == "postgres" and self.layout.postgres:
            end_stray_postgres(self.layout.postgres.data)
        child.start()

    def _replace_broker(self, child: Child) -> None:
        """An embedded broker comes back empty: no worker may be talking to it while its topics are not there."""
        workers = [each for name, each in self.children.items() if name.endswith("-worker")]
        self._stop(workers)
        child.start()
        assert child.process is not None
        assert self.layout.broker is not None
        try:
            self.layout.broker.wait_until_ready(child.process, child.log)
        except EmbeddedPartFailed as error:
            _say(str(error))
            stop(child.process, signal.SIGKILL, 1)
            return
        try:
            asyncio.run(asyncio.wait_for(self._make_topics(), TOPICS_WITHIN_S))
        except TimeoutError:
            _say(f"the broker made no topics within {TOPICS_WITHIN_S:g} s; trying another")
            stop(child.process, signal.SIGKILL, 1)
            return
        for worker in workers:
            worker.process, worker.not_before = None, 0.0
            worker.restarts += 1
            worker.start()
        _say("the broker is another one now; the workers put back what was published")

    # Stopping.

    def _stop_all(self) -> None:
        self._enter("stopping")
        postgres, broker = self.children.get("postgres"), self.children.get("broker")
        self._stop([child for child in self.children.values() if child not in (postgres, broker)])
        if broker and broker.process:
            # Only a broker that keeps what it has needs time to put it away.
            keeps = isinstance(self.layout.broker, ApacheKafka)
            stop(broker.process, signal.SIGTERM if keeps else signal.SIGKILL, PATIENCE_S)
        if postgres and postgres.process:
            stop(postgres.process, signal.SIGINT, PATIENCE_S)

    @staticmethod
    def _stop(children: Sequence[Child]) -> None:
        """All at once, so that the slowest sets the time; what does not end in time is ended."""
        processes = [child.process for child in children if child.process is not None]
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # The record.

    def _enter(self, phase: str) -> None:
        self.phase = phase
        _say(phase)
        self._record()

    def _record(self) -> None:
        me = psutil.Process()
        record = {
            "mode": self.layout.mode,
            "offset": self.layout.offset,
            "broker": self.layout.broker_kind,
            "run": self.layout.run,
            "mails": str(self.layout.mails),
            "phase": self.phase,
            "failure": self.failure,
            "supervisor": {"pid": me.pid, "created": me.create_time()},
            "processes": {name: child.for_the_record() for name, child in self.children.items()},
        }
        unfinished = self.layout.state.with_suffix(".new")
        unfinished.write_text(json.dumps(record, indent=1))
        unfinished.replace(self.layout.state)


class _Stopped(Exception):
    """Told to stop while still starting."""


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
