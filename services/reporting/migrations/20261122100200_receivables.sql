-- migrate:up
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
