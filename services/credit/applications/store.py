"""Applications, one row each; the form is a document of the row. Tables: application; customer (read)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from services.credit.application_forms.rules import Form
from services.credit.applications.rules import Application, Decided, Proposal, Status, Terms
from services.credit.limit_requests.rules import Approval
from shared.db import Tx

_COLUMNS = """
id, version, status, form, parent_id, submitted_at, submitted_by, terms, proposed_because, proposed_by, proposed_at,
approvers_needed, approvals, decided_by, decided_at, decided_because, link_generation, link_until, customer_id
"""


async def add(tx: Tx, application: Application) -> None:
    await tx.execute(_ADD, *_row(application), application.made_at, application.made_by)


_ADD = f"""
insert into application ({_COLUMNS}, made_at, made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
"""


async def save(tx: Tx, application: Application) -> None:
    await tx.execute(_SAVE, *_row(application))


_SAVE = f"""
update application set ({_COLUMNS})
    = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
where id = $1
"""


async def read(tx: Tx, application_id: UUID) -> Application | None:
    row = await tx.fetchrow("select * from application where id = $1", application_id)
    return _application(row) if row else None


async def lock(tx: Tx, application_id: UUID) -> Application | None:
    row = await tx.fetchrow("select * from application where id = $1 for no key update", application_id)
    return _application(row) if row else None


async def page(tx: Tx, statuses: Sequence[Status], after: UUID | None, count_max: int) -> list[Application]:
    """In the order in which they were begun."""
    return [_application(row) for row in await tx.fetch(_PAGE, statuses, after, count_max)]


_PAGE = """
select * from application
where status = any($1) and ($2::uuid is null or id > $2)
order by id
limit $3
"""


async def ancestors(tx: Tx, parent_id: UUID) -> list[UUID]:
    """The parent, its parent and so on, customers and applications; empty when it is neither. Until the transaction
    ends nobody else changes who belongs to whom."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('customer.parent_id'))")
    return [row["id"] for row in await tx.fetch(_ANCESTORS, parent_id)]


_ANCESTORS = """
with recursive company (id, parent_id) as (
    select id, parent_id from customer
    union all
    select id, parent_id from application where status <> 'accepted'
), up (id, parent_id) as (
    select id, parent_id from company where id = $1
    union
    select above.id, above.parent_id from company above join up on above.id = up.parent_id
)
select id from up
"""


def _row(application: Application) -> tuple[Any, ...]:
    of, proposal, decided = application, application.proposal, application.decided
    return (
        of.id,
        of.version,
        of.status,
        of.form.model_dump(mode="json", exclude_defaults=True),
        of.form.parent_id,
        of.submitted_at,
        of.submitted_by,
        proposal.terms.model_dump(mode="json", exclude_none=True) if proposal else None,
        proposal.reason if proposal else None,
        proposal.by if proposal else None,
        proposal.at if proposal else None,
        proposal.approvers_needed if proposal else None,
        [asdict(each) | {"at": each.at.isoformat()} for each in proposal.approvals] if proposal else [],
        decided.by if decided else None,
        decided.at if decided else None,
        decided.reason if decided else None,
        of.link_generation,
        of.link_until,
        of.customer_id,
    )


def _application(row: Any) -> Application:
    return Application(
        id=row["id"],
        version=row["version"],
        status=row["status"],
        form=Form.model_validate(row["form"]),
        made_at=row["made_at"],
        made_by=row["made_by"],
        submitted_at=row["submitted_at"],
        submitted_by=row["submitted_by"],
        proposal=_proposal(row) if row["terms"] else None,
        decided=Decided(row["decided_by"], row["decided_at"], row["decided_because"]) if row["decided_by"] else None,
        link_generation=row["link_generation"],
        link_until=row["link_until"],
        customer_id=row["customer_id"],
    )


def _proposal(row: Any) -> Proposal:
    return Proposal(
        terms=Terms.model_validate(row["terms"]),
        reason=row["proposed_because"],
        by=row["proposed_by"],
        at=row["proposed_at"],
        approvers_needed=row["approvers_needed"],
        approvals=tuple(Approval(each["by"], datetime.fromisoformat(each["at"])) for each in row["approvals"]),
    )
