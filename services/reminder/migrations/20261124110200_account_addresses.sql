-- migrate:up
-- Who writes from an address that nothing was sent to yet is found among the customers' contact persons.
-- squawk-ignore require-concurrent-index-creation
create index account_contact_addresses on account using gin ((lower(contacts::text)::jsonb) jsonb_path_ops);

-- migrate:down
drop index account_contact_addresses;
