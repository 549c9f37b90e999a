"""Open, change and close proceedings; watch when claims lapse, and warn in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase
from services.reminder.legal import rules, store
from services.reminder.legal.rules import (
    Interruption,
    Kind,
    Limitation,
    LimitationNotFound,
    Proceeding,
    ProceedingNotFound,
    Status,
)
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Account
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import BY_ITSELF
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.events.invoice import InvoiceAged, InvoiceEvent
from shared.ids import new_id
from shared.money import Money

NEXT_WARNING = store.NEXT_WARNING
"""The earliest moment at which somebody is to be warned that a claim lapses."""

AT_ONCE = 100
WATCHED_FROM_DAYS = 91
"""Fresh invoices are years from lapsing: they are watched when they are as old as an agency wants them."""


@dataclass(frozen=True, slots=True)
class OpenProceeding:
    customer_id: UUID
    entity_id: str
    kind: Kind
    opened_on: date
    court: str | None
    file_number: str | None
    claim: Money | None
    file_claim_by: date | None
    claim_filed_on: date | None
    note: str | None
    by: str


@dataclass(frozen=True, slots=True)
class ChangeProceeding:
    """`changes` are fields of a Proceeding; `expected_version` is the one that the writer saw."""

    proceeding_id: UUID
    changes: Mapping[str, Any]
    expected_version: int


@dataclass(frozen=True, slots=True)
class InterruptLimitation:
    """`last_day` where counsel has reckoned when the claim lapses now."""

    invoice_id: UUID
    by: Interruption
    on: date
    note: str | None
    last_day: date | None


async def open_proceeding(tx: Tx, command: OpenProceeding) -> Proceeding:
    """Nothing is sent to the customer until it is closed. Raises CaseNotFound, AlreadyOpen, DayRefused."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    proceeding = Proceeding(
        id=new_id(),
        version=1,
        customer_id=command.customer_id,
        entity_id=command.entity_id,
        case_id=view.case.id,
        kind=command.kind,
        status="open",
        opened_on=command.opened_on,
        court=command.court,
        file_number=command.file_number,
        currency=command.claim.currency if command.claim else None,
        claim_minor=command.claim.minor if command.claim else None,
        file_claim_by=command.file_claim_by,
        claim_filed_on=command.claim_filed_on,
        note=command.note,
        made_by=command.by,
        closed_on=None,
        outcome=None,
    )
    rules.checked(proceeding, tx.now.date())
    held = await cases.hold_case(tx, HoldCase(command.customer_id, command.entity_id, rules.hold_of(proceeding)))
    proceeding = replace(proceeding, case_id=held.case.id)
    await store.insert(tx, proceeding)
    await outbox.append(tx, rules.event(proceeding, tx.now.date()))
    await _assign(tx, proceeding)
    return proceeding


async def change_proceeding(tx: Tx, command: ChangeProceeding) -> Proceeding:
    """Raises ProceedingNotFound, ProceedingOver, DayRefused, PreconditionFailed."""
    proceeding = await _locked(tx, command.proceeding_id)
    if proceeding.version != command.expected_version:
        raise PreconditionFailed(f"it is at version {proceeding.version}, you saw {command.expected_version}")
    changed = rules.change(proceeding, command.changes, tx.now.date())
    await store.save(tx, changed)
    if changed.claim_filed_on or changed.file_claim_by != proceeding.file_claim_by:
        await _claim_is_no_task(tx, changed, "the claim is filed" if changed.claim_filed_on else "the day has changed")
    await _assign(tx, changed)
    return changed


async def close_proceeding(tx: Tx, proceeding_id: UUID, outcome: str) -> Proceeding:
    """The case goes on. Raises ProceedingNotFound, ProceedingOver."""
    closed = rules.close(await _locked(tx, proceeding_id), tx.now.date(), outcome)
    await store.save(tx, closed)
    await outbox.append(tx, rules.event(closed, tx.now.date()))
    await _claim_is_no_task(tx, closed, f"the proceeding is closed: {outcome}")
    release = ReleaseCase(closed.customer_id, closed.entity_id, rules.HELD_AS[closed.kind], str(closed.id))
    await cases.release_case(tx, release)
    return closed


async def get_proceeding(tx: Tx, proceeding_id: UUID) -> Proceeding:
    """Raises ProceedingNotFound."""
    found = await store.find(tx, proceeding_id)
    if found is None:
        raise ProceedingNotFound(f"there is no proceeding {proceeding_id}")
    return found


async def list_proceedings(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    kind: Kind | None,
    status: Status | None,
    before: UUID | None,
    limit: int,
) -> list[Proceeding]:
    """Newest first."""
    return await store.page(tx, customer_id, entity_id, kind, status, before, limit)


async def watch(tx: Tx, events: Sequence[InvoiceEvent]) -> None:
    """Reckon when the claims of invoices that have become old lapse, and watch those no more on which nothing is owed.
    The customers are locked."""
    old = [event for event in events if (tx.now.date() - event.invoice.due_date).days >= WATCHED_FROM_DAYS]
    paid = [event for event in old if event.invoice.balance.minor == 0]
    if paid:
        await store.unwatch(tx, [event.invoice.id for event in paid])
    for event in paid:
        await _no_longer(tx, event.customer_id, event.entity_id, event.invoice.id, "nothing is owed on it any more")
    aged = [event for event in old if isinstance(event, InvoiceAged) and event.days_overdue == WATCHED_FROM_DAYS]
    if not aged:
        return
    accounts = await receivables.accounts(tx, list({(event.customer_id, event.entity_id) for event in aged}))
    limits = {
        entity_id: (await authority.get_authority(tx, entity_id)).authority.limitations
        for entity_id in {event.entity_id for event in aged}
    }
    watched = [
        rules.watch(
            event.invoice.id,
            event.invoice.number,
            event.invoice.due_date,
            accounts[event.customer_id, event.entity_id],
            limits[event.entity_id],
        )
        for event in aged
    ]
    await store.watch(tx, [each for each in watched if each])


async def warn(tx: Tx) -> bool:
    """Tell somebody of claims that lapse soon. Whether there was any."""
    found = await store.to_warn_of(tx, tx.now, AT_ONCE)
    if not found:
        return False
    await receivables.lock(tx, list({limitation.customer_id for limitation, _ in found}))
    views = await cases.find_cases(tx, list({(each.customer_id, each.entity_id) for each, _ in found}))
    for limitation, owed in await store.to_warn_of(tx, tx.now, AT_ONCE):
        view = views[limitation.customer_id, limitation.entity_id]
        today = local_date(tx.now, view.account.time_zone)
        await store.save_limitation(tx, rules.warned(limitation, today))
        if owed.minor:
            await tasks.assign_tasks(tx, [rules.save_the_claim(limitation, view.case.id, owed, today)])
    return True


async def interrupt_limitation(tx: Tx, command: InterruptLimitation) -> Limitation:
    """Raises LimitationNotFound, InterruptionRefused."""
    seen = await _limitation(tx, command.invoice_id)
    await receivables.lock(tx, [seen.customer_id])
    limitation = await _limitation(tx, command.invoice_id)
    account: Account = (await cases.find_case(tx, limitation.customer_id, limitation.entity_id)).account
    limits = (await authority.get_authority(tx, limitation.entity_id)).authority.limitations
    today = local_date(tx.now, account.time_zone)
    interrupted = rules.interrupt(
        limitation, command.by, command.on, command.note, account, limits, today, command.last_day
    )
    await store.save_limitation(tx, interrupted)
    because = f"interrupted on {interrupted.interrupted_on}: it lapses on {interrupted.lapses_on}"
    await _no_longer(tx, limitation.customer_id, limitation.entity_id, limitation.invoice_id, because)
    return interrupted


async def list_limitations(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    until: date | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[tuple[Limitation, Money]]:
    """Of what is still owed, with how much that is; those that lapse first come first."""
    return await store.open_limitations(tx, customer_id, entity_id, until, after, limit)


async def _no_longer(tx: Tx, customer_id: UUID, entity_id: str, invoice_id: UUID, because: str) -> None:
    """Nobody has to save the claim of an invoice any more."""
    await tasks.finish_tasks(tx, customer_id, entity_id, "limitation", BY_ITSELF, because, f"{invoice_id}:")


async def _claim_is_no_task(tx: Tx, proceeding: Proceeding, because: str) -> None:
    key = proceeding.customer_id, proceeding.entity_id
    await tasks.finish_tasks(tx, *key, "court_date", BY_ITSELF, because, f"{proceeding.id}:")


async def _assign(tx: Tx, proceeding: Proceeding) -> None:
    task = rules.file_in_time(proceeding)
    await tasks.assign_tasks(tx, [task] if task else [])


async def _locked(tx: Tx, proceeding_id: UUID) -> Proceeding:
    seen = await get_proceeding(tx, proceeding_id)
    await receivables.lock(tx, [seen.customer_id])
    return await get_proceeding(tx, proceeding_id)


async def _limitation(tx: Tx, invoice_id: UUID) -> Limitation:
    found = await store.find_limitation(tx, invoice_id)
    if found is None:
        raise LimitationNotFound(f"no limitation is watched for the invoice {invoice_id}")
    return found
