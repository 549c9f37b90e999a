"""The seller that the invoice service would tell of, and a worker that sends mails, for tests of onboarding."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.credit.app import ApiResources, create_api
from services.credit.seller_desk import SellerDesk
from services.credit.settings import Settings
from services.credit.ticks import Resources, send_onboarding_mails
from shared.db import Database
from shared.mail import MailServer, Postman
from shared.ticks import TickContext
from tests import service_client
from tests.credit.client import Credit
from tests.mailbox import Mailbox
from tests.service_client import app_of, settings_of

SELLER: dict[str, Any] = {
    "id": "default",
    "name": "Hansa Supply",
    "seller": {
        "legal_name": "Hansa Supply GmbH",
        "address": {"lines": ["Elbchaussee 10"], "postal_code": "22765", "city": "Hamburg", "country": "DE"},
        "vat_id": "DE811569869",
        "registration": "HRB 777, Hamburg",
        "contact_name": "Maren Voss",
        "phone": "+49 40 765432",
        "email": "credit@hansa.example",
        "bank_accounts": [{"iban": "DE75512108001245126199", "bic": "SOGEDEFFXXX", "bank_name": "SG Frankfurt"}],
    },
}


IBERIA: dict[str, Any] = {
    "id": "iberia",
    "name": "Hansa Iberia",
    "seller": {
        "legal_name": "Hansa Iberia S.L.",
        "address": {"lines": ["Calle de Alcalá 1"], "postal_code": "28014", "city": "Madrid", "country": "ES"},
        "contact_name": "Lucía Ortiz",
        "email": "credito@iberia.example",
    },
}


def _invoice_service() -> Starlette:
    """As much of the invoice service as credit asks: it has two selling entities."""

    async def entity(request: Request) -> JSONResponse:
        found = {each["id"]: each for each in (SELLER, IBERIA)}.get(request.path_params["id"])
        return JSONResponse(found) if found else JSONResponse({"type": "about:blank"}, 404)

    return Starlette(routes=[Route("/v1/entities/{id}", entity)])


@asynccontextmanager
async def onboarding_app(
    database: Database, keys_folder: Path, *, invoice_answers: bool = True
) -> AsyncIterator[FastAPI]:
    transport = httpx.ASGITransport(_invoice_service())
    base_url = "http://invoice"
    if not invoice_answers:
        transport, base_url = httpx.AsyncHTTPTransport(), "http://127.0.0.1:9"
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as invoice:
        resources = ApiResources(SellerDesk(invoice))
        yield app_of(create_api, settings_of(Settings, keys_folder), database=database, resources=resources)


@asynccontextmanager
async def onboarding(
    database: Database, keys_folder: Path, bearer: str, *, invoice_answers: bool = True
) -> AsyncIterator[Credit]:
    """The service called by somebody who onboards customers."""
    async with (
        onboarding_app(database, keys_folder, invoice_answers=invoice_answers) as app,
        service_client.calling(app, "credit", bearer) as http,
    ):
        yield Credit(http, database)


async def send_mails(database: Database, smtp: Mailbox | None) -> bool:
    """What the worker does: one round with this mail server, with none there where it is None."""
    host, port = (smtp.host, smtp.port) if smtp else ("127.0.0.1", 9)
    postman = Postman(MailServer(host, port, "credit@hansa.example", timeout_seconds=20))
    now = await database.clock.business_now(database.pool)
    try:
        return await send_onboarding_mails(TickContext(database, now, Resources(postman=postman)))
    finally:
        await postman.close()
