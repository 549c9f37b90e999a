"""Customers and invoices as their owners published them: upserts by version, and the lock on the customer's row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from services.reminder.receivables import rules
from services.reminder.receivables.rules import Account, Heard, Key, Unwanted
from shared.db import Tx
from shared.events.credit import CreditFileState, CustomerState, PostalAddress
from shared.events.invoice import InvoiceState


async def lock(tx: Tx, customer_ids: Sequence[UUID]) -> set[UUID]:
    """Lock customers in one order for everybody; returns those who are known."""
    return {row["id"] for row in await tx.fetch(_LOCK, sorted(customer_ids))}


async def lock_or_make(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """The same; one never heard of gets its row."""
    strangers = set(customer_ids) - await lock(tx, customer_ids)
    if strangers:
        await tx.execute(_MAKE, sorted(strangers))


_LOCK = "select id from account where id = any($1::uuid[]) order by id for update"
_MAKE = "insert into account (id) select * from unnest($1::uuid[]) on conflict (id) do nothing"


async def keep_customers(tx: Tx, customers: Sequence[CustomerState]) -> None:
    """One state a customer; a version that is not newer than the kept one is dropped."""
    rows = [
        (
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
            orjson.dumps([person.model_dump() for person in customer.contacts]).decode(),
            orjson.dumps(customer.address.model_dump()).decode() if customer.address else None,
            customer.parent_id,
            customer.contact_parent,
        )
        for customer in sorted(customers, key=lambda customer: customer.id)
    ]
    await tx.execute(_KEEP_CUSTOMERS, *(list(column) for column in zip(*rows, strict=True)))


_KEEP_CUSTOMERS = """
insert into account (id, version, external_id, name, status, country, language, time_zone, currency, segment, contacts,
                     address, parent_id, contact_parent)
select id, version, external_id, name, status, country, language, time_zone, currency, segment, contacts::jsonb,
       address::jsonb, parent_id, contact_parent
from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::bool[])
     as t (id, version, external_id, name, status, country, language, time_zone, currency, segment, contacts,
           address, parent_id, contact_parent)
on conflict (id) do update set
    version = excluded.version,
    external_id = excluded.external_id,
    name = excluded.name,
    status = excluded.status,
    country = excluded.country,
    language = excluded.language,
    time_zone = excluded.time_zone,
    currency = excluded.currency,
    segment = excluded.segment,
    contacts = excluded.contacts,
    address = excluded.address,
    parent_id = excluded.parent_id,
    contact_parent = excluded.contact_parent
where excluded.version > account.version
"""


async def keep_risk_classes(tx: Tx, assessed: Mapping[UUID, CreditFileState]) -> None:
    """The newest of each customer; an assessment that is not newer than the kept one is dropped."""
    versions, classes = [of.version for of in assessed.values()], [of.risk_class for of in assessed.values()]
    await tx.execute(_KEEP_RISK_CLASSES, list(assessed), versions, classes)


_KEEP_RISK_CLASSES = """
update account a set risk_class = n.risk_class, risk_version = n.version
from unnest($1::uuid[], $2::bigint[], $3::text[]) as n (id, version, risk_class)
where a.id = n.id and n.version > coalesce(a.risk_version, 0)
"""


async def keep_invoices(tx: Tx, invoices: Sequence[tuple[UUID, InvoiceState]]) -> dict[UUID, Heard]:
    """(customer id, state), one an invoice; a version that is not newer than the kept one is dropped. Returns what had
    been heard of them until now."""
    rows = [
        (
            invoice.id,
            invoice.version,
            customer_id,
            invoice.entity_id,
            invoice.number,
            invoice.issue_date,
            invoice.due_date,
            invoice.balance.currency,
            invoice.total.minor,
            invoice.balance.minor,
            invoice.disputed.minor,
            invoice.collectable.minor,
            invoice.overdue_episode,
            invoice.overdue_since,
            invoice.on_plan.minor if invoice.on_plan else 0,
            invoice.settled_on,
        )
        for customer_id, invoice in invoices
    ]
    stood = await tx.fetch(_KEEP_INVOICES, *(list(column) for column in zip(*rows, strict=True)))
    return {row["id"]: Heard(row["version"], frozenset(row["unheard"])) for row in stood}


_KEEP_INVOICES = """
with stood as (select id, version, unheard from receivable where id = any($1::uuid[])),
kept as (
insert into receivable (id, version, customer_id, entity_id, number, issue_date, due_date, currency, total_minor,
                        balance_minor, disputed_minor, collectable_minor, overdue_episode, overdue_since,
                        on_plan_minor, settled_on)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::date[], $7::date[], $8::text[],
                     $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::date[],
                     $15::bigint[], $16::date[])
on conflict (id) do update set
    version = excluded.version,
    customer_id = excluded.customer_id,
    balance_minor = excluded.balance_minor,
    disputed_minor = excluded.disputed_minor,
    collectable_minor = excluded.collectable_minor,
    overdue_episode = excluded.overdue_episode,
    overdue_since = excluded.overdue_since,
    on_plan_minor = excluded.on_plan_minor,
    settled_on = excluded.settled_on
where excluded.version > receivable.version
)
select * from stood
"""


async def keep_unheard(tx: Tx, unheard: Mapping[UUID, Collection[int]]) -> None:
    """By invoice, the versions that are still to come."""
    versions = [orjson.dumps(sorted(each)).decode() for each in unheard.values()]
    await tx.execute(_KEEP_UNHEARD, list(unheard), versions)


_KEEP_UNHEARD = """
update receivable r set unheard = n.versions::jsonb from unnest($1::uuid[], $2::text[]) as n (id, versions)
where r.id = n.id
"""


async def keep_fresh_days(tx: Tx, days: Mapping[UUID, date]) -> None:
    """Of invoices that are kept already. The latest day stands, so the order of news does not matter."""
    await tx.execute(_KEEP_FRESH_DAYS, list(days), list(days.values()))


_KEEP_FRESH_DAYS = """
update receivable set collect_again_on = greatest(receivable.collect_again_on, t.collect_again_on)
from unnest($1::uuid[], $2::date[]) as t (id, collect_again_on)
where receivable.id = t.id
"""


async def customers_at(tx: Tx, address: str) -> list[UUID]:
    person = orjson.dumps([{"email": address.lower()}]).decode()
    return [row["id"] for row in await tx.fetch(_CUSTOMERS_AT, person)]


_CUSTOMERS_AT = """
select id from account where lower(contacts::text)::jsonb @> ($1::text)::jsonb order by id limit 10
"""


async def rest_invoices(tx: Tx, key: Key, numbers: Sequence[str], again_on: date) -> dict[str, date | None]:
    """Not before that day. Returns by number the day that stood there."""
    return {row["number"]: row["collect_again_on"] for row in await tx.fetch(_REST, *key, numbers, again_on)}


_REST = """
with stood as (
    select id, number, collect_again_on from receivable
    where customer_id = $1 and entity_id = $2 and number = any($3::text[])
)
update receivable r set collect_again_on = greatest(r.collect_again_on, $4) from stood
where r.id = stood.id returning stood.number, stood.collect_again_on
"""


async def wake_invoices(tx: Tx, key: Key, before: Mapping[str, date | None], again_on: date) -> None:
    """As it stood, where nothing else has moved the day since."""
    await tx.execute(_WAKE, *key, list(before), list(before.values()), again_on)


_WAKE = """
update receivable r set collect_again_on = t.day
from unnest($3::text[], $4::date[]) as t (number, day)
where r.customer_id = $1 and r.entity_id = $2 and r.number = t.number and r.collect_again_on = $5
"""


async def accounts(tx: Tx, keys: Sequence[Key]) -> dict[Key, Account]:
    """The accounts with their open items; a customer never heard of is not in the answer."""
    return _accounts(await tx.fetch(_ACCOUNTS, *_columns(keys)))


_ACCOUNT = """a.id, k.entity_id, a.external_id, a.name, a.country, coalesce(p.language, a.language) as language,
coalesce(p.time_zone, a.time_zone) as time_zone, a.segment, a.contacts, coalesce(p.address, a.address) as address,
a.opt_outs, a.risk_class, p.contacts as parent_contacts"""
_PARENT = "left join account p on a.contact_parent and p.id = a.parent_id"
_ITEM = """r.number, r.issue_date, r.due_date, r.currency, r.balance_minor, r.disputed_minor, r.collectable_minor,
r.overdue_since, r.collect_again_on, r.on_plan_minor"""
_FIELDS = [name.strip().removeprefix("r.") for name in _ITEM.split(",")]
_ITEMS = ", ".join(f"array_agg({name}) as {name}" for name in _FIELDS)
"""Of all items of an account, in the order in which they are selected: one row an account, which says only once who
the customer is."""

_ACCOUNTS = f"""
select {_ACCOUNT}, i.*
from unnest($1::uuid[], $2::text[]) as k (customer_id, entity_id)
join account a on a.id = k.customer_id
{_PARENT}
cross join lateral (
    select {_ITEMS} from (
        select {_ITEM} from receivable r
        where r.customer_id = a.id and r.entity_id = k.entity_id and r.balance_minor > 0
        order by r.due_date, r.number
    ) r
) i
order by a.id, k.entity_id
"""


async def deciding(tx: Tx, keys: Sequence[Key], since: date) -> dict[Key, Account]:
    """The accounts with only those open items that a decision may turn on, however many there are: of what is overdue
    the oldest, one that is held back (a disputed one before others), of each due date from `since` on the invoice
    issued first, and all that rest after a dispute on that day or later."""
    return _accounts(await tx.fetch(_DECIDING, *_columns(keys), since))


_DECIDING = f"""
select {_ACCOUNT}, i.*
from unnest($1::uuid[], $2::text[]) as k (customer_id, entity_id)
join account a on a.id = k.customer_id
{_PARENT}
cross join lateral (select {_ITEMS} from (select * from (
    (select {_ITEM} from receivable r
     where r.customer_id = a.id and r.entity_id = k.entity_id
       and r.collectable_minor > 0 and r.overdue_since is not null
       and (r.collect_again_on is null or r.collect_again_on <= $3)
     order by r.due_date, r.number limit 1)
    union all
    (select {_ITEM} from receivable r
     where r.customer_id = a.id and r.entity_id = k.entity_id
       and r.balance_minor > 0 and r.collectable_minor = 0 and r.overdue_since is not null
     order by r.disputed_minor > 0 desc, r.due_date, r.number limit 1)
    union all
    (select distinct on (r.due_date) {_ITEM} from receivable r
     where r.customer_id = a.id and r.entity_id = k.entity_id
       and r.balance_minor > 0 and r.collectable_minor > 0 and r.overdue_since is null
       and r.due_date >= $3 and (r.collect_again_on is null or r.collect_again_on <= $3)
     order by r.due_date, r.issue_date, r.number)
    union all
    (select {_ITEM} from receivable r
     where r.customer_id = a.id and r.entity_id = k.entity_id and r.collectable_minor > 0 and r.collect_again_on > $3)
) r order by r.due_date, r.number) r) i
order by a.id, k.entity_id
"""


async def open_invoices(tx: Tx, key: Key) -> dict[str, UUID]:
    return {row["number"]: row["id"] for row in await tx.fetch(_OPEN_INVOICES, *key)}


_OPEN_INVOICES = "select number, id from receivable where customer_id = $1 and entity_id = $2 and balance_minor > 0"


async def subsidiaries(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    rows = await tx.fetch(_SUBSIDIARIES, customer_ids)
    return {row["id"]: row["parent_id"] for row in rows}


_SUBSIDIARIES = "select id, parent_id from account where contact_parent and parent_id = any($1::uuid[])"


async def party_members(tx: Tx, parent_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    rows = await tx.fetch(_PARTY_MEMBERS, parent_ids)
    return {row["id"]: row["party"] for row in rows}


_PARTY_MEMBERS = """
select id, parent_id as party from account where contact_parent and parent_id = any($1::uuid[])
union all
select p.id, p.id from account p
where p.id = any($1::uuid[])
  and not (p.contact_parent and exists (select from account a where a.id = p.parent_id))
"""


async def days_late(tx: Tx, keys: Sequence[Key]) -> dict[Key, float]:
    rows = await tx.fetch(_DAYS_LATE, *_columns(keys))
    return {(row["customer_id"], row["entity_id"]): float(row["days"]) for row in rows}


_DAYS_LATE = """
select r.customer_id, r.entity_id, avg(r.settled_on - r.due_date) as days
from unnest($1::uuid[], $2::text[]) as k (customer_id, entity_id)
join receivable r on r.customer_id = k.customer_id and r.entity_id = k.entity_id and r.settled_on is not null
group by r.customer_id, r.entity_id
"""


async def keep_unwanted(tx: Tx, customer_id: UUID, unwanted: Sequence[Unwanted]) -> None:
    kept = [[each.channel, each.invoice] for each in unwanted]
    await tx.execute("update account set opt_outs = $2 where id = $1", customer_id, kept)


def _columns(keys: Sequence[Key]) -> tuple[list[UUID], list[str]]:
    return [customer_id for customer_id, _ in keys], [entity_id for _, entity_id in keys]


def _accounts(rows: Sequence[Any]) -> dict[Key, Account]:
    return {(row["id"], row["entity_id"]): _account(row) for row in rows}


def _account(row: Any) -> Account:
    return Account(
        id=row["id"],
        external_id=row["external_id"],
        name=row["name"],
        country=row["country"],
        language=row["language"],
        time_zone=row["time_zone"],
        segment=row["segment"],
        person=rules.person_to_write_to(row["parent_contacts"] or ()) or rules.person_to_write_to(row["contacts"]),
        phone=rules.phone_to_write_to(row["parent_contacts"] or row["contacts"]),
        address=PostalAddress(**row["address"]) if row["address"] else None,
        unwanted=tuple(Unwanted(channel, invoice) for channel, invoice in row["opt_outs"]),
        risk_class=row["risk_class"],
        items=rules.items([row[name] or () for name in _FIELDS]),
        entity_id=row["entity_id"],
    )
