-- migrate:up
-- squawk-ignore require-concurrent-index-creation
create index account_subsidiaries on account (parent_id) where contact_parent;

-- migrate:down
drop index account_subsidiaries;
