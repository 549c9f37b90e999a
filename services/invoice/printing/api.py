"""An invoice as a document over HTTP: PDF, UBL and CII."""

import asyncio
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.invoice.cii import rules as cii
from services.invoice.documents import handlers as documents
from services.invoice.pay_links import handlers as pay_links
from services.invoice.printing import handlers
from services.invoice.printing.rules import Language
from services.invoice.ubl import rules as ubl
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document
from shared.http.security import scope

router = APIRouter(tags=["documents"], dependencies=[scope("invoices:read")])


@router.get(
    "/invoices/{invoice_id}/document.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def as_pdf(
    invoice_id: UUID, database: DatabaseDep, resources: ResourcesDep, language: Language | None = None
) -> Response:
    """The invoice as PDF/A-3. Where it is complete by EN 16931 it is a Factur-X document: the CII form is inside."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id, language)
        link = await pay_links.make_link(tx, resources.pay_links, written.account)
    paper = replace(written.paper, pay_link=link)
    pdf = await asyncio.to_thread(handlers.print_invoice, paper)
    return document(pdf, "application/pdf", f"{paper.number}.pdf")


@router.get(
    "/invoices/{invoice_id}/document.xml",
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}}},
)
async def as_xml(
    invoice_id: UUID,
    database: DatabaseDep,
    form: Annotated[Literal["ubl", "cii"], Query(alias="format", description="UBL 2.1, or CII as in Factur-X")] = "ubl",
) -> Response:
    """The electronic invoice (EN 16931). Where it lacks what the standard asks for, the problem names it all."""
    async with reading(database) as tx:
        written = await documents.get_paper(tx, invoice_id)
    write = ubl.write if form == "ubl" else cii.write
    xml = await asyncio.to_thread(write, written.paper)
    return document(xml, "application/xml", f"{written.paper.number}-{form}.xml")
