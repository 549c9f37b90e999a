-- migrate:up
alter table credit_account validate constraint credit_account_source_known;

-- migrate:down
