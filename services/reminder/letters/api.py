"""Letters over HTTP: what waits is closed into a batch, printed, and confirmed when it went to the post."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reminder.letters import handlers, rules
from services.reminder.letters.handlers import CloseBatch
from services.reminder.letters.rules import Batch, BatchStatus, NoLetters, Sheet, Window
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import ENTITY
from shared.clock import real_now
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import document, respond
from shared.http.security import scope

router = APIRouter(tags=["letters"])

READ, WRITE = scope("reminders:read"), scope("reminders:write")


class CloseIn(Body):
    """`window`: where the envelope's window is, on the left as in DIN 5008 or on the right as in France."""

    entity_id: Annotated[str, Field(min_length=1, max_length=64)] = ENTITY
    window: Window = "left"


class PostIn(Body):
    """`left_out` are contacts whose letters were taken out before posting: they wait for the next batch."""

    left_out: Annotated[tuple[UUID, ...], Field(max_length=rules.BATCH_LETTERS_MAX)] = ()


class BatchOut(BaseModel):
    """`closed` until it is confirmed posted, which makes its letters sent, or withdrawn, and they wait again."""

    id: UUID
    version: int
    entity_id: str
    status: BatchStatus
    window: Window
    letters: int
    closed_at: datetime
    closed_by: str
    ended_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, batch: Batch) -> "BatchOut":
        return cls(**{name: getattr(batch, name) for name in cls.model_fields})


class SheetOut(BaseModel):
    contact_id: UUID
    customer_id: UUID
    position: int
    customer: str | None
    address: tuple[str, ...]
    step: str
    totals: tuple[str, ...]
    invoices: tuple[str, ...]

    @classmethod
    def of(cls, sheet: Sheet) -> "SheetOut":
        return cls(**{name: getattr(sheet, name) for name in cls.model_fields})


class ManifestOut(BatchOut):
    items: tuple[SheetOut, ...]


@router.post("/letter-batches", status_code=201, response_model=BatchOut, dependencies=[WRITE])
async def close_batch(
    body: CloseIn, once: Once, database: DatabaseDep, resources: ResourcesDep, principal: PrincipalDep
) -> Response:
    """Close the letters that wait into a batch. Each is looked at once more: what was paid meanwhile is not printed."""
    await once.check()
    async with reading(database) as tx:
        found = await handlers.waiting(tx, body.entity_id)
    if not found:
        raise NoLetters("no letter of this entity waits")
    balances = await receivables.ask_balances(resources.invoice, list({contact.account for contact in found}))
    async with once as tx:
        command = CloseBatch(body.entity_id, body.window, found, balances, principal.subject, real_now())
        batch = await handlers.close_batch(tx, command)
        return once.answer(201, BatchOut.of(batch), location=f"/v1/letter-batches/{batch.id}")


@router.get("/letter-batches", response_model=Page[BatchOut], dependencies=[READ])
async def list_batches(database: DatabaseDep, page: PageParams) -> Response:
    """The newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_batches(tx, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[BatchOut](items=[BatchOut.of(batch) for batch in shown], next_cursor=more))


@router.get("/letter-batches/{batch_id}", response_model=ManifestOut, dependencies=[READ])
async def find_batch(batch_id: UUID, database: DatabaseDep) -> Response:
    """A batch and the letters in it, in the order of the pages."""
    async with reading(database) as tx:
        batch, sheets = await handlers.get_batch(tx, batch_id)
    items = tuple(SheetOut.of(sheet) for sheet in sheets)
    return respond(ManifestOut(**BatchOut.of(batch).model_dump(), items=items), etag=batch.version)


_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


@router.get("/letter-batches/{batch_id}/letters.pdf", response_class=Response, responses=_PDF, dependencies=[READ])
async def print_batch(batch_id: UUID, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """The list and all letters with what is enclosed, in one file: the same however often it is printed."""
    async with reading(database) as tx:
        batch, sheets = await handlers.get_batch(tx, batch_id)
    if not all(sheet.is_whole for sheet in sheets):
        fetched = await handlers.fetch_enclosures(resources.invoice, sheets)
        async with transaction(database) as tx:
            await handlers.keep_enclosures(tx, batch_id, fetched)
            batch, sheets = await handlers.get_batch(tx, batch_id)
    pdf = await asyncio.to_thread(handlers.print_batch, batch, sheets)
    return document(pdf, "application/pdf", f"letters-{batch.entity_id}-{batch.closed_at:%Y-%m-%d}.pdf")


@router.get("/letter-batches/{batch_id}/letters.csv", response_class=Response, responses=_CSV, dependencies=[READ])
async def list_letters(batch_id: UUID, database: DatabaseDep) -> Response:
    """The letters as a list for a printing house."""
    async with reading(database) as tx:
        batch, sheets = await handlers.get_batch(tx, batch_id)
    return document(rules.csv_of(sheets).encode("utf-8-sig"), "text/csv", f"letters-{batch.closed_at:%Y-%m-%d}.csv")


@router.post("/letter-batches/{batch_id}/posting", response_model=BatchOut, dependencies=[WRITE])
async def post_batch(batch_id: UUID, body: PostIn, once: Once, principal: PrincipalDep) -> Response:
    """The letters are with the post: each counts as sent from now on, and its case goes on."""
    async with once as tx:
        batch = await handlers.post_batch(tx, batch_id, frozenset(body.left_out), principal.subject, real_now())
        return once.answer(200, BatchOut.of(batch), etag=batch.version)


@router.post("/letter-batches/{batch_id}/withdrawal", response_model=BatchOut, dependencies=[WRITE])
async def withdraw_batch(batch_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """Nothing was posted: the letters wait for another batch."""
    async with once as tx:
        batch = await handlers.withdraw_batch(tx, batch_id, principal.subject, real_now())
        return once.answer(200, BatchOut.of(batch), etag=batch.version)
