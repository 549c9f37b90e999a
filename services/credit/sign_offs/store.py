"""Sign-offs of review packs, one row each. Table: review_sign_off."""

from __future__ import annotations

from dataclasses import astuple
from uuid import UUID

from services.credit.sign_offs.rules import SignOff
from shared.db import Tx

_COLUMNS = "id, scorecard, first_on, last_on, policy_version, conclusion, note, figures, signed_by, signed_at"


async def add(tx: Tx, signed: SignOff) -> None:
    await tx.execute(_ADD, *astuple(signed))


_ADD = f"insert into review_sign_off ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"


async def page(tx: Tx, scorecard: str | None, before: UUID | None, count_max: int) -> list[SignOff]:
    """Newest first."""
    return [SignOff(**row) for row in await tx.fetch(_PAGE, scorecard, before, count_max)]


_PAGE = f"""
select {_COLUMNS} from review_sign_off
where ($1::text is null or scorecard = $1) and ($2::uuid is null or id < $2)
order by id desc limit $3
"""
