"""Close the letters that wait into a batch, print it, and record what became of it.

A letter is in one batch at a time, which a unique index holds; it is written down with the batch as it will be
printed, in the transaction that marks its contact as under way. So a batch is printed again as often as needed, and no
letter twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import local
from typing import Any
from uuid import UUID

import httpx
import orjson
import typst
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact
from services.reminder.deliveries.rules import Delivery
from services.reminder.enclosures import handlers as enclosures
from services.reminder.enclosures.rules import TooLarge
from services.reminder.letters import rules, store
from services.reminder.letters.rules import Batch, BatchEnded, BatchNotFound, BatchStatus, Sheet, Window
from services.reminder.mails.handlers import words_of
from services.reminder.mails.rules import Letter
from services.reminder.occasions import handlers as occasions
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import NoAnswer
from services.reminder.receivables.rules import Balance, Key
from services.reminder.reminders import handlers as reminders
from services.reminder.reminders.handlers import ConcludeReminders, ConfirmReminders
from services.reminder.signatures import handlers as signatures
from services.reminder.templates import handlers as templates
from shared.db import Tx
from shared.errors import DomainError, Unavailable
from shared.ids import new_id
from shared.mail import Fate

UNTIL_POSTED = timedelta(days=3_650)
"""A letter is under way from its batch to the post office: nobody's lease runs out on it."""

_TEMPLATES = Path(__file__).parent / "templates"
_own = local()


@dataclass(frozen=True, slots=True)
class CloseBatch:
    """`balances` are those of the waiting letters' accounts, as the invoice service has just given them."""

    entity_id: str
    window: Window
    waiting: Sequence[Contact]
    balances: Mapping[Key, Balance | NoAnswer]
    by: str
    real_now: datetime


async def waiting(tx: Tx, entity_id: str) -> list[Contact]:
    """Letters of an entity that are planned, the oldest first."""
    return await contacts.waiting_letters(tx, entity_id, rules.BATCH_LETTERS_MAX)


async def close_batch(tx: Tx, command: CloseBatch) -> Batch:
    """Decide again for each letter, and put those that may go into a batch. Without any the batch is withdrawn at
    once; what kept each letter back stands with its contact."""
    until = command.real_now + UNTIL_POSTED
    confirm = ConfirmReminders(command.waiting, command.balances, command.real_now, until)
    letters = await occasions.fill(tx, await reminders.confirm_reminders(tx, confirm))
    confirmed = await signatures.sign(tx, await templates.dress(tx, letters))
    sheets: list[Sheet] = []
    unwritable: list[Delivery] = []
    for letter in sorted(confirmed, key=_by_address):
        try:
            sheets.append(rules.sheet_of(letter, words_of(letter), len(sheets) + 1, command.window))
        except (DomainError, LookupError) as fault:
            said = f"the letter could not be written: {fault}"
            unwritable.append(Delivery(letter.contact_id, letter.customer_id, "refused", said))
    batch = Batch(
        id=new_id(),
        version=1,
        entity_id=command.entity_id,
        status="closed" if sheets else "withdrawn",
        window=command.window,
        letters=len(sheets),
        closed_at=tx.now,
        closed_by=command.by,
        ended_at=None if sheets else tx.now,
        ended_by=None if sheets else command.by,
    )
    await store.add(tx, batch, sheets)
    if unwritable:
        await reminders.conclude_reminders(tx, ConcludeReminders(unwritable, command.real_now))
    return batch


def _by_address(letter: Letter) -> tuple[str, str, str]:
    """By country and postal code, as the post sorts them."""
    return letter.country or "", (letter.address.postal_code if letter.address else None) or "", letter.customer or ""


async def post_batch(tx: Tx, batch_id: UUID, left_out: Collection[UUID], by: str, real_now: datetime) -> Batch:
    """The letters went to the post: they are sent. Those left out wait for the next batch. Raises BatchNotFound or
    BatchEnded."""
    return await _end(tx, batch_id, "posted", left_out, by, real_now)


async def withdraw_batch(tx: Tx, batch_id: UUID, by: str, real_now: datetime) -> Batch:
    """Nothing was posted: all its letters wait again. Raises BatchNotFound or BatchEnded."""
    _, sheets = await get_batch(tx, batch_id)
    return await _end(tx, batch_id, "withdrawn", {sheet.contact_id for sheet in sheets}, by, real_now)


async def _end(
    tx: Tx, batch_id: UUID, status: BatchStatus, left_out: Collection[UUID], by: str, real_now: datetime
) -> Batch:
    _, sheets = await get_batch(tx, batch_id)
    await receivables.lock(tx, sorted({sheet.customer_id for sheet in sheets}))
    batch = await store.end(tx, batch_id, status, by)
    if batch is None:
        raise BatchEnded(f"the batch {batch_id} has ended before")
    await store.withdraw(tx, batch_id, left_out)

    def fate(sheet: Sheet) -> Fate:
        return "untried" if sheet.contact_id in left_out else "sent"

    ended = [Delivery(sheet.contact_id, sheet.customer_id, fate(sheet)) for sheet in sheets]
    await reminders.conclude_reminders(tx, ConcludeReminders(ended, real_now))
    return batch


async def get_batch(tx: Tx, batch_id: UUID) -> tuple[Batch, list[Sheet]]:
    """A batch and its letters, in the order of the pages. Raises BatchNotFound."""
    batch = await store.find(tx, batch_id)
    if batch is None:
        raise BatchNotFound(f"there is no batch of letters {batch_id}")
    return batch, await store.sheets(tx, batch_id)


async def list_batches(tx: Tx, before: UUID | None, limit: int) -> list[Batch]:
    """The newest first."""
    return await store.page(tx, before, limit)


async def fetch_enclosures(invoice_service: httpx.AsyncClient, sheets: Sequence[Sheet]) -> dict[UUID, bytes]:
    """The documents of letters that lack them, each letter's as one PDF. Outside any transaction. Raises Unavailable
    where one cannot be had: half a letter is not printed."""
    gate = asyncio.Semaphore(enclosures.FETCHED_AT_ONCE)
    fetched = {}
    for sheet in sheets:
        if sheet.is_whole:
            continue
        try:
            files = await enclosures.fetch_documents(invoice_service, sheet.documents, gate)
            fetched[sheet.contact_id] = await asyncio.to_thread(_joined, [file.content for file in files])
        except (httpx.HTTPError, TooLarge, PyPdfError) as fault:
            said = f"the documents that go with letter {sheet.position} cannot be had now: {fault!r}"
            raise Unavailable(said) from fault
    return fetched


async def keep_enclosures(tx: Tx, batch_id: UUID, fetched: Mapping[UUID, bytes]) -> None:
    for contact_id, enclosed in fetched.items():
        await store.enclose(tx, batch_id, contact_id, enclosed)


def _joined(documents: Sequence[bytes]) -> bytes:
    writer = PdfWriter()
    for document in documents:
        writer.append(BytesIO(document))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def print_batch(batch: Batch, sheets: Sequence[Sheet]) -> bytes:
    """The list and all letters in one file, each with a bookmark and followed by what is enclosed. Takes some
    hundredths of a second a letter, so doors call it by `asyncio.to_thread`."""
    letters = [_with_enclosures(sheet) for sheet in sheets]
    cover = rules.cover_view(batch, sheets, [len(letter.pages) for letter in letters])
    writer = PdfWriter()
    writer.append(BytesIO(typeset("cover", cover, batch.closed_at)), outline_item="List")
    for sheet, letter in zip(sheets, letters, strict=True):
        writer.append(letter, outline_item=f"{sheet.position} {sheet.customer or sheet.address[0]}")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _with_enclosures(sheet: Sheet) -> PdfReader:
    if not sheet.enclosed:
        return PdfReader(BytesIO(print_letter(sheet)))
    return PdfReader(BytesIO(_joined([print_letter(sheet), sheet.enclosed])))


def print_letter(sheet: Sheet) -> bytes:
    """One letter without what is enclosed."""
    return typeset("letter", sheet.content, datetime(2000, 1, 1, tzinfo=UTC))


def typeset(template: str, view: dict[str, Any], dated: datetime) -> bytes:
    """Raises typst.TypstError when a template is broken."""
    pdf = _compiler(template).compile(
        format="pdf", sys_inputs={"data": orjson.dumps(view).decode()}, timestamp=dated.astimezone(UTC)
    )
    assert isinstance(pdf, bytes)
    return pdf


def _compiler(template: str) -> typst.Compiler:
    """One for each thread and template, since a compiler does one thing at a time; it remembers what did not change."""
    if not hasattr(_own, "compilers"):
        _own.compilers = {}
    if template not in _own.compilers:
        source = _TEMPLATES / f"{template}.typ"
        _own.compilers[template] = typst.Compiler(source, root=_TEMPLATES, font_paths=_fonts())
    return _own.compilers[template]


@cache
def _fonts() -> typst.Fonts:
    """The typefaces that come with typst, so that a letter looks the same everywhere."""
    return typst.Fonts(include_system_fonts=True)
