"""Letters about limits: the intent is a row before anything is sent, the outcome is written beside it. Table:
limit_letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.credit.limit_letters.rules import Letter, Text
from services.credit.onboarding_mails.rules import Outcome
from shared.db import Tx
from shared.money import Money

LETTERS_DUE = """(
    select min(planned_at) from limit_letter
    where (status = 'planned' and (retry_at is null or retry_at <= now()))
       or (status = 'sending' and lease_until < now())
)"""
"""Written and not yet sent, or left behind by a crash; few rows at any time, and an index on just these."""


async def add(tx: Tx, letter: Letter) -> bool:
    """False where there is one for this change of the limit."""
    return bool(
        await tx.fetchval(
            _ADD,
            letter.id,
            letter.customer_id,
            letter.account_version,
            letter.before.minor if letter.before else None,
            letter.before.currency if letter.before else None,
            letter.limit.minor,
            letter.limit.currency,
            letter.reason,
            letter.effective_on,
            letter.company,
            letter.language,
            letter.country,
            letter.recipient,
            letter.recipient_name,
            letter.planned_at,
            letter.repeat_of,
            letter.status,
            letter.ended_at,
            letter.detail,
        )
    )


_ADD = """
insert into limit_letter (id, customer_id, account_version, before_minor, before_currency, limit_minor, currency,
                          reason, effective_on, company, language, country, recipient, recipient_name, planned_at,
                          repeat_of, status, ended_at, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
on conflict (customer_id, account_version) where repeat_of is null do nothing
returning true
"""


async def give_up(tx: Tx) -> int:
    """Letters whose sender is gone: nobody knows whether they left."""
    return len(await tx.fetch(_GIVE_UP, tx.now))


_GIVE_UP = """
update limit_letter
set status = 'unknown', lease_until = null, ended_at = $1, detail = 'whoever was sending it is gone; it may have left'
where status = 'sending' and lease_until < now()
returning id
"""


async def take(tx: Tx, lease_seconds: float, count_max: int) -> list[Letter]:
    """The next ones, marked as on their way."""
    return [_letter(row) for row in await tx.fetch(_TAKE, lease_seconds, count_max)]


_TAKE = """
with taken as (
    update limit_letter set status = 'sending', lease_until = now() + make_interval(secs => $1)
    where id in (
        select id from limit_letter
        where status = 'planned' and (retry_at is null or retry_at <= now())
        order by planned_at, id limit $2 for update skip locked
    )
    returning *
)
select * from taken order by id
"""


async def record(tx: Tx, letter_id: UUID, text: Text | None, outcome: Outcome) -> None:
    """Also of one that was given up in the meantime: this is what is known of it."""
    subject, plain = (text.subject, text.plain) if text else (None, None)
    await tx.execute(_RECORD, letter_id, outcome.status, outcome.reason, outcome.retry_at, tx.now, subject, plain)


_RECORD = """
update limit_letter
set status = $2, detail = $3, retry_at = $4, lease_until = null, attempts = attempts + 1,
    ended_at = case when $2 <> 'planned' then $5::timestamptz end,
    subject = coalesce($6, subject), plain = coalesce($7, plain)
where id = $1 and (status = 'sending' or (status = 'unknown' and $2 <> 'planned'))
"""


async def read(tx: Tx, letter_id: UUID) -> Letter | None:
    row = await tx.fetchrow("select * from limit_letter where id = $1", letter_id)
    return _letter(row) if row else None


async def lock(tx: Tx, letter_id: UUID) -> Letter | None:
    row = await tx.fetchrow("select * from limit_letter where id = $1 for update", letter_id)
    return _letter(row) if row else None


async def is_repeated(tx: Tx, letter_id: UUID) -> bool:
    return await tx.fetchval("select exists (select from limit_letter where repeat_of = $1)", letter_id)


async def letters(
    tx: Tx, customer_id: UUID | None, status: str | None, before: UUID | None, count_max: int
) -> Sequence[Letter]:
    """Newest first."""
    return [_letter(row) for row in await tx.fetch(_LETTERS, customer_id, status, before, count_max)]


_LETTERS = """
select * from limit_letter
where ($1::uuid is null or customer_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
order by id desc limit $4
"""


def _letter(row: Any) -> Letter:
    return Letter(
        id=row["id"],
        customer_id=row["customer_id"],
        account_version=row["account_version"],
        before=Money(row["before_minor"], row["before_currency"]) if row["before_currency"] else None,
        limit=Money(row["limit_minor"], row["currency"]),
        reason=row["reason"],
        effective_on=row["effective_on"],
        company=row["company"],
        language=row["language"],
        country=row["country"],
        recipient=row["recipient"],
        recipient_name=row["recipient_name"],
        planned_at=row["planned_at"],
        repeat_of=row["repeat_of"],
        status=row["status"],
        attempts=row["attempts"],
        ended_at=row["ended_at"],
        detail=row["detail"],
        subject=row["subject"],
        plain=row["plain"],
    )
