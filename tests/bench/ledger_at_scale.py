"""A ledger of any size, put straight into reporting's tables: what a service of many years would hold.

`settled` invoices over three years up to TODAY, and `open_` ones of the last months, of 20,000 customers of which the
largest has a twenty-fifth of everything (a share of n customers of about the third root of n / 20,000). Terms are 14,
30 or 60 days, by customer; most are paid within six weeks of the due date and some before it; one in twenty in two
parts; one in fifty payments is booked three days after the day it counts for; one in a hundred is credited in part; one
in fifty is disputed for ten days. Movements are made by PostgreSQL itself, everything else by the same statements that
the projection and the month's end use.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import asyncpg

from services.reporting.balances import handlers as balances
from services.reporting.standings import handlers as standings
from shared.db import Tx

FIRST_DAY, TODAY = date(2023, 1, 1), date(2025, 12, 31)
CUSTOMERS = 20_000

_CUSTOMERS = f"""
insert into customer (id, version, external_id, name, status, country, currency, segment, net_days)
select lpad(to_hex(n), 32, '0')::uuid, 1, 'C-' || n, 'Customer ' || n, 'active',
       (array['DE', 'FR', 'IT', 'ES', 'NL', 'AT', 'CH', 'GB', 'PL', 'US'])[1 + n % 10],
       (array['EUR', 'EUR', 'EUR', 'EUR', 'GBP', 'USD'])[1 + n % 6],
       (array['key', 'standard', 'retail', 'public', 'small'])[1 + n % 5], (array[14, 30, 60])[1 + n % 3]
from generate_series(1, {CUSTOMERS}) as n
"""

_INVOICES = f"""
create temp table made as
select n, lpad(to_hex(16777216 + n), 32, '0')::uuid as id, c.id as customer_id, c.currency, r.issued_on,
       r.issued_on + c.net_days as due_on, r.total_minor,
       case when n <= $1::bigint
            then least(r.issued_on + c.net_days - 5 + floor(45 * late * late)::integer, $2::date) end as paid_on
from (
    select n, 1 + floor({CUSTOMERS} * power(random(), 3))::integer as customer,
           case when n <= $1::bigint then $3::date + floor(random() * ($2::date - $3::date - 60))::integer
                else $2::date - floor(150 * power(random(), 2))::integer end as issued_on,
           (5000 + floor(500000 * power(random(), 3)))::bigint as total_minor, random() as late
    from generate_series(1, $1::bigint + $4::bigint) as n
) as r
join customer c on c.id = lpad(to_hex(r.customer), 32, '0')::uuid
order by n
"""

_MOVEMENTS = """
insert into movement (invoice_id, version, customer_id, entity_id, currency, kind, due_on, issued_on, effective_on,
                      booked_on, change_minor, disputed_minor, on_plan_minor)
select m.id, v.version, m.customer_id, 'default', m.currency, v.kind, m.due_on, m.issued_on, v.on_day,
       v.on_day + case when v.kind = 'cash' and m.n % 50 = 1 then 3 else 0 end, v.change_minor, v.disputed_minor, 0
from made m
cross join lateral (values
    (1, 'sale', m.issued_on, m.total_minor, 0),
    (2, 'hold', m.issued_on + 3, 0, case when m.n % 50 = 7 then m.total_minor end),
    (3, 'hold', m.issued_on + 13, 0, case when m.n % 50 = 7 then 0 end),
    (4, 'credit', m.issued_on + 5, case when m.n % 100 = 2 then -m.total_minor / 10 end, 0),
    (5, 'cash', least(m.issued_on + 9, m.paid_on), case when m.n % 20 = 3 then -m.total_minor / 3 end, 0),
    (6, 'cash', m.paid_on,
     case when m.paid_on is not null
          then case when m.n % 100 = 2 then m.total_minor / 10 else 0 end
               + case when m.n % 20 = 3 then m.total_minor / 3 else 0 end - m.total_minor end, 0)
) as v (version, kind, on_day, change_minor, disputed_minor)
where v.change_minor is not null and v.disputed_minor is not null and v.on_day <= $1::date
order by m.n, v.version
"""

_STATES = """
insert into invoice (id, version, customer_id, number, status, issue_date, due_date, currency, total_minor,
                     balance_minor, disputed_minor, settled_on)
select m.id, 6, m.customer_id, 'INV-' || m.n, case when m.paid_on is null then 'open' else 'settled' end, m.issued_on,
       m.due_on, m.currency, m.total_minor, r.balance_minor, 0, m.paid_on
from made m join receivable r on r.invoice_id = m.id
"""


async def load(url: str, settled: int, open_: int) -> None:
    """Fill a migrated, empty database. Takes a minute or two for each million."""
    connection = await asyncpg.connect(url, server_settings={"work_mem": "256MB", "jit": "off", "timezone": "UTC"})
    try:
        tx = Tx(connection, datetime(2026, 1, 1, tzinfo=UTC))
        async with connection.transaction():
            await connection.execute("select setseed(0.5)")
            await connection.execute(_CUSTOMERS)
            await connection.execute("analyze customer")
            await connection.execute(_INVOICES, settled, TODAY, FIRST_DAY, open_)
            await connection.execute(_MOVEMENTS, TODAY)
            await connection.execute("analyze movement")
            await balances.add_up_all(tx)
            await connection.execute(_STATES)
            await connection.execute("drop table made")
        async with connection.transaction():
            while await standings.keep_standings(tx, TODAY):
                pass
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()
