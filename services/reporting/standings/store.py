"""Standings: everything before a day added up, of the groups and on some days of every customer (see `balances`)."""

from __future__ import annotations

from datetime import date

from shared.db import Tx


async def last_standing_day(tx: Tx) -> date | None:
    return await tx.fetchval("select max(before_on) from standing_day")


async def keep_standings(tx: Tx, before_on: date, *, of_accounts: bool) -> None:
    """Add up everything before a day that is later than every standing day so far: of the groups, and where it is said
    of every customer. Call `queue` before."""
    since = await last_standing_day(tx) or date.min  # The driver's word for -infinity.
    of_accounts_since = await tx.fetchval("select max(before_on) from standing_day where of_accounts") or date.min
    await tx.execute(_STAND_GROUPS, before_on, since)
    if of_accounts:
        await tx.execute(_STAND_ACCOUNTS, before_on, of_accounts_since)
    await tx.execute(_BEGIN_PERIODS, before_on, before_on if of_accounts else of_accounts_since, since)
    await tx.execute("insert into standing_day (before_on, of_accounts) values ($1, $2)", before_on, of_accounts)


_STOOD = """
select customer_id, currency, due_on, issued_on, sum(balance_minor)::bigint as balance_minor,
       sum(disputed_minor)::bigint as disputed_minor, sum(on_plan_minor)::bigint as on_plan_minor,
       sum(open_invoices)::bigint as open_invoices
from (
    select customer_id, currency, due_on, issued_on, balance_minor, disputed_minor, on_plan_minor, open_invoices
    from account_standing where before_on = $2
    union all
    select customer_id, currency, due_on, issued_on, change_minor, disputed_minor, on_plan_minor, opened
    from account_cell where effective_on >= $2 and effective_on < $1
) as before
group by customer_id, currency, due_on, issued_on
having not (sum(balance_minor) = 0 and sum(disputed_minor) = 0 and sum(on_plan_minor) = 0 and sum(open_invoices) = 0)
"""
"""What every customer owed before the day $1, its last standing being the one of $2."""

_STAND_ACCOUNTS = f"""
insert into account_standing
    (customer_id, before_on, currency, due_on, issued_on, balance_minor, disputed_minor, on_plan_minor, open_invoices)
select customer_id, $1, currency, due_on, issued_on, balance_minor, disputed_minor, on_plan_minor, open_invoices
from ({_STOOD}) as stood
order by customer_id
"""

_STAND_GROUPS = """
insert into group_standing
    (kind, axis, before_on, key, currency, day, balance_minor, disputed_minor, on_plan_minor, open_invoices)
select kind, axis, $1, key, currency, day, sum(balance_minor)::bigint, sum(disputed_minor)::bigint,
       sum(on_plan_minor)::bigint, sum(open_invoices)::bigint
from (
    select kind, axis, key, currency, day, balance_minor, disputed_minor, on_plan_minor, open_invoices
    from group_standing where before_on = $2
    union all
    select kind, axis, key, currency, day, change_minor, disputed_minor, on_plan_minor, opened
    from group_cell where effective_on >= $2 and effective_on < $1
) as before
group by kind, axis, key, currency, day
having not (sum(balance_minor) = 0 and sum(disputed_minor) = 0 and sum(on_plan_minor) = 0 and sum(open_invoices) = 0)
order by kind, axis, key, currency, day
"""

_BEGIN_PERIODS = f"""
with opening as (
    select currency, customer_id, sum(balance_minor)::bigint as opening_minor,
           coalesce(sum(balance_minor) filter (where due_on < $1::date + 10), 0)::bigint as due_opening_minor
    from ({_STOOD}) as stood
    group by currency, customer_id
), later as (
    select currency, customer_id, sum(increase_minor)::bigint as increase_minor,
           coalesce(sum(increase_minor) filter (where due_on < $1::date + 10), 0)::bigint as due_in_this,
           coalesce(sum(increase_minor) filter (where due_on < $3::date + 10), 0)::bigint as due_in_last
    from account_cell where effective_on >= $1
    group by currency, customer_id
), taken_over as (
    update account_period p
    set increase_minor = p.increase_minor - later.increase_minor,
        due_increase_minor = p.due_increase_minor - later.due_in_last
    from later
    where p.customer_id = later.customer_id and p.currency = later.currency and p.before_on = $3
)
insert into account_period (currency, before_on, customer_id, opening_minor, increase_minor, due_opening_minor,
                            due_increase_minor)
select currency, $1, customer_id, sum(opening_minor)::bigint, sum(increase_minor)::bigint,
       sum(due_opening_minor)::bigint, sum(due_increase_minor)::bigint
from (select currency, customer_id, opening_minor, 0 as increase_minor, due_opening_minor, 0 as due_increase_minor
      from opening
      union all select currency, customer_id, 0, increase_minor, 0, due_in_this from later) as period
group by currency, customer_id
"""
