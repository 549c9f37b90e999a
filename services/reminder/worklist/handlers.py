"""List accounts by what they need, and say whose they are and until when they stay out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.rules import CaseNotFound
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Key
from services.reminder.team import handlers as team
from services.reminder.worklist import rules, store
from services.reminder.worklist.rules import Entry
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class FindWork:
    """Whose accounts: an owner's with those the owner stands in for today (`owner`), and with `nobodys` those nobody
    looks after; everybody's without either."""

    entity_id: str | None = None
    owner: str | None = None
    nobodys: bool = False
    snoozed: bool = False
    after: tuple[float, UUID, str] | None = None
    customer_id: UUID | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AssignAccounts:
    """Without an owner nobody looks after them any more."""

    accounts: Sequence[Key]
    owner: str | None


@dataclass(frozen=True, slots=True)
class SnoozeAccounts:
    """Without a day they are seen again at once."""

    accounts: Sequence[Key]
    until: date | None
    by: str
    because: str | None = None


async def list_work(tx: Tx, command: FindWork) -> list[Entry]:
    """Accounts that owe something overdue or for which somebody has something to do, the most important first."""
    owners: list[str] | None = None
    if command.owner:
        owners = sorted(await team.acting_for(tx, command.owner))
    elif command.nobodys:
        owners = []
    return await store.entries(
        tx,
        tx.now.date(),
        command.entity_id,
        owners,
        nobodys=command.nobodys,
        snoozed=command.snoozed,
        after=command.after,
        customer_id=command.customer_id,
        limit=command.limit,
    )


async def assign_accounts(tx: Tx, command: AssignAccounts) -> None:
    """All or none. Raises CaseNotFound, ColleagueNotFound."""
    if command.owner:
        await team.find_colleague(tx, command.owner)
    await _lock(tx, command.accounts)
    await store.assign(tx, command.accounts, command.owner)


async def snooze_accounts(tx: Tx, command: SnoozeAccounts) -> None:
    """All or none. Raises CaseNotFound, SnoozeRefused."""
    if command.until:
        rules.check_snooze(command.until, tx.now.date())
    await _lock(tx, command.accounts)
    await store.snooze(tx, command.accounts, command.until, command.by, command.because)


async def _lock(tx: Tx, accounts: Sequence[Key]) -> None:
    await receivables.lock(tx, sorted({customer_id for customer_id, _ in accounts}))
    known = await cases.find_cases(tx, accounts)
    for customer_id, entity_id in accounts:
        if (customer_id, entity_id) not in known:
            raise CaseNotFound(f"no customer {customer_id} is known here")
