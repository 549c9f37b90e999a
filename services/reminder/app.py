"""Reminder, composed: what it answers, what it listens to, what it does by the clock, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_urlsafe

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.reminder.authority import api as authority
from services.reminder.callbacks import api as callbacks
from services.reminder.callbacks.rules import Inbound
from services.reminder.calls import api as calls
from services.reminder.cases import api as cases
from services.reminder.chat import ChatSender
from services.reminder.consumers import subscriptions
from services.reminder.contacts import api as contacts
from services.reminder.deliveries.rules import Sender
from services.reminder.desk import api as desk
from services.reminder.desk_agencies import api as desk_agencies
from services.reminder.desk_legal import api as desk_legal
from services.reminder.desk_offers import api as desk_offers
from services.reminder.desk_placements import api as desk_placements
from services.reminder.desk_policy import api as desk_policy
from services.reminder.desk_simulations import api as desk_simulations
from services.reminder.desk_strategies import api as desk_strategies
from services.reminder.desk_team import api as desk_team
from services.reminder.desk_templates import api as desk_templates
from services.reminder.doubts import api as doubts
from services.reminder.explanations import api as explanations
from services.reminder.followers import api as followers
from services.reminder.given_tasks import api as given_tasks
from services.reminder.imap import ImapMailbox, ImapServer
from services.reminder.late_payment_reasons import api as late_payment_reasons
from services.reminder.legal import api as legal
from services.reminder.letters import api as letters
from services.reminder.links.rules import key_of
from services.reminder.mailing import MailSender
from services.reminder.mails.rules import Stationery
from services.reminder.notes import api as notes
from services.reminder.offer_links.rules import key_of as offer_key_of
from services.reminder.offer_page import api as offer_page
from services.reminder.offers import api as offers
from services.reminder.offers.handlers import OfferLinks
from services.reminder.outbound_webhook import Endpoint, WebhookSender
from services.reminder.pauses import api as pauses
from services.reminder.placements import api as placements
from services.reminder.policies import api as policies
from services.reminder.promises import api as promises
from services.reminder.publishing import api as publishing
from services.reminder.replies import api as replies
from services.reminder.settings import Settings
from services.reminder.signatures import api as signatures
from services.reminder.simulations import api as simulations
from services.reminder.simulator import Simulator
from services.reminder.sms import SmsGateway, SmsSender
from services.reminder.strategy_migrations import api as strategy_migrations
from services.reminder.tasks import api as tasks
from services.reminder.team import api as team
from services.reminder.team_figures import api as team_figures
from services.reminder.templates import api as templates
from services.reminder.ticks import Resources, ticks
from services.reminder.trials import api as trials
from services.reminder.worklist import api as worklist
from services.reminder.wrong_persons import api as wrong_persons
from shared import process, webhooks
from shared.db import Database
from shared.http.app import create_app
from shared.http.client import service_client
from shared.mail import MailServer, Postman
from shared.outside import outside_client
from shared.service import Service

SERVICE = Service(
    name="reminder",
    description="Reminds customers of what they owe, from friendly to formal, and says why it does or does not.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        publishing.router,
        strategy_migrations.router,
        simulations.router,
        trials.router,
        cases.router,
        explanations.router,
        contacts.router,
        doubts.router,
        tasks.router,
        given_tasks.router,
        policies.router,
        team.router,
        team_figures.router,
        notes.router,
        calls.router,
        worklist.router,
        followers.router,
        authority.router,
        promises.router,
        offers.router,
        legal.router,
        replies.router,
        late_payment_reasons.router,
        placements.router,
        pauses.router,
        templates.router,
        letters.router,
        signatures.router,
        wrong_persons.router,
    ),
    pages=(
        desk.pages,
        desk_placements.pages,
        desk_agencies.pages,
        desk_offers.pages,
        desk_team.pages,
        desk_legal.pages,
        desk_strategies.pages,
        desk_simulations.pages,
        desk_templates.pages,
        desk_policy.pages,
        callbacks.callbacks,
        replies.callbacks,
        wrong_persons.pages,
        offer_page.pages,
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
    async with (
        service_client(settings, "invoice") as invoice,
        outside_client(settings.gateway_timeout_seconds) as outside,
    ):
        stationery = _stationery(settings)
        senders = {"email": MailSender(postman, stationery, invoice), **_gateways(settings, outside)}
        try:
            links = _offer_links(settings) if settings.session_secret else None
            yield Resources(invoice, senders, _mailbox(settings), stationery, postman, links)
        finally:
            await postman.close()


@asynccontextmanager
async def api_resources(settings: Settings) -> AsyncIterator[Resources]:
    """What the API asks: it sends nothing."""
    async with service_client(settings, "invoice") as invoice:
        yield Resources(invoice, {}, stationery=_stationery(settings))


def _stationery(settings: Settings) -> Stationery:
    url = settings.contact_url or settings.reminder_url
    return Stationery(_reply_key(settings), url.rstrip("/"), settings.replies_to)


def _gateways(settings: Settings, client: httpx.AsyncClient) -> dict[str, Sender]:
    """The channels besides mail that this installation is set up for."""
    seconds, senders = settings.gateway_timeout_seconds, dict[str, Sender]()
    if settings.sms_account and settings.sms_token and settings.sms_sender:
        token = settings.sms_token.get_secret_value()
        gateway = SmsGateway(
            settings.sms_url, settings.sms_account, settings.sms_sender, token, settings.sms_callback_url
        )
        senders["sms"] = SmsSender(client, gateway, seconds)
    if settings.chat_url:
        senders["chat"] = ChatSender(client, settings.chat_kind, settings.chat_url.get_secret_value(), seconds)
    if settings.webhook_url and (keys := _keys(settings.webhook_secrets)):
        senders["webhook"] = WebhookSender(client, Endpoint(settings.webhook_url, keys, private=True), seconds)
    return senders


def _mailbox(settings: Settings) -> ImapMailbox | None:
    if not (settings.imap_host and settings.imap_username and settings.imap_password):
        return None
    server = ImapServer(
        host=settings.imap_host,
        port=settings.imap_port,
        username=settings.imap_username,
        password=settings.imap_password.get_secret_value(),
        folder=settings.imap_folder,
        tls=settings.imap_tls,
        timeout_seconds=settings.imap_timeout_seconds,
        poll_seconds=settings.imap_poll_seconds,
    )
    return ImapMailbox(server, _reply_key(settings))


def _inbound(settings: Settings) -> Inbound:
    return Inbound(
        keys=_keys(settings.callback_secrets),
        reply_key=_reply_key(settings),
        sms_token=settings.sms_token.get_secret_value() if settings.sms_token else None,
        sms_account=settings.sms_account,
        sms_url=settings.sms_callback_url or "",
    )


def _keys(secrets: SecretStr | None) -> list[bytes]:
    return [webhooks.key_of(secret) for secret in secrets.get_secret_value().split()] if secrets else []


def _reply_key(settings: Settings) -> bytes | None:
    return key_of(settings.session_secret.get_secret_value()) if settings.session_secret else None


def _offer_links(settings: Settings) -> OfferLinks:
    """Links to offers stop working with the installation's session secret; without one, with this process."""
    secret = settings.session_secret.get_secret_value() if settings.session_secret else token_urlsafe()
    return OfferLinks(offer_key_of(secret), (settings.contact_url or settings.reminder_url).rstrip("/"))


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    chosen = settings or read_settings()
    app = create_app(SERVICE, chosen, lambda _: api_resources(chosen), database=database)
    app.state.offer_links = _offer_links(chosen)
    app.state.inbound = _inbound(chosen)
    app.state.simulator = Simulator()
    return app


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
