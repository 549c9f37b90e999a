-- migrate:up
alter table customer validate constraint customer_merged_is_closed;

-- migrate:down
