"""Gather what an explanation rests on."""

from __future__ import annotations

from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.contacts import handlers as contacts
from services.reminder.explanations import rules
from services.reminder.explanations.rules import Explanation
from services.reminder.receivables.rules import ENTITY
from shared.db import Tx

LATE_CONTACTS = 20


async def explain_case(tx: Tx, customer_id: UUID, entity_id: str = ENTITY) -> tuple[cases.View, Explanation]:
    """Raises CaseNotFound."""
    view = await cases.find_case(tx, customer_id, entity_id)
    late = await contacts.list_contacts(tx, customer_id, None, None, LATE_CONTACTS)
    late = [contact for contact in late if contact.entity_id == entity_id]
    return view, rules.explain(view.case, view.account, view.strategy, late, tx.now)
