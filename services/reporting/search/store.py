"""Tables: search_word, payment_reference; and what is found by them and by the indexes of what other features keep.

Every statement reads ranges of an index that are cut off, so that none grows with the books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from shared.db import Tx

CANDIDATES_MAX = 1_000
"""So many are looked at for each word of a question."""


async def keep(tx: Tx, words: Sequence[tuple[str, str, UUID]], references: Mapping[UUID, str]) -> None:
    await tx.execute(_KEEP_WORDS, *map(list, zip(*words, strict=True)))
    if references:
        ids = sorted(references)
        await tx.execute(_KEEP_REFERENCES, ids, [references[id] for id in ids])


_KEEP_WORDS = """
insert into search_word (word, kind, id) select * from unnest($1::text[], $2::text[], $3::uuid[]) on conflict do nothing
"""
_KEEP_REFERENCES = """
insert into payment_reference (payment_id, reference) select * from unnest($1::uuid[], $2::text[])
on conflict do nothing
"""


async def currencies(tx: Tx) -> list[str]:
    return [row["currency"] for row in await tx.fetch(_CURRENCIES)]


_CURRENCIES = """
with recursive known as (
    (select currency from flow where kind = 'all' and key = '' order by currency limit 1)
    union all
    select (select f.currency from flow f where f.kind = 'all' and f.key = '' and f.currency > k.currency
            order by f.currency limit 1)
    from known k where k.currency is not null
)
select currency from known where currency is not null
"""


async def called(tx: Tx, kind: str, words: Sequence[str]) -> list[UUID]:
    """Those that have a word beginning with each of these."""
    return [row["id"] for row in await tx.fetch(CALLED, list(words), kind)]


CALLED = f"""
select h.id
from unnest($1::text[]) with ordinality as w (word, place)
cross join lateral (
    select s.id from search_word s
    where s.kind = $2 and s.word >= w.word and s.word < (w.word || chr(1114111))
    order by s.word limit {CANDIDATES_MAX}
) h
group by h.id
having count(distinct w.place) = cardinality($1)
"""


async def numbered(tx: Tx, text: str, limit: int) -> list[UUID]:
    """Invoices whose number begins or ends like this, those that begin so first."""
    return [row["id"] for row in await tx.fetch(NUMBERED, text, limit)]


NUMBERED = """
with asked as materialized (select searchable($1) as key), begins as (
    select i.id, i.number from asked a cross join lateral (
        select id, number from invoice
        where searchable(number) ~>=~ a.key and searchable(number) ~<~ (a.key || chr(1114111))
        order by searchable(number) using ~<~ limit $2) i
    where a.key <> ''
), ends as (
    select i.id, i.number from asked a cross join lateral (
        select id, number from invoice
        where reverse(searchable(number)) ~>=~ reverse(a.key)
          and reverse(searchable(number)) ~<~ (reverse(a.key) || chr(1114111))
        order by reverse(searchable(number)) using ~<~ limit $2) i
    where length(a.key) > 1
)
select id from (select id, number, 1 as rank from begins union all select id, number, 2 from ends) as found
group by id, number order by min(rank), number limit $2
"""


async def invoices_over(tx: Tx, amounts: Sequence[tuple[int, str]], limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(OVER, *_columns(amounts), limit)]


OVER = """
select i.id from unnest($1::bigint[], $2::text[]) as a (minor, code)
cross join lateral (
    select id, issue_date from invoice where total_minor = a.minor and currency = a.code
    order by issue_date desc limit $3) i
order by i.issue_date desc, i.id limit $3
"""


async def payments_over(tx: Tx, amounts: Sequence[tuple[int, str]], limit: int) -> list[UUID]:
    return [row["payment_id"] for row in await tx.fetch(_PAID, *_columns(amounts), limit)]


_PAID = """
select p.payment_id from unnest($1::bigint[], $2::text[]) as a (minor, code)
cross join lateral (
    select payment_id, received_on from receipt where amount_minor = a.minor and currency = a.code
    order by received_on desc limit $3) p
order by p.received_on desc, p.payment_id limit $3
"""


async def customers(tx: Tx, ids: Sequence[UUID], limit: int) -> list[asyncpg.Record]:
    """By name."""
    return await tx.fetch(
        "select id, name, external_id, status from customer where id = any($1) order by lower(name), id limit $2",
        list(ids),
        limit,
    )


async def invoices(tx: Tx, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """In the order of the ids."""
    return await tx.fetch(_INVOICES, list(ids))


_INVOICES = """
select i.id, i.number, i.customer_id, c.name, i.issue_date, i.currency, i.total_minor, i.status
from unnest($1::uuid[]) with ordinality as wanted (id, place)
join invoice i using (id) left join customer c on c.id = i.customer_id
order by wanted.place
"""


async def payments(tx: Tx, ids: Sequence[UUID], limit: int) -> list[asyncpg.Record]:
    """The newest first."""
    return await tx.fetch(_PAYMENTS, list(ids), limit)


_PAYMENTS = """
select p.payment_id as id, r.reference, p.customer_id, c.name, p.received_on, p.currency, p.amount_minor
from receipt p
left join payment_reference r using (payment_id) left join customer c on c.id = p.customer_id
where p.payment_id = any($1) order by p.received_on desc, p.payment_id limit $2
"""


async def disputes(
    tx: Tx, ids: Sequence[UUID], invoices: Sequence[UUID], customers: Sequence[UUID], limit: int
) -> list[asyncpg.Record]:
    """These, those about the invoices, and those of the customers; the newest first."""
    return await tx.fetch(_DISPUTES, list(ids), list(invoices), list(customers), limit)


_DISPUTES = """
select d.id, d.customer_id, c.name, i.number, d.reason, d.opened_on, d.currency, d.amount_minor,
       coalesce(d.outcome, 'open') as status
from (
    select * from dispute where id = any($1)
    union select * from dispute where invoice_id = any($2)
    union select * from dispute where customer_id = any($3)
) d
left join invoice i on i.id = d.invoice_id left join customer c on c.id = d.customer_id
order by d.opened_on desc nulls last, d.id limit $4
"""


async def contacts(
    tx: Tx, ids: Sequence[UUID], about: Sequence[tuple[UUID, str]], customers: Sequence[UUID], limit: int
) -> list[asyncpg.Record]:
    """These, the messages sent about the invoices (customer id, number), and those sent to the customers; the newest
    first."""
    return await tx.fetch(_CONTACTS, list(ids), *_columns(about), list(customers), limit)


_CONTACTS = """
select k.id, k.customer_id, c.name, k.step, k.channel, k.effective_on, k.status
from (
    select * from contact where id = any($1)
    union
    select k.* from unnest($2::uuid[], $3::text[]) as a (customer_id, number)
    cross join lateral (
        select * from contact k where k.customer_id = a.customer_id and k.status = 'sent' and a.number = any(k.invoices)
        order by k.effective_on desc limit $5) k
    union
    select k.* from unnest($4::uuid[]) as a (customer_id)
    cross join lateral (
        select * from contact k where k.customer_id = a.customer_id and k.status = 'sent'
        order by k.effective_on desc limit $5) k
) k
left join customer c on c.id = k.customer_id
order by k.effective_on desc, k.id limit $5
"""


def _columns(rows: Sequence[tuple[object, object]]) -> tuple[list[object], list[object]]:
    return [one for one, _ in rows], [other for _, other in rows]
