"""A real Apache Kafka for `BROKER=kafka`: one KRaft node on 127.0.0.1, its jars fetched once with Maven.

Needs `java` (17 or later) and `mvn` on PATH. The jars are kept per version in the user's cache folder, so several
checkouts share them.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from deploy.local.embedded import HOST, EmbeddedPartFailed, Launch, wait_for_port

PROJECT = Path(__file__).with_name("kafka")
JAVA_MIN = 17


@dataclass(frozen=True)
class ApacheKafka:
    """A broker of one log directory, which it keeps over restarts; `controller_port` is for its own quorum."""

    directory: Path
    port: int
    controller_port: int

    forgets_when_restarted = False
    has_idempotent_producers = True
    lets_members_leave = True

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Fetch the jars when they are not there yet, and format the log directory when it is new.

        Raises:
            EmbeddedPartFailed: no suitable java or mvn, or one of them failed; with what it said.
        """
        jars()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._settings())
        if (self.directory / "log" / "meta.properties").exists():
            return
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # One word: an id may begin with a hyphen, and would be taken for an option.
        named = f"--cluster-id={cluster}"
        _run(*self._java("kafka.tools.StorageTool", "format", named, "-c", str(self._properties)))

    def launch(self) -> Launch:
        return Launch(self._java("kafka.Kafka", str(self._properties)))

    def wait_until_ready(self, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 60) -> None:
        """Return once it accepts connections.

        Raises:
            EmbeddedPartFailed: it ended, or was not ready in time.
        """
        wait_for_port(self.port, process, "Apache Kafka", log, timeout_s)

    def destroy(self) -> None:
        """Delete its log; it must have ended."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _java(self, *arguments: str) -> tuple[str, ...]:
        return (
            *("java", "-Xms128m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            f"-Dlog4j2.configurationFile={PROJECT / 'log4j2.properties'}",
            *("-cp", str(jars() / "*")),
            *arguments,
        )

    def _settings(self) -> str:
        broker, controller = f"PLAINTEXT://{self.address}", f"CONTROLLER://{HOST}:{self.controller_port}"
        return "\n".join(
            (
                "process.roles=broker,controller",
                "node.id=1",
                f"controller.quorum.voters=1@{HOST}:{self.controller_port}",
                f"listeners={broker},{controller}",
                f"advertised.listeners={broker}",
                "controller.listener.names=CONTROLLER",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                f"log.dirs={self.directory / 'log'}",
                "auto.create.topics.enable=false",
                "group.initial.rebalance.delay.ms=0",
                "group.min.session.timeout.ms=1000",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "transaction.state.log.num.partitions=4",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                "",
            )
        )


def jars() -> Path:
    """The folder of the jars that the project file names; filled by Maven the first time."""
    project = PROJECT / "pom.xml"
    version = hashlib.sha256(project.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dueward"
    folder = cache / f"kafka-{version}"
    if folder.exists():
        return folder
    _require_java()
    if not shutil.which("mvn"):
        raise EmbeddedPartFailed("BROKER=kafka fetches Apache Kafka with Maven: install mvn, or leave BROKER unset")
    unfinished = cache / f"{folder.name}.{os.getpid()}"
    unfinished.mkdir(parents=True, exist_ok=True)
    target = f"-DoutputDirectory={unfinished}"
    _run("mvn", "-q", "-B", "-f", str(project), "dependency:copy-dependencies", "-DincludeScope=runtime", target)
    try:
        unfinished.rename(folder)
    except OSError:  # Another run was faster.
        shutil.rmtree(unfinished)
    return folder


def _require_java() -> None:
    if not shutil.which("java"):
        raise EmbeddedPartFailed(f"BROKER=kafka runs on Java {JAVA_MIN} or later: install it, or leave BROKER unset")
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if not found or int(found[1]) < JAVA_MIN:
        raise EmbeddedPartFailed(f"BROKER=kafka runs on Java {JAVA_MIN} or later; this one is: {said.splitlines()[:1]}")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise EmbeddedPartFailed(f"{command[0]} ended with {done.returncode}: {said}")
