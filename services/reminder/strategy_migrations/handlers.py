"""Move running cases from one version of their strategy to another, some at a time; or say what that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.cases import handlers as cases
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Key
from services.reminder.strategies import handlers as strategies
from services.reminder.strategy_migrations import rules, store
from services.reminder.strategy_migrations.rules import Move, SameVersion
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class MigrateCases:
    """At most `limit` cases, those after a given one. A preview moves nothing."""

    strategy: str
    from_version: int
    to_version: int
    preview: bool
    after: Key | None
    limit: int


@dataclass(frozen=True, slots=True)
class Migration:
    """`more` are the cases after these to be looked at, `running` all that still run on the earlier version."""

    moves: Sequence[Move]
    more: Key | None
    running: int


async def migrate_cases(tx: Tx, command: MigrateCases) -> Migration:
    """Raises StrategyNotFound and SameVersion."""
    if command.from_version == command.to_version:
        raise SameVersion(f"both are version {command.to_version}", field="/to_version")
    old = await strategies.find_strategy(tx, command.strategy, command.from_version)
    new = await strategies.find_strategy(tx, command.strategy, command.to_version)
    keys = await store.running_on(tx, old.name, old.version, command.after, command.limit + 1)
    more = keys[command.limit - 1] if len(keys) > command.limit else None
    keys = keys[: command.limit]
    if not command.preview:
        await receivables.lock(tx, list({customer_id for customer_id, _ in keys}))
    views = await cases.find_cases(tx, keys) if keys else {}
    running = [
        view for key in keys if (view := views[key]).case.is_open and view.case.runs_on == (old.name, old.version)
    ]
    moves = [rules.plan(v.case, v.account, old.strategy, new, tx.now, v.policy) for v in running]
    if not command.preview:
        await cases.record(tx, [(move.before, move.outcome) for move in moves if not move.stays])
    return Migration(moves, more, await store.count_running_on(tx, old.name, old.version))
