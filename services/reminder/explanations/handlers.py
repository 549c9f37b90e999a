"""Gather what an explanation rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import View
from services.reminder.contacts import handlers as contacts
from services.reminder.evidence import rules as evidence
from services.reminder.explanations import rules
from services.reminder.explanations.rules import DayRefused
from services.reminder.histories import handlers as histories
from services.reminder.outlooks import rules as outlooks
from services.reminder.receivables.rules import ENTITY
from services.reminder.sayings.rules import Explanation
from shared.calendar import local_date
from shared.db import Tx

LATE_CONTACTS = 40


async def explain_case(tx: Tx, customer_id: UUID, entity_id: str = ENTITY) -> tuple[View, Explanation]:
    """As things are now. Raises CaseNotFound."""
    view = await cases.find_case(tx, customer_id, entity_id)
    return view, await _explain(tx, view)


async def explain_at(
    tx: Tx, customer_id: UUID, entity_id: str, as_of: date | None
) -> tuple[View, datetime, Explanation]:
    """As things were at the end of a day in the customer's time zone; as they are now for today or none. With the case
    as it is now, and the moment that is explained. Raises CaseNotFound, DayRefused."""
    view = await cases.find_case(tx, customer_id, entity_id)
    today = local_date(tx.now, view.account.time_zone)
    if as_of is None or as_of == today:
        return view, tx.now, await _explain(tx, view)
    if as_of > today:
        raise DayRefused(f"{as_of} has not come yet; today is {today}", field="/as_of")
    at, found = await histories.explain_past(tx, view, as_of)
    return view, at, found


async def _explain(tx: Tx, view: View) -> Explanation:
    case, account, strategy, policy = view.case, view.account, view.strategy, view.policy
    late = await contacts.list_contacts(tx, account.id, None, None, LATE_CONTACTS)
    late = [contact for contact in late if contact.entity_id == account.entity_id]
    touches = (await contacts.recent(tx, [account.id], policy)).get(account.id, [])
    outlook = outlooks.look_ahead(case, account, strategy, touches, tx.now, policy)
    found = rules.explain(case, account, strategy, late, touches, outlook, tx.now, policy)
    return replace(
        found,
        facts=evidence.facts_of(case, account, strategy, late, touches, outlook, tx.now, policy),
        strategy=strategy.name,
        strategy_version=strategy.version,
        next_at=outlook.at,
    )
