"""Place and release holds: by hand, by what other services tell, and by what the figures show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import Facts
from services.credit.holds import rules, store
from services.credit.holds.rules import MEASURED, POLICY, Cause, CausePersists, Hold, HoldNotFound, Look
from services.credit.limits import handlers as limits
from services.credit.limits.rules import Account, rules_of
from services.credit.policy_rules.rules import Held
from services.credit.vetting import handlers as vetting
from services.credit.vetting.rules import Input
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id

LOOK_DUE = exposure.WATCH_DUE
LOOKED_AT_A_RUN = 50


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """By hand. `cause` insolvency holds until a person releases it, like any other of these."""

    customer_id: UUID
    cause: rules.ByHand
    held: tuple[Held, ...]
    reason: str
    by: str
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    customer_id: UUID
    hold_id: UUID
    expected_version: int
    reason: str
    by: str


async def place_hold(tx: Tx, command: PlaceHold) -> Hold:
    """Raises CustomerNotFound, CustomerClosed, Refused."""
    today = local_date(tx.now, "UTC")
    account, _ = await limits.lock_standing(tx, command.customer_id, today)
    await customers.refuse_closed(tx, command.customer_id)
    hold_id = new_id()
    hold = rules.place(
        hold_id,
        command.customer_id,
        command.cause,
        str(hold_id),
        command.held,
        command.reason,
        command.by,
        tx.now,
        today,
        command.until_on,
    )
    await _place(tx, account, hold, await store.in_force(tx, command.customer_id), today)
    if command.until_on:
        await exposure.watch(tx, [command.customer_id], tx.now)
    return hold


async def place_for_event(tx: Tx, customer_id: UUID, cause: Cause, source: str, reason: str) -> None:
    """Another service tells of a broken promise, where the policy holds customers for it, or a dunning step asks for
    the hold. Told again while it is in force it is no news; nothing is held of a customer who owes nothing overdue."""
    today = local_date(tx.now, "UTC")
    standing = (await limits.lock_standings(tx, [customer_id], today)).get(customer_id)
    if standing is None:
        return
    account, facts = standing
    if account.customer_status == "closed" and (survivor := await customers.survivor(tx, customer_id)) != customer_id:
        await place_for_event(tx, survivor, cause, source, reason)
        return
    policy = rules_of(facts.policy_rules).holds
    seen = await _look(tx, account, facts, today)
    if (cause == "promise_broken" and not policy.promise_broken) or not seen.anything_overdue:
        return
    held: tuple[Held, ...] = policy.held or ("orders",)
    hold = rules.place(new_id(), customer_id, cause, source, held, reason, POLICY, tx.now, today)
    await _place(tx, account, hold, await store.in_force(tx, customer_id), today)


async def release_hold(tx: Tx, command: ReleaseHold) -> Hold:
    """Raises CustomerNotFound, HoldNotFound, PreconditionFailed, HoldReleasedBefore, CausePersists."""
    today = local_date(tx.now, "UTC")
    account, facts = await limits.lock_standing(tx, command.customer_id, today)
    hold = await store.read(tx, command.customer_id, command.hold_id)
    if hold is None:
        raise HoldNotFound(command.hold_id)
    if hold.version != command.expected_version:
        raise PreconditionFailed(
            f"The hold is at version {hold.version}, not {command.expected_version}; look again, then decide.",
            current_version=hold.version,
        )
    seen = await _look(tx, account, facts, today)
    if hold.cause in MEASURED and hold.released_at is None and hold.cause in seen.causes:
        raise CausePersists(f"{seen.causes[hold.cause]} Change the policy, or let single orders pass.")
    others = [each for each in await store.in_force(tx, command.customer_id) if each.id != hold.id]
    return await _release(tx, account, hold, command.by, command.reason, others, today)


async def look_at_accounts(tx: Tx, customers_max: int = LOOKED_AT_A_RUN) -> int:
    """Hold a bounded number of accounts that are due against the rules: place what is due, release what is gone, and
    say when to look again. Returns how many were looked at."""
    due = await exposure.watched(tx, customers_max)
    if not due:
        return 0
    today = local_date(tx.now, "UTC")
    standings = await limits.lock_standings(tx, due, today)
    taken = await exposure.unwatch(tx, due)
    for customer_id, (account, facts) in standings.items():
        if customer_id in taken:
            await _look_at(tx, customer_id, account, facts, today)
    return len(taken)


async def _look_at(tx: Tx, customer_id: UUID, account: Account, facts: Facts, today: date) -> None:
    seen = await _look(tx, account, facts, today)
    holds = await store.in_force(tx, customer_id)
    for hold, reason in rules.ended(holds, seen, today):
        holds = [each for each in holds if each.id != hold.id]
        await _release(tx, account, hold, POLICY, reason, holds, today)
    held = rules_of(facts.policy_rules).holds.held
    for cause, reason in seen.causes.items():
        if not any(each.cause == cause for each in holds):
            hold = rules.place(new_id(), customer_id, cause, POLICY, held, reason, POLICY, tx.now, today)
            await _place(tx, account, hold, holds, today)
            holds = [*holds, hold]
    if day := rules.next_look(holds, seen):
        await exposure.watch(tx, [customer_id], datetime.combine(day, time(), UTC))


async def _look(tx: Tx, account: Account, facts: Facts, today: date) -> Look:
    due_dates = (await exposure.due_dates(tx, [account.customer_id])).get(account.customer_id, ())
    on_record: Sequence[Input] = ()
    if rules_of(facts.policy_rules).holds.goes_by_vetting:
        on_record = (await vetting.sift(tx, account.customer_id, today)).counted
    return rules.look(account, facts, due_dates, today, on_record)


async def _place(tx: Tx, account: Account, hold: Hold, others: Sequence[Hold], today: date) -> None:
    if await store.add(tx, hold):
        held = rules.held_by([*others, hold])
        await limits.hold(tx, account, held)
        await outbox.append(tx, rules.told(hold, held, today))


async def _release(
    tx: Tx, account: Account, hold: Hold, by: str, reason: str, others: Sequence[Hold], today: date
) -> Hold:
    released = rules.release(hold, by, reason, tx.now)
    held = rules.held_by(others)
    await store.save_released(tx, released)
    await limits.hold(tx, account, held)
    await outbox.append(tx, rules.told(released, held, today))
    return released


async def move(tx: Tx, from_id: UUID, to_id: UUID, by: str, reason: str) -> int:
    """What holds a merged customer holds the surviving one; what only the figures bring, they bring there again. Both
    are locked. Returns how many were placed there."""
    today = local_date(tx.now, "UTC")
    standings = await limits.lock_standings(tx, [from_id, to_id], today)
    placed = 0
    holds = await store.in_force(tx, from_id)
    for hold in list(holds):
        holds = [each for each in holds if each.id != hold.id]
        await _release(tx, standings[from_id][0], hold, by, reason, holds, today)
        if hold.cause not in MEASURED:
            moved = replace(hold, id=new_id(), version=1, customer_id=to_id)
            await _place(tx, standings[to_id][0], moved, await store.in_force(tx, to_id), today)
            placed += 1
    return placed


async def get_hold(tx: Tx, customer_id: UUID, hold_id: UUID) -> Hold:
    """Raises HoldNotFound."""
    hold = await store.read(tx, customer_id, hold_id)
    if hold is None:
        raise HoldNotFound(hold_id)
    return hold


async def list_holds(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Hold]:
    """Newest first, released ones among them."""
    return await store.of_customer(tx, customer_id, before, count_max)
