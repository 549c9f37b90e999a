"""When a replay may take the next step: `at_rest`, against a model of four services and every order of events.

The model's services write events, publish and count them, apply those of others in any order, work, and call each
other; in between the replay's questions are answered, each service's at a moment of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from deploy.local.replay import MOVER, SERVICES, at_rest

LISTENS = {
    "credit": ("invoice", "reminder"),
    "invoice": ("credit", "reminder"),
    "reminder": ("credit", "invoice"),
    "reporting": ("credit", "invoice", "reminder"),
}
"""Each service's one topic is called after it."""
CALLERS, CALLED = ("invoice", "reminder"), "credit"


@dataclass
class Service:
    name: str
    outbox: list[str] = field(default_factory=list)
    """`written`, then `sent`: a sent event can be applied before it is counted."""
    work: list[str] = field(default_factory=list)
    """What is due: `publish`, `call`, and `called` for a call that has had its effect and is not noted yet."""
    inbox: list[str] = field(default_factory=list)
    published: int = 0
    applied: Counter[str] = field(default_factory=Counter)
    calls: bool = False
    """Whether it has ever had a call to make."""

    def answer(self) -> dict[str, Any]:
        return {
            "idle": not self.outbox and not self.work,
            "published": {self.name: self.published} if self.published else {},
            "applied": {topic: self.applied[topic] for topic in LISTENS[self.name]},
            "calls": self.calls,
        }


class Model:
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.services = {name: Service(name) for name in SERVICES}
        self.fuel = chance.randint(2, 6)
        for service in self.services.values():
            self._cause(service)

    def pending(self) -> list[tuple[Service, str]]:
        """Every step that could come next; none when all is over."""
        steps = []
        for service in self.services.values():
            steps += [(service, "send")] * ("written" in service.outbox)
            steps += [(service, "count")] * ("sent" in service.outbox)
            steps += [(service, "apply")] * bool(service.inbox)
            steps += [(service, "work")] * bool(service.work)
        return steps

    def step(self, service: Service, what: str) -> None:
        if what == "send":
            service.outbox[service.outbox.index("written")] = "sent"
            for other in self.services.values():
                other.inbox += [service.name] * (service.name in LISTENS[other.name])
        elif what == "count":
            service.outbox.remove("sent")
            service.published += 1
        elif what == "apply":
            topic = service.inbox.pop(self.chance.randrange(len(service.inbox)))
            service.applied[topic] += 1
            self._cause(service)
        else:
            self._work(service)

    def _cause(self, service: Service) -> None:
        """An event may have consequences at once, or make work; in all, no more than there is fuel."""
        consequence = self.chance.choice(("nothing", "nothing", "event", "publish", "call", "call", "call"))
        if consequence == "nothing" or not self.fuel:
            return
        self.fuel -= 1
        if consequence == "event":
            service.outbox.append("written")
        elif consequence == "call" and service.name not in CALLERS:
            service.work.append("publish")
        else:
            service.work.append(consequence)
            service.calls |= consequence == "call"

    def _work(self, service: Service) -> None:
        kind = service.work.pop(0)
        if kind == "call":
            self.services[CALLED].outbox.append("written")
            service.work.insert(0, "called")
        elif kind == "publish":
            service.outbox.append("written")


class Replay:
    """Asks as the real one does: the first round in turn, each later one of all at once, with what it knows."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def settle(self) -> None:
        first = self._ask([MOVER], {})
        others = [name for name in SERVICES if name != MOVER]
        before, seen = None, first | self._ask(others, self._published(first))
        while not at_rest(before, seen):
            before, seen = seen, self._ask(list(SERVICES), self._published(seen))

    def _ask(self, names: list[str], published: dict[str, int]) -> dict[str, dict[str, Any]]:
        """Mostly a service answers when it is idle and has applied what is known; now and then it does not wait."""
        answers: dict[str, dict[str, Any]] = {}
        chance = self.model.chance
        while waiting := [name for name in names if name not in answers]:
            steps = self.model.pending()
            if steps and chance.random() < 0.5:
                self.model.step(*chance.choice(steps))
                continue
            name = chance.choice(waiting)
            answer = self.model.services[name].answer()
            behind = any(answer["applied"].get(topic, n) < n for topic, n in published.items())
            if (answer["idle"] and not behind) or chance.random() < 0.1:
                answers[name] = answer
        return answers

    @staticmethod
    def _published(seen: dict[str, dict[str, Any]]) -> dict[str, int]:
        return {topic: n for each in seen.values() for topic, n in each["published"].items()}


@pytest.mark.parametrize("block", range(4))
def test_what_the_replay_takes_for_rest_is_rest(block: int) -> None:
    for seed in range(block * 2_500, (block + 1) * 2_500):
        model = Model(Random(seed))
        Replay(model).settle()
        assert model.pending() == [], f"seed {seed}"
