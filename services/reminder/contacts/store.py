"""Contact rows: the intent before a message leaves, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.reminder.contacts.rules import Contact
from services.reminder.policies.rules import Touch
from shared.db import Tx
from shared.money import Money

UNDER_WAY_SINCE = "(select min(due_at) from contact where status in ('planned', 'sending') and channel <> 'letter')"
"""Letters wait for a person to print and post them."""

_NEW = """id, version, customer_id, case_id, entity_id, episode, step, channel, strategy, strategy_version, tone,
template, status, reason, invoices, amounts, recipient, due_at, sent_at, attempts, retry_at, lease_until, delivery_id"""
_COLUMNS = f"{_NEW}, leaving, provider_id, delivered_at, bounced_at, bounce_reason, complained_at"


async def add(tx: Tx, contacts: Sequence[Contact]) -> set[UUID]:
    """Write new contacts; one whose step was already sent in its episode is left out. Returns the ids written."""
    rows = [_values(contact) for contact in contacts]
    made = await tx.fetch(_ADD, *(list(column) for column in zip(*rows, strict=True)))
    return {row["id"] for row in made}


_ADD = f"""
insert into contact ({_NEW})
select id, version, customer_id, case_id, entity_id, episode, step, channel, strategy, strategy_version, tone,
       template, status, reason, invoices::jsonb, amounts::jsonb, recipient, due_at, sent_at, attempts, retry_at,
       lease_until, delivery_id
from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
            $17::text[], $18::timestamptz[], $19::timestamptz[], $20::bigint[], $21::timestamptz[],
            $22::timestamptz[], $23::uuid[])
     as t ({_NEW})
on conflict (customer_id, entity_id, episode, step, channel) where status in ('planned', 'sending', 'sent', 'unknown')
do nothing
returning id
"""


async def save(tx: Tx, contacts: Sequence[Contact]) -> None:
    rows = [
        (
            contact.id,
            contact.version,
            contact.status,
            contact.reason,
            _invoices(contact),
            _amounts(contact),
            contact.recipient,
            contact.due_at,
            contact.sent_at,
            contact.attempts,
            contact.retry_at,
            contact.lease_until,
            contact.leaving,
            contact.provider_id,
            contact.delivered_at,
            contact.bounced_at,
            contact.bounce_reason,
            contact.complained_at,
        )
        for contact in contacts
    ]
    await tx.execute(_SAVE, *(list(column) for column in zip(*rows, strict=True)))


_SAVE = """
update contact set
    version = new.version, status = new.status, reason = new.reason, invoices = new.invoices::jsonb,
    amounts = new.amounts::jsonb, recipient = new.recipient, due_at = new.due_at, sent_at = new.sent_at,
    attempts = new.attempts, retry_at = new.retry_at, lease_until = new.lease_until, leaving = new.leaving,
    provider_id = new.provider_id, delivered_at = new.delivered_at, bounced_at = new.bounced_at,
    bounce_reason = new.bounce_reason, complained_at = new.complained_at
from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
            $9::timestamptz[], $10::bigint[], $11::timestamptz[], $12::timestamptz[], $13::bool[], $14::text[],
            $15::timestamptz[], $16::timestamptz[], $17::text[], $18::timestamptz[])
     as new (id, version, status, reason, invoices, amounts, recipient, due_at, sent_at, attempts, retry_at,
             lease_until, leaving, provider_id, delivered_at, bounced_at, bounce_reason, complained_at)
where contact.id = new.id
"""


async def to_do(tx: Tx, real_now: datetime, limit: int) -> list[Contact]:
    """What may be tried now (planned, not waiting for a retry), and what somebody was sending whose lease is over.
    Oldest first; what goes out as one message comes together, beyond the limit."""
    found = _contacts(await tx.fetch(_TO_DO, tx.now, real_now, limit))
    shared = {contact.delivery_id for contact in found if contact.delivery_id}
    if len(found) < limit or not shared:
        return found
    rest = _contacts(await tx.fetch(_TO_DO_WITH, tx.now, real_now, list(shared)))
    return list({contact.id: contact for contact in (*found, *rest)}.values())


_MAY_BE_DONE = """channel <> 'letter'
  and ((status = 'planned' and due_at <= $1 and (retry_at is null or retry_at <= $2))
       or (status = 'sending' and lease_until <= $2))"""
_TO_DO = f"select {_COLUMNS} from contact where {_MAY_BE_DONE} order by due_at, id limit $3"
_TO_DO_WITH = (
    f"select {_COLUMNS} from contact where {_MAY_BE_DONE} and delivery_id = any($3::uuid[]) order by due_at, id"
)


async def leave(tx: Tx, ids: Sequence[UUID], lease_until: datetime) -> set[UUID]:
    """Mark as leaving those that are still in the hands of whoever has that lease; returns their ids."""
    return {row["id"] for row in await tx.fetch(_LEAVE, ids, lease_until)}


_LEAVE = """
update contact set leaving = true where id = any($1::uuid[]) and status = 'sending' and lease_until = $2 returning id
"""


async def take_back(tx: Tx, ids: Sequence[UUID], real_now: datetime) -> None:
    """Those whose sender is gone and that were not leaving are planned again. One statement: their sender may still be
    there, and mark them at this moment."""
    await tx.execute(_TAKE_BACK, ids, real_now)


_TAKE_BACK = """
update contact set status = 'planned', lease_until = null
where id = any($1::uuid[]) and status = 'sending' and lease_until <= $2 and not leaving
"""


async def left_behind(tx: Tx, ids: Sequence[UUID], real_now: datetime) -> list[Contact]:
    """Those that were leaving when their sender went."""
    return _contacts(await tx.fetch(_LEFT_BEHIND, ids, real_now))


_LEFT_BEHIND = f"""
select {_COLUMNS} from contact
where id = any($1::uuid[]) and status = 'sending' and lease_until <= $2 and leaving order by id
"""


async def waiting_letters(tx: Tx, entity_id: str, limit: int) -> list[Contact]:
    """Letters that are planned and due, oldest first."""
    return _contacts(await tx.fetch(_WAITING_LETTERS, entity_id, tx.now, limit))


_WAITING_LETTERS = f"""
select {_COLUMNS} from contact
where channel = 'letter' and status = 'planned' and entity_id = $1 and due_at <= $2 order by due_at, id limit $3
"""


async def in_status(tx: Tx, ids: Sequence[UUID], status: str) -> list[Contact]:
    """Those of the contacts that are in a status; read under their customers' locks."""
    return _contacts(await tx.fetch(_IN_STATUS, ids, status))


_IN_STATUS = f"select {_COLUMNS} from contact where id = any($1::uuid[]) and status = $2 order by id"


async def recent(tx: Tx, customer_ids: Sequence[UUID], since: datetime) -> list[tuple[UUID, UUID | None, Touch]]:
    """What reached customers since then, or may have, or is about to; with the message that it shares with others."""
    rows = await tx.fetch(_RECENT, customer_ids, since)
    return [(row["customer_id"], row["delivery_id"], Touch(row["at"], row["channel"], row["kind"])) for row in rows]


_RECENT = """
select customer_id, delivery_id, coalesce(sent_at, due_at) as at, channel, 'contact' as kind from contact
where customer_id = any($1::uuid[]) and status in ('planned', 'sending', 'sent', 'unknown')
  and coalesce(sent_at, due_at) >= $2 and channel in ('email', 'sms', 'letter', 'call')
  and (channel <> 'call' or not exists (select from touch where touch.contact_id = contact.id))
union all
select customer_id, null, at, channel, kind from touch where customer_id = any($1::uuid[]) and at >= $2
"""


async def add_touches(tx: Tx, touches: Sequence[tuple[UUID, Any]]) -> None:
    rows = [
        (id, new.customer_id, new.entity_id, new.channel, new.kind, new.at, new.source, new.contact_id)
        for id, new in touches
    ]
    await tx.execute(_ADD_TOUCHES, *(list(column) for column in zip(*rows, strict=True)))


_ADD_TOUCHES = """
insert into touch (id, customer_id, entity_id, channel, kind, at, source, contact_id)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
                     $8::uuid[])
on conflict on constraint touch_once_per_source do nothing
"""


async def page(tx: Tx, customer_id: UUID | None, status: str | None, before: UUID | None, limit: int) -> list[Contact]:
    """Newest first."""
    return _contacts(await tx.fetch(_PAGE, customer_id, status, before, limit))


_PAGE = f"""
select {_COLUMNS} from contact
where ($1::uuid is null or customer_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
order by id desc limit $4
"""


async def find(tx: Tx, contact_id: UUID) -> Contact | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from contact where id = $1", contact_id)
    return _contacts([row])[0] if row else None


async def sharing(tx: Tx, delivery_id: UUID) -> list[Contact]:
    return _contacts(await tx.fetch(_SHARING, delivery_id))


_SHARING = f"""
select {_COLUMNS} from contact where delivery_id = $1 and status in ('sending', 'sent', 'unknown') order by id
"""


async def latest_to(tx: Tx, address: str) -> Contact | None:
    row = await tx.fetchrow(_LATEST_TO, address)
    return _contacts([row])[0] if row else None


_LATEST_TO = f"""
select {_COLUMNS} from contact
where lower(recipient) = lower($1) and status not in ('planned', 'suppressed') order by id desc limit 1
"""


async def latest_text_to(tx: Tx, number: str) -> Contact | None:
    row = await tx.fetchrow(_LATEST_TEXT_TO, "".join(filter(str.isdecimal, number)))
    return _contacts([row])[0] if row else None


_LATEST_TEXT_TO = f"""
select {_COLUMNS} from contact
where channel = 'sms' and regexp_replace(recipient, '^00|[^0-9]', '', 'g') = $1
  and status not in ('planned', 'suppressed') order by id desc limit 1
"""


def _values(contact: Contact) -> tuple[Any, ...]:
    return (
        contact.id,
        contact.version,
        contact.customer_id,
        contact.case_id,
        contact.entity_id,
        contact.episode,
        contact.step,
        contact.channel,
        contact.strategy,
        contact.strategy_version,
        contact.tone,
        contact.template,
        contact.status,
        contact.reason,
        _invoices(contact),
        _amounts(contact),
        contact.recipient,
        contact.due_at,
        contact.sent_at,
        contact.attempts,
        contact.retry_at,
        contact.lease_until,
        contact.delivery_id,
    )


def _invoices(contact: Contact) -> str:
    return orjson.dumps(contact.invoices).decode()


def _amounts(contact: Contact) -> str:
    return orjson.dumps([(money.minor, money.currency) for money in contact.amounts]).decode()


def _contacts(rows: Iterable[Any]) -> list[Contact]:
    return [
        Contact(
            **{
                **row,
                "invoices": tuple(row["invoices"]),
                "amounts": tuple(Money(minor, currency) for minor, currency in row["amounts"]),
            }
        )
        for row in rows
    ]
