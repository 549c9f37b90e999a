"""The invoice service, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.invoice.balances import api as balances
from services.invoice.bank_statements import api as bank_statements
from services.invoice.consumers import subscriptions
from services.invoice.credit_desk import TIMEOUT, CreditDesk
from services.invoice.disputes import api as disputes
from services.invoice.entities import api as entities
from services.invoice.imports import api as imports
from services.invoice.invoices import api as invoices
from services.invoice.journal import api as journal
from services.invoice.matching import api as matching
from services.invoice.payments import api as payments
from services.invoice.period_lock import api as period_lock
from services.invoice.plans import api as plans
from services.invoice.printing import api as printing
from services.invoice.reconciliation import api as reconciliation
from services.invoice.recurring import api as recurring
from services.invoice.reporting_desk import ReportingDesk
from services.invoice.settings import Settings
from services.invoice.ticks import ticks
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.http.client import service_client
from shared.mail import MailServer, Postman
from shared.service import Service
from shared.settings import ServiceSettings

SERVICE = Service(
    name="invoice",
    description="Invoices, payments and where they were applied, disputes, what is overdue, and the journal of it all.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        invoices.router,
        printing.router,
        recurring.router,
        imports.router,
        payments.router,
        bank_statements.router,
        matching.router,
        disputes.router,
        plans.router,
        balances.router,
        journal.router,
        reconciliation.router,
        entities.router,
        period_lock.router,
    ),
    publishes=("ar.invoice", "ar.payment", "ar.overdue"),
)


@dataclass(frozen=True)
class Resources:
    """What the doors work with besides the database."""

    credit: CreditDesk
    reporting: ReportingDesk
    public_url: str
    postman: Postman
    delivery_webhook_secret: str | None

    def pay_link(self, customer_id: UUID) -> str:
        return f"{self.public_url}/pay/{customer_id}"


@asynccontextmanager
async def open_resources(
    settings: Settings,
    *,
    credit_transport: httpx.AsyncBaseTransport | None = None,
    reporting_transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncGenerator[Resources]:
    """The transports are for tests that put services of their own in the place of credit and reporting."""
    async with (
        service_client(settings, "credit", timeout=TIMEOUT, transport=credit_transport) as credit,
        service_client(settings, "reporting", transport=reporting_transport) as reporting,
    ):
        postman = open_postman(settings)
        try:
            yield Resources(
                CreditDesk(credit),
                ReportingDesk(reporting),
                settings.public_url.rstrip("/"),
                postman,
                _revealed(settings.delivery_webhook_secret),
            )
        finally:
            await postman.close()


def open_postman(settings: Settings) -> Postman:
    """Mails are sent in the seller's name from `MAIL_FROM`, over the operator's own server."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        username=settings.smtp_username,
        password=_revealed(settings.smtp_password),
        tls=settings.smtp_tls,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    return Postman(server, settings.smtp_connections)


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


def create_api(
    settings: Settings | None = None,
    *,
    database: Database | None = None,
    credit_transport: httpx.AsyncBaseTransport | None = None,
    reporting_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    chosen = settings or read_settings()

    def resources(_: ServiceSettings):
        return open_resources(chosen, credit_transport=credit_transport, reporting_transport=reporting_transport)

    return create_app(SERVICE, chosen, resources, database=database)


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: open_resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
