-- migrate:up
alter table contact
    add column strategy text not null default '',
    add column invoices text[] not null default '{}';
comment on column contact.invoices is 'Numbers of the invoices the message is about.';
-- squawk-ignore require-concurrent-index-creation
create index contact_of_customer on contact (customer_id, effective_on) where status = 'sent';

-- migrate:down
drop index contact_of_customer;
alter table contact drop column invoices, drop column strategy;
