-- migrate:up
alter table invoice_exposure add column number text;
alter table invoice_exposure add column total_minor bigint;
alter table invoice_exposure add column written_off_minor bigint not null default 0;
alter table invoice_exposure add column status text;
comment on column invoice_exposure.number is 'Null, as total and status are, for invoices not heard of since these were kept.';
comment on column invoice_exposure.written_off_minor is 'What is no longer expected, so that decisions can be held against it.';
-- squawk-ignore require-concurrent-index-creation
create index invoice_exposure_of_customer on invoice_exposure (customer_id);

create table invoice_order (
    invoice_id uuid primary key,
    customer_id uuid not null,
    reference text not null
);
comment on table invoice_order is 'Which order an invoice is for, as it was issued.';
create index invoice_order_of_customer on invoice_order (customer_id);

-- migrate:down
drop table invoice_order;
drop index invoice_exposure_of_customer;
alter table invoice_exposure drop column status;
alter table invoice_exposure drop column written_off_minor;
alter table invoice_exposure drop column total_minor;
alter table invoice_exposure drop column number;
