"""Terms as they were written out. Table: agreement."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from services.credit.agreements.rules import Acceptance, Agreement, Seller
from services.credit.applications.rules import Terms
from shared.db import Tx


async def add(tx: Tx, agreement: Agreement, pdf: bytes) -> bool:
    """False when somebody else wrote this version in the meantime."""
    return bool(
        await tx.fetchval(
            _ADD,
            agreement.id,
            agreement.application_id,
            agreement.version,
            agreement.external_id,
            agreement.language,
            agreement.terms.model_dump(mode="json", exclude_none=True),
            asdict(agreement.seller),
            pdf,
            agreement.sha256,
            agreement.made_at,
            agreement.made_by,
        )
    )


_ADD = """
insert into agreement (id, application_id, version, external_id, language, terms, seller, pdf, sha256, made_at, made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict on constraint agreement_one_of_each_version do nothing
returning true
"""


async def save_acceptance(tx: Tx, agreement_id: UUID, accepted: Acceptance) -> None:
    await tx.execute(
        _SAVE_ACCEPTANCE,
        agreement_id,
        accepted.on,
        accepted.by,
        accepted.through,
        accepted.recorded_at,
        accepted.recorded_by,
    )


_SAVE_ACCEPTANCE = """
update agreement
set accepted_on = $2, accepted_by = $3, accepted_through = $4, recorded_at = $5, recorded_by = $6
where id = $1
"""

_COLUMNS = """
id, application_id, version, external_id, language, terms, seller, sha256, made_at, made_by, accepted_on, accepted_by,
accepted_through, recorded_at, recorded_by
"""


async def newest(tx: Tx, application_id: UUID) -> Agreement | None:
    row = await tx.fetchrow(_NEWEST, application_id)
    return _agreement(row) if row else None


_NEWEST = f"select {_COLUMNS} from agreement where application_id = $1 order by version desc limit 1"


async def pdf(tx: Tx, agreement_id: UUID) -> bytes:
    return await tx.fetchval("select pdf from agreement where id = $1", agreement_id)


def _agreement(row: Any) -> Agreement:
    accepted = None
    if row["accepted_on"]:
        accepted = Acceptance(
            row["accepted_on"], row["accepted_by"], row["accepted_through"], row["recorded_at"], row["recorded_by"]
        )
    seller: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row["seller"].items()
    }
    return Agreement(
        id=row["id"],
        application_id=row["application_id"],
        version=row["version"],
        external_id=row["external_id"],
        language=row["language"],
        terms=Terms.model_validate(row["terms"]),
        seller=Seller(**seller),
        sha256=row["sha256"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        accepted=accepted,
    )
