"""The local stack heals, replaces its own remains, and leaves everybody else's processes alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest

from deploy.local import outside, stack
from deploy.local.embedded import free_port
from deploy.local.layout import SERVICE_PORTS, BadOptions, Layout
from deploy.local.stack import PortTaken
from shared.broker import Broker
from tests.system.stand import OFFSETS, Stand, running_stack

LISTENER = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"


def eventually(holds: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_what_dies_is_started_again_and_a_half_dead_run_is_replaced(tmp_path: Path) -> None:
    with running_stack(tmp_path / "local") as stand:
        assert all(stack.ready(stand.layout).values())

        before = stand.processes()["credit-api"]["pid"]
        stand.kill("credit-api")
        eventually(lambda: stand.processes()["credit-api"]["pid"] not in (before, None))
        eventually(lambda: stack.ready(stand.layout)["credit-api"])

        old = orphan(stand)
        stack.up(stand.layout)
        assert not any(psutil.pid_exists(pid) for pid in old)
        assert all(stack.ready(stand.layout).values())

        assert stack.down(stand.layout)
        assert not any(process["alive"] for process in stand.processes().values())
        assert not stack.down(stand.layout)


def orphan(stand: Stand) -> list[int]:
    """Kill the supervisor and one process: the rest live on with nobody to watch them. Returns their pids."""
    state = stack.read_state(stand.layout)
    assert state is not None
    os.kill(state["supervisor"]["pid"], signal.SIGKILL)
    stand.kill("invoice-worker")
    return [process["pid"] for process in stand.processes().values() if process["alive"]]


def test_a_port_of_somebody_elses_is_named_and_its_owner_left_alone(tmp_path: Path) -> None:
    offset = next(offset for offset in reversed(OFFSETS) if stack.can_bind(SERVICE_PORTS["invoice"] + offset))
    port = SERVICE_PORTS["invoice"] + offset
    stranger = subprocess.Popen([sys.executable, "-c", LISTENER, str(port)])
    try:
        eventually(lambda: not stack.can_bind(port))
        with pytest.raises(PortTaken) as refused:
            stack.up(replace(Layout(tmp_path / "local"), offset=offset))
        message = str(refused.value)
        assert f"port {port} (invoice api) is taken by process {stranger.pid}" in message
        assert "PORT_OFFSET=" in message
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_record_of_another_process_with_the_same_pid_is_not_believed() -> None:
    me = psutil.Process()
    assert stack.is_alive({"pid": me.pid, "created": me.create_time()})
    assert not stack.is_alive({"pid": me.pid, "created": me.create_time() - 60})


@pytest.mark.parametrize("offset", ["ten", "-1", "60000"])
def test_a_port_offset_that_cannot_be_is_refused(offset: str) -> None:
    with pytest.raises(BadOptions, match="PORT_OFFSET"):
        Layout.from_environment(environment={"PORT_OFFSET": offset})


def test_two_checkouts_share_a_server_without_meeting(tmp_path: Path) -> None:
    outside = {"DATABASE_URL": "postgres://me@db.example/postgres", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    here, there = (
        Layout.from_environment("demo", environment={**outside, "DUEWARD_LOCAL": str(tmp_path / name)})
        for name in ("here", "there")
    )
    assert here.postgres is None
    assert here.broker is None
    assert here.database_url("invoice").startswith("postgres://me@db.example/dueward_")
    assert here.database_url("invoice") != there.database_url("invoice")
    assert here.topic_prefix != there.topic_prefix


def silent_listener() -> socket.socket:
    """Takes connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def free_offset() -> int:
    return next(o for o in reversed(OFFSETS) if all(map(stack.can_bind, Layout(offset=o).ports())))


@pytest.mark.parametrize("answers", ["nobody", "somebody silent"])
@pytest.mark.parametrize("variable", ["KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"])
async def test_a_server_that_does_not_answer_is_named_with_its_variable(variable: str, answers: str) -> None:
    with silent_listener() as listener:
        port = listener.getsockname()[1] if answers == "somebody silent" else free_port()
        asking = (
            outside.require_broker(Broker(f"127.0.0.1:{port}"), within_s=1.5)
            if variable == "KAFKA_BOOTSTRAP_SERVERS"
            else outside.require_database(f"postgres://me:secret@127.0.0.1:{port}/postgres", within_s=1.5)
        )
        began = time.monotonic()
        with pytest.raises(outside.OutsidePartFailed) as failed:
            await asking
    assert str(failed.value).startswith(f"{variable} names 127.0.0.1:{port}, but no ")
    assert "secret" not in str(failed.value)
    assert time.monotonic() - began < 60


async def test_a_user_whom_the_outside_database_refuses_is_told_at_once(postgres_url: str) -> None:
    wrong = urlunsplit(
        (parts := urlsplit(postgres_url))._replace(netloc=f"stranger:none@{parts.netloc.split('@')[-1]}")
    )
    with pytest.raises(outside.OutsidePartFailed, match=r"DATABASE_URL names .*PostgreSQL refuses: password"):
        await outside.require_database(wrong)


async def test_an_outside_database_need_not_exist_yet(postgres_url: str) -> None:
    await outside.require_database(urlunsplit(urlsplit(postgres_url)._replace(path="/not_there")))


def test_up_says_which_outside_server_it_connects_to_and_hears_down_meanwhile(tmp_path: Path, free_offset: int) -> None:
    with silent_listener() as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        layout = replace(Layout(tmp_path / "local"), offset=free_offset, broker_kind="external", outside_broker=address)
        said: list[str] = []
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(stack.up, layout, said.append)
            eventually(lambda: bool(said))
            state = stack.read_state(layout)
            assert state is not None
            os.kill(state["supervisor"]["pid"], signal.SIGTERM)
            with pytest.raises(stack.StackFailed, match="stopped"):
                starting.result(15)
        assert said == [f"starting PostgreSQL, connecting to Kafka at {address}"]
