"""A ledger of any size, put straight into reporting's tables: what the projection would have left there.

A book has `open_` invoices of the last hundred days and grows by settled ones. There are two ways of growing:

- LONGER: 2,500 more invoices were settled for each day further back, by the same 20,000 customers. 100,000 settled are
  40 days, a million 400, ten million eleven years. The last months stay as they are, so that a question about them has
  one answer at every size.
- WIDER, the harder one: always a thousand days, and 20,000 more customers for each 100,000 settled, so that everything
  there is about any day grows with them.

The largest customer has a twenty-fifth of everything (n customers a share of about the third root of n / 20,000). Terms
are 14, 30 or 60 days, by customer; most pay within six weeks of the due date and some before it; one in twenty in two
parts; one payment in fifty is booked three days after the day it counts for; one invoice in a hundred is credited in
part; one in fifty is disputed for ten days, or until it is paid. One in ten has its first event in the feed.

Everything is made by PostgreSQL, half a million invoices at a time, and not by the statements of the projection: that
these would have given the same tables is what `tests/reporting/test_ledger_at_scale.py` proves. Left out is what no
question asked here reads: courses, receipts, contacts, words, and the two indexes that find an invoice by its number.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from services.reporting.standings.rules import next_standing_day
from tests.bench.payloads import issued_events

TODAY = date(2025, 12, 31)
CHUNK = 500_000
SETTLED_BEFORE = timedelta(days=60)
OPEN_SINCE = timedelta(days=100)
"""Settled invoices were issued before these sixty days, open ones in these hundred."""


@dataclass(frozen=True)
class Growth:
    """`settled_a_day` invoices of `customers` customers, issued on `days` at most; then come other customers."""

    customers: int
    settled_a_day: int
    days: int

    @property
    def block(self) -> int:
        """So many settled invoices have customers of their own."""
        return self.settled_a_day * self.days

    def first_day(self, settled: int) -> date:
        """Of the oldest invoice."""
        return TODAY - max(SETTLED_BEFORE + timedelta(min(self.days, settled // self.settled_a_day)), OPEN_SINCE)


LONGER = Growth(customers=20_000, settled_a_day=2_500, days=10_000)
WIDER = Growth(customers=20_000, settled_a_day=100, days=1_000)

LOADED = ("movement", "receivable", "invoice", "account_cell", "account_standing", "account_period", "event")
"""What rows are only added to; indexes of these are made at the end, which is a tenth of the work."""
KEPT_UP = ("customer", "group_cell", "group_standing", "flow", "standing_day")
UNASKED = ("invoice_number_begins", "invoice_number_ends")


async def grow(url: str, growth: Growth, settled_before: int, settled: int, open_: int) -> None:
    """Add settled invoices to a migrated database that has `settled_before` of them; to an empty one the open ones too.

    Both counts are of whole days and of whole blocks, and the first reaches back as far as the open ones do, so that
    what is kept by day of issue is never in two chunks. Ten million take about ten minutes and 25 GB.
    """
    assert settled_before % growth.settled_a_day == settled % growth.settled_a_day == 0
    assert settled >= growth.settled_a_day * (OPEN_SINCE - SETTLED_BEFORE).days
    connection = await asyncpg.connect(url, server_settings=_SETTINGS)
    try:
        async with _without_indexes(connection):
            await connection.execute(_STANDING_DAYS, standing_days(growth.first_day(settled)))
            await connection.execute("analyze standing_day")
            for first in range(settled_before, settled, min(CHUNK, growth.block)):
                last = min(first + min(CHUNK, growth.block), settled)
                async with connection.transaction():
                    await _add(connection, growth, first, last, 0 if first else open_)
            await connection.execute(_UNUSED_STANDING_DAYS)
            await connection.execute("truncate account_period")
            await connection.execute(_ACCOUNT_PERIODS)
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()


_SETTINGS = {
    "work_mem": "512MB",
    "temp_buffers": "512MB",
    "maintenance_work_mem": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "synchronous_commit": "off",
}


@asynccontextmanager
async def _without_indexes(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Tables that are only added to lose keys and indexes meanwhile, and nothing is written twice for a crash."""
    for table in (*LOADED, *KEPT_UP):
        await connection.execute(f"alter table {table} set unlogged")
    keys = await connection.fetch(_KEYS, list(LOADED))
    for key in keys:
        await connection.execute(f"alter table {key['relation']} drop constraint {key['conname']}")
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename = any($1)", list(LOADED)
    )
    for index in indexes:
        await connection.execute(f"drop index {index['indexname']}")
    yield
    for key in keys:
        await connection.execute(f"alter table {key['relation']} add constraint {key['conname']} {key['definition']}")
    for index in indexes:
        if index["indexname"] not in UNASKED:
            await connection.execute(index["indexdef"])


_KEYS = """
select conrelid::regclass::text as relation, conname, pg_get_constraintdef(oid) as definition
from pg_constraint where conrelid = any($1::text[]::regclass[]::oid[]) and contype in ('p', 'u')
"""


def standing_days(first_day: date) -> list[date]:
    """Every standing day behind a day and up to today."""
    days: list[date] = []
    while (day := next_standing_day(days[-1] if days else first_day)) <= TODAY:
        days.append(day)
    return days


_STANDING_DAYS = """
insert into standing_day (before_on, of_accounts)
select d, extract(day from d) = 1 from unnest($1::date[]) d on conflict do nothing
"""
_UNUSED_STANDING_DAYS = "delete from standing_day where before_on <= (select min(effective_on) from flow)"


async def _add(connection: asyncpg.Connection, growth: Growth, first: int, last: int, open_: int) -> None:
    block = first // growth.block
    await connection.execute(f"select setseed({(first // growth.settled_a_day % 1000) / 1000})")
    await connection.execute(_CUSTOMERS, block * growth.customers, growth.customers)
    await connection.execute(
        _MADE,
        first,
        last,
        open_,
        TODAY,
        growth.settled_a_day,
        growth.days,
        block * growth.customers,
        growth.customers,
        SETTLED_BEFORE.days,
        OPEN_SINCE.days,
    )
    await connection.execute(_MOVES, TODAY)
    for statement in _FROM_MOVES:
        await connection.execute(statement)
    template = issued_events(1)[0]
    await connection.execute(
        _EVENTS, template.model_dump_json(), str(template.invoice.id), str(template.customer_id), template.type
    )


_CUSTOMERS = """
insert into customer (id, version, external_id, name, status, country, currency, segment, net_days)
select lpad(to_hex(n), 32, '0')::uuid, 1, 'C-' || n, 'Customer ' || n, 'active',
       (array['DE', 'FR', 'IT', 'ES', 'NL', 'AT', 'CH', 'GB', 'PL', 'US'])[1 + n % 10],
       (array['EUR', 'EUR', 'EUR', 'EUR', 'GBP', 'USD'])[1 + n % 6],
       (array['key', 'standard', 'retail', 'public', 'small'])[1 + n % 5], (array[14, 30, 60])[1 + n % 3]
from generate_series($1::bigint + 1, $1::bigint + $2::bigint) as n
on conflict do nothing
"""

_MADE = """
create temp table made on commit drop as
select r.n, r.id, c.id as customer_id, c.currency, c.segment, c.country, r.issued_on,
       r.issued_on + c.net_days as due_on, r.total_minor,
       case when n % 50 = 7 then 'held' when n % 100 = 2 then 'credited' when n % 20 = 3 then 'parted' else '' end
           as trait,
       case when settled then least(r.issued_on + c.net_days - 5 + floor(45 * late * late)::integer, $4::date) end
           as paid_on
from (
    select n, true as settled, lpad(to_hex(1099511627776 - n), 32, '0')::uuid as id,
           $4::date - $9::integer - 1 - ((n / $5::bigint) % $6::bigint)::integer as issued_on,
           1 + floor($8::bigint * power(random(), 3))::bigint as customer, random() as late,
           (5000 + floor(500000 * power(random(), 3)))::bigint as total_minor
    from generate_series($1::bigint, $2::bigint - 1) as n
    union all
    select n, false, lpad(to_hex(1099511627776 + n), 32, '0')::uuid, 
           $4::date - floor($10::integer * power(random(), 2))::integer,
           1 + floor($8::bigint * power(random(), 3))::bigint, random(),
           (5000 + floor(500000 * power(random(), 3)))::bigint
    from generate_series(1::bigint, $3::bigint) as n
) as r
join customer c on c.id = lpad(to_hex($7::bigint + r.customer), 32, '0')::uuid
order by r.issued_on, r.id
"""
"""In the order of their days, as they would have come."""

_MOVES = """
create temp table move on commit drop as
select m.id as invoice_id, v.version, m.customer_id, m.currency, m.segment, m.country, v.kind, m.due_on, m.issued_on,
       v.on_day as effective_on,
       case when v.opened < 0 and m.n % 50 = 1 then least(v.on_day + 3, $1::date) else v.on_day end as booked_on,
       v.change_minor, v.disputed_minor, v.held_minor, v.opened
from made m
cross join lateral (values
    (1, '', 'sale', m.issued_on, m.total_minor, 0, 0, 1),
    (2, 'held', 'hold', m.issued_on + 3, 0, m.total_minor, m.total_minor, 0),
    (3, 'held', 'hold', least(m.issued_on + 13, m.paid_on), 0, 0, -m.total_minor, 0),
    (2, 'credited', 'credit', m.issued_on + 5, -m.total_minor / 10, 0, 0, 0),
    (2, 'parted', 'cash', least(m.issued_on + 9, m.paid_on), -m.total_minor / 3, 0, 0, 0),
    (case m.trait when '' then 2 when 'held' then 4 else 3 end, '', 'cash', m.paid_on,
     case m.trait when 'credited' then m.total_minor / 10 when 'parted' then m.total_minor / 3 else 0 end
         - m.total_minor, 0, 0, -1)
) as v (version, trait, kind, on_day, change_minor, disputed_minor, held_minor, opened)
where v.trait in ('', m.trait) and v.on_day <= $1::date
"""
"""`disputed_minor` is what is disputed after a movement, `held_minor` by how much that is another sum than before."""

_GROUPS = """
cross join lateral (values ('all', ''), ('entity', 'default'), ('segment', p.segment), ('country', p.country),
                           ('collector', 'nobody')) as g (kind, key)
"""

_FROM_MOVES = (
    """
    insert into movement (invoice_id, version, customer_id, entity_id, currency, kind, due_on, issued_on, effective_on,
                          booked_on, change_minor, disputed_minor, on_plan_minor)
    select invoice_id, version, customer_id, 'default', currency, kind, due_on, issued_on, effective_on, booked_on,
           change_minor, disputed_minor, 0
    from move
    """,
    """
    create temp table state on commit drop as
    select invoice_id, max(version) as version, sum(change_minor)::bigint as balance_minor,
           sum(held_minor)::bigint as disputed_minor
    from move group by invoice_id
    """,
    """
    insert into receivable (invoice_id, customer_id, entity_id, currency, due_on, issued_on, opened_on, closed_on,
                            balance_minor)
    select m.id, m.customer_id, 'default', m.currency, m.due_on, m.issued_on, m.issued_on,
           coalesce(m.paid_on, 'infinity'), s.balance_minor
    from made m join state s on s.invoice_id = m.id
    """,
    """
    insert into invoice (id, version, customer_id, number, status, issue_date, due_date, currency, total_minor,
                         balance_minor, disputed_minor, settled_on)
    select m.id, s.version, m.customer_id, 'INV-' || case when m.paid_on is null then 'N' else 'S' end || m.n,
           case s.balance_minor when 0 then 'settled' when m.total_minor then 'open' else 'partly_paid' end,
           m.issued_on, m.due_on, m.currency, m.total_minor, s.balance_minor, s.disputed_minor, m.paid_on
    from made m join state s on s.invoice_id = m.id
    """,
    """
    create temp table cell on commit drop as
    select customer_id, currency, segment, country, effective_on, due_on, issued_on,
           sum(change_minor)::bigint as change_minor, sum(greatest(change_minor, 0))::bigint as increase_minor,
           sum(held_minor)::bigint as disputed_minor, sum(opened)::bigint as opened
    from move
    group by customer_id, currency, segment, country, effective_on, due_on, issued_on
    """,
    """
    insert into account_cell (customer_id, currency, effective_on, due_on, issued_on, change_minor, increase_minor,
                              disputed_minor, on_plan_minor, opened)
    select customer_id, currency, effective_on, due_on, issued_on, change_minor, increase_minor, disputed_minor, 0,
           opened
    from cell
    order by effective_on
    """,
    """
    insert into account_standing (customer_id, before_on, currency, due_on, issued_on, balance_minor, disputed_minor,
                                  on_plan_minor, open_invoices)
    select c.customer_id, s.before_on, c.currency, c.due_on, c.issued_on, c.balance_minor, c.held_minor, 0, c.open_now
    from (
        select c.*, (sum(change_minor) over w)::bigint as balance_minor,
               (sum(disputed_minor) over w)::bigint as held_minor, (sum(opened) over w)::bigint as open_now,
               lead(effective_on, 1, 'infinity') over w as until_on
        from cell c
        window w as (partition by due_on, issued_on, customer_id, currency order by effective_on)
    ) c
    join standing_day s on s.of_accounts and s.before_on > c.effective_on and s.before_on <= c.until_on
    where c.open_now <> 0
    order by s.before_on, c.customer_id
    """,
    """
    create temp table group_part on commit drop as
    with part as (
        select currency, segment, country, effective_on, due_on, issued_on, sum(change_minor) as change_minor,
               sum(disputed_minor) as disputed_minor, sum(opened) as opened
        from cell group by currency, segment, country, effective_on, due_on, issued_on
    )
    select g.kind, coalesce(g.key, p.key) as key, p.axis, p.day, p.currency, p.effective_on, p.change_minor,
           p.disputed_minor, p.opened
    from (
        select g.kind, g.key, a.axis, a.day, p.currency, p.effective_on, sum(p.change_minor)::bigint as change_minor,
               sum(p.disputed_minor)::bigint as disputed_minor, sum(p.opened)::bigint as opened
        from part p
        cross join lateral (values ('all', ''), ('segment', p.segment), ('country', p.country)) as g (kind, key)
        cross join lateral (values ('due', p.due_on), ('issued', p.issued_on)) as a (axis, day)
        group by g.kind, g.key, a.axis, a.day, p.currency, p.effective_on
    ) as p
    join (values ('all', 'all', null), ('all', 'entity', 'default'), ('all', 'collector', 'nobody'),
                 ('segment', 'segment', null), ('country', 'country', null)) as g (of_kind, kind, key)
      on g.of_kind = p.kind
    """,
    """
    insert into group_cell as kept (kind, axis, effective_on, key, currency, day, change_minor, disputed_minor,
                                    on_plan_minor, opened)
    select kind, axis, effective_on, key, currency, day, change_minor, disputed_minor, 0, opened
    from group_part
    order by effective_on, day, key
    on conflict (kind, axis, effective_on, key, currency, day) do update
    set change_minor = kept.change_minor + excluded.change_minor,
        disputed_minor = kept.disputed_minor + excluded.disputed_minor, opened = kept.opened + excluded.opened
    """,
    """
    insert into group_standing as kept (kind, axis, before_on, key, currency, day, balance_minor, disputed_minor,
                                        on_plan_minor, open_invoices)
    select c.kind, c.axis, s.before_on, c.key, c.currency, c.day, c.balance_minor, c.held_minor, 0, c.open_now
    from (
        select c.*, (sum(change_minor) over w)::bigint as balance_minor,
               (sum(disputed_minor) over w)::bigint as held_minor, (sum(opened) over w)::bigint as open_now,
               lead(effective_on, 1, 'infinity') over w as until_on
        from group_part c
        window w as (partition by day, key, currency, kind, axis order by effective_on)
    ) c
    join standing_day s on s.before_on > c.effective_on and s.before_on <= c.until_on
    where c.open_now <> 0
    order by s.before_on, c.key, c.day
    on conflict (kind, axis, before_on, key, currency, day) do update
    set balance_minor = kept.balance_minor + excluded.balance_minor,
        disputed_minor = kept.disputed_minor + excluded.disputed_minor,
        open_invoices = kept.open_invoices + excluded.open_invoices
    """,
    f"""
    insert into flow as kept (kind, key, currency, effective_on, sales_minor, cash_minor, credited_minor,
                              written_off_minor, charged_minor, other_minor, invoices, first_booked_on)
    with part as (
        select currency, segment, country, effective_on,
               coalesce(sum(change_minor) filter (where kind = 'sale'), 0) as sold,
               coalesce(-sum(change_minor) filter (where kind = 'cash'), 0) as paid,
               coalesce(-sum(change_minor) filter (where kind = 'credit'), 0) as credited,
               count(*) filter (where kind = 'sale') as invoices, min(booked_on) as first_booked_on
        from move where kind <> 'hold'
        group by currency, segment, country, effective_on
    )
    select g.kind, g.key, p.currency, p.effective_on, sum(p.sold)::bigint, sum(p.paid)::bigint, sum(p.credited)::bigint,
           0, 0, 0, sum(p.invoices)::bigint, min(p.first_booked_on) filter (where g.kind = 'all')
    from part p {_GROUPS}
    group by g.kind, g.key, p.currency, p.effective_on
    on conflict (kind, key, currency, effective_on) do update
    set sales_minor = kept.sales_minor + excluded.sales_minor, cash_minor = kept.cash_minor + excluded.cash_minor,
        credited_minor = kept.credited_minor + excluded.credited_minor, invoices = kept.invoices + excluded.invoices,
        first_booked_on = least(kept.first_booked_on, excluded.first_booked_on)
    """,
)
"""Everything that is told apart by its invoices' day of issue is whole in one chunk, and so only added; what all share
is added up."""

_ACCOUNT_PERIODS = """
insert into account_period (currency, before_on, customer_id, opening_minor, increase_minor, due_opening_minor,
                            due_increase_minor)
with day as materialized (select before_on, date_trunc('month', before_on)::date as month_on from standing_day)
select currency, before_on, customer_id, sum(opening_minor)::bigint, sum(increase_minor)::bigint,
       coalesce(sum(opening_minor) filter (where due_on < before_on + 10), 0)::bigint,
       coalesce(sum(increase_minor) filter (where due_on < before_on + 10), 0)::bigint
from (
    select o.currency, d.before_on, o.customer_id, o.due_on, o.balance_minor as opening_minor, 0 as increase_minor
    from account_standing o join day d on d.month_on = o.before_on
    union all
    select c.currency, d.before_on, c.customer_id, c.due_on, c.change_minor, 0
    from account_cell c
    join day d on d.month_on = date_trunc('month', c.effective_on)::date and d.before_on > c.effective_on
    where c.change_minor <> 0
    union all
    select c.currency, coalesce(d.before_on, '-infinity'), c.customer_id, c.due_on, 0, c.increase_minor
    from account_cell c
    left join day d on d.before_on = date_trunc('month', c.effective_on)::date
                       + 7 * least((extract(day from c.effective_on)::integer - 1) / 7, 3)
    where c.increase_minor <> 0
) as part
group by currency, before_on, customer_id
having not (sum(opening_minor) = 0 and sum(increase_minor) = 0)
"""

_EVENTS = """
insert into event (id, source, type, topic, subject, version, customer_id, time, effective_on, data)
select gen_random_uuid(), '/dueward/invoice', $4, 'ar.invoice', id, 1, customer_id, issued_on + interval '8 hours',
       issued_on, replace(replace($1::text, $2::text, id::text), $3::text, customer_id::text)::json
from made where n % 10 = 4
"""
