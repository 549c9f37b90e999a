"""Where the local stack keeps its things, which ports it takes, and what it tells each process.

One checkout has one stack, in `.local/`; `PORT_OFFSET` moves every port, so that several checkouts run side by side.
A demo and an `up` keep their data apart: simulated years and today never meet in one database.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from deploy.local.apache_kafka import ApacheKafka
from deploy.local.embedded import HOST, Broker, Launch, Postgres
from shared.migrate import SERVICES
from shared.tokens import make_keys, make_token, secrets_key, session_secret

ROOT = Path(__file__).resolve().parents[2]
SERVICE_PORTS = {"invoice": 8001, "reminder": 8002, "credit": 8003, "reporting": 8004}
WORKER_PORTS = {service: port + 100 for service, port in SERVICE_PORTS.items()}
POSTGRES_PORT = 54320
BROKER_PORT = 19092
CONTROLLER_PORT = 19093
SMTP_PORT = 12525

TOPIC_PARTITIONS = int(os.environ.get("TOPIC_PARTITIONS", "2"))
"""Few: the embedded broker is asked for every partition many times a second, and a step of a replay has so few events
that more of them only mean more transactions. 200 invoices took 33 s of the processor with 4 partitions, 27 with 2."""

STACK_MARK = "DUEWARD_STACK"
"""In the environment of every process of a stack: the folder of the stack it belongs to."""

SERVICE_SCOPES = {
    "credit": "customers:read invoices:read",
    "invoice": "customers:read credit:read credit:write reports:read",
    "reminder": "customers:read invoices:read",
    "reporting": "customers:read invoices:read",
}
Mode = Literal["demo", "up"]
BrokerKind = Literal["embedded", "kafka", "external"]


class BadOptions(Exception):
    """The environment asks for something that cannot be."""


@dataclass(frozen=True)
class Layout:
    """One stack: its folder, its ports and, for a running or coming one, its mode and its outside parts."""

    folder: Path = ROOT / ".local"
    offset: int = 0
    mode: Mode = "up"
    broker_kind: BrokerKind = "embedded"
    outside_database: str | None = None
    outside_broker: str | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(3))

    @classmethod
    def from_environment(
        cls, mode: Mode = "up", run: str | None = None, environment: Mapping[str, str] = os.environ
    ) -> Layout:
        """What `PORT_OFFSET`, `BROKER`, `DATABASE_URL` and `KAFKA_BOOTSTRAP_SERVERS` ask for.

        Raises:
            BadOptions: an offset that is no number or leaves the range of ports, or an unknown broker.
        """
        try:
            offset = int(environment.get("PORT_OFFSET") or 0)
        except ValueError:
            raise BadOptions(f"PORT_OFFSET is a whole number, not {environment['PORT_OFFSET']!r}") from None
        if not 0 <= offset <= 65_535 - POSTGRES_PORT:
            raise BadOptions(f"PORT_OFFSET is between 0 and {65_535 - POSTGRES_PORT}, not {offset}")
        outside_broker = environment.get("KAFKA_BOOTSTRAP_SERVERS") or None
        kind = environment.get("BROKER") or "embedded"
        if kind not in ("embedded", "kafka"):
            raise BadOptions(f"BROKER is kafka, or not set; not {kind!r}")
        return cls(
            folder=Path(environment.get("DUEWARD_LOCAL") or ROOT / ".local").absolute(),
            offset=offset,
            mode=mode,
            broker_kind="external" if outside_broker else "kafka" if kind == "kafka" else "embedded",
            outside_database=environment.get("DATABASE_URL") or None,
            outside_broker=outside_broker,
            run=run or secrets.token_hex(3),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same layout as `from_environment` reads it, for another process."""
        return {
            "DUEWARD_LOCAL": str(self.folder),
            "PORT_OFFSET": str(self.offset),
            "BROKER": "kafka" if self.broker_kind == "kafka" else "",
            "DATABASE_URL": self.outside_database or "",
            "KAFKA_BOOTSTRAP_SERVERS": self.outside_broker or "",
        }

    # Places.

    @property
    def state(self) -> Path:
        return self.folder / "stack.json"

    @property
    def data(self) -> Path:
        return self.folder / self.mode

    @property
    def mails(self) -> Path:
        return self.data / "mails"

    @property
    def token(self) -> Path:
        return self.folder / "token"

    def log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    # Ports and addresses.

    def port(self, base: int) -> int:
        return base + self.offset

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.port(SERVICE_PORTS[service])}"

    def ports(self) -> dict[int, str]:
        """Every port the stack needs, with what needs it."""
        wanted = {port: f"{service} api" for service, port in SERVICE_PORTS.items()}
        wanted |= {port: f"{service} worker" for service, port in WORKER_PORTS.items()}
        wanted |= {SMTP_PORT: "mail sink"}
        if not self.outside_database:
            wanted |= {POSTGRES_PORT: "PostgreSQL"}
        if not self.outside_broker:
            wanted |= {BROKER_PORT: "broker"}
        if self.broker_kind == "kafka":
            wanted |= {CONTROLLER_PORT: "Apache Kafka's controller"}
        return {self.port(port): name for port, name in wanted.items()}

    # Parts.

    @cached_property
    def postgres(self) -> Postgres | None:
        """The embedded server; None where DATABASE_URL names another."""
        return None if self.outside_database else Postgres(self.data / "postgres", self.port(POSTGRES_PORT))

    @cached_property
    def broker(self) -> Broker | ApacheKafka | None:
        """The stack's own broker; None where KAFKA_BOOTSTRAP_SERVERS names another."""
        if self.outside_broker:
            return None
        if self.broker_kind == "kafka":
            return ApacheKafka(self.data / "kafka", self.port(BROKER_PORT), self.port(CONTROLLER_PORT))
        return Broker(self.port(BROKER_PORT))

    @property
    def bootstrap_servers(self) -> str:
        return self.outside_broker or f"{HOST}:{self.port(BROKER_PORT)}"

    @property
    def name(self) -> str:
        """Tells this stack's databases and topics from another's on a shared server."""
        return f"dueward_{hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]}_{self.mode}"

    @property
    def topic_prefix(self) -> str:
        """Nothing on a broker of the stack's own; elsewhere each demo has topics of its own."""
        if not self.outside_broker:
            return ""
        return f"{self.name}.{self.run}." if self.mode == "demo" else f"{self.name}."

    def database_url(self, service: str) -> str:
        if self.postgres:
            return self.postgres.url(service)
        assert self.outside_database is not None
        return urlunsplit(urlsplit(self.outside_database)._replace(path=f"/{self.name}_{service}"))

    # Processes.

    def service(self, service: str, part: Literal["api", "worker"]) -> Launch:
        """The command of one of the eight processes."""
        return Launch((sys.executable, "-m", f"services.{service}", part), self._environment_of(service))

    def mail_sink(self) -> Launch:
        command = (sys.executable, "-m", "deploy.local.mail_sink", str(self.port(SMTP_PORT)), str(self.mails))
        return Launch(command, self.process_environment)

    @property
    def process_environment(self) -> dict[str, str]:
        """What every process of the stack is told, its supervisor included."""
        python_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {STACK_MARK: str(self.folder), "PYTHONPATH": os.pathsep.join(python_path)}

    def make_secrets(self) -> None:
        """Keys, the token with every scope, the services' own tokens, the keys of sessions and of sealed secrets; kept
        over runs."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_keys(self.folder)
        _write_private(self.token, make_token(self.folder, "local"))
        for service, scopes in SERVICE_SCOPES.items():
            _write_private(self._service_token(service), make_token(self.folder, service, scopes))
        session_secret(self.folder)
        secrets_key(self.folder)

    def _service_token(self, service: str) -> Path:
        return self.folder / "tokens" / service

    def _environment_of(self, service: str) -> dict[str, str]:
        told = self.process_environment | {
            "DATABASE_URL": self.database_url(service),
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(self.port(SERVICE_PORTS[service])),
            "WORKER_PORT": str(self.port(WORKER_PORTS[service])),
            "PUBLIC_URL": self.url("invoice"),
            **{f"{other.upper()}_URL": self.url(other) for other in SERVICES},
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "TOPIC_PREFIX": self.topic_prefix,
            "TOPIC_PARTITIONS": str(TOPIC_PARTITIONS),
            "KAFKA_FETCH_MAX_WAIT_MS": os.environ.get("KAFKA_FETCH_MAX_WAIT_MS", "25"),
            "JWKS_FILE": str(self.folder / "jwks.json"),
            "SERVICE_TOKEN_FILE": str(self._service_token(service)),
            "SESSION_SECRET": session_secret(self.folder),
            "SECRETS_KEY": secrets_key(self.folder),
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self.port(SMTP_PORT)),
            "WEBHOOKS_PRIVATE": "1",
            "SIMULATION": "1" if self.mode == "demo" else "0",
            "LOG_FORMAT": os.environ.get("LOG_FORMAT", "console"),
        }
        if self.broker:
            told["KAFKA_SESSION_TIMEOUT_MS"] = "3000"
            told["KAFKA_IDEMPOTENCE"] = "true" if self.broker.has_idempotent_producers else "false"
            told["KAFKA_LEAVES_GROUPS"] = "true" if self.broker.lets_members_leave else "false"
        return told


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    unfinished.replace(path)
