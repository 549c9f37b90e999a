-- migrate:up
alter table customer add column parent_id uuid;
alter table customer add column contact_parent boolean not null default false;
alter table customer add constraint customer_not_its_own_parent check (parent_id <> id) not valid;
comment on column customer.parent_id is 'The company it belongs to, a customer too.';
comment on column customer.contact_parent is 'Reminders go to the contact person of that company.';

-- migrate:down
alter table customer drop constraint customer_not_its_own_parent;
alter table customer drop column contact_parent;
alter table customer drop column parent_id;
