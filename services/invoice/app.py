"""The invoice service, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_urlsafe

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.invoice.approvals import api as approvals
from services.invoice.balances import api as balances
from services.invoice.bank_statements import api as bank_statements
from services.invoice.checkouts import api as checkouts
from services.invoice.completeness import api as completeness
from services.invoice.consumers import subscriptions
from services.invoice.credit_desk import TIMEOUT, CreditDesk
from services.invoice.credit_notes import api as credit_notes
from services.invoice.desk import api as desk
from services.invoice.desk_billing import api as desk_billing
from services.invoice.desk_cash import api as desk_cash
from services.invoice.desk_disputes import api as desk_disputes
from services.invoice.dispatch import api as dispatch
from services.invoice.disputes import api as disputes
from services.invoice.drafts import api as drafts
from services.invoice.entities import api as entities
from services.invoice.imports import api as imports
from services.invoice.interest import api as interest
from services.invoice.invoices import api as invoices
from services.invoice.journal import api as journal
from services.invoice.mappings import api as mappings
from services.invoice.matching import api as matching
from services.invoice.originals import api as originals
from services.invoice.pay_links import api as pay_links
from services.invoice.pay_links.handlers import PayLinks
from services.invoice.pay_links.rules import key_of
from services.invoice.pay_page import api as pay_page
from services.invoice.payments import api as payments
from services.invoice.period_lock import api as period_lock
from services.invoice.plans import api as plans
from services.invoice.preferences import api as preferences
from services.invoice.receipts import api as receipts
from services.invoice.reconciliation import api as reconciliation
from services.invoice.recurring import api as recurring
from services.invoice.refunds import api as refunds
from services.invoice.reporting_desk import ReportingDesk
from services.invoice.resolutions import api as resolutions
from services.invoice.reversals import api as reversals
from services.invoice.settings import Settings
from services.invoice.statements import api as statements
from services.invoice.stripe import TIMEOUT as STRIPE_TIMEOUT
from services.invoice.stripe import Stripe
from services.invoice.ticks import ticks
from services.invoice.voids import api as voids
from services.invoice.write_offs import api as write_offs
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
        completeness.router,
        drafts.router,
        originals.router,
        dispatch.router,
        statements.router,
        preferences.router,
        receipts.router,
        recurring.router,
        imports.router,
        mappings.router,
        credit_notes.router,
        voids.router,
        write_offs.router,
        approvals.router,
        payments.router,
        refunds.router,
        reversals.router,
        bank_statements.router,
        matching.router,
        disputes.router,
        resolutions.router,
        plans.router,
        interest.router,
        balances.router,
        journal.router,
        reconciliation.router,
        pay_links.router,
        entities.router,
        period_lock.router,
    ),
    pages=(
        checkouts.webhooks,
        pay_page.pages,
        desk.pages,
        desk_billing.pages,
        desk_cash.pages,
        desk_disputes.pages,
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
    pay_links: PayLinks
    stripe: Stripe | None


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
        _stripe_client(settings) as stripe,
    ):
        postman = open_postman(settings)
        try:
            yield Resources(
                CreditDesk(credit),
                ReportingDesk(reporting),
                settings.public_url.rstrip("/"),
                postman,
                _revealed(settings.delivery_webhook_secret),
                PayLinks(
                    key_of(_revealed(settings.session_secret) or token_urlsafe()), settings.public_url.rstrip("/")
                ),
                Stripe(stripe, _revealed(settings.stripe_webhook_secret) or "") if settings.stripe_secret_key else None,
            )
        finally:
            await postman.close()


def _stripe_client(settings: Settings) -> httpx.AsyncClient:
    key = _revealed(settings.stripe_secret_key) or ""
    return httpx.AsyncClient(
        base_url=settings.stripe_url, timeout=STRIPE_TIMEOUT, headers={"authorization": f"Bearer {key}"}
    )


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

    app = create_app(SERVICE, chosen, resources, database=database)
    app.add_exception_handler(pay_page.LinkGone, pay_page.link_gone)
    return app


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: open_resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
