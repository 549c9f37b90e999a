"""What a group of customers owed at the end of a day."""

from __future__ import annotations

from datetime import date

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing import rules as ageing_rules
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import ALL_KNOWN, USUAL_DAYS, Buckets
from services.reporting.groups import queries
from services.reporting.groups.rules import EVERYBODY, Group
from shared.db import Tx


async def age_group(
    tx: Tx, as_of: date, group: Group = EVERYBODY, known_at: date = ALL_KNOWN, currency: str | None = None
) -> list[Buckets]:
    """One item a currency in which anything has happened by then; none for a group that is not there."""
    if group.is_everybody:
        return await ageing.age_receivables(tx, AgeReceivables(as_of, known_at, currency))
    rows = await queries.age(tx, group, as_of, known_at, currency, USUAL_DAYS)
    return ageing_rules.gather(rows, USUAL_DAYS)
