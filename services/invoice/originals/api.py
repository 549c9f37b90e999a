"""Invoices and credit notes as documents over HTTP: PDF, UBL and CII."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.invoice.cii import rules as cii
from services.invoice.documents import handlers as documents
from services.invoice.documents.handlers import Written
from services.invoice.originals import handlers
from services.invoice.originals.rules import STATUS, Original
from services.invoice.papers.rules import Paper
from services.invoice.pay_links import handlers as pay_links
from services.invoice.print_words.rules import Language
from services.invoice.printing import handlers as printing
from services.invoice.ubl import rules as ubl
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document
from shared.http.security import scope

router = APIRouter(tags=["documents"], dependencies=[scope("invoices:read")])


PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}
XML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/xml": {}}}}
AsCopy = Annotated[bool, Query(description="Of a document that was sent: a copy, marked as one")]
Form = Annotated[Literal["ubl", "cii"], Query(alias="format", description="UBL 2.1, or CII as in Factur-X")]


@router.get("/invoices/{invoice_id}/document.pdf", response_class=Response, responses=PDF)
async def invoice_as_pdf(
    invoice_id: UUID,
    database: DatabaseDep,
    resources: ResourcesDep,
    language: Language | None = None,
    copy: AsCopy = False,
) -> Response:
    """The invoice as PDF/A-3. Where it is complete by EN 16931 it is a Factur-X document: the CII form is inside. One
    that was sent is shown as it was sent, whatever has changed since; in another language it is a copy, marked so. The
    header `document-status` says which it is: `original`, `copy`, or `unsent`."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id, language)
        original = await handlers.find_original(tx, invoice_id)
        link = await pay_links.make_link(tx, resources.pay_links, written.account)
    return await _pdf(replace(written, paper=replace(written.paper, pay_link=link)), original, language, copy)


@router.get("/invoices/{invoice_id}/document.xml", response_class=Response, responses=XML)
async def invoice_as_xml(invoice_id: UUID, database: DatabaseDep, form: Form = "ubl") -> Response:
    """The electronic invoice (EN 16931). Where it lacks what the standard asks for, the problem names it all."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id)
        original = await handlers.find_original(tx, invoice_id)
    return await _xml(written.paper, form, original)


@router.get("/credit-notes/{credit_note_id}/document.pdf", response_class=Response, responses=PDF)
async def credit_note_as_pdf(
    credit_note_id: UUID, database: DatabaseDep, language: Language | None = None, copy: AsCopy = False
) -> Response:
    """The credit note as PDF/A-3, with the CII form inside where it is complete; as it was sent, once it was."""
    async with reading(database) as tx:
        written = await documents.get_credit_note_paper(tx, credit_note_id, language)
        original = await handlers.find_original(tx, credit_note_id)
    return await _pdf(written, original, language, copy)


@router.get("/credit-notes/{credit_note_id}/document.xml", response_class=Response, responses=XML)
async def credit_note_as_xml(credit_note_id: UUID, database: DatabaseDep, form: Form = "ubl") -> Response:
    """The electronic credit note (EN 16931)."""
    async with reading(database) as tx:
        written = await documents.get_credit_note_paper(tx, credit_note_id)
        original = await handlers.find_original(tx, credit_note_id)
    return await _xml(written.paper, form, original)


async def _pdf(written: Written, original: Original | None, language: str | None, copy: bool) -> Response:
    paper = written.paper
    if original is None:
        status, pdf = "unsent", await asyncio.to_thread(printing.print_invoice, paper)
    elif copy or (language or original.language) != original.language:
        status = "copy"
        pdf = await asyncio.to_thread(handlers.print_copy, original, paper, written.account.entity)
    else:
        status, pdf = "original", original.pdf
    answer = document(pdf, "application/pdf", f"{paper.number}.pdf")
    answer.headers[STATUS] = status
    return answer


async def _xml(paper: Paper, form: str, original: Original | None) -> Response:
    if original and form == "ubl" and original.xml is not None:
        return document(original.xml, "application/xml", f"{paper.number}-{form}.xml")
    paper = original.paper if original else paper
    write = ubl.write if form == "ubl" else cii.write
    return document(await asyncio.to_thread(write, paper), "application/xml", f"{paper.number}-{form}.xml")
