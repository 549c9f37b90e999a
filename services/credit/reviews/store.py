"""Reviews, one row each. Table: credit_review (written); customer (read)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.credit.reviews.rules import Review
from shared.db import Tx

_COLUMNS = """
id, version, customer_id, status, because, opened_on, opened_by, due_on, owner, done_at, done_by, outcome, note
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews; None stands for all."""

    status: str | None = None
    customer_id: UUID | None = None
    owner: str | None = None
    due_until: date | None = None


async def add(tx: Tx, review: Review) -> bool:
    """False when one is open."""
    return bool(await tx.fetchval(_ADD, *astuple(review)))


_ADD = f"""
insert into credit_review ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (customer_id) where status = 'open' do nothing
returning true
"""


async def save(tx: Tx, review: Review) -> None:
    await tx.execute(
        _SAVE,
        review.id,
        review.version,
        review.status,
        review.because,
        review.due_on,
        review.owner,
        review.done_at,
        review.done_by,
        review.outcome,
        review.note,
    )


_SAVE = """
update credit_review
set version = $2, status = $3, because = $4, due_on = $5, owner = $6, done_at = $7, done_by = $8, outcome = $9,
    note = $10
where id = $1
"""


async def read(tx: Tx, review_id: UUID) -> Review | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from credit_review where id = $1", review_id)
    return _review(row) if row else None


async def open_one(tx: Tx, customer_id: UUID) -> Review | None:
    row = await tx.fetchrow(
        f"select {_COLUMNS} from credit_review where customer_id = $1 and status = 'open'", customer_id
    )
    return _review(row) if row else None


async def last_on(tx: Tx, customer_id: UUID) -> date:
    """When a review was last done, or else when the customer came."""
    return await tx.fetchval(_LAST_ON, customer_id)


_LAST_ON = """
select coalesce(
    (select max(done_at) from credit_review where customer_id = $1 and status = 'done'),
    (select onboarded_at from customer where id = $1)
)::date
"""


async def reviews(tx: Tx, wanted: Wanted, after: tuple[date, UUID] | None, count_max: int) -> Sequence[Review]:
    """What is due first comes first."""
    chosen = (wanted.status, wanted.customer_id, wanted.owner, wanted.due_until)
    return [_review(row) for row in await tx.fetch(_REVIEWS, *chosen, *(after or (None, None)), count_max)]


_REVIEWS = f"""
select {_COLUMNS} from credit_review
where ($1::text is null or status = $1) and ($2::uuid is null or customer_id = $2)
  and ($3::text is null or owner = $3) and ($4::date is null or due_on <= $4)
  and ($5::date is null or (due_on, id) > ($5, $6))
order by due_on, id
limit $7
"""


def _review(row: Any) -> Review:
    return Review(**{**row, "because": tuple(row["because"])})
