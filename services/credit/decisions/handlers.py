"""Answer whether a customer may owe more, and keep the answer with its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.decisions import rules, store
from services.credit.decisions.rules import Decision, DecisionNotFound, UnknownCustomer
from services.credit.limits import handlers as limits
from services.credit.limits.rules import CustomerNotFound
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class MakeDecision:
    customer_id: UUID
    requested: Money
    reference: str | None
    now: datetime


async def make_decision(tx: Tx, command: MakeDecision) -> Decision:
    """Raises UnknownCustomer, and Refused for an amount that is not above zero.

    Asked for each invoice that is issued, so it is three statements and the event: lock with the limit, what is
    owed, the answer.
    """
    try:
        account, owed = await limits.lock_standing(tx, command.customer_id, local_date(command.now, "UTC"))
    except CustomerNotFound:
        raise UnknownCustomer(command.customer_id) from None

    outcome = rules.decide(new_id(), account, owed, command.requested, command.reference, command.now)

    await store.add_decision(tx, outcome.decision)
    await outbox.append(tx, *outcome.events)
    return outcome.decision


async def get_decision(tx: Tx, decision_id: UUID) -> Decision:
    """Raises DecisionNotFound."""
    decision = await store.read_decision(tx, decision_id)
    if decision is None:
        raise DecisionNotFound(decision_id)
    return decision


async def list_decisions(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Decision]:
    """Newest first."""
    return await store.list_decisions(tx, customer_id, before, count_max)
