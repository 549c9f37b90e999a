"""Know the team: who is who, who is away, who stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.reminder.team import rules, store
from services.reminder.team.rules import Colleague, ColleagueNotFound
from shared.db import Tx
from shared.http.preconditions import check_version


@dataclass(frozen=True, slots=True)
class KeepColleague:
    """`seen_version` is 0 for a colleague who must be new; the colleague's own version does not matter."""

    colleague: Colleague
    seen_version: int


async def keep_colleague(tx: Tx, command: KeepColleague) -> Colleague:
    """Add or change somebody. Raises PreconditionFailed, AbsenceRefused, CoverRefused."""
    await store.lock(tx)
    team = await known(tx)
    before = team.get(command.colleague.subject)
    version = before.version if before else 0
    check_version(command.seen_version, version)
    colleague = replace(command.colleague, version=version + 1)
    rules.check(colleague, {**team, colleague.subject: colleague})
    await store.save(tx, colleague)
    return colleague


async def list_team(tx: Tx) -> list[Colleague]:
    return await store.everybody(tx)


async def known(tx: Tx) -> Mapping[str, Colleague]:
    return {colleague.subject: colleague for colleague in await store.everybody(tx)}


async def find_colleague(tx: Tx, subject: str, *, field: str | None = None) -> Colleague:
    """`field` is where a request names them. Raises ColleagueNotFound."""
    team = await known(tx)
    if subject not in team:
        raise ColleagueNotFound(f"there is no colleague {subject!r}", field=field)
    return team[subject]


async def acting_for(tx: Tx, subject: str) -> frozenset[str]:
    """Everybody whose work is this person's today."""
    return rules.acts_for(subject, await store.everybody(tx), tx.now.date())
