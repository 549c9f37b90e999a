-- migrate:up
alter table credit_hold validate constraint credit_hold_cause_known;

-- migrate:down
