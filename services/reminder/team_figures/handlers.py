"""Count what the team has done."""

from __future__ import annotations

from datetime import date

from services.reminder.team_figures import store
from services.reminder.team_figures.rules import Figures
from shared.db import Tx


async def count(tx: Tx, since: date, until: date) -> list[Figures]:
    """By colleague, from `since` to `until`, both included."""
    return await store.figures(tx, since, until, tx.now.date())
