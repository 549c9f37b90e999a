"""Fetch the documents that go with messages. Runs outside any transaction, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx

from services.reminder.enclosures import rules
from services.reminder.enclosures.rules import Document, Missing, TooLarge
from services.reminder.mails.rules import Letter
from shared.mail import Attachment

FETCHED_AT_ONCE = 4


async def fetch(
    invoice_service: httpx.AsyncClient, letters: Sequence[Letter], seconds: float
) -> Mapping[UUID, tuple[Attachment, ...] | Missing]:
    """By contact, for those letters that ask for documents: all of them, or Missing. Raises nothing."""
    asking = [letter for letter in letters if letter.attachments]
    if not asking:
        return {}
    gate = asyncio.Semaphore(FETCHED_AT_ONCE)

    async def one(letter: Letter) -> tuple[Attachment, ...] | Missing:
        try:
            async with asyncio.timeout(seconds):
                return await fetch_all(invoice_service, letter, gate)
        except httpx.HTTPError as fault:
            return Missing(f"the invoice service did not give the documents to attach: {fault!r}")
        except TooLarge as fault:
            return Missing(f"the documents to attach are too large for a mail: {fault}")
        except TimeoutError:
            return Missing("the invoice service did not give the documents to attach in time")

    found = await asyncio.gather(*map(one, asking))
    return {letter.contact_id: files for letter, files in zip(asking, found, strict=True)}


async def fetch_all(
    invoice_service: httpx.AsyncClient, letter: Letter, gate: asyncio.Semaphore
) -> tuple[Attachment, ...]:
    """Raises httpx.HTTPError. Where all the invoices are too large for a mail, the statement goes in their place."""
    try:
        return await fetch_documents(invoice_service, rules.wanted(letter), gate)
    except TooLarge:
        return await fetch_documents(invoice_service, rules.statement_of(letter), gate)


async def fetch_documents(
    invoice_service: httpx.AsyncClient, documents: Sequence[Document], gate: asyncio.Semaphore
) -> tuple[Attachment, ...]:
    """Raises httpx.HTTPError or TooLarge."""
    files, left = [], rules.BYTES_MAX
    for document in documents:
        async with gate:
            content = await _read(invoice_service, document, min(left, rules.DOCUMENT_BYTES_MAX))
        left -= len(content)
        files.append(Attachment(document.name, "application/pdf", content))
    return tuple(files)


async def _read(invoice_service: httpx.AsyncClient, document: Document, bytes_max: int) -> bytes:
    content = bytearray()
    query = httpx.QueryParams(document.query)
    async with invoice_service.stream("GET", document.path, params=query) as answer:
        answer.raise_for_status()
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if media_type != "application/pdf":
            raise httpx.DecodingError(
                f"{document.path} is {media_type or 'of no type'}, no PDF", request=answer.request
            )
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > bytes_max:
                raise TooLarge(document.path)
    return bytes(content)
