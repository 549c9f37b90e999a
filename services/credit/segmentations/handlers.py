"""Publish rules for segments, and hand out their versions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from services.credit.follow_ups import handlers as follow_ups
from services.credit.segmentations import rules, store
from services.credit.segmentations.rules import NoSegmentation, Published
from shared.db import Tx
from shared.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class PublishSegmentation:
    """`expected_version` is the version the writer saw, 0 for the first."""

    document: str
    expected_version: int
    published_by: str


async def publish_segmentation(tx: Tx, command: PublishSegmentation) -> Published:
    """Make the next version, which everybody's segment follows; the same document again makes none. Raises
    InvalidSegmentation, and PreconditionFailed when the writer did not see the newest version."""
    segmentation = rules.parse(command.document)
    newest = await store.find(tx)
    version = newest.version if newest else 0
    if version != command.expected_version:
        raise PreconditionFailed(
            f"The rules are at version {version}, you changed {command.expected_version}.", current_version=version
        )
    if newest and newest.document == command.document:
        return newest
    published = Published(segmentation, version + 1, command.document, tx.now, command.published_by)
    if not await store.add(tx, published):
        raise PreconditionFailed(f"The rules got version {version + 1} from somebody else just now.")
    if segmentation.active:
        await follow_ups.note_everybody(tx, "segmentation")
    return published


async def find_segmentation(tx: Tx, version: int | None = None) -> Published:
    """The newest version, or the one asked for. Raises NoSegmentation."""
    found = await store.find(tx, version)
    if found is None:
        raise NoSegmentation(f"There is no version {version}." if version else "None were published.")
    return found


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it changed of the one before it."""

    published: Published
    changes: tuple[str, ...]


async def list_versions(tx: Tx, before: int | None, count_max: int) -> list[Version]:
    """Newest first."""
    found = await store.versions(tx, before, count_max + 1)
    return [
        Version(each, rules.changes(earlier.segmentation, each.segmentation) if earlier else ())
        for each, earlier in zip_longest(found, found[1:])
    ][:count_max]


async def in_force(tx: Tx) -> Published | None:
    """None while there are none, or the newest are not active."""
    newest = await store.find(tx)
    return newest if newest and newest.segmentation.active else None
