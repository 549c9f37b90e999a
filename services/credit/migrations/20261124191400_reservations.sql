-- migrate:up
create table reservation (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null references customer (id),
    decision_id uuid not null references credit_decision (id),
    reference text not null,
    amount_minor bigint not null,
    currency text not null,
    status text not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    invoice_id uuid,
    constraint reservation_asks_for_something check (amount_minor > 0),
    constraint reservation_status_known check (status in ('held', 'used', 'expired', 'released')),
    constraint reservation_one_an_invoice unique (invoice_id),
    constraint reservation_used_by_an_invoice check (invoice_id is null or status = 'used')
);
comment on table reservation is 'Headroom kept for an order until it is invoiced, given back, or runs out.';
create unique index reservation_one_an_order on reservation (customer_id, reference) where status = 'held';
create index reservation_expiry on reservation (expires_at) where status = 'held';
create index reservation_of_customer on reservation (customer_id, id);

-- migrate:down
drop table reservation;
