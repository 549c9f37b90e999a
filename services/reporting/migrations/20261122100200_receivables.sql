-- migrate:up
create table movement (
    invoice_id uuid not null,
    version bigint not null,
    customer_id uuid not null,
    currency text not null,
    due_on date not null,
    effective_on date not null,
    booked_on date not null,
    change_minor bigint not null,
    sale_minor bigint not null,
    primary key (invoice_id, version)
);
comment on table movement is 'Every change of an invoice''s balance; an as-of figure is a sum over it.';
comment on column movement.sale_minor is 'What of the change is a credit sale: the total when issued, else 0.';

create index movement_by_day on movement (currency, effective_on) include (due_on, booked_on, change_minor, sale_minor);

create table receivable (
    invoice_id uuid primary key,
    customer_id uuid not null,
    currency text not null,
    due_on date not null,
    opened_on date not null,
    last_on date not null,
    balance_minor bigint not null
);
comment on table receivable is 'An invoice''s movements added up, whatever order they came in.';
comment on column receivable.opened_on is 'Before this day no movement counts, neither by its effective nor by its booked date.';
comment on column receivable.last_on is 'From this day on every movement counts, by its effective and by its booked date.';

create index receivable_last_on on receivable (last_on, opened_on);
create index receivable_of_customer on receivable (customer_id);
create index receivable_open on receivable (last_on) where balance_minor <> 0;

-- What was owed at the end of a day, as it was known at the end of another: what had no movement since is read from its
-- balance, and only what was touched later is added up from its movements. Plain SQL, so the planner inlines it.
create function open_on(as_of date, known_at date)
returns table (invoice_id uuid, customer_id uuid, currency text, due_on date, balance_minor bigint)
language sql stable parallel safe
as $$
    select r.invoice_id, r.customer_id, r.currency, r.due_on, r.balance_minor
    from receivable r
    where r.balance_minor <> 0 and r.last_on <= least(as_of, known_at)
    union all
    select r.invoice_id, r.customer_id, r.currency, r.due_on, sum(m.change_minor)::bigint
    from receivable r
    join movement m on m.invoice_id = r.invoice_id and m.effective_on <= as_of and m.booked_on <= known_at
    where r.last_on > least(as_of, known_at) and r.opened_on <= least(as_of, known_at)
    group by r.invoice_id, r.customer_id, r.currency, r.due_on
    having sum(m.change_minor) <> 0
$$;

create table invoice (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    number text not null,
    status text not null,
    issue_date date not null,
    due_date date not null,
    currency text not null,
    total_minor bigint not null,
    balance_minor bigint not null,
    disputed_minor bigint not null,
    settled_on date
);
comment on table invoice is 'The newest state of each invoice as the invoice service published it.';
create index invoice_of_customer on invoice (customer_id, due_date);

create table contact (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    step text not null,
    tone text not null,
    channel text not null,
    status text not null,
    effective_on date not null
);
comment on table contact is 'The newest state of each message to a customer.';
create index contact_sent on contact (effective_on) where status = 'sent';

-- migrate:down
drop table contact;
drop table invoice;
drop function open_on(date, date);
drop table receivable;
drop table movement;
