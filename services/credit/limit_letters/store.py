"""Letters about limits and terms: the intent is a row before anything is sent, the outcome is written beside it. Table:
limit_letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.credit.limit_letters.rules import Letter, LimitChange, TermsChange, Text
from services.credit.onboarding_mails.rules import Outcome
from services.credit.terms.rules import Terms
from shared.db import Tx
from shared.money import Money

LETTERS_DUE = """(
    select min(planned_at) from limit_letter
    where (status = 'planned' and (retry_at is null or retry_at <= now()))
       or (status = 'sending' and lease_until < now())
)"""
"""Written and not yet sent, or left behind by a crash; few rows at any time, and an index on just these."""


async def add(tx: Tx, letter: Letter) -> bool:
    """False where there is one for this change."""
    return bool(
        await tx.fetchval(
            _ADD,
            letter.id,
            letter.customer_id,
            *_columns(letter.about),
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
                          customer_version, terms_before, terms, reason, effective_on, company, language, country,
                          recipient, recipient_name, planned_at, repeat_of, status, ended_at, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
on conflict do nothing
returning true
"""


def _columns(about: LimitChange | TermsChange) -> tuple[Any, ...]:
    """What it is about, the other kind's columns empty."""
    if isinstance(about, TermsChange):
        return (None,) * 5 + (about.version, _kept(about.before), _kept(about.after))
    before = about.before
    return (
        about.version,
        before.minor if before else None,
        before.currency if before else None,
        about.after.minor,
        about.after.currency,
        *(None,) * 3,
    )


def _kept(terms: Terms) -> dict[str, Any]:
    deposit = {"minor": terms.deposit.minor, "currency": terms.deposit.currency} if terms.deposit else None
    return {"net_days": terms.net_days, "prepaid_percent": terms.prepaid_percent, "deposit": deposit}


def _terms(kept: Any) -> Terms:
    deposit = kept["deposit"]
    return Terms(
        kept["net_days"], kept["prepaid_percent"], Money(deposit["minor"], deposit["currency"]) if deposit else None
    )


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
    tx: Tx, kind: str, customer_id: UUID | None, status: str | None, before: UUID | None, count_max: int
) -> Sequence[Letter]:
    """Newest first."""
    return [_letter(row) for row in await tx.fetch(_LETTERS, customer_id, status, before, count_max, kind)]


_LETTERS = """
select * from limit_letter
where ($1::uuid is null or customer_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
  and (terms is null) = ($5 = 'limit')
order by id desc limit $4
"""


def _about(row: Any) -> LimitChange | TermsChange:
    if row["terms"]:
        return TermsChange(row["customer_version"], _terms(row["terms_before"]), _terms(row["terms"]))
    before = Money(row["before_minor"], row["before_currency"]) if row["before_currency"] else None
    return LimitChange(row["account_version"], before, Money(row["limit_minor"], row["currency"]))


def _letter(row: Any) -> Letter:
    return Letter(
        id=row["id"],
        customer_id=row["customer_id"],
        about=_about(row),
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
