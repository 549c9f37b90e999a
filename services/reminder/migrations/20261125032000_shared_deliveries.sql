-- migrate:up
alter table contact add column delivery_id uuid;
comment on column contact.delivery_id is 'Contacts of several subsidiaries that reach their parent company as one message share it: the id of the first of them.';
-- squawk-ignore require-concurrent-index-creation
create index contact_shared_delivery on contact (delivery_id) where delivery_id is not null;

-- migrate:down
drop index contact_shared_delivery;
alter table contact drop column delivery_id;
