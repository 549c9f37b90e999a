"""Tables: dispute, dispute_share, dispute_message, dispute_attachment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from operator import attrgetter
from uuid import UUID

from services.invoice.disputes.rules import Attachment, Count, CountedBy, Dispute, Message, Share
from shared.db import Tx

NEXT_ESCALATION = "(select min(escalate_at) from dispute where escalate_at is not null)"

_FIELDS = tuple(field.name for field in fields(Dispute))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)
_F = len(_FIELDS)

_INSERT = f"""
with opened as (
    insert into dispute ({_COLUMNS}, escalate_at) values ({", ".join(f"${n}" for n in range(1, _F + 2))})
)
insert into dispute_share (dispute_id, position, amount_minor, product_code, seller_code)
select $1, * from unnest(${_F + 2}::int[], ${_F + 3}::bigint[], ${_F + 4}::text[], ${_F + 5}::text[])
"""


async def insert(tx: Tx, dispute: Dispute, shares: Sequence[Share], escalate_at: datetime | None) -> None:
    await tx.execute(
        _INSERT,
        *_values(dispute),
        escalate_at,
        [share.position for share in shares],
        [share.amount_minor for share in shares],
        [share.product_code for share in shares],
        [share.seller_code for share in shares],
    )


_CHANGING = (
    *("id", "status", "held_minor", "resolved_on", "version", "escalated_on", "resolution_note"),
    *("accepted_minor", "collect_again_on"),
)
_changing_values = attrgetter(*_CHANGING)

_SAVE = f"""
update dispute d set
    {", ".join(f"{name} = g.{name}" for name in _CHANGING[1:])},
    escalate_at = case when g.status = 'open' and g.escalated_on is null then d.escalate_at end
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::date[], $5::int[], $6::date[], $7::text[], $8::bigint[],
            $9::date[]) as g ({", ".join(_CHANGING)})
where d.id = g.id
"""


async def save(tx: Tx, disputes: Sequence[Dispute]) -> None:
    """Write what became of disputes; one that is over is not escalated any more."""
    await tx.execute(_SAVE, *zip(*map(_changing_values, disputes), strict=True))


_ASSIGN = "update dispute set version = $2, owner = $3, answer_by = $4, code = $5, escalate_at = $6 where id = $1"


async def assign(tx: Tx, dispute: Dispute, escalate_at: datetime | None) -> None:
    d = dispute
    await tx.execute(_ASSIGN, d.id, d.version, d.owner, d.answer_by, d.code, escalate_at)


_CREDITED = "update dispute set credit_note_id = $2 where id = $1"


async def credited(tx: Tx, dispute_id: UUID, credit_note_id: UUID) -> None:
    await tx.execute(_CREDITED, dispute_id, credit_note_id)


_CREDIT_NOTES = """
select credit_note_id from dispute where invoice_id = any($1::uuid[]) and credit_note_id is not null
"""


async def credit_notes_of(tx: Tx, invoice_ids: Sequence[UUID]) -> set[UUID]:
    return {row[0] for row in await tx.fetch(_CREDIT_NOTES, invoice_ids)}


_FIND = f"select {_COLUMNS} from dispute where id = $1"


async def find(tx: Tx, dispute_id: UUID) -> Dispute | None:
    row = await tx.fetchrow(_FIND, dispute_id)
    return Dispute(*row.values()) if row else None


_OPEN = f"select {_COLUMNS} from dispute where invoice_id = any($1::uuid[]) and status = 'open'"


async def open_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Dispute]:
    return [Dispute(*row.values()) for row in await tx.fetch(_OPEN, invoice_ids)]


_PAGE = f"""
select {_COLUMNS} from dispute
where ($1::uuid is null or id > $1)
  and ($2::uuid is null or invoice_id = $2)
  and ($3::uuid is null or customer_id = $3)
  and ($4::text is null or status = $4)
  and ($5::text is null or code = $5)
  and ($6::text is null or owner = $6)
  and ($7::boolean is null or (escalated_on is not null) = $7)
order by id limit $8
"""


async def page(
    tx: Tx,
    *,
    after: UUID | None,
    invoice_id: UUID | None,
    customer_id: UUID | None,
    status: str | None,
    code: str | None,
    owner: str | None,
    escalated: bool | None,
    limit: int,
) -> list[Dispute]:
    rows = await tx.fetch(_PAGE, after, invoice_id, customer_id, status, code, owner, escalated, limit)
    return [Dispute(*row.values()) for row in rows]


_TO_ESCALATE = "select id, customer_id from dispute where escalate_at <= $1 order by escalate_at limit $2"


async def to_escalate(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    return [(row[0], row[1]) for row in await tx.fetch(_TO_ESCALATE, now, limit)]


_MANY = f"select {_COLUMNS} from dispute where id = any($1::uuid[]) order by id"


async def find_many(tx: Tx, dispute_ids: Sequence[UUID]) -> list[Dispute]:
    return [Dispute(*row.values()) for row in await tx.fetch(_MANY, dispute_ids)]


# --- word to the customer ---

_ACKNOWLEDGED = "update dispute set acknowledgement = 'sent' where id = $1"


async def acknowledged(tx: Tx, dispute_id: UUID) -> None:
    await tx.execute(_ACKNOWLEDGED, dispute_id)


# --- messages and attachments ---

_MESSAGE = ", ".join(field.name for field in fields(Message))
_ADD_MESSAGE = f"insert into dispute_message ({_MESSAGE}) values ($1, $2, $3, $4, $5, $6)"
_MESSAGES = f"select {_MESSAGE} from dispute_message where dispute_id = $1 order by id"


async def add_message(tx: Tx, message: Message) -> None:
    m = message
    await tx.execute(_ADD_MESSAGE, m.id, m.dispute_id, m.author, m.from_customer, m.body, m.written_at)


async def messages_of(tx: Tx, dispute_id: UUID) -> list[Message]:
    return [Message(*row.values()) for row in await tx.fetch(_MESSAGES, dispute_id)]


_ATTACHMENT_FIELDS = tuple(field.name for field in fields(Attachment))
_ATTACHMENT = ", ".join(_ATTACHMENT_FIELDS)
_attachment_values = attrgetter(*_ATTACHMENT_FIELDS)
_ATTACH = f"""
insert into dispute_attachment ({_ATTACHMENT}, content) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict on constraint dispute_attachment_once do nothing
"""
_SAME = f"select {_ATTACHMENT} from dispute_attachment where dispute_id = $1 and sha256 = $2"
_ATTACHMENTS = f"select {_ATTACHMENT} from dispute_attachment where dispute_id = $1 order by id"
_CONTENT = f"select {_ATTACHMENT}, content from dispute_attachment where dispute_id = $1 and id = $2"


async def attach(tx: Tx, attachment: Attachment, content: bytes) -> None:
    await tx.execute(_ATTACH, *_attachment_values(attachment), content)


async def find_same(tx: Tx, dispute_id: UUID, sha256: bytes) -> Attachment | None:
    row = await tx.fetchrow(_SAME, dispute_id, sha256)
    return Attachment(*row.values()) if row else None


async def attachments_of(tx: Tx, dispute_id: UUID) -> list[Attachment]:
    return [Attachment(*row.values()) for row in await tx.fetch(_ATTACHMENTS, dispute_id)]


async def content_of(tx: Tx, dispute_id: UUID, attachment_id: UUID) -> tuple[Attachment, bytes] | None:
    row = await tx.fetchrow(_CONTENT, dispute_id, attachment_id)
    return (Attachment(*tuple(row.values())[:-1]), row["content"]) if row else None


# --- counted ---

_COUNT = """
select k.key, i.currency, count(*), count(*) filter (where d.status = 'open'),
       count(*) filter (where d.escalated_on is not null), count(*) filter (where d.status = 'accepted'),
       count(*) filter (where d.status = 'rejected'), sum(k.amount_minor)::bigint,
       coalesce(sum(round(d.accepted_minor::numeric * k.amount_minor / d.amount_minor)), 0)::bigint,
       avg(d.resolved_on - d.opened_on) filter (where d.status in ('accepted', 'rejected'))
from dispute d join invoice i on i.id = d.invoice_id
cross join lateral ({keys}) k
where d.opened_on between $1 and $2 and ($3::text is null or i.entity_id = $3)
group by k.key, i.currency order by sum(k.amount_minor) desc, k.key, i.currency limit $4
"""
_BY_LINE = """
select s.{code} as key, sum(s.amount_minor) as amount_minor
from dispute_share s where s.dispute_id = d.id group by s.{code}
"""
_COUNTS: dict[CountedBy, str] = {
    "reason": _COUNT.format(keys="select d.code as key, d.amount_minor"),
    "product": _COUNT.format(keys=_BY_LINE.format(code="product_code")),
    "seller": _COUNT.format(keys=_BY_LINE.format(code="seller_code")),
}


async def count(tx: Tx, by: CountedBy, first: date, last: date, entity_id: str | None, limit: int) -> list[Count]:
    rows = await tx.fetch(_COUNTS[by], first, last, entity_id, limit)
    return [Count(*tuple(row.values())[:-1], days_to_resolve=_days(row[-1])) for row in rows]


def _days(mean: Decimal | None) -> Decimal | None:
    return None if mean is None else mean.quantize(Decimal("0.1"), ROUND_HALF_EVEN)
