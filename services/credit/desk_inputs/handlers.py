"""The form for what was learned of a customer or an applicant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from services.credit.applications import handlers as applications
from services.credit.customers import handlers as customers
from services.credit.desk_inputs.rules import Told
from services.credit.intake import handlers as intake
from services.credit.vetting.handlers import AddInput
from services.credit.vetting.rules import Input
from shared.calendar import local_date
from shared.db import Tx

Whose = Literal["customers", "applications"]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom the form is about."""

    id: UUID
    whose: Whose
    name: str
    currency: str
    today: date


async def concerned(tx: Tx, whose: Whose, id: UUID) -> Concerned:
    """Raises CustomerNotFound, CustomerClosed, ApplicationNotFound."""
    today = local_date(tx.now, "UTC")
    if whose == "customers":
        await customers.refuse_closed(tx, id)
        about = (await customers.get_customer(tx, id)).particulars
        return Concerned(id, whose, about.name, about.currency, today)
    form = (await applications.get_application(tx, id)).form
    return Concerned(id, whose, form.legal_name or "No name yet", form.currency or "EUR", today)


async def take_in(tx: Tx, whose: Whose, id: UUID, told: Told, by: str) -> Input:
    """Raises what `intake.take_in` raises, and what `concerned` raises."""
    await concerned(tx, whose, id)
    command = AddInput(id, told.source, told.dated_on, told.expires_on, told.particulars, by)
    return await intake.take_in(tx, command)
