"""The running training: the services as a trainee sees them, and what the training remembers from one command to the
next, in `training.json` beside the stack's own files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.local import stack
from deploy.local.layout import SERVICE_PORTS, Layout
from deploy.local.replay import ReplayFailed, Target
from deploy.local.training import clock

STATE_FILE = "training.json"
TRAINEE = "local"
"""Whom the stack's own token and sign-in link name."""
ONE_DAY = timedelta(days=1)

Facts = dict[str, Any]


class NoTraining(Exception):
    """There is no training to go on with."""


@dataclass
class Begun:
    """A scenario that has begun: when, and the ids and figures of its story."""

    at: str
    facts: Facts


@dataclass
class State:
    """What is remembered. `run` is the stack's: another stack's training is not this one."""

    run: str
    now: str
    customers: dict[str, str] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> State | None:
        try:
            kept = orjson.loads(file.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        begun = {slug: Begun(**each) for slug, each in kept["begun"].items()}
        return cls(kept["run"], kept["now"], kept["customers"], begun)

    def write(self, file: Path) -> None:
        unfinished = file.with_suffix(".new")
        unfinished.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))
        unfinished.replace(file)


class World:
    """The services by HTTP, and the training's clock."""

    def __init__(self, layout: Layout, state: State) -> None:
        self.layout = layout
        self.state = state
        self.target = Target({name: layout.url(name) for name in SERVICE_PORTS}, layout.token.read_text())
        headers = {"authorization": f"Bearer {self.target.token}"}
        self._http = httpx.Client(headers=headers, timeout=60, trust_env=False)

    @classmethod
    def resume(cls, layout: Layout) -> World:
        """The training of the stack that runs. Raises NoTraining."""
        running = stack.read_state(layout)
        state = State.read(layout.folder / STATE_FILE)
        if running is None or not running["supervisor"]["alive"] or state is None or state.run != running["run"]:
            raise NoTraining("no training runs here; make training starts one")
        found = Layout(layout.folder, running["offset"], running["mode"], running["broker"], run=running["run"])
        return cls(found, state)

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.state.now)

    @property
    def today(self) -> date:
        return self.now.date()

    def keep(self) -> None:
        self.state.write(self.layout.folder / STATE_FILE)

    # The services.

    def get(self, service: str, path: str, **query: Any) -> dict[str, Any]:
        return self._answer(self._http.get(self._url(service, path), params=query))

    def items(self, service: str, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All of a list, page by page."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(service, path, limit=200, **query, **cursor)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def post(self, service: str, path: str, body: dict[str, Any], act: str) -> dict[str, Any]:
        """`act` names what is done for good: done again, it has happened once."""
        headers = {"idempotency-key": f"training-{act}"}
        return self._answer(self._http.post(self._url(service, path), json=body, headers=headers))

    def put(self, service: str, path: str, body: dict[str, Any], version: int = 0) -> dict[str, Any]:
        """Replace version `version` of something; 0 for what is not there yet."""
        headers = {"if-match": f'"{version}"'} if version else {"if-none-match": "*"}
        return self._answer(self._http.put(self._url(service, path), json=body, headers=headers))

    def _url(self, service: str, path: str) -> str:
        return self.layout.url(service) + path

    def _answer(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise ReplayFailed(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
        return answer.json()

    # The clock.

    def settle(self) -> datetime | None:
        """Let everybody hear of what was done; the next moment at which something is due."""
        return clock.settle(self.target)

    def walk(self, until: datetime) -> datetime | None:
        due = clock.walk(self.target, until)
        self.state.now = until.isoformat()
        return due
