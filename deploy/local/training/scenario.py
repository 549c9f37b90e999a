"""What a scenario of the training is: a story, a goal, and functions that begin it, go on with it and look at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.training.world import Facts, World


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a goal: whether it is reached, in a sentence, and how to get there."""

    done: bool
    said: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to look at."""

    service: str
    path: str
    shows: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """`begin` makes the customer act and returns the story's facts; `meanwhile` is what the customer does as days go
    by; `look` reads the services, and `judge`, which is pure, says what of the goal is reached."""

    slug: str
    title: str
    goal: str
    may_use: tuple[str, ...]
    debrief: tuple[str, ...]
    begin: Callable[[World], Facts]
    story: Callable[[Facts], Sequence[str]]
    pages: Callable[[Facts], Sequence[Page]]
    meanwhile: Callable[[World, Facts], None]
    look: Callable[[World, Facts], Any]
    judge: Callable[[Facts, Any], list[Finding]]

    def check(self, world: World, facts: Facts) -> list[Finding]:
        return self.judge(facts, self.look(world, facts))


def account_pages(facts: Facts) -> list[Page]:
    """The pages of an account that every scenario needs."""
    customer = facts["customer_id"]
    return [
        Page("reminder", f"/accounts/{customer}", "the account: what happened, what to do next, and the forms for it"),
        Page("reporting", f"/customers/{customer}", "its timeline: every event of every service"),
    ]


def money(amount: dict[str, str] | None) -> str:
    """`4860.00 GBP`."""
    return f"{amount['amount']} {amount['currency']}" if amount else "nothing"


def gbp(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}
