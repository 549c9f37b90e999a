-- migrate:up
alter table customer validate constraint customer_not_its_own_parent;

-- migrate:down
