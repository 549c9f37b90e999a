"""Vetting inputs and the questions to the bureau."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.credit.vetting.rules import Input, Inquiry, Kept, Particulars
from shared.db import Tx

_PARTICULARS: TypeAdapter[Particulars] = TypeAdapter(Particulars)

INQUIRY_DUE = """(
    select min(asked_at) from bureau_inquiry
    where status = 'asked' or (status = 'asking' and lease_until < now())
)"""
"""Asked and not yet on its way, or left behind by a crash; few rows at any time, and an index on just these."""


async def lock_customer(tx: Tx, customer_id: UUID) -> Any:
    """The customer's row, or None: locked first by everything that publishes for the customer."""
    return await tx.fetchrow("select segment, country from customer where id = $1 for no key update", customer_id)


async def lock_applicant(tx: Tx, application_id: UUID) -> Any:
    return await tx.fetchrow("select segment, country from applicant where id = $1 for no key update", application_id)


async def admit(tx: Tx, application_id: UUID, country: str, segment: str) -> None:
    await tx.execute(_ADMIT, application_id, country, segment)


_ADMIT = """
insert into applicant (id, country, segment) values ($1, $2, $3)
on conflict (id) do update set country = excluded.country, segment = excluded.segment
"""


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> None:
    """Hand over what was learned and asked."""
    await tx.execute("update vetting_input set customer_id = $2 where customer_id = $1", from_id, to_id)
    await tx.execute("update bureau_inquiry set customer_id = $2 where customer_id = $1", from_id, to_id)
    await tx.execute("delete from applicant where id = $1", from_id)


async def exists(tx: Tx, customer_id: UUID) -> bool:
    return bool(await tx.fetchval(_EXISTS, customer_id))


_EXISTS = "select exists (select from customer where id = $1) or exists (select from applicant where id = $1)"


async def by_external_id(tx: Tx, external_ids: Collection[str]) -> dict[str, UUID]:
    """Customers by the caller's own ids, locked in the one order for everybody."""
    rows = await tx.fetch(_BY_EXTERNAL_ID, list(external_ids))
    return {row["external_id"]: row["id"] for row in rows}


_BY_EXTERNAL_ID = "select id, external_id from customer where external_id = any($1) order by id for no key update"


async def add(tx: Tx, customer_id: UUID, input: Input, received_from: str) -> None:
    await tx.execute(
        _ADD,
        input.id,
        customer_id,
        input.kind,
        input.source,
        input.dated_on,
        input.expires_on,
        input.particulars.model_dump(mode="json", exclude_none=True),
        tx.now,
        received_from,
    )


_ADD = """
insert into vetting_input (id, customer_id, kind, source, dated_on, expires_on, particulars, received_at, received_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def of_customer(tx: Tx, customer_id: UUID) -> list[Input]:
    """All of them, the oldest first."""
    rows = await tx.fetch("select * from vetting_input where customer_id = $1 order by id", customer_id)
    return [_input(row) for row in rows]


async def page(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Kept]:
    """Newest first."""
    rows = await tx.fetch(_PAGE, customer_id, before, count_max)
    return [Kept(_input(row), row["received_at"], row["received_from"]) for row in rows]


_PAGE = """
select * from vetting_input
where customer_id = $1 and ($2::uuid is null or id < $2)
order by id desc
limit $3
"""


def _input(row: Any) -> Input:
    return Input(
        id=row["id"],
        source=row["source"],
        dated_on=row["dated_on"],
        expires_on=row["expires_on"],
        particulars=_PARTICULARS.validate_python(row["particulars"]),
    )


async def add_inquiry(tx: Tx, inquiry: Inquiry) -> None:
    of = inquiry
    await tx.execute(_ADD_INQUIRY, of.id, of.customer_id, of.legal_id, of.status, of.asked_at, of.asked_by)


_ADD_INQUIRY = """
insert into bureau_inquiry (id, customer_id, legal_id, status, asked_at, asked_by) values ($1, $2, $3, $4, $5, $6)
"""


async def find_inquiry(tx: Tx, inquiry_id: UUID) -> Inquiry | None:
    row = await tx.fetchrow("select * from bureau_inquiry where id = $1", inquiry_id)
    return _inquiry(row) if row else None


async def lock_inquiry(tx: Tx, inquiry_id: UUID) -> Inquiry | None:
    row = await tx.fetchrow("select * from bureau_inquiry where id = $1 for no key update", inquiry_id)
    return _inquiry(row) if row else None


async def give_up(tx: Tx) -> int:
    """Questions left on their way by a crash: nobody knows whether the bureau was asked, and was paid for it."""
    return len(await tx.fetch(_GIVE_UP, tx.now))


_GIVE_UP = """
update bureau_inquiry
set status = 'unknown', lease_until = null, answered_at = $1, detail = 'the service stopped while it was asking'
where status = 'asking' and lease_until < now()
returning id
"""


async def take_inquiry(tx: Tx, lease_seconds: float) -> tuple[Inquiry, str] | None:
    """The next question, marked as on its way, with the customer's country."""
    row = await tx.fetchrow(_TAKE, lease_seconds)
    return (_inquiry(row), row["country"]) if row else None


_TAKE = """
update bureau_inquiry set status = 'asking', lease_until = now() + make_interval(secs => $1)
where id = (
    select id from bureau_inquiry where status = 'asked' order by asked_at, id limit 1 for update skip locked
)
returning *, coalesce((select country from customer c where c.id = bureau_inquiry.customer_id),
                      (select country from applicant a where a.id = bureau_inquiry.customer_id)) as country
"""


async def record_answer(tx: Tx, inquiry: Inquiry) -> bool:
    """False where the question was given up in the meantime."""
    return bool(
        await tx.fetchval(
            _RECORD,
            inquiry.id,
            inquiry.status,
            tx.now,
            inquiry.http_status,
            inquiry.raw,
            inquiry.detail,
            inquiry.input_id,
        )
    )


_RECORD = """
update bureau_inquiry
set status = $2, lease_until = null, answered_at = $3, http_status = $4, raw = $5, detail = $6, input_id = $7
where id = $1 and status in ('asking', 'unknown')
returning true
"""


def _inquiry(row: Any) -> Inquiry:
    return Inquiry(
        id=row["id"],
        customer_id=row["customer_id"],
        legal_id=row["legal_id"],
        status=row["status"],
        asked_at=row["asked_at"],
        asked_by=row["asked_by"],
        answered_at=row["answered_at"],
        http_status=row["http_status"],
        raw=row["raw"],
        detail=row["detail"],
        input_id=row["input_id"],
    )
