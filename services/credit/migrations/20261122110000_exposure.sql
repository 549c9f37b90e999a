-- migrate:up
create table invoice_exposure (
    invoice_id uuid primary key,
    customer_id uuid not null,
    version bigint not null,
    currency text not null,
    balance_minor bigint not null,
    disputed_minor bigint not null,
    due_date date not null,
    constraint invoice_exposure_never_negative check (balance_minor >= 0 and disputed_minor >= 0)
);
comment on table invoice_exposure is
    'What is open on each invoice at the newest version heard of; settled ones stay, so that an older version is known as old.';
create index invoice_exposure_open on invoice_exposure (customer_id) where balance_minor > 0;

-- migrate:down
drop table invoice_exposure;
