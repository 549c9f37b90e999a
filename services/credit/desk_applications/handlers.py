"""The pages of applications, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.agreements import handlers as agreements
from services.credit.agreements.rules import Agreement
from services.credit.application_forms.rules import Missing, missing
from services.credit.applications import handlers as applications
from services.credit.applications.handlers import Vetted
from services.credit.applications.rules import OPEN, Application, Status
from services.credit.duplicates import handlers as duplicates
from services.credit.duplicates.rules import Suspect
from services.credit.sellers import handlers as sellers
from services.credit.vetting import handlers as vetting
from services.credit.vetting.rules import Kept
from shared.calendar import local_date
from shared.db import Tx

LISTED_MAX = 50
INPUTS_MAX = 50


async def list_applications(
    tx: Tx, statuses: Sequence[Status], after: UUID | None
) -> tuple[list[Application], UUID | None]:
    """Fifty at a time in the order in which they were begun, and after which one the next page begins."""
    found = await applications.list_applications(tx, statuses, after, LISTED_MAX + 1)
    shown = found[:LISTED_MAX]
    return shown, shown[-1].id if len(found) > LISTED_MAX else None


@dataclass(frozen=True, slots=True)
class ApplicationShown:
    """`vetted` and `inputs` are there from the vetting on, `agreement` once the terms were written out; `entity_id` is
    the selling entity in whose name the company is written to."""

    application: Application
    today: date
    missing: Sequence[Missing]
    suspects: Sequence[Suspect]
    vetted: Vetted | None
    inputs: Sequence[Kept]
    agreement: Agreement | None
    entity_id: str


async def draw_application(tx: Tx, application_id: UUID) -> ApplicationShown:
    """Raises ApplicationNotFound."""
    application = await applications.get_application(tx, application_id)
    was_vetted = application.status not in ("draft", "submitted")
    inputs: Sequence[Kept] = ()
    if application.status in ("in_vetting", "approved"):
        inputs, _ = await vetting.list_inputs(tx, application_id, None, INPUTS_MAX)
    return ApplicationShown(
        application,
        local_date(tx.now, "UTC"),
        missing(application.form) if application.status == "draft" else (),
        await duplicates.suspect_duplicates(tx, application_id) if application.status in OPEN else (),
        await applications.vetted(tx, application) if was_vetted else None,
        inputs,
        await agreements.find_agreement(tx, application_id),
        (await sellers.seller_of(tx, application_id)).entity_id,
    )
