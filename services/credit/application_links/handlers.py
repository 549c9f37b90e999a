"""Make links to applicants' pages, read them, recall them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.application_links import rules
from services.credit.application_links.rules import ApplicationLinkUnusable
from services.credit.applications import handlers as applications
from services.credit.applications import rules as states
from services.credit.applications.rules import Application, ApplicationNotFound
from shared.calendar import local_date
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ApplicationLinks:
    """Where applicants' pages are, and the key that their links are signed with."""

    key: bytes
    base_url: str


@dataclass(frozen=True, slots=True)
class Given:
    url: str
    last_day: date


async def give_link(tx: Tx, links: ApplicationLinks, application_id: UUID) -> Given:
    """One more link; those given out before go on until their own last day. Raises ApplicationNotFound, WrongState."""
    application = await applications.lock_application(tx, application_id)
    link = rules.new_link(application_id, application.link_generation, local_date(tx.now, "UTC"))
    await applications.save_application(tx, states.give_link(application, link.last_day))
    return Given(f"{links.base_url}/apply/{rules.token_of(links.key, link)}", link.last_day)


async def recall_links(tx: Tx, application_id: UUID) -> Application:
    """Every link given out so far stops working at once. Raises ApplicationNotFound."""
    application = states.recall_link(await applications.lock_application(tx, application_id))
    await applications.save_application(tx, application)
    return application


async def open_link(tx: Tx, links: ApplicationLinks, token: str, *, lock: bool = False) -> Application:
    """Whose page a token opens, with `lock` to change it. Raises ApplicationLinkUnusable."""
    link = rules.read_token(links.key, token)
    try:
        find = applications.lock_application if lock else applications.get_application
        application = await find(tx, link.application_id)
    except ApplicationNotFound:
        application = None
    is_shown = application is not None and application.status not in ("declined", "withdrawn")
    rules.usable(link, application.link_generation if application and is_shown else None, local_date(tx.now, "UTC"))
    if application is None:
        raise ApplicationLinkUnusable("there is no such application")
    return application
