"""Publish scorecards, and hand out their versions."""

from __future__ import annotations

from dataclasses import dataclass

from services.credit.scorecards import rules, store
from services.credit.scorecards.rules import OtherName, Published, ScorecardNotFound
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class PublishScorecard:
    """`expected_version` is the version the writer saw, 0 for a new scorecard."""

    name: str
    document: str
    expected_version: int
    published_by: str


async def publish_scorecard(tx: Tx, command: PublishScorecard) -> Published:
    """Make the next version; the same document again makes none. Raises InvalidScorecard, OtherName, and
    PreconditionFailed when the writer did not see the newest version."""
    scorecard = rules.parse(command.document)
    if scorecard.name != command.name:
        raise OtherName(f"The document is for {scorecard.name!r}, the address for {command.name!r}.", field="/name")
    newest = await store.find(tx, command.name, None)
    version = newest.version if newest else 0
    if version != command.expected_version:
        raise PreconditionFailed(f"{command.name} is at version {version}, you changed {command.expected_version}.")
    if newest and newest.document == command.document:
        return newest
    published = Published(scorecard, version + 1, command.document, tx.now, command.published_by)
    if not await store.add(tx, published, command.published_by):
        raise PreconditionFailed(f"{command.name} got version {version + 1} from somebody else just now.")
    return published


async def find_scorecard(tx: Tx, name: str, version: int | None = None) -> Published:
    """The newest version, or the one asked for. Raises ScorecardNotFound."""
    found = await store.find(tx, name, version)
    if found is None:
        which = f"version {version} of {name!r}" if version else f"scorecard {name!r}"
        raise ScorecardNotFound(f"There is no {which}.")
    return found


async def list_scorecards(tx: Tx) -> list[Published]:
    """The newest version of each."""
    return await store.newest(tx)
