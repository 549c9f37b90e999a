"""Mails to applicants. Tables: onboarding_mail; agreement (its PDF; read)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.credit.onboarding_mails.rules import Mail, Outcome
from shared.db import Tx

MAILS_DUE = """(
    select min(planned_at) from onboarding_mail
    where (status = 'planned' and (retry_at is null or retry_at <= now()))
       or (status = 'sending' and lease_until < now())
)"""
"""Written and not yet sent, or left behind by a crash; few rows at any time, and an index on just these."""


async def add(tx: Tx, mail: Mail) -> None:
    await tx.execute(
        _ADD,
        mail.id,
        mail.application_id,
        mail.kind,
        mail.agreement_id,
        mail.recipient,
        mail.recipient_name,
        mail.sender_name,
        mail.subject,
        mail.plain,
        mail.html,
        mail.planned_at,
        mail.planned_by,
        mail.status,
        mail.reply_to,
    )


_ADD = """
insert into onboarding_mail (id, application_id, kind, agreement_id, recipient, recipient_name, sender_name, subject,
                             plain, html, planned_at, planned_by, status, reply_to)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""


async def give_up(tx: Tx) -> int:
    """Mails whose sender is gone: nobody knows whether they left."""
    return len(await tx.fetch(_GIVE_UP, tx.now))


_GIVE_UP = """
update onboarding_mail
set status = 'unknown', lease_until = null, ended_at = $1,
    reason = 'whoever was sending it is gone; it may have left'
where status = 'sending' and lease_until < now()
returning id
"""


async def take(tx: Tx, lease_seconds: float, count_max: int) -> list[Mail]:
    """The next ones, marked as on their way."""
    return [_mail(row) for row in await tx.fetch(_TAKE, lease_seconds, count_max)]


_TAKE = """
with taken as (
    update onboarding_mail set status = 'sending', lease_until = now() + make_interval(secs => $1)
    where id in (
        select id from onboarding_mail
        where status = 'planned' and (retry_at is null or retry_at <= now())
        order by planned_at, id limit $2 for update skip locked
    )
    returning *
)
select taken.*, agreement.pdf
from taken left join agreement on agreement.id = taken.agreement_id
order by taken.id
"""


async def record(tx: Tx, mail_id: UUID, outcome: Outcome) -> None:
    """Also of one that was given up in the meantime: this is what is known of it."""
    await tx.execute(_RECORD, mail_id, outcome.status, outcome.reason, outcome.retry_at, tx.now)


_RECORD = """
update onboarding_mail
set status = $2, reason = $3, retry_at = $4, lease_until = null, attempts = attempts + 1,
    ended_at = case when $2 <> 'planned' then $5::timestamptz end
where id = $1 and (status = 'sending' or (status = 'unknown' and $2 <> 'planned'))
"""


async def read(tx: Tx, mail_id: UUID) -> Mail | None:
    row = await tx.fetchrow("select *, null::bytea as pdf from onboarding_mail where id = $1", mail_id)
    return _mail(row) if row else None


async def of_application(tx: Tx, application_id: UUID) -> Sequence[Mail]:
    """The oldest first."""
    rows = await tx.fetch(
        "select *, null::bytea as pdf from onboarding_mail where application_id = $1 order by id", application_id
    )
    return [_mail(row) for row in rows]


def _mail(row: Any) -> Mail:
    return Mail(**{name: row[name] for name in Mail.__dataclass_fields__})
