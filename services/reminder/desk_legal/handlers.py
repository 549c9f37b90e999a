"""The pages of courts and limitation, gathered from the other features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import View
from services.reminder.desk_legal import rules
from services.reminder.desk_legal.rules import LimitationRow, ProceedingRow
from services.reminder.legal import handlers as legal
from services.reminder.legal.rules import Limitation, Proceeding
from services.reminder.receivables.rules import Account, Key
from shared.calendar import add_months, local_date
from shared.db import Tx
from shared.money import Money

ROWS = 200
AHEAD_MONTHS = 12


@dataclass(frozen=True, slots=True)
class LegalPage:
    """Of all accounts: what is before a court, and what lapses within a year."""

    proceedings: Sequence[ProceedingRow]
    limitations: Sequence[LimitationRow]
    today: date


@dataclass(frozen=True, slots=True)
class AccountLegalPage:
    view: View
    today: date
    proceedings: Sequence[Proceeding]
    limitations: Sequence[LimitationRow]

    @property
    def currency(self) -> str:
        """Which a claim is most likely in."""
        items = self.view.account.items
        return items[0].balance.currency if items else "EUR"


async def draw_legal(tx: Tx) -> LegalPage:
    today = tx.now.date()
    found = await legal.list_proceedings(tx, None, None, None, "open", None, ROWS)
    lapsing = await legal.list_limitations(tx, None, None, add_months(today, AHEAD_MONTHS), None, ROWS)
    keys = {(each.customer_id, each.entity_id) for each in found}
    keys |= {(each.customer_id, each.entity_id) for each, _ in lapsing}
    views = await cases.find_cases(tx, list(keys))
    rows = [ProceedingRow(each, _name(views[each.customer_id, each.entity_id].account)) for each in found]
    return LegalPage(rows, _limitations(lapsing, views, today), today)


async def draw_account(tx: Tx, customer_id: UUID, entity_id: str) -> AccountLegalPage:
    """Raises CaseNotFound."""
    view = await cases.find_case(tx, customer_id, entity_id)
    today = local_date(tx.now, view.account.time_zone)
    watched = await legal.list_limitations(tx, customer_id, entity_id, None, None, ROWS)
    return AccountLegalPage(
        view=view,
        today=today,
        proceedings=await legal.list_proceedings(tx, customer_id, entity_id, None, None, None, ROWS),
        limitations=_limitations(watched, {view.account.key: view}, today),
    )


def _limitations(
    found: Sequence[tuple[Limitation, Money]], views: Mapping[Key, View], today: date
) -> list[LimitationRow]:
    return [
        rules.limitation_row(each, owed, _name(views[each.customer_id, each.entity_id].account), today)
        for each, owed in found
    ]


def _name(account: Account) -> str:
    return account.name or account.external_id or str(account.id)
