"""Reminder, composed: what it answers, what it listens to, what it does by the clock, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reminder.authority import api as authority
from services.reminder.cases import api as cases
from services.reminder.consumers import subscriptions
from services.reminder.contacts import api as contacts
from services.reminder.explanations import api as explanations
from services.reminder.legal import api as legal
from services.reminder.mailing import MailSender
from services.reminder.notes import api as notes
from services.reminder.pauses import api as pauses
from services.reminder.placements import api as placements
from services.reminder.policies import api as policies
from services.reminder.promises import api as promises
from services.reminder.publishing import api as publishing
from services.reminder.settings import Settings
from services.reminder.tasks import api as tasks
from services.reminder.team import api as team
from services.reminder.ticks import Resources, ticks
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.http.client import service_client
from shared.mail import MailServer, Postman
from shared.service import Service

SERVICE = Service(
    name="reminder",
    description="Reminds customers of what they owe, from friendly to formal, and says why it does or does not.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        publishing.router,
        cases.router,
        explanations.router,
        contacts.router,
        tasks.router,
        policies.router,
        team.router,
        notes.router,
        authority.router,
        promises.router,
        legal.router,
        placements.router,
        pauses.router,
    ),
    publishes=("ar.reminder",),
)


@asynccontextmanager
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    """The invoice service, asked what is owed just before a mail, and the mail server."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        tls=settings.smtp_tls,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    postman = Postman(server, settings.smtp_connections)
    async with service_client(settings, "invoice") as invoice:
        try:
            yield Resources(invoice, {"email": MailSender(postman)})
        finally:
            await postman.close()


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    return create_app(SERVICE, settings or read_settings(), database=database)


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
