"""Who of those known may be the same company as this one?"""

from __future__ import annotations

from uuid import UUID

from services.credit.duplicates import rules, store
from services.credit.duplicates.rules import Suspect, UnknownCompany
from shared.db import Tx


async def suspect_duplicates(tx: Tx, id: UUID) -> list[Suspect]:
    """Active customers and open applications that may be the same as this customer or application, the likeliest
    first. Raises UnknownCompany."""
    company = await store.find(tx, id)
    if company is None:
        raise UnknownCompany(id)
    return rules.suspects(company, await store.alike(tx, company))
