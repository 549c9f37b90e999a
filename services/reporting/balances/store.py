"""Movements, and the cells and standings they add up to.

A cell is what one day changed, a standing everything before the first day of a month: a question about any day reads
one standing and the cells since, however much came before. All of them are sums, so that whatever comes late, twice or
out of order gives the same tables; a count of open invoices is a sum of the days on which each began and ceased to be
owed, taken anew for an invoice that is touched, and put against what had been counted of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.reporting.balances.rules import Movement
from shared.db import Tx

InvoiceRow = tuple[UUID, int, UUID, str, str, date, date, str, int, int, int, date | None]
"""id, version, customer id, number, status, issue date, due date, currency, total, balance, disputed, settled on."""

Regrouped = tuple[UUID, str, str, str]
"""customer id, kind of group, the group it leaves, the group it joins."""

FIGURES_LOCK = 8_004_002
"""Shared by whoever adds movements, until it commits; whoever adds sums up or moves them has it alone."""

_GROUPS = """
    left join customer c on c.id = {0}.customer_id
    left join collector k on k.customer_id = {0}.customer_id
    cross join lateral (values ('all', ''), ('entity', {0}.entity_id), ('segment', coalesce(c.segment, 'unknown')),
                               ('country', coalesce(c.country, 'unknown')), ('collector', coalesce(k.name, 'nobody'))
                       ) as g (kind, key)
"""
"""Every group that a row of a customer and an entity belongs to."""

_STEPS = """
sided as (
    select 1 as side, f.* from fresh f
    union all
    select s.side, k.* from known k cross join (values (1), (-1)) as s (side)
), changed as (
    select s.side, s.invoice_id, s.customer_id, s.entity_id, s.currency, s.effective_on, s.change_minor,
           max(s.due_on) over i as due_on, max(s.issued_on) over i as issued_on,
           s.disputed_minor - lag(s.disputed_minor, 1, 0::bigint) over v as disputed_minor,
           s.on_plan_minor - lag(s.on_plan_minor, 1, 0::bigint) over v as on_plan_minor
    from sided s
    window i as (partition by s.side, s.invoice_id), v as (partition by s.side, s.invoice_id order by s.version)
), day as (
    select side, invoice_id, customer_id, entity_id, currency, due_on, issued_on, effective_on,
           sum(change_minor)::bigint as change_minor, sum(greatest(change_minor, 0))::bigint as increase_minor,
           sum(disputed_minor)::bigint as disputed_minor, sum(on_plan_minor)::bigint as on_plan_minor
    from changed
    group by side, invoice_id, customer_id, entity_id, currency, due_on, issued_on, effective_on
), step as (
    select d.*, (sum(d.change_minor) over invoice)::bigint as after_minor
    from day d
    window invoice as (partition by d.side, d.invoice_id order by d.effective_on)
)
"""
"""What `fresh` movements change, `known` being the ones of the same invoices that are counted already: each invoice
day by day with all its movements, less the same without the fresh ones."""

_DELTA = """
select customer_id, entity_id, currency, effective_on, due_on, issued_on,
       sum(side * change_minor)::bigint as change_minor, sum(side * increase_minor)::bigint as increase_minor,
       sum(side * disputed_minor)::bigint as disputed_minor, sum(side * on_plan_minor)::bigint as on_plan_minor,
       sum(side * ((after_minor <> 0)::integer - (after_minor - change_minor <> 0)::integer))::bigint as opened
from step
group by customer_id, entity_id, currency, effective_on, due_on, issued_on
"""

_DELTA_OF_GROUP = f"""
select g.kind, g.key, a.axis, a.day, d.currency, d.effective_on,
       sum(d.change_minor)::bigint as change_minor, sum(d.disputed_minor)::bigint as disputed_minor,
       sum(d.on_plan_minor)::bigint as on_plan_minor, sum(d.opened)::bigint as opened
from delta d {_GROUPS.format("d")}
cross join lateral (values ('due', d.due_on), ('issued', d.issued_on)) as a (axis, day)
group by g.kind, g.key, a.axis, a.day, d.currency, d.effective_on
having not (sum(d.change_minor) = 0 and sum(d.disputed_minor) = 0 and sum(d.on_plan_minor) = 0
            and sum(d.opened) = 0)
"""

_RECEIVABLES = """
insert into receivable as kept (invoice_id, customer_id, entity_id, currency, due_on, issued_on, opened_on, closed_on,
                                balance_minor)
select invoice_id, customer_id, entity_id, currency, due_on, issued_on, min(effective_on),
       case when sum(change_minor) <> 0 then 'infinity'
            else coalesce(max(effective_on) filter (where change_minor <> 0), min(effective_on)) end,
       sum(change_minor)::bigint
from step
where side = 1
group by invoice_id, customer_id, entity_id, currency, due_on, issued_on
"""

_REPLACING = """
on conflict (invoice_id) do update
set due_on = excluded.due_on, issued_on = excluded.issued_on, opened_on = excluded.opened_on,
    closed_on = excluded.closed_on, balance_minor = excluded.balance_minor
"""

_ACCOUNT_CELLS = """
insert into account_cell as kept (customer_id, currency, effective_on, due_on, issued_on, change_minor, increase_minor,
                                  disputed_minor, on_plan_minor, opened)
select customer_id, currency, effective_on, due_on, issued_on, sum(change_minor)::bigint, sum(increase_minor)::bigint,
       sum(disputed_minor)::bigint, sum(on_plan_minor)::bigint, sum(opened)::bigint
from delta
group by customer_id, currency, effective_on, due_on, issued_on
having not (sum(change_minor) = 0 and sum(increase_minor) = 0 and sum(disputed_minor) = 0 and sum(on_plan_minor) = 0
            and sum(opened) = 0)
order by customer_id, currency, effective_on, due_on, issued_on
"""

_ADDING_TO_ACCOUNT_CELLS = """
on conflict (customer_id, currency, effective_on, due_on, issued_on) do update
set change_minor = kept.change_minor + excluded.change_minor,
    increase_minor = kept.increase_minor + excluded.increase_minor,
    disputed_minor = kept.disputed_minor + excluded.disputed_minor,
    on_plan_minor = kept.on_plan_minor + excluded.on_plan_minor, opened = kept.opened + excluded.opened
"""

_GROUP_CELLS = """
insert into group_cell as kept (kind, axis, effective_on, key, currency, day, change_minor, disputed_minor,
                                on_plan_minor, opened)
select kind, axis, effective_on, key, currency, day, change_minor, disputed_minor, on_plan_minor, opened
from {0}
order by kind, axis, effective_on, key, currency, day
"""

_ADDING_TO_GROUP_CELLS = """
on conflict (kind, axis, effective_on, key, currency, day) do update
set change_minor = kept.change_minor + excluded.change_minor,
    disputed_minor = kept.disputed_minor + excluded.disputed_minor,
    on_plan_minor = kept.on_plan_minor + excluded.on_plan_minor, opened = kept.opened + excluded.opened
"""

_ACCOUNT_STANDINGS = """
insert into account_standing as kept (customer_id, before_on, currency, due_on, issued_on, balance_minor,
                                      disputed_minor, on_plan_minor, open_invoices)
select d.customer_id, s.before_on, d.currency, d.due_on, d.issued_on, sum(d.change_minor)::bigint,
       sum(d.disputed_minor)::bigint, sum(d.on_plan_minor)::bigint, sum(d.opened)::bigint
from delta d join standing_day s on s.before_on > d.effective_on and s.of_accounts
group by d.customer_id, s.before_on, d.currency, d.due_on, d.issued_on
order by d.customer_id, s.before_on, d.currency, d.due_on, d.issued_on
on conflict (customer_id, before_on, currency, due_on, issued_on) do update
set balance_minor = kept.balance_minor + excluded.balance_minor,
    disputed_minor = kept.disputed_minor + excluded.disputed_minor,
    on_plan_minor = kept.on_plan_minor + excluded.on_plan_minor,
    open_invoices = kept.open_invoices + excluded.open_invoices
"""

_GROUP_STANDINGS = """
insert into group_standing as kept (kind, axis, before_on, key, currency, day, balance_minor, disputed_minor,
                                    on_plan_minor, open_invoices)
select d.kind, d.axis, s.before_on, d.key, d.currency, d.day, sum(d.change_minor)::bigint,
       sum(d.disputed_minor)::bigint, sum(d.on_plan_minor)::bigint, sum(d.opened)::bigint
from {0} d join standing_day s on s.before_on > d.effective_on
group by d.kind, d.axis, s.before_on, d.key, d.currency, d.day
order by d.kind, d.axis, s.before_on, d.key, d.currency, d.day
"""

_ADDING_TO_GROUP_STANDINGS = """
on conflict (kind, axis, before_on, key, currency, day) do update
set balance_minor = kept.balance_minor + excluded.balance_minor,
    disputed_minor = kept.disputed_minor + excluded.disputed_minor,
    on_plan_minor = kept.on_plan_minor + excluded.on_plan_minor,
    open_invoices = kept.open_invoices + excluded.open_invoices
"""

_ACCOUNT_PERIODS = """
insert into account_period as kept (currency, before_on, customer_id, opening_minor, increase_minor, due_opening_minor,
                                    due_increase_minor)
select d.currency, p.before_on, d.customer_id,
       coalesce(sum(d.change_minor) filter (where d.effective_on < p.before_on), 0)::bigint,
       coalesce(sum(d.increase_minor) filter (where d.effective_on >= p.before_on), 0)::bigint,
       coalesce(sum(d.change_minor) filter (where d.effective_on < p.before_on and d.due_on < p.before_on + 10), 0)
           ::bigint,
       coalesce(sum(d.increase_minor) filter (where d.effective_on >= p.before_on and d.due_on < p.before_on + 10), 0)
           ::bigint
from delta d
join (select before_on, lead(before_on, 1, 'infinity') over (order by before_on) as until_on
      from (select '-infinity'::date as before_on union all select before_on from standing_day) as s
     ) as p
  on d.effective_on < p.until_on
where d.change_minor <> 0 or d.increase_minor <> 0
group by d.currency, p.before_on, d.customer_id
order by d.currency, p.before_on, d.customer_id
"""

_ADDING_TO_ACCOUNT_PERIODS = """
on conflict (currency, before_on, customer_id) do update
set opening_minor = kept.opening_minor + excluded.opening_minor,
    increase_minor = kept.increase_minor + excluded.increase_minor,
    due_opening_minor = kept.due_opening_minor + excluded.due_opening_minor,
    due_increase_minor = kept.due_increase_minor + excluded.due_increase_minor
"""

_PARTS = "select 1 as sign, g.kind as of_kind, g.key, f.* from {0} f " + _GROUPS.format("f")

_FLOWS = """
insert into flow as kept (kind, key, currency, effective_on, sales_minor, cash_minor, credited_minor, written_off_minor,
                          charged_minor, other_minor, invoices, first_booked_on)
select of_kind, key, currency, effective_on,
       coalesce(sum(sign * change_minor) filter (where kind = 'sale'), 0)::bigint,
       coalesce(-sum(sign * change_minor) filter (where kind = 'cash'), 0)::bigint,
       coalesce(-sum(sign * change_minor) filter (where kind in ('credit', 'void')), 0)::bigint,
       coalesce(-sum(sign * change_minor) filter (where kind = 'write_off'), 0)::bigint,
       coalesce(sum(sign * change_minor) filter (where kind = 'charge'), 0)::bigint,
       coalesce(-sum(sign * change_minor) filter (where kind in ('discount', 'difference', 'restored', 'other')), 0)
           ::bigint,
       coalesce(sum(sign) filter (where kind = 'sale'), 0), min(booked_on) filter (where of_kind = 'all')
from {0}
where kind <> 'hold'
group by of_kind, key, currency, effective_on
order by of_kind, key, currency, effective_on
"""

_ADDING_TO_FLOWS = """
on conflict (kind, key, currency, effective_on) do update
set sales_minor = kept.sales_minor + excluded.sales_minor, cash_minor = kept.cash_minor + excluded.cash_minor,
    credited_minor = kept.credited_minor + excluded.credited_minor,
    written_off_minor = kept.written_off_minor + excluded.written_off_minor,
    charged_minor = kept.charged_minor + excluded.charged_minor, other_minor = kept.other_minor + excluded.other_minor,
    invoices = kept.invoices + excluded.invoices,
    first_booked_on = least(kept.first_booked_on, excluded.first_booked_on)
"""

KEEP = f"""
with given as (
    select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[],
                         $8::date[], $9::date[], $10::date[], $11::bigint[], $12::bigint[], $13::bigint[])
), fresh as (
    insert into movement (invoice_id, version, customer_id, entity_id, currency, kind, due_on, issued_on, effective_on,
                          booked_on, change_minor, disputed_minor, on_plan_minor)
    select * from given
    on conflict do nothing
    returning *
), known as (
    select m.* from movement m where m.invoice_id in (select invoice_id from fresh)
), {_STEPS}
, delta as materialized ({_DELTA})
, delta_of_group as materialized ({_DELTA_OF_GROUP})
, part as ({_PARTS.format("fresh")})
, receivables as ({_RECEIVABLES} {_REPLACING} returning true)
, account_cells as ({_ACCOUNT_CELLS} {_ADDING_TO_ACCOUNT_CELLS} returning true)
, account_standings as ({_ACCOUNT_STANDINGS} returning true)
, account_periods as ({_ACCOUNT_PERIODS} {_ADDING_TO_ACCOUNT_PERIODS} returning true)
, kept_of_accounts as materialized (
    select (select count(*) from receivables) + (select count(*) from account_cells)
           + (select count(*) from account_standings) + (select count(*) from account_periods) as n
), shared as (
    select d.* from kept_of_accounts k cross join delta_of_group d where k.n >= 0
)
, group_standings as ({_GROUP_STANDINGS.format("shared")} {_ADDING_TO_GROUP_STANDINGS} returning true)
, group_cells as ({_GROUP_CELLS.format("shared")} {_ADDING_TO_GROUP_CELLS} returning true)
, kept_of_groups as materialized (
    select (select count(*) from group_standings) + (select count(*) from group_cells) as n
)
{_FLOWS.format("(select p.* from kept_of_groups k cross join part p where k.n >= 0) as part")} {_ADDING_TO_FLOWS}
"""
"""What is the customers' own comes first, and then, table by table and row by row in one order, what all share: from
there on others wait who add to the same sums, and none of them for one that waits for it."""


async def share(tx: Tx) -> None:
    """From here to the end of the transaction sums may be added to by whoever else only adds.

    The statements behind it have more parts than a plan for the values at hand is worth.
    """
    await tx.execute(_LOCK.format("_shared"), FIGURES_LOCK)


async def queue(tx: Tx) -> None:
    """Wait for everybody who writes sums, and keep them waiting to the end of the transaction; what they wrote is seen
    then."""
    await tx.execute(_LOCK.format(""), FIGURES_LOCK)


_LOCK = "select pg_advisory_xact_lock{0}($1), set_config('plan_cache_mode', 'force_generic_plan', true)"


async def keep_movements(tx: Tx, movements: Sequence[Movement]) -> None:
    """Add each movement once, and what it changes to every sum. Call `share` or `queue` before, and `keep_invoices`,
    which makes others wait who have movements of the same invoices."""
    await tx.execute(KEEP, *map(list, zip(*movements, strict=True)))


async def keep_invoices(tx: Tx, rows: Sequence[InvoiceRow]) -> None:
    """At most one row an invoice; an older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into invoice as kept (id, version, customer_id, number, status, issue_date, due_date, currency,
                                     total_minor, balance_minor, disputed_minor, settled_on)
        select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::date[], $7::date[],
                             $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::date[])
        on conflict (id) do update
        set version = excluded.version, number = excluded.number, status = excluded.status,
            issue_date = excluded.issue_date, due_date = excluded.due_date, total_minor = excluded.total_minor,
            balance_minor = excluded.balance_minor, disputed_minor = excluded.disputed_minor,
            settled_on = excluded.settled_on
        where kept.version < excluded.version
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def regroup(tx: Tx, moves: Sequence[Regrouped]) -> None:
    """Take customers' sums out of one group and put them into another. Call `queue` before."""
    columns = [list(column) for column in zip(*moves, strict=True)]
    for statement in (_REGROUP_CELLS, _REGROUP_STANDINGS, _REGROUP_FLOWS):
        await tx.execute(statement, *columns)


_MOVED = """
with given as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as t (customer_id, kind, left_key, joined_key)
), moved as (
    select g.customer_id, g.kind, s.sign, s.key
    from given g cross join lateral (values (-1, g.left_key), (1, g.joined_key)) as s (sign, key)
    where exists (select from account_cell c where c.customer_id = g.customer_id)
)
"""

_REGROUP_CELLS = f"""
{_MOVED}
insert into group_cell as kept (kind, axis, effective_on, key, currency, day, change_minor, disputed_minor,
                                on_plan_minor, opened)
select m.kind, a.axis, c.effective_on, m.key, c.currency, a.day, sum(m.sign * c.change_minor)::bigint,
       sum(m.sign * c.disputed_minor)::bigint, sum(m.sign * c.on_plan_minor)::bigint, sum(m.sign * c.opened)::bigint
from moved m join account_cell c using (customer_id)
cross join lateral (values ('due', c.due_on), ('issued', c.issued_on)) as a (axis, day)
group by m.kind, a.axis, c.effective_on, m.key, c.currency, a.day
{_ADDING_TO_GROUP_CELLS}
"""

_REGROUP_STANDINGS = f"""
{_MOVED}, stood as (
    select before_on, coalesce(max(before_on) filter (where of_accounts) over earlier, '-infinity') as since
    from standing_day
    window earlier as (order by before_on)
)
insert into group_standing as kept (kind, axis, before_on, key, currency, day, balance_minor, disputed_minor,
                                    on_plan_minor, open_invoices)
select m.kind, a.axis, s.before_on, m.key, o.currency, a.day, sum(m.sign * o.balance_minor)::bigint,
       sum(m.sign * o.disputed_minor)::bigint, sum(m.sign * o.on_plan_minor)::bigint,
       sum(m.sign * o.open_invoices)::bigint
from moved m
cross join stood s
cross join lateral (
    select currency, due_on, issued_on, balance_minor, disputed_minor, on_plan_minor, open_invoices
    from account_standing b where b.customer_id = m.customer_id and b.before_on = s.since
    union all
    select currency, due_on, issued_on, change_minor, disputed_minor, on_plan_minor, opened
    from account_cell c
    where c.customer_id = m.customer_id and c.effective_on >= s.since and c.effective_on < s.before_on
) o
cross join lateral (values ('due', o.due_on), ('issued', o.issued_on)) as a (axis, day)
group by m.kind, a.axis, s.before_on, m.key, o.currency, a.day
{_ADDING_TO_GROUP_STANDINGS}
"""

_REGROUP_FLOWS = f"""
{_MOVED}, part as (
    select m.sign, m.kind as of_kind, m.key, v.*
    from moved m join receivable r using (customer_id) join movement v on v.invoice_id = r.invoice_id
)
{_FLOWS.format("part")} {_ADDING_TO_FLOWS}
"""


async def first_movement_on(tx: Tx) -> date | None:
    """The first day anything counts for."""
    return await tx.fetchval("select min(effective_on) from flow where kind = 'all' and key = ''")
