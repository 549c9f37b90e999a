-- migrate:up
create table product_share (
    invoice_id uuid not null,
    product_line text not null,
    amount_minor bigint not null,
    primary key (invoice_id, product_line)
);
comment on table product_share is 'What of an invoice''s total its product lines are; invoices of which nothing is said have no row.';
comment on column product_share.product_line is 'Empty for what no line names.';

create table reason_given (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    said_on date not null,
    reason text not null
);
comment on table reason_given is 'Why a customer pays late, as a call, an answer or an insolvency told.';
create index reason_given_by_customer on reason_given (customer_id, said_on);

-- squawk-ignore require-concurrent-index-creation
create index instalment_plan_of_invoice on instalment_plan (invoice_id);

-- Calls and answers that were heard before are in the feed.
insert into rebuild (wanted_by) select 'migration' where exists (select from event) on conflict do nothing;

-- migrate:down
drop index instalment_plan_of_invoice;
drop table reason_given;
drop table product_share;
