"""The pages of agencies, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.authority import handlers as authority
from services.reminder.placements import handlers as placements
from services.reminder.placements.rules import Agency
from services.reminder.receivables.rules import ENTITY
from shared.db import Tx

AGENCIES = 200


@dataclass(frozen=True, slots=True)
class AgenciesPage:
    """`days_overdue_min` is how old the default seller's oldest claim has to be before an agency may get an account."""

    agencies: Sequence[Agency]
    days_overdue_min: int


async def draw_agencies(tx: Tx) -> AgenciesPage:
    limits = (await authority.get_authority(tx, ENTITY)).authority.placements
    return AgenciesPage(await placements.list_agencies(tx, None, AGENCIES), limits.days_overdue_min)


async def find_agency(tx: Tx, agency_id: str) -> Agency:
    """Raises AgencyNotFound."""
    return await placements.get_agency(tx, agency_id)


async def keep_agency(tx: Tx, agency: Agency) -> Agency:
    """Raises AgencyRefused, PreconditionFailed."""
    return await placements.keep_agency(tx, agency)
