-- migrate:up
create table movement (
    invoice_id uuid not null,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    currency text not null,
    kind text not null,
    due_on date not null,
    issued_on date not null,
    effective_on date not null,
    booked_on date not null,
    change_minor bigint not null,
    disputed_minor bigint not null,
    on_plan_minor bigint not null,
    primary key (invoice_id, version)
);
comment on table movement is 'Every change of an invoice''s balance, or of what of it is disputed or on a plan.';
comment on column movement.change_minor is 'What it adds to the balance.';
comment on column movement.disputed_minor is 'What is disputed after it; the change is taken against the version before.';
comment on column movement.on_plan_minor is 'What waits for a plan''s dates after it.';

-- Only what was booked on another day than it counts for can make the books of an earlier day look different.
create index movement_dated_apart on movement
    using gist (daterange(least(effective_on, booked_on), greatest(effective_on, booked_on)))
    where effective_on <> booked_on;

create table receivable (
    invoice_id uuid primary key,
    customer_id uuid not null,
    entity_id text not null,
    currency text not null,
    due_on date not null,
    issued_on date not null,
    opened_on date not null,
    closed_on date not null,
    balance_minor bigint not null
);
comment on table receivable is 'An invoice''s movements added up, whatever order they came in.';
comment on column receivable.opened_on is 'The first day anything counts for.';
comment on column receivable.closed_on is 'The day from which nothing is owed on it; infinity while something is.';
create index receivable_due on receivable (currency, due_on, closed_on);
create index receivable_of_customer on receivable (customer_id, due_on, closed_on);

create table standing_day (
    before_on date primary key,
    of_accounts boolean not null
);
comment on table standing_day is 'Days before which standings are kept: a question reads the last one and the cells since.';
comment on column standing_day.of_accounts is 'Of every customer too, as on the first of each month; else of groups only.';

create table account_cell (
    customer_id uuid not null,
    currency text not null,
    effective_on date not null,
    due_on date not null,
    issued_on date not null,
    change_minor bigint not null,
    increase_minor bigint not null,
    disputed_minor bigint not null,
    on_plan_minor bigint not null,
    opened bigint not null,
    primary key (customer_id, currency, effective_on, due_on, issued_on)
);
comment on table account_cell is 'What a day changed on a customer''s invoices of one due and issue date.';
comment on column account_cell.increase_minor is 'What of the change was upwards, before anything downwards.';
comment on column account_cell.opened is 'Invoices that began to be owed that day less those that ceased to be.';
create index account_cell_by_day on account_cell using brin (effective_on) with (pages_per_range = 32);

create table account_standing (
    customer_id uuid not null,
    before_on date not null,
    currency text not null,
    due_on date not null,
    issued_on date not null,
    balance_minor bigint not null,
    disputed_minor bigint not null,
    on_plan_minor bigint not null,
    open_invoices bigint not null,
    primary key (customer_id, before_on, currency, due_on, issued_on)
);
comment on table account_standing is 'The sum of a customer''s cells before a standing day.';

create table account_period (
    currency text not null,
    before_on date not null,
    customer_id uuid not null,
    opening_minor bigint not null,
    increase_minor bigint not null,
    due_opening_minor bigint not null,
    due_increase_minor bigint not null,
    peak_minor bigint generated always as (opening_minor + increase_minor) stored,
    due_peak_minor bigint generated always as (due_opening_minor + due_increase_minor) stored,
    primary key (currency, before_on, customer_id)
);
comment on table account_period is 'From a standing day to the next: what a customer owed at its start, and never more than the peak on any day in it.';
comment on column account_period.due_peak_minor is 'The same of what falls due within a month of its start, and so is never exceeded by what is overdue in that month.';
create index account_period_peak on account_period (currency, before_on, peak_minor desc, customer_id);
create index account_period_due_peak on account_period (currency, before_on, due_peak_minor desc, customer_id);

create table group_cell (
    kind text not null,
    effective_on date not null,
    key text not null,
    currency text not null,
    axis text not null,
    day date not null,
    change_minor bigint not null,
    disputed_minor bigint not null,
    on_plan_minor bigint not null,
    opened bigint not null,
    primary key (kind, axis, effective_on, key, currency, day)
);
comment on table group_cell is 'As account_cell, for all customers (kind all, key empty) and for each segment, country, collector and entity: once by due date (axis due), once by invoice date (issued).';

create table group_standing (
    kind text not null,
    before_on date not null,
    key text not null,
    currency text not null,
    axis text not null,
    day date not null,
    balance_minor bigint not null,
    disputed_minor bigint not null,
    on_plan_minor bigint not null,
    open_invoices bigint not null,
    primary key (kind, axis, before_on, key, currency, day)
);
comment on table group_standing is 'The sum of a group''s cells before a standing day.';

create table flow (
    kind text not null,
    key text not null,
    currency text not null,
    effective_on date not null,
    sales_minor bigint not null,
    cash_minor bigint not null,
    credited_minor bigint not null,
    written_off_minor bigint not null,
    charged_minor bigint not null,
    other_minor bigint not null,
    invoices bigint not null,
    first_booked_on date,
    primary key (kind, key, currency, effective_on)
);
comment on column flow.first_booked_on is 'Of all customers together only: when the first of it was known.';
comment on table flow is 'What happened to a group''s receivables on a day, by cause; each amount positive in its usual direction.';

create table collector (
    customer_id uuid primary key,
    name text not null,
    said_on date not null,
    task_id uuid not null,
    version bigint not null
);
comment on table collector is 'Who has a customer''s newest task.';
create index collector_name on collector (name, customer_id);

create table rates (
    on_day date not null,
    base text not null,
    source text not null,
    version bigint not null,
    by_currency jsonb not null,
    primary key (on_day, base)
);
comment on table rates is 'Reference rates of a day: what one unit of the base costs in each currency, as decimal text.';

create function standing_before(as_of date) returns date
language sql stable parallel safe
as $$ select coalesce(max(before_on), '-infinity') from standing_day where before_on <= as_of + 1 $$;

create function account_standing_before(as_of date) returns date
language sql stable parallel safe
as $$ select coalesce(max(before_on), '-infinity') from standing_day where before_on <= as_of + 1 and of_accounts $$;

-- The books at the end of `as_of` as they were known at the end of `known_at` differ from the standings only by invoices
-- with a movement that lies across the earlier of the two days: those are added up one by one.
create function correction(as_of date, known_at date)
returns table (customer_id uuid, entity_id text, currency text, due_on date, issued_on date, balance_minor bigint,
               disputed_minor bigint, on_plan_minor bigint, open_invoices bigint)
language sql stable parallel safe
as $$
    with apart as materialized (
        select distinct invoice_id from movement
        where effective_on <> booked_on
          and daterange(least(effective_on, booked_on), greatest(effective_on, booked_on)) @> least(as_of, known_at)
    ), change as (
        select m.*, r.due_on as due_by, r.issued_on as issued_at
        from apart a
        cross join lateral (  -- Few invoices among many: looked up one by one, whatever the planner expects.
            select v.*, v.disputed_minor - lag(v.disputed_minor, 1, 0::bigint) over w as disputed_change,
                   v.on_plan_minor - lag(v.on_plan_minor, 1, 0::bigint) over w as on_plan_change
            from movement v where v.invoice_id = a.invoice_id
            window w as (order by v.version)
        ) m
        cross join lateral (select * from receivable k where k.invoice_id = a.invoice_id limit 1) r
    ), side as (
        select 1 as sign, c.* from change c where c.effective_on <= as_of and c.booked_on <= known_at
        union all
        select -1, c.* from change c where c.effective_on <= least(as_of, known_at)
    )
    select s.customer_id, s.entity_id, s.currency, s.due_by, s.issued_at, (s.sign * sum(s.change_minor))::bigint,
           (s.sign * sum(s.disputed_change))::bigint, (s.sign * sum(s.on_plan_change))::bigint,
           (s.sign * (sum(s.change_minor) <> 0)::integer)::bigint
    from side s
    group by s.sign, s.invoice_id, s.customer_id, s.entity_id, s.currency, s.due_by, s.issued_at
$$;

create function owed_by_group(of_kind text, by_axis text, as_of date)
returns table (key text, currency text, day date, balance_minor bigint, disputed_minor bigint, on_plan_minor bigint,
               open_invoices bigint)
language sql stable parallel safe
as $$
    select s.key, s.currency, s.day, s.balance_minor, s.disputed_minor, s.on_plan_minor, s.open_invoices
    from group_standing s
    where s.kind = of_kind and s.axis = by_axis and s.before_on = (select standing_before(as_of))
    union all
    select c.key, c.currency, c.day, c.change_minor, c.disputed_minor, c.on_plan_minor, c.opened
    from group_cell c
    where c.kind = of_kind and c.axis = by_axis and c.effective_on >= (select standing_before(as_of))
      and c.effective_on <= as_of
$$;

create function owed_by_group_as_known(of_kind text, by_axis text, as_of date, known_at date)
returns table (key text, currency text, day date, balance_minor bigint, disputed_minor bigint, on_plan_minor bigint,
               open_invoices bigint)
language sql stable parallel safe
as $$
    select * from owed_by_group(of_kind, by_axis, least(as_of, known_at))
    union all
    select case of_kind when 'all' then '' when 'entity' then c.entity_id when 'segment' then coalesce(p.segment, 'unknown')
                        when 'country' then coalesce(p.country, 'unknown') else coalesce(k.name, 'nobody') end,
           c.currency, case by_axis when 'due' then c.due_on else c.issued_on end, c.balance_minor, c.disputed_minor,
           c.on_plan_minor, c.open_invoices
    from correction(as_of, known_at) c
    left join customer p on p.id = c.customer_id
    left join collector k on k.customer_id = c.customer_id
$$;

create function owed_by_customer(of_customer uuid, as_of date)
returns table (currency text, due_on date, issued_on date, balance_minor bigint, disputed_minor bigint,
               on_plan_minor bigint, open_invoices bigint)
language sql stable parallel safe
as $$
    select s.currency, s.due_on, s.issued_on, s.balance_minor, s.disputed_minor, s.on_plan_minor, s.open_invoices
    from account_standing s
    where s.customer_id = of_customer and s.before_on = (select account_standing_before(as_of))
    union all
    select c.currency, c.due_on, c.issued_on, c.change_minor, c.disputed_minor, c.on_plan_minor, c.opened
    from account_cell c
    where c.customer_id = of_customer and c.effective_on >= (select account_standing_before(as_of))
      and c.effective_on <= as_of
$$;

-- migrate:down
drop function owed_by_customer(uuid, date);
drop function owed_by_group_as_known(text, text, date, date);
drop function owed_by_group(text, text, date);
drop function correction(date, date);
drop function account_standing_before(date);
drop function standing_before(date);
drop table rates, collector, flow, group_standing, group_cell, account_period, account_standing, account_cell, standing_day,
    receivable, movement;
