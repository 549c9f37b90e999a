-- migrate:up
-- squawk-ignore require-concurrent-index-creation
create index instalment_plan_of_customer on instalment_plan (customer_id);

-- migrate:down
drop index instalment_plan_of_customer;
