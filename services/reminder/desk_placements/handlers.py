"""The pages of placements, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import View
from services.reminder.desk_placements import rules
from services.reminder.desk_placements.rules import Prospect, Row, Stage, Sums
from services.reminder.placements import handlers as placements
from services.reminder.placements import rules as placing
from services.reminder.placements.rules import Agency, Placement
from services.reminder.receivables.rules import Account
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import DomainError
from shared.ids import new_id

ROWS = 100
AGENCIES = 200


@dataclass(frozen=True, slots=True)
class PlacementsPage:
    rows: Sequence[Row]
    sums: Sums


@dataclass(frozen=True, slots=True)
class PlacementPage:
    """`prospect` is what the agency would get, while it has nothing yet."""

    placement: Placement
    account: Account
    agency: Agency
    today: date
    prospect: Prospect | None
    has_file: bool


@dataclass(frozen=True, slots=True)
class AskPage:
    """`standing` is a placement of the account that is not over: another one cannot be asked for."""

    view: View
    today: date
    agencies: Sequence[Agency]
    prospect: Prospect
    standing: Placement | None


async def draw_placements(tx: Tx, stage: Stage) -> PlacementsPage:
    """The newest of a stage."""
    found = [
        placement
        for status in rules.STATUSES[stage]
        for placement in await placements.list_placements(tx, None, None, None, status, None, ROWS)
    ]
    found.sort(key=lambda placement: placement.requested_at, reverse=True)
    views = await cases.find_cases(tx, [(each.customer_id, each.entity_id) for each in found])
    agencies = {agency.id: agency.name for agency in await placements.list_agencies(tx, None, AGENCIES)}
    rows = [
        Row(each, _name(views[each.customer_id, each.entity_id].account), agencies.get(each.agency_id, each.agency_id))
        for each in found
    ]
    return PlacementsPage(rows, rules.sums(found))


async def draw_placement(tx: Tx, placement_id: UUID) -> PlacementPage:
    """Raises PlacementNotFound."""
    placement = await placements.get_placement(tx, placement_id)
    view = await cases.find_case(tx, placement.customer_id, placement.entity_id)
    today = local_date(tx.now, view.account.time_zone)
    waits = placement.status in rules.STATUSES["waiting"]
    return PlacementPage(
        placement=placement,
        account=view.account,
        agency=await placements.get_agency(tx, placement.agency_id),
        today=today,
        prospect=_prospect(placement, view.account, today) if waits else None,
        has_file=placement.placed_on is not None,
    )


async def draw_asking(tx: Tx, customer_id: UUID, entity_id: str) -> AskPage:
    """What would go to an agency, or why it may not. Raises CaseNotFound."""
    view = await cases.find_case(tx, customer_id, entity_id)
    account, today = view.account, local_date(tx.now, view.account.time_zone)
    agencies = await placements.list_agencies(tx, None, AGENCIES)
    known = await placements.list_placements(tx, customer_id, entity_id, None, None, None, ROWS)
    standing = next((each for each in known if each.status not in rules.STATUSES["over"]), None)
    least = (await authority.get_authority(tx, entity_id)).authority.placements.days_overdue_min
    nobody = Agency("", 1, "", None, ())
    try:
        items = placing.to_place(account, (), least, today, is_open=view.case.is_open)
    except DomainError as refused:
        prospect = Prospect((), None, refused)
    else:
        wanted = placing.request(new_id(), view.case.id, account, items, nobody, None, "", tx.now)
        prospect = _prospect(wanted, account, today)
    return AskPage(view, today, agencies, prospect, standing)


def _prospect(placement: Placement, account: Account, today: date) -> Prospect:
    now = placing.as_of_now(placement, account, today)
    if now.status != "placed":
        return Prospect((), None, placing.Disputed(f"it would be withdrawn: {now.because}"))
    return Prospect(placing.rows(now, account, ()), now.amount, None)


def _name(account: Account) -> str:
    return account.name or account.external_id or str(account.id)
