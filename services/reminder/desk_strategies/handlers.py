"""The strategy pages, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.desk_strategies import rules, store
from services.reminder.desk_strategies.rules import Change, Checked, Version
from services.reminder.publishing import handlers as publishing
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies import rules as documents
from services.reminder.strategies.handlers import PublishStrategy
from services.reminder.strategies.rules import DEFAULT, InvalidStrategy, Published, StrategyNotFound
from services.reminder.trials import handlers as trials
from services.reminder.trials.handlers import Compared
from services.reminder.trials.rules import NothingToCompare
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Row:
    """A strategy of the list; `running` are (version, cases) of the versions that cases run on, the newest first."""

    published: Published
    fits: Sequence[str]
    running: Sequence[tuple[int, int]]

    @property
    def cases(self) -> int:
        return sum(cases for _, cases in self.running)


@dataclass(frozen=True, slots=True)
class List:
    """Those that decide come first: by whether they are active, then by priority."""

    rows: Sequence[Row]
    comparisons: Sequence[Compared]


@dataclass(frozen=True, slots=True)
class StrategyPage:
    """`text` is the document in the editor, `seen` the version it was made from (0 for a new strategy). `changes` are
    those that version `changed` made."""

    name: str
    published: Published | None
    text: str
    seen: int
    checked: Checked
    fits: Sequence[str]
    versions: Sequence[Version]
    changed: int | None
    changes: Sequence[Change]
    comparison: Compared | None

    @property
    def newest(self) -> int:
        return self.published.version if self.published else 0

    @property
    def running(self) -> int:
        return sum(version.running for version in self.versions)

    @property
    def left_behind(self) -> Sequence[Version]:
        """Versions other than the newest that cases run on."""
        return [version for version in self.versions if version.running and version.version != self.newest]


async def draw_list(tx: Tx) -> List:
    known = await strategies.list_strategies(tx)
    running = await store.running(tx)
    rows = [
        Row(
            published,
            rules.fits_words(published.strategy),
            sorted(
                ((version, cases) for (name, version), cases in running.items() if name == published.name), reverse=True
            ),
        )
        for published in known
    ]
    rows.sort(key=lambda row: (not row.published.strategy.active, -row.published.strategy.priority, row.published.name))
    challengers = [published.name for published in known if published.strategy.challenger]
    return List(rows, [await trials.compare(tx, name) for name in challengers])


async def draw_strategy(
    tx: Tx, name: str, *, like: str | None = None, typed: str | None = None, changed: int | None = None
) -> StrategyPage:
    """A strategy with what was typed into the editor, or as it is published; one that is not there yet begins like
    another one. Raises StrategyNotFound."""
    try:
        published = await strategies.find_strategy(tx, name)
    except StrategyNotFound:
        if typed is None and like is None:
            raise
        published = None
    text = typed if typed is not None else published.document if published else await _start(tx, name, like)
    versions = await store.versions(tx, name) if published else []
    return StrategyPage(
        name=name,
        published=published,
        text=text,
        seen=published.version if published else 0,
        checked=await check(tx, name, text),
        fits=rules.fits_words(published.strategy) if published else (),
        versions=versions,
        changed=changed,
        changes=await _changes(tx, name, changed) if changed else (),
        comparison=await _comparison(tx, name) if published else None,
    )


async def check(tx: Tx, name: str, document: str) -> Checked:
    """What publishing the document would say."""
    try:
        ladder = rules.draw_ladder(documents.parse(document))
    except InvalidStrategy as invalid:
        return Checked(invalid.faults, (), None)
    try:
        return Checked((), await publishing.check(tx, name, document), ladder)
    except InvalidStrategy as invalid:
        return Checked(invalid.faults, (), ladder)


async def publish(tx: Tx, command: PublishStrategy) -> None:
    """Raises what `publishing.publish` raises, and NothingChanged."""
    published, _ = await publishing.publish(tx, command)
    if published.version == command.expected_version:
        raise rules.NothingChanged(f"the document is that of version {published.version}, word for word")


async def switch(tx: Tx, name: str, expected_version: int, *, active: bool) -> None:
    """Publish the newest version once more, switched on or off. Raises NotSwitched too."""
    newest = await strategies.find_strategy(tx, name)
    document = rules.switched(newest.document, active=active)
    await publishing.publish(tx, PublishStrategy(name, document, expected_version))


async def _start(tx: Tx, name: str, like: str | None) -> str:
    if not like:
        return rules.NEW.format(name=name, title=name.replace("-", " ").capitalize())
    model = await strategies.find_strategy(tx, like)
    document = rules.renamed(model.document, name)
    return document if model.name == DEFAULT else rules.switched(document, active=False)


async def _changes(tx: Tx, name: str, version: int) -> list[Change]:
    after = await strategies.find_strategy(tx, name, version)
    before = (await strategies.find_strategy(tx, name, version - 1)).document if version > 1 else ""
    return rules.differences(before, after.document)


async def _comparison(tx: Tx, name: str) -> Compared | None:
    try:
        return await trials.compare(tx, name)
    except NothingToCompare:
        return None
