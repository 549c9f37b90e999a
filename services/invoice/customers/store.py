"""Tables: customer (written); entity, number_series and document_preference (read, for the account)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from services.invoice.customers.rules import Account, Customer
from services.invoice.entities.rules import Entity
from shared.db import Tx
from shared.events.credit import CustomerState

_CUSTOMER = (
    "c.id, c.version, c.external_id, c.name, c.status, c.country, c.language, c.time_zone, c.currency, c.segment, "
    "c.net_days, c.contacts, c.address, c.vat_id, c.buyer_reference, c.requires, c.merged_into"
)
_CUSTOMER_WIDTH = 17
_ACCOUNT = (
    f"{_CUSTOMER}, e.id, e.version, e.name, e.time_zone, e.currency, e.credit_policy, "
    "e.locked_until, e.seller::text, e.policies::text, s.prefix, coalesce(w.paper, false)"
)


def _account(row: Record | None) -> Account | None:
    if row is None:
        return None
    values = tuple(row.values())
    return Account(Customer(*values[:_CUSTOMER_WIDTH]), Entity.of(values[_CUSTOMER_WIDTH:-2]), *values[-2:])


_FIND = f"""
select {_ACCOUNT}
from customer c join entity e on e.id = $3 join number_series s on s.entity_id = e.id and s.kind = 'invoice'
left join document_preference w on w.customer_id = c.id and w.entity_id = e.id
where c.id = $1 or c.external_id = $2
order by c.version desc limit 1
"""


async def find(tx: Tx, customer_id: UUID | None, external_id: str | None, entity_id: str) -> Account | None:
    return _account(await tx.fetchrow(_FIND, customer_id, external_id, entity_id))


_LOCK = f"{_FIND} for no key update of c"


async def lock(tx: Tx, customer_id: UUID | None, external_id: str | None, entity_id: str) -> Account | None:
    return _account(await tx.fetchrow(_LOCK, customer_id, external_id, entity_id))


_LOCK_MANY = """
select id from customer where id = any($1::uuid[]) order by id for no key update
"""


async def lock_many(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    await tx.execute(_LOCK_MANY, customer_ids)


_FIND_MANY = f"""
select {_CUSTOMER} from customer c where c.id = any($1::uuid[]) or c.external_id = any($2::text[])
"""


async def find_many(tx: Tx, customer_ids: Sequence[UUID], external_ids: Sequence[str]) -> list[Customer]:
    return [Customer(*row.values()) for row in await tx.fetch(_FIND_MANY, customer_ids, external_ids)]


_NAMED = f"select {_CUSTOMER} from customer c where lower(c.name) = any($1::text[]) order by c.id limit $2"


async def named(tx: Tx, names: Sequence[str], limit: int) -> list[Customer]:
    return [Customer(*row.values()) for row in await tx.fetch(_NAMED, [name.lower() for name in names], limit)]


_KEEP = """
insert into customer as c (id, version, external_id, name, status, country, language, time_zone, currency, segment,
                           net_days, contacts, address, vat_id, buyer_reference, requires, merged_into)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (id) do update set
    version = excluded.version, external_id = excluded.external_id, name = excluded.name, status = excluded.status,
    country = excluded.country, language = excluded.language, time_zone = excluded.time_zone,
    currency = excluded.currency, segment = excluded.segment, net_days = excluded.net_days,
    contacts = excluded.contacts, address = excluded.address, vat_id = excluded.vat_id,
    buyer_reference = excluded.buyer_reference, requires = excluded.requires, merged_into = excluded.merged_into
where c.version < excluded.version
"""


async def keep(tx: Tx, customer: CustomerState) -> None:
    await tx.execute(
        _KEEP,
        customer.id,
        customer.version,
        customer.external_id,
        customer.name,
        customer.status,
        customer.country,
        customer.language,
        customer.time_zone,
        customer.currency,
        customer.segment,
        customer.payment_terms.net_days,
        [contact.model_dump() for contact in customer.contacts],
        customer.address.model_dump() if customer.address else None,
        customer.vat_id,
        customer.buyer_reference,
        customer.requires,
        customer.merged_into,
    )
