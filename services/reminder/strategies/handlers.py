"""Publish strategies, and hand out the versions that cases run on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.reminder.conditions.rules import Facts
from services.reminder.strategies import rules, store
from services.reminder.strategies.rules import (
    DEFAULT,
    Choice,
    OtherName,
    Published,
    StrategyNotFound,
)
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class PublishStrategy:
    """`expected_version` is the version the writer saw, 0 for a new strategy."""

    name: str
    document: str
    expected_version: int


async def publish_strategy(tx: Tx, command: PublishStrategy) -> Published:
    """Make the next version; the same document again makes none. Whether its templates and its champion exist is for
    `publishing` to find out. Raises InvalidStrategy, OtherName, and PreconditionFailed when the writer did not see the
    newest version."""
    strategy = rules.parse(command.document)
    if strategy.name != command.name:
        raise OtherName(f"the document is for {strategy.name!r}, the address for {command.name!r}", field="/name")
    newest = await store.find(tx, command.name, None)
    version = newest.version if newest else 0
    if version != command.expected_version:
        raise PreconditionFailed(f"{command.name} is at version {version}, you changed {command.expected_version}")
    if newest and newest.document == command.document:
        return newest
    published = Published(strategy, version + 1, command.document)
    if not await store.add(tx, published):
        raise PreconditionFailed(f"{command.name} got version {version + 1} from somebody else just now")
    return published


async def find_strategy(tx: Tx, name: str, version: int | None = None) -> Published:
    """The newest version, or the one asked for. Raises StrategyNotFound."""
    found = await store.find(tx, name, version)
    if found is None:
        which = f"version {version} of {name!r}" if version else f"strategy {name!r}"
        raise StrategyNotFound(f"there is no {which}")
    return found


async def list_strategies(tx: Tx) -> list[Published]:
    return await store.in_use(tx, ())


@dataclass(frozen=True, slots=True)
class Library:
    """The strategies a piece of work needs: the newest of each name, and the versions that cases keep."""

    newest: Mapping[str, Published]
    pinned: Mapping[tuple[str, int], Published]

    @property
    def default(self) -> Published:
        return self.newest[DEFAULT]

    def for_account(self, facts: Facts) -> Choice:
        """What a new episode of this account runs on."""
        return rules.choose(self.newest, facts)


async def library(tx: Tx, pinned: Collection[tuple[str, int]] = ()) -> Library:
    in_use = await store.in_use(tx, pinned)
    return Library(
        newest={published.name: published for published in in_use},
        pinned={(published.name, published.version): published for published in in_use},
    )
