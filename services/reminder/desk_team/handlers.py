"""The form of a colleague, gathered from the team."""

from __future__ import annotations

from collections.abc import Sequence

from services.reminder.desk_team import rules
from services.reminder.desk_team.rules import Written
from services.reminder.team import handlers as team
from services.reminder.team.handlers import KeepColleague
from services.reminder.team.rules import Colleague
from shared.db import Tx


async def draw_colleague(tx: Tx, subject: str) -> tuple[Written, Sequence[Colleague]]:
    """The form as it stands, and who may stand in. Raises ColleagueNotFound."""
    return rules.form_of(await team.find_colleague(tx, subject)), await others(tx, subject)


async def others(tx: Tx, subject: str) -> list[Colleague]:
    return [colleague for colleague in await team.list_team(tx) if colleague.subject != subject]


async def keep_colleague(tx: Tx, written: Written) -> Colleague:
    """Raises FieldUnreadable and what `team` does."""
    return await team.keep_colleague(tx, KeepColleague(rules.read_form(written), written.version))
