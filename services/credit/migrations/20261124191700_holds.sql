-- migrate:up
create table credit_hold (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null references customer (id),
    cause text not null,
    source text not null,
    held text[] not null,
    reason text not null,
    placed_by text not null,
    placed_at timestamptz not null,
    until_on date,
    released_at timestamptz,
    released_by text,
    release_reason text,
    constraint credit_hold_version_from_1 check (version >= 1),
    constraint credit_hold_holds_something check (cardinality(held) > 0),
    constraint credit_hold_held_known check (held <@ array['orders', 'invoices', 'delivery']),
    constraint credit_hold_cause_known check (cause in (
        'by_hand', 'overdue_days', 'overdue_amount', 'promise_broken', 'over_limit', 'insolvency', 'dunning'
    )),
    constraint credit_hold_released_by_somebody check ((released_at is null) = (released_by is null))
);
comment on table credit_hold is 'Who gets nothing more for now, what of it, and why; released ones stay.';
create unique index credit_hold_one_a_cause on credit_hold (customer_id, cause, source) where released_at is null;
create index credit_hold_of_customer on credit_hold (customer_id, id);

-- migrate:down
drop table credit_hold;
