"""Answer whether a customer may owe more, and keep the answer with its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.decisions import rules, store
from services.credit.decisions.rules import (
    AskedAs,
    Decision,
    DecisionNotFound,
    Outcome,
    Override,
    OverrideRefused,
    Purpose,
    Question,
    Replayed,
    UnknownCustomer,
)
from services.credit.exposure.rules import Facts
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, rules_of
from services.credit.reservations import handlers as reservations
from services.credit.reservations import rules as reserving
from services.credit.reservations.rules import BlockedOrder, Reservation
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import Refused
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class MakeDecision:
    """`asked` is who asks and as what: the same question asked again gets the decision that was made. `correlation`
    is the work it is asked for, where that is not the request's. `order` and `purpose`: see rules.Question. Where
    `reserve`, an approved order keeps its headroom, and another one stands in the queue of `asked_by`'s orders."""

    customer_id: UUID
    requested: Money
    reference: str | None
    now: datetime
    asked: AskedAs | None = None
    correlation: str | None = None
    order: str | None = None
    purpose: Purpose = "order"
    reserve: bool = False
    reserve_until: datetime | None = None
    asked_by: str = ""

    @property
    def question(self) -> Question:
        return Question(self.requested, self.reference, self.order, self.purpose)


async def make_decision(tx: Tx, command: MakeDecision) -> Decision:
    """Raises UnknownCustomer, QuestionChanged, Refused for an amount that is not above zero or a reservation without
    an order or for no time, and OrderReserved."""
    if command.reserve and not command.reference:
        raise Refused("A reservation is for an order, which the reference names.", field="/reference")
    [decided] = await make_decisions(tx, [command])
    if isinstance(decided, Refused):
        raise decided
    if command.reserve:
        await _keep_or_queue(tx, decided, command)
    return decided


async def _keep_or_queue(tx: Tx, decision: Decision, command: MakeDecision) -> None:
    assert command.reference
    if decision.reserved_until:
        await reservations.reserve(tx, _reservation(decision, command.reference, decision.reserved_until, tx.now))
    else:
        await reservations.block_order(
            tx,
            BlockedOrder(
                id=decision.id,
                version=1,
                customer_id=decision.customer_id,
                reference=command.reference,
                amount=decision.requested,
                reasons=tuple(map(str, decision.reasons)),
                asked_by=command.asked_by,
                blocked_at=tx.now,
            ),
        )


def _reservation(decision: Decision, reference: str, until: datetime, now: datetime) -> Reservation:
    return Reservation(
        id=new_id(),
        version=1,
        customer_id=decision.customer_id,
        decision_id=decision.id,
        reference=reference,
        amount=decision.requested,
        status="held",
        made_at=now,
        expires_at=until,
    )


async def make_decisions(tx: Tx, commands: Sequence[MakeDecision]) -> list[Decision | Refused]:
    """A decision on each command, or why there is none; one bad question costs only itself.

    Asked for each invoice that is issued, so however many they are it is three statements and the events: lock with
    the limits, what is owed, the answers.
    """
    today = local_date(commands[0].now, "UTC")
    references = sorted({name for command in commands for name in command.question.names})
    standings = await limits.lock_standings(tx, {command.customer_id for command in commands}, today, references)
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


def _decide(command: MakeDecision, standing: tuple[Account, Facts] | None) -> Outcome | Refused:
    if standing is None:
        return UnknownCustomer(command.customer_id)
    try:
        account, facts = standing
        until = None
        if command.reserve:
            days = rules_of(facts.policy_rules).reservation_days
            until = reserving.expiry(command.reserve_until, days, command.now)
        return rules.decide(new_id(), account, facts, command.question, command.now, until)
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


async def count_between(tx: Tx, since: datetime, until: datetime) -> tuple[int, int]:
    """How many decisions were made [since, until), and how many of them kept too little to be made again."""
    return await store.count_between(tx, since, until)


async def asked_about(tx: Tx, after: UUID, since: datetime, until: datetime, count_max: int) -> list[UUID]:
    """The next customers after this one about whom decisions were made [since, until) that can be made again."""
    return await store.asked_about(tx, after, since, until, count_max)


async def between(tx: Tx, customer_ids: Sequence[UUID], since: datetime, until: datetime) -> Sequence[Decision]:
    """Decisions about these customers that can be made again, by customer and in the order in which they were made."""
    return await store.between(tx, customer_ids, since, until)


async def replay_decision(tx: Tx, decision_id: UUID) -> Replayed:
    """What the rules make of the inputs that were kept. Changes nothing. Raises DecisionNotFound, NoInputsKept."""
    return rules.replay(await get_decision(tx, decision_id))


async def override_decision(
    tx: Tx, decision_id: UUID, reason: str, by: str, expires_at: datetime
) -> tuple[Decision, Override]:
    """A person lets an order pass: asked again until then, it is approved; one that stood in the queue is released and
    has its reservation. Raises DecisionNotFound, OverrideRefused, OrderNotWaiting, Refused."""
    decision = await get_decision(tx, decision_id)
    today = local_date(tx.now, "UTC")
    await limits.lock_standing(tx, decision.customer_id, today)
    made = rules.override(decision, reason, by, expires_at, tx.now)
    if not await store.add_override(tx, made):
        raise OverrideRefused("Somebody let this order pass before.")
    if await reservations.close_blocked(tx, decision.id, "released", by, reason):
        await reservations.reserve(tx, _reservation(decision, made.reference, expires_at, tx.now))
    return decision, made
