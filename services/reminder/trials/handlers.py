"""Keep how episodes in a trial go, and compare the two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.rules import Published
from services.reminder.trials import rules, store
from services.reminder.trials.rules import Comparison, Progress
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Compared:
    """Who is compared with whom."""

    champion: str
    challenger: Published
    comparison: Comparison


async def record_progress(tx: Tx, progress: Sequence[Progress]) -> None:
    """Follow episodes whose strategy is challenged; for all others there is nothing to be done. Several events of one
    episode may come at once, in their order."""
    while progress:
        now = {(each.event.case.id, each.event.case.episode): each for each in reversed(progress)}
        await store.keep(tx, list(now.values()))
        first = {id(each) for each in now.values()}
        progress = [each for each in progress if id(each) not in first]


async def compare(tx: Tx, name: str) -> Compared:
    """A champion with its challenger, by the name of either. Raises StrategyNotFound and NothingToCompare."""
    asked = await strategies.find_strategy(tx, name)
    challenger = asked if asked.strategy.challenger else await _challenger_of(tx, name)
    assert challenger.strategy.challenger is not None
    trials = await store.first_episodes(tx, challenger.name)
    return Compared(challenger.strategy.challenger.of, challenger, rules.compare(trials, tx.now.date()))


async def _challenger_of(tx: Tx, champion: str) -> Published:
    """The one that runs, or else one that ran."""
    known = await strategies.list_strategies(tx)
    against = [each for each in known if each.strategy.challenger and each.strategy.challenger.of == champion]
    if not against:
        raise rules.NothingToCompare(f"nobody challenges {champion!r}")
    return min(against, key=lambda each: (not each.strategy.active, each.name))
