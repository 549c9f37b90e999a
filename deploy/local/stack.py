"""The local stack from outside: start it, stop it, say how it is.

A process is the stack's own when its environment names the stack's folder: nothing else is ever ended, whatever pid
some old file remembers and whatever listens on a port that is wanted.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.local.embedded import HOST, Launch, end_stray_postgres
from deploy.local.layout import SERVICE_PORTS, STACK_MARK, WORKER_PORTS, Layout

READY_WITHIN_S = 90.0
STOP_WITHIN_S = 40.0


class StackFailed(Exception):
    """The stack did not start; the message says why and where to look."""


class PortTaken(StackFailed):
    """A port that the stack needs is somebody else's."""


def up(layout: Layout, say: Callable[[str], None] = lambda _: None) -> None:
    """Start the stack, ending a previous run of this checkout; return when all of it answers.

    Raises:
        PortTaken: with the process that has the port.
        StackFailed: with the reason and the log to read.
    """
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(layout):
        _end_previous(layout, say)
        _require_free_ports(layout)
        for log in (layout.folder / "log").glob("*.log"):
            log.unlink()
        layout.state.unlink(missing_ok=True)
        supervisor = Launch(
            (sys.executable, "-m", "deploy.local", "supervise", "--mode", layout.mode, "--run", layout.run),
            layout.process_environment | layout.environment,
        ).start(layout.log("supervisor"))
        _wait_for_phase(layout, supervisor.poll, say)
        asyncio.run(_wait_until_ready(layout, supervisor.poll))


def down(layout: Layout, say: Callable[[str], None] = lambda _: None) -> bool:
    """Stop the stack of this checkout, however much of it is alive; False when nothing was."""
    if not layout.folder.exists():
        return False
    with _alone(layout):
        return _end_previous(layout, say)


def read_state(layout: Layout) -> dict[str, Any] | None:
    """What the supervisor wrote last, with `supervisor.alive` and each process's `alive` as they are now."""
    try:
        state = json.loads(layout.state.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    for process in (state["supervisor"], *state["processes"].values()):
        process["alive"] = is_alive(process)
    return state


def is_alive(process: dict[str, Any]) -> bool:
    """Whether it is still the process that was recorded: same pid, same moment of birth."""
    if not process["pid"]:
        return False
    try:
        found = psutil.Process(process["pid"])
        return found.status() != psutil.STATUS_ZOMBIE and abs(found.create_time() - process["created"]) < 0.1
    except psutil.NoSuchProcess:
        return False


def ready(layout: Layout) -> dict[str, bool]:
    """Whether each of the eight processes says it is ready."""
    return asyncio.run(_ready(layout))


# Ending what was.


def _end_previous(layout: Layout, say: Callable[[str], None]) -> bool:
    state = read_state(layout)
    mine = _processes_of(layout.folder)
    supervisor = next(
        (p for p in mine if state and state["supervisor"]["alive"] and p.pid == state["supervisor"]["pid"]), None
    )
    if supervisor:
        say("stopping the stack that runs")
        with suppress(psutil.NoSuchProcess):
            supervisor.send_signal(signal.SIGTERM)
        psutil.wait_procs([supervisor], timeout=STOP_WITHIN_S)
    left = _processes_of(layout.folder)
    if left:
        say(f"ending {len(left)} process{'es' if len(left) > 1 else ''} left over from an earlier run")
        _end(left)
    for mode in ("demo", "up"):
        end_stray_postgres((layout.folder / mode / "postgres" / "data").resolve())
    return bool(mine)


def _processes_of(folder: Path) -> list[psutil.Process]:
    """The living processes of a stack, told by what they were started with."""
    me = psutil.Process()
    not_these = {me.pid, *(p.pid for p in me.parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in not_these:
            continue
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(STACK_MARK) == str(folder):
                found.append(process)
    return found


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, late = psutil.wait_procs(processes, timeout=5)
    for process in late:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(late, timeout=5)


# Ports.


def _require_free_ports(layout: Layout) -> None:
    taken = {port: what for port, what in layout.ports().items() if not can_bind(port)}
    if taken:
        owners = _listeners()
        lines = [
            f"port {port} ({what}) is taken by {owners.get(port, 'a process of another user')}"
            for port, what in taken.items()
        ]
        hint = f"Stop it, or run on other ports: PORT_OFFSET={layout.offset + 1000}"
        raise PortTaken("\n".join([*lines, hint]))


def can_bind(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # A connection in TIME_WAIT is no obstacle.
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _listeners() -> dict[int, str]:
    """Who listens where, as far as this user may know."""
    found = {}
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr:
                with suppress(psutil.Error):
                    process = psutil.Process(connection.pid)
                    command = " ".join(process.cmdline())[:80] or process.name()
                    stack = _stack_of(process)
                    whose = f"; it belongs to the stack in {stack}" if stack else ""
                    found[connection.laddr.port] = f"process {process.pid}: {command}{whose}"
    return found


def _stack_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error, OSError):
        return process.environ().get(STACK_MARK)
    return None


# Waiting.


def _wait_for_phase(layout: Layout, supervisor_ended: Callable[[], int | None], say: Callable[[str], None]) -> None:
    """Follow the supervisor until it watches."""
    said = ""
    while True:
        state = read_state(layout)
        if state and state["phase"] != said:
            said = state["phase"]
            if said not in ("running", "failed", "stopping", "stopped"):
                say(said)
        if state and state["phase"] == "failed":
            raise StackFailed(f"{state['failure']}\nSee {layout.folder / 'log'}")
        if state and state["phase"] == "stopped":
            raise StackFailed("it was stopped while it was starting")
        if supervisor_ended() is not None:
            raise StackFailed(f"the supervisor ended: {_last_lines(layout.log('supervisor'))}")
        if said == "running":
            return
        time.sleep(0.05)


async def _wait_until_ready(layout: Layout, supervisor_ended: Callable[[], int | None]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        answers = await _ready(layout)
        if all(answers.values()):
            return
        late = [name for name, is_ready in answers.items() if not is_ready]
        if supervisor_ended() is not None:
            raise StackFailed(f"the supervisor ended: {_last_lines(layout.log('supervisor'))}")
        if time.monotonic() > deadline:
            raise StackFailed(f"{late[0]} is not ready: {_last_lines(layout.log(late[0]))}\nSee {layout.log(late[0])}")
        await asyncio.sleep(0.1)


async def _ready(layout: Layout) -> dict[str, bool]:
    ports = {f"{service}-api": port for service, port in SERVICE_PORTS.items()}
    ports |= {f"{service}-worker": port for service, port in WORKER_PORTS.items()}
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:

        async def ask(port: int) -> bool:
            try:
                return (await client.get(f"http://{HOST}:{layout.port(port)}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        return dict(zip(ports, await asyncio.gather(*map(ask, ports.values())), strict=True))


def _last_lines(log: Path, lines: int = 12) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "it wrote no log"


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One command at a time for one stack."""
    with (layout.folder / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), False)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
