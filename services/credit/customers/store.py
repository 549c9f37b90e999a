"""Customers, one row each; contact persons and address are documents of the row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from uuid import UUID

from services.credit.customers.rules import Address, Contact, Customer, Particulars
from shared.db import Tx
from shared.money import Money

_COLUMNS = """
id, version, external_id, name, status, country, language, time_zone, currency, segment, net_days, contacts, address,
vat_id, buyer_reference, requires, parent_id, contact_parent, merged_into, prepaid_percent, deposit_minor,
deposit_currency, terms_source
"""


async def add_customer(tx: Tx, customer: Customer) -> bool:
    """False when another customer has the external id."""
    return bool(await tx.fetchval(_ADD_CUSTOMER, *_row(customer), tx.now))


_ADD_CUSTOMER = f"""
insert into customer ({_COLUMNS}, onboarded_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $24)
on conflict on constraint customer_external_id_unique do nothing
returning true
"""


async def save_customer(tx: Tx, customer: Customer) -> None:
    await tx.execute(_SAVE_CUSTOMER, *_row(customer), tx.now)


_SAVE_CUSTOMER = """
update customer
set version = $2, external_id = $3, name = $4, status = $5, country = $6, language = $7, time_zone = $8, currency = $9,
    segment = $10, net_days = $11, contacts = $12, address = $13, vat_id = $14,
    buyer_reference = $15, requires = $16, parent_id = $17, contact_parent = $18, merged_into = $19,
    prepaid_percent = $20, deposit_minor = $21, deposit_currency = $22, terms_source = $23, changed_at = $24
where id = $1
"""


async def lock_customer(tx: Tx, customer_id: UUID) -> Customer | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from customer where id = $1 for no key update", customer_id)
    return _customer(row) if row else None


async def read_customer(tx: Tx, customer_id: UUID) -> Customer | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from customer where id = $1", customer_id)
    return _customer(row) if row else None


async def read_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Customer]:
    rows = await tx.fetch(f"select {_COLUMNS} from customer where id = any($1)", list(customer_ids))
    return [_customer(row) for row in rows]


async def find_customer(tx: Tx, external_id: str) -> Customer | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from customer where external_id = $1", external_id)
    return _customer(row) if row else None


async def lock_parents(tx: Tx) -> None:
    """Until the transaction ends nobody else changes who belongs to whom. Before any customer's row: who has one and
    waits for this, while another has this and waits for the row, waits for ever."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('customer.parent_id'))")


async def ancestors(tx: Tx, parent_id: UUID) -> list[UUID]:
    """The parent, its parent and so on, which stay so; empty when there is no such customer."""
    await lock_parents(tx)
    return [row["id"] for row in await tx.fetch(_ANCESTORS, parent_id)]


_ANCESTORS = """
with recursive up (id, parent_id) as (
    select id, parent_id from customer where id = $1
    union
    select above.id, above.parent_id from customer above join up on above.id = up.parent_id
)
select id from up
"""


async def lock_family(tx: Tx, customer_ids: Collection[UUID]) -> list[Customer]:
    await lock_parents(tx)
    return [_customer(row) for row in await tx.fetch(_LOCK_FAMILY, list(customer_ids))]


_LOCK_FAMILY = f"""
select {_COLUMNS} from customer where id = any($1) or parent_id = any($1) order by id for no key update
"""


async def survivor(tx: Tx, customer_id: UUID) -> UUID:
    """Merged customers point at who they go on as now, however often that one was merged in turn."""
    return await tx.fetchval(_SURVIVOR, customer_id) or customer_id


_SURVIVOR = """
with recursive on_as (id, merged_into) as (
    select id, merged_into from customer where id = $1
    union all
    select next.id, next.merged_into from customer next join on_as on next.id = on_as.merged_into
)
select id from on_as where merged_into is null
"""


async def list_customers(tx: Tx, after: UUID | None, count_max: int) -> list[Customer]:
    """In the order they were onboarded, which is the order of their ids."""
    return [_customer(row) for row in await tx.fetch(_LIST_CUSTOMERS, after, count_max)]


_LIST_CUSTOMERS = f"""
select {_COLUMNS} from customer
where $1::uuid is null or id > $1
order by id
limit $2
"""


def _row(customer: Customer) -> tuple[Any, ...]:
    about = customer.particulars
    return (
        customer.id,
        customer.version,
        customer.external_id,
        about.name,
        customer.status,
        about.country,
        about.language,
        about.time_zone,
        about.currency,
        about.segment,
        about.net_days,
        [asdict(contact) for contact in about.contacts],
        asdict(about.address) if about.address else None,
        about.vat_id,
        about.buyer_reference,
        about.requires,
        about.parent_id,
        about.contact_parent,
        customer.merged_into,
        about.prepaid_percent,
        about.deposit.minor if about.deposit else None,
        about.deposit.currency if about.deposit else None,
        about.terms_source,
    )


def _customer(row: Any) -> Customer:
    address = row["address"]
    return Customer(
        id=row["id"],
        version=row["version"],
        external_id=row["external_id"],
        status=row["status"],
        merged_into=row["merged_into"],
        particulars=Particulars(
            name=row["name"],
            country=row["country"],
            language=row["language"],
            time_zone=row["time_zone"],
            currency=row["currency"],
            segment=row["segment"],
            net_days=row["net_days"],
            contacts=tuple(Contact(**contact) for contact in row["contacts"]),
            address=Address(**{**address, "lines": tuple(address["lines"])}) if address else None,
            vat_id=row["vat_id"],
            buyer_reference=row["buyer_reference"],
            requires=tuple(row["requires"]),
            parent_id=row["parent_id"],
            contact_parent=row["contact_parent"],
            prepaid_percent=row["prepaid_percent"],
            deposit=Money(row["deposit_minor"], row["deposit_currency"]) if row["deposit_currency"] else None,
            terms_source=row["terms_source"],
        ),
    )
