"""Credit, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from secrets import token_urlsafe

from fastapi import FastAPI

from services.credit.agreements import api as agreements
from services.credit.application_links import api as application_links
from services.credit.application_links.handlers import ApplicationLinks
from services.credit.application_links.rules import key_of
from services.credit.application_page import api as application_page
from services.credit.applications import api as applications
from services.credit.assessments import api as assessments
from services.credit.blocked_orders import api as blocked_orders
from services.credit.bureau import bureau_at
from services.credit.consumers import subscriptions
from services.credit.customers import api as customers
from services.credit.decisions import api as decisions
from services.credit.desk import api as desk
from services.credit.desk_applications import api as desk_applications
from services.credit.desk_customers import api as desk_customers
from services.credit.desk_inputs import api as desk_inputs
from services.credit.desk_mergers import api as desk_mergers
from services.credit.desk_policy import api as desk_policy
from services.credit.desk_portfolio import api as desk_portfolio
from services.credit.desk_review_packs import api as desk_review_packs
from services.credit.desk_reviews import api as desk_reviews
from services.credit.desk_scorecards import api as desk_scorecards
from services.credit.desk_segments import api as desk_segments
from services.credit.drifts import api as drifts
from services.credit.duplicates import api as duplicates
from services.credit.groups import api as groups
from services.credit.holds import api as holds
from services.credit.intake import api as intake
from services.credit.limit_letters import api as limit_letters
from services.credit.limit_requests import api as limit_requests
from services.credit.limits import api as limits
from services.credit.mergers import api as mergers
from services.credit.policies import api as policies
from services.credit.rates import api as rates
from services.credit.recommendations import api as recommendations
from services.credit.reservations import api as reservations
from services.credit.review_packs import api as review_packs
from services.credit.reviews import api as reviews
from services.credit.scorecards import api as scorecards
from services.credit.segment_drifts import api as segment_drifts
from services.credit.segmentations import api as segmentations
from services.credit.segments import api as segments
from services.credit.seller_desk import SellerDesk
from services.credit.sellers import api as sellers
from services.credit.settings import Settings
from services.credit.sign_offs import api as sign_offs
from services.credit.term_requests import api as term_requests
from services.credit.ticks import Resources, ticks
from services.credit.vetting_imports import api as vetting_imports
from services.credit.what_ifs import api as what_ifs
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.http.client import service_client
from shared.mail import MailServer, Postman
from shared.service import Service

SERVICE = Service(
    name="credit",
    description="Who the customers are, what each may owe, and whether they may owe more.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        customers.router,
        sellers.router,
        limits.router,
        policies.router,
        what_ifs.router,
        review_packs.router,
        sign_offs.router,
        decisions.router,
        rates.router,
        reservations.router,
        blocked_orders.router,
        limit_requests.router,
        term_requests.router,
        groups.router,
        holds.router,
        recommendations.router,
        intake.router,
        vetting_imports.router,
        scorecards.router,
        assessments.router,
        applications.router,
        application_links.router,
        agreements.router,
        duplicates.router,
        mergers.router,
        drifts.router,
        segment_drifts.router,
        reviews.router,
        segmentations.router,
        segments.router,
        limit_letters.router,
    ),
    pages=(
        desk.pages,
        desk_customers.pages,
        desk_mergers.pages,
        desk_inputs.pages,
        desk_applications.pages,
        desk_reviews.pages,
        desk_review_packs.pages,
        desk_portfolio.pages,
        desk_policy.pages,
        desk_scorecards.pages,
        desk_segments.pages,
        application_page.pages,
    ),
    publishes=("ar.customer", "ar.credit"),
)


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


@asynccontextmanager
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    """The mail server, who knows the seller, and the credit bureau, where there is one."""
    postman = Postman(_mail_server(settings))
    token = settings.bureau_token.get_secret_value() if settings.bureau_token else None
    async with AsyncExitStack() as stack:
        stack.push_async_callback(postman.close)
        bureau = None
        if settings.bureau_url:
            asking = bureau_at(settings.bureau_url, settings.bureau_name, settings.bureau_timeout_seconds, token)
            bureau = await stack.enter_async_context(asking)
        invoice = await stack.enter_async_context(service_client(settings, "invoice"))
        yield Resources(bureau, postman, SellerDesk(invoice))


def _mail_server(settings: Settings) -> MailServer:
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        tls=settings.smtp_tls,
        timeout_seconds=settings.smtp_timeout_seconds,
    )


@dataclass(frozen=True)
class ApiResources:
    """What the API asks: the invoice service, who the seller is."""

    sellers: SellerDesk


@asynccontextmanager
async def api_resources(settings: Settings) -> AsyncIterator[ApiResources]:
    async with service_client(settings, "invoice") as invoice:
        yield ApiResources(SellerDesk(invoice))


def _application_links(settings: Settings) -> ApplicationLinks:
    """Links stop working with the installation's session secret; without one, with this process."""
    secret = settings.session_secret.get_secret_value() if settings.session_secret else token_urlsafe()
    return ApplicationLinks(key_of(secret), (settings.application_url or settings.credit_url).rstrip("/"))


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    chosen = settings or read_settings()
    app = create_app(SERVICE, chosen, lambda _: api_resources(chosen), database=database)
    app.add_exception_handler(application_page.LinkGone, application_page.link_gone)
    app.state.application_links = _application_links(chosen)
    app.state.has_bureau = chosen.bureau_url is not None
    return app


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
