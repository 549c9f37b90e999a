"""Invoices and credit notes as documents over HTTP: PDF, UBL and CII."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.invoice.cii import rules as cii
from services.invoice.documents import handlers as documents
from services.invoice.documents.rules import Paper
from services.invoice.pay_links import handlers as pay_links
from services.invoice.printing import handlers
from services.invoice.printing.rules import Language
from services.invoice.ubl import rules as ubl
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document
from shared.http.security import scope

router = APIRouter(tags=["documents"], dependencies=[scope("invoices:read")])


PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}
XML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/xml": {}}}}
Form = Annotated[Literal["ubl", "cii"], Query(alias="format", description="UBL 2.1, or CII as in Factur-X")]


@router.get("/invoices/{invoice_id}/document.pdf", response_class=Response, responses=PDF)
async def invoice_as_pdf(
    invoice_id: UUID, database: DatabaseDep, resources: ResourcesDep, language: Language | None = None
) -> Response:
    """The invoice as PDF/A-3. Where it is complete by EN 16931 it is a Factur-X document: the CII form is inside."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id, language)
        link = await pay_links.make_link(tx, resources.pay_links, written.account)
    return await _pdf(replace(written.paper, pay_link=link))


@router.get("/invoices/{invoice_id}/document.xml", response_class=Response, responses=XML)
async def invoice_as_xml(invoice_id: UUID, database: DatabaseDep, form: Form = "ubl") -> Response:
    """The electronic invoice (EN 16931). Where it lacks what the standard asks for, the problem names it all."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id)
    return await _xml(written.paper, form)


@router.get("/credit-notes/{credit_note_id}/document.pdf", response_class=Response, responses=PDF)
async def credit_note_as_pdf(credit_note_id: UUID, database: DatabaseDep, language: Language | None = None) -> Response:
    """The credit note as PDF/A-3, with the CII form inside where it is complete."""
    async with reading(database) as tx:
        written = await documents.get_credit_note_paper(tx, credit_note_id, language)
    return await _pdf(written.paper)


@router.get("/credit-notes/{credit_note_id}/document.xml", response_class=Response, responses=XML)
async def credit_note_as_xml(credit_note_id: UUID, database: DatabaseDep, form: Form = "ubl") -> Response:
    """The electronic credit note (EN 16931)."""
    async with reading(database) as tx:
        written = await documents.get_credit_note_paper(tx, credit_note_id)
    return await _xml(written.paper, form)


async def _pdf(paper: Paper) -> Response:
    return document(await asyncio.to_thread(handlers.print_invoice, paper), "application/pdf", f"{paper.number}.pdf")


async def _xml(paper: Paper, form: str) -> Response:
    write = ubl.write if form == "ubl" else cii.write
    return document(await asyncio.to_thread(write, paper), "application/xml", f"{paper.number}-{form}.xml")
