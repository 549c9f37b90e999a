"""Receipts over HTTP."""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Response

from services.invoice.pay_links import handlers as pay_links
from services.invoice.print_words.rules import Language
from services.invoice.receipts import handlers
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document
from shared.http.security import scope

router = APIRouter(tags=["payments"], dependencies=[scope("payments:read")])


@router.get(
    "/payments/{payment_id}/receipt.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def as_pdf(
    payment_id: UUID, database: DatabaseDep, resources: ResourcesDep, language: Language | None = None
) -> Response:
    """What the payment settled and what remains, for the customer, in its language unless another is asked for."""
    async with reading(database) as tx:
        receipt = await handlers.get_receipt(tx, payment_id)
        link = await pay_links.make_link(tx, resources.pay_links, receipt.account)
    pdf = await asyncio.to_thread(handlers.print_receipt, receipt, link, language)
    return document(pdf, "application/pdf", f"receipt-{receipt.payment.received_on}-{payment_id}.pdf")
