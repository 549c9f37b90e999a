"""Answer whether a customer may owe more, and keep the answer with its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.decisions import rules, store
from services.credit.decisions.rules import AskedAs, Decision, DecisionNotFound, Outcome, UnknownCustomer
from services.credit.exposure.rules import Exposure
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import Refused
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class MakeDecision:
    """`asked` is who asks and as what: the same question asked again gets the decision that was made. `correlation`
    is the work it is asked for, where that is not the request's."""

    customer_id: UUID
    requested: Money
    reference: str | None
    now: datetime
    asked: AskedAs | None = None
    correlation: str | None = None


async def make_decision(tx: Tx, command: MakeDecision) -> Decision:
    """Raises UnknownCustomer, QuestionChanged, and Refused for an amount that is not above zero."""
    [decided] = await make_decisions(tx, [command])
    if isinstance(decided, Refused):
        raise decided
    return decided


async def make_decisions(tx: Tx, commands: Sequence[MakeDecision]) -> list[Decision | Refused]:
    """A decision on each command, or why there is none; one bad question costs only itself.

    Asked for each invoice that is issued, so however many they are it is three statements and the events: lock with
    the limits, what is owed, the answers.
    """
    today = local_date(commands[0].now, "UTC")
    standings = await limits.lock_standings(tx, {command.customer_id for command in commands}, today)
    outcomes = [_decide(command, standings.get(command.customer_id)) for command in commands]

    rows = [
        (outcome.decision, command.asked)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Outcome)
    ]
    made = await store.add_decisions(tx, rows) if rows else set()
    given = await store.decisions_asked(tx, [asked for decision, asked in rows if asked and decision.id not in made])

    decided: list[Decision | Refused] = []
    for command, outcome in zip(commands, outcomes, strict=True):
        if isinstance(outcome, Refused):
            decided.append(outcome)
        elif outcome.decision.id in made:
            with context.working_for(command.correlation):
                await outbox.append(tx, *outcome.events)
            decided.append(outcome.decision)
        else:
            assert command.asked
            decided.append(rules.same_question(given[command.asked], outcome.decision))
    return decided


def _decide(command: MakeDecision, standing: tuple[Account, Exposure] | None) -> Outcome | Refused:
    if standing is None:
        return UnknownCustomer(command.customer_id)
    try:
        return rules.decide(new_id(), *standing, command.requested, command.reference, command.now)
    except Refused as refusal:
        return refusal


async def get_decision(tx: Tx, decision_id: UUID) -> Decision:
    """Raises DecisionNotFound."""
    decision = await store.read_decision(tx, decision_id)
    if decision is None:
        raise DecisionNotFound(decision_id)
    return decision


async def list_decisions(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Decision]:
    """Newest first."""
    return await store.list_decisions(tx, customer_id, before, count_max)
