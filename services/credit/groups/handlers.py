"""Set what a group may owe together. The company at its top is locked, as it is by every decision on a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.groups import rules, store
from services.credit.groups.rules import GroupLimit, GroupNotFound
from services.credit.limits import handlers as limits
from services.credit.limits.rules import check_approved, rules_of
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.money import Money


@dataclass(frozen=True, slots=True)
class SetGroupLimit:
    """`expected_version` None: others approved it, so that it is set whatever the version is."""

    customer_id: UUID
    limit: Money
    reason: str
    by: str
    expected_version: int | None


async def set_group_limit(tx: Tx, command: SetGroupLimit) -> GroupLimit:
    """Raises CustomerNotFound, Refused, PreconditionFailed, and ApprovalNeeded for an amount that one alone may not
    set."""
    today = local_date(tx.now, "UTC")
    _, facts = await limits.lock_standing(tx, command.customer_id, today)
    known, last_version = await store.read(tx, command.customer_id), await store.last_version(tx, command.customer_id)
    group = rules.change(
        known,
        command.customer_id,
        command.limit,
        command.reason,
        command.by,
        tx.now,
        command.expected_version,
        last_version,
    )
    if command.expected_version is not None:
        check_approved(command.limit, rules_of(facts.policy_rules), "/limit/amount")
    if known and (known.limit, known.reason) == (group.limit, group.reason):
        return known
    await store.save(tx, group)
    owed = await _owed(tx, command.customer_id, today)
    await outbox.append(tx, rules.told(known, group, owed, command.reason, today))
    return group


async def remove_group_limit(tx: Tx, customer_id: UUID, expected_version: int) -> None:
    """Raises CustomerNotFound, GroupNotFound, PreconditionFailed."""
    today = local_date(tx.now, "UTC")
    await limits.lock_standing(tx, customer_id, today)
    known = await get_group_limit(tx, customer_id)
    rules.change(known, customer_id, known.limit, known.reason, known.changed_by, tx.now, expected_version)
    owed = await _owed(tx, customer_id, today)
    await store.remove(tx, customer_id)
    await outbox.append(tx, rules.told(known, None, owed, "The group has no limit of its own any more.", today))


async def _owed(tx: Tx, customer_id: UUID, today: date) -> tuple[Money, ...]:
    """What the group owes together, by currency; with a company further up that has a limit, all that owes."""
    _, facts = await limits.standing(tx, customer_id, today)
    return facts.group.exposure.amounts if facts.group else ()


async def get_group_limit(tx: Tx, customer_id: UUID) -> GroupLimit:
    """Raises GroupNotFound."""
    group = await store.read(tx, customer_id)
    if group is None:
        raise GroupNotFound(customer_id)
    return group
