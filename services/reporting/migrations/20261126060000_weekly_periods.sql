-- migrate:up
comment on table account_period is 'From a standing day to the next: what a customer owed at its start, and never more than the peak on any day in it.';
comment on column account_period.due_peak_minor is 'The same of what falls due within ten days of its start, and so is never exceeded by what is overdue until the next standing day.';

-- Periods were months; now one begins on every standing day.
truncate account_period;
insert into account_period (currency, before_on, customer_id, opening_minor, increase_minor, due_opening_minor,
                            due_increase_minor)
with period as materialized (
    select before_on, date_trunc('month', before_on)::date as month_on from standing_day
)
select currency, before_on, customer_id, sum(opening_minor)::bigint, sum(increase_minor)::bigint,
       coalesce(sum(opening_minor) filter (where due_on < before_on + 10), 0)::bigint,
       coalesce(sum(increase_minor) filter (where due_on < before_on + 10), 0)::bigint
from (
    select o.currency, p.before_on, o.customer_id, o.due_on, o.balance_minor as opening_minor, 0 as increase_minor
    from account_standing o join period p on p.month_on = o.before_on
    union all
    select c.currency, p.before_on, c.customer_id, c.due_on, c.change_minor, 0
    from account_cell c
    join period p on p.month_on = date_trunc('month', c.effective_on)::date and p.before_on > c.effective_on
    union all
    select c.currency, coalesce((select max(p.before_on) from period p where p.before_on <= c.effective_on), '-infinity'),
           c.customer_id, c.due_on, 0, c.increase_minor
    from account_cell c
) as part
group by currency, before_on, customer_id;

-- migrate:down
-- What was kept before is made anew from the feed.
insert into rebuild (wanted_by) select 'release' where exists (select from event) on conflict do nothing;
