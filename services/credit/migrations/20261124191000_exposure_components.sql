-- migrate:up
alter table invoice_exposure add column on_plan_minor bigint not null default 0;
comment on column invoice_exposure.on_plan_minor is 'The part of the balance that an instalment plan covers.';

create table account_watch (
    customer_id uuid primary key,
    due_at timestamptz not null
);
comment on table account_watch is
    'Accounts to be held against the hold rules, and when: at once after news, later when a day that counts comes.';
create index account_watch_due on account_watch (due_at);

-- migrate:down
drop table account_watch;
alter table invoice_exposure drop column on_plan_minor;
