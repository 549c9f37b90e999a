-- migrate:up
create table account (
    id uuid primary key,
    version bigint not null default 0,
    external_id text,
    name text,
    status text not null default 'active',
    country text,
    language text not null default 'en',
    time_zone text not null default 'UTC',
    currency text,
    segment text,
    contacts jsonb not null default '[]'
);
comment on table account is 'A customer as credit published it. Its row is locked first by everything that publishes for the customer.';
comment on column account.version is '0 while only invoices of the customer have been heard of.';

create table receivable (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    number text not null,
    issue_date date not null,
    due_date date not null,
    currency text not null,
    total_minor bigint not null,
    balance_minor bigint not null,
    disputed_minor bigint not null,
    collectable_minor bigint not null,
    overdue_episode bigint not null,
    overdue_since date,
    constraint receivable_collectable_within_balance check (collectable_minor between 0 and balance_minor)
);
comment on table receivable is 'The newest state of each invoice as the invoice service published it.';
create index receivable_open_of_customer on receivable (customer_id, due_date) where balance_minor > 0;

-- migrate:down
drop table receivable;
drop table account;
