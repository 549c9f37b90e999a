"""Ask for placements, decide on them, hand them over, take them back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase
from services.reminder.holds.rules import HoldKind
from services.reminder.placement_files import rules as files
from services.reminder.placements import rules, store
from services.reminder.placements.rules import Agency, AgencyNotFound, Owed, Placement, PlacementNotFound, Status
from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import BY_ITSELF
from shared import context, outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCredited,
    InvoiceEvent,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.ids import new_id
from shared.money import Money

NEXT_HAND_OVER = store.NEXT_HAND_OVER
"""The earliest moment at which an approved placement waits for its file."""

AT_ONCE = 10
FETCHED_AT_ONCE = 4
BY_PAYMENT = ("allocation", "unallocation")
LOWERED_BY = (InvoiceBalanceChanged, InvoiceSettled, InvoiceCredited, InvoiceVoided, InvoiceWrittenOff)


@dataclass(frozen=True, slots=True)
class RequestPlacement:
    """`items` are invoices by number, all that may be collected when there are none."""

    customer_id: UUID
    entity_id: str
    agency_id: str
    items: tuple[str, ...]
    note: str | None
    by: str


@dataclass(frozen=True, slots=True)
class DecidePlacement:
    placement_id: UUID
    approved: bool
    by: str
    note: str | None


@dataclass(frozen=True, slots=True)
class EndPlacement:
    """`recalled` by the seller, or else given back by the agency."""

    placement_id: UUID
    recalled: bool
    because: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the invoice service says is owed of a placement's claims, and their documents by number."""

    placement_id: UUID
    owed: Mapping[str, Owed]
    documents: Mapping[str, bytes]


async def keep_agency(tx: Tx, agency: Agency) -> Agency:
    """`version` is the one after that which the writer saw. Raises AgencyRefused, PreconditionFailed."""
    agency = replace(agency, commission=rules.checked_rates(agency.commission))
    stands = await store.find_agency(tx, agency.id)
    if (stands.version if stands else 0) != agency.version - 1 or not await store.save_agency(tx, agency):
        raise PreconditionFailed(f"you saw version {agency.version - 1} of the agency, which is gone")
    return agency


async def get_agency(tx: Tx, agency_id: str, field: str | None = None) -> Agency:
    """Raises AgencyNotFound."""
    found = await store.find_agency(tx, agency_id)
    if found is None:
        raise AgencyNotFound(f"there is no agency {agency_id}", field=field)
    return found


async def list_agencies(tx: Tx, after: str | None, limit: int) -> list[Agency]:
    return await store.agencies(tx, after, limit)


async def request_placement(tx: Tx, command: RequestPlacement) -> Placement:
    """Raises CaseNotFound, AgencyNotFound, NothingToPlace, Disputed, InvoiceNotCollectable, TooEarly, AlreadyPlaced."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    agency = await get_agency(tx, command.agency_id, "/agency_id")
    today = local_date(tx.now, view.account.time_zone)
    limits = (await authority.get_authority(tx, command.entity_id)).authority.placements
    items = rules.to_place(view.account, command.items, limits.days_overdue_min, today, is_open=view.case.is_open)
    placement = rules.request(new_id(), view.case.id, view.account, items, agency, command.note, command.by, tx.now)
    await store.insert(tx, placement)
    await tasks.assign_tasks(tx, [rules.ask_for_approval(placement, agency, tx.now.date())])
    return placement


async def decide_placement(tx: Tx, command: DecidePlacement) -> Placement:
    """Once approved, the customer is not contacted any more: its claims are on their way to the agency.

    Raises PlacementNotFound, WrongStatus, SecondPersonNeeded, Disputed.
    """
    placement = await _locked(tx, command.placement_id)
    if not command.approved:
        rejected = rules.reject(placement, command.by, tx.now, command.note)
        await store.save(tx, rejected)
        await _end_task(tx, rejected, command.by, command.note)
        return rejected
    view = await cases.find_case(tx, placement.customer_id, placement.entity_id)
    approved = rules.approve(placement, view.account, command.by, tx.now, command.note)
    await store.save(tx, approved)
    await _end_task(tx, approved, command.by, command.note)
    agency = await get_agency(tx, approved.agency_id)
    hold = rules.hold_of(approved, agency)
    await cases.hold_case(tx, HoldCase(approved.customer_id, approved.entity_id, hold))
    return approved


async def drop(tx: Tx, placement_id: UUID, because: str) -> None:
    """Withdraw one that waits for approval, where there is one with that id: what it was about is settled. The customer
    is locked."""
    placement = await store.find(tx, placement_id)
    if placement and placement.status == "requested":
        withdrawn = rules.end(placement, "withdrawn", tx.now.date(), because)
        await store.save(tx, withdrawn)
        await _end_task(tx, withdrawn, BY_ITSELF, because)


async def to_hand_over(tx: Tx) -> list[Placement]:
    return await store.to_hand_over(tx, tx.now, AT_ONCE)


async def fetch(invoice_service: httpx.AsyncClient, placement: Placement) -> Fetched | None:
    """What is owed of its claims at this moment, and their documents; None when that cannot be had now. Runs outside
    any transaction, and changes nothing: what is read twice does no harm."""
    try:
        answer = await invoice_service.get(
            f"/v1/customers/{placement.customer_id}/balance", params={"entity_id": placement.entity_id}
        )
        answer.raise_for_status()
        wanted = {claim.number for claim in placement.claims}
        owed = {item["number"]: _owed(item) for item in answer.json()["items"] if item["number"] in wanted}
        gate = asyncio.Semaphore(FETCHED_AT_ONCE)

        async def document(invoice_id: str) -> bytes | None:
            async with gate:
                found = await invoice_service.get(f"/v1/invoices/{invoice_id}/document.pdf")
            if found.status_code == httpx.codes.NOT_FOUND:
                return None
            found.raise_for_status()
            return found.content

        contents = await asyncio.gather(*(document(each.invoice_id) for each in owed.values()))
    except (httpx.HTTPError, KeyError, TypeError, ValueError):
        return None
    documents = {number: content for number, content in zip(owed, contents, strict=True) if content is not None}
    return Fetched(placement.id, owed, documents)


async def hand_over(tx: Tx, fetched: Fetched) -> Placement:
    """Make the agency's file of what is owed now; withdraw the placement when that is nothing, or disputed."""
    placement = await _locked(tx, fetched.placement_id)
    if placement.status != "approved":
        return placement
    view = await cases.find_case(tx, placement.customer_id, placement.entity_id)
    placed = rules.hand_over(placement, fetched.owed, tx.now.date())
    if placed.status == "placed":
        rows = rules.rows(placed, view.account, fetched.documents.keys())
        await store.put_file(tx, placed.id, files.pack(rows, fetched.documents))
    await _keep(tx, placed)
    return placed


async def end_placement(tx: Tx, command: EndPlacement) -> Placement:
    """Recall it, or note that the agency gave it back. Raises PlacementNotFound, WrongStatus."""
    placement = await _locked(tx, command.placement_id)
    ended = (rules.recall if command.recalled else rules.close)(placement, tx.now.date(), command.because)
    await _keep(tx, ended)
    return ended


async def hear(tx: Tx, heard: Sequence[tuple[InvoiceEvent, UUID, str | None]]) -> None:
    """Count what comes in for claims that are with an agency, and recall those that are paid. Each event comes with its
    own id and its correlation; the customers are locked."""
    told = [each for each in heard if isinstance(each[0], LOWERED_BY)]
    if not told:
        return
    placed = await store.placed_of(tx, list({event.customer_id for event, _, _ in told}))
    for placement in placed:
        now = placement
        for event, event_id, correlation_id in told:
            if (event.customer_id, event.invoice.entity_id) != (placement.customer_id, placement.entity_id):
                continue
            context.correlation.set(correlation_id)
            context.causation.set(str(event_id))
            now = rules.collect(now, event.invoice.number, _paid_minor(event), event.invoice.balance.minor)
        if now != placement:
            await _keep(tx, rules.recall(now, tx.now.date(), rules.PAID) if rules.all_paid(now) else now)


async def get_placement(tx: Tx, placement_id: UUID) -> Placement:
    """Raises PlacementNotFound."""
    placement = await store.find(tx, placement_id)
    if placement is None:
        raise PlacementNotFound(f"there is no placement {placement_id}")
    return placement


async def get_file(tx: Tx, placement_id: UUID) -> bytes:
    """Raises PlacementNotFound, also while it is not handed over."""
    content = await store.file_of(tx, placement_id)
    if content is None:
        raise PlacementNotFound("the placement has not been handed over, so there is no file of it")
    return content


async def list_placements(
    tx: Tx,
    customer_id: UUID | None,
    entity_id: str | None,
    agency_id: str | None,
    status: Status | None,
    before: UUID | None,
    limit: int,
) -> list[Placement]:
    """Newest first."""
    return await store.page(tx, customer_id, entity_id, agency_id, status, before, limit)


async def _keep(tx: Tx, placement: Placement) -> None:
    """Keep it; one that has just reached an end, or the agency, is told of, and an ended one holds the case no more."""
    before = await get_placement(tx, placement.id)
    await store.save(tx, placement)
    if placement.version == before.version:
        return
    event = rules.event(placement, tx.now.date())
    if event:
        await outbox.append(tx, event)
    if placement.ended_on:
        release = ReleaseCase(placement.customer_id, placement.entity_id, HoldKind.PLACED, str(placement.id))
        await cases.release_case(tx, release)


async def _end_task(tx: Tx, placement: Placement, by: str, because: str | None) -> None:
    """Nobody has to approve it any more."""
    said = f"{placement.status}: {because}" if because else placement.status
    key = placement.customer_id, placement.entity_id
    await tasks.finish_tasks(tx, *key, "approval_wanted", by, said, str(placement.id))


async def _locked(tx: Tx, placement_id: UUID) -> Placement:
    seen = await get_placement(tx, placement_id)
    await receivables.lock(tx, [seen.customer_id])
    return await get_placement(tx, placement_id)


def _owed(item: Mapping[str, Any]) -> Owed:
    return Owed(item["invoice_id"], _minor(item["collectable"]), _minor(item["disputed"]) > 0)


def _minor(told: Mapping[str, Any]) -> int:
    return Money.parse(told["amount"], told["currency"]).minor


def _paid_minor(event: InvoiceEvent) -> int:
    if isinstance(event, InvoiceBalanceChanged | InvoiceSettled) and event.reason in BY_PAYMENT:
        return -event.change.minor
    return 0
