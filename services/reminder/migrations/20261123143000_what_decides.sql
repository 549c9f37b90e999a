-- migrate:up
-- A case is decided by few of the invoices a customer owes, found here without a look at the thousands of others.
-- squawk-ignore require-concurrent-index-creation
create index receivable_overdue_of_customer on receivable (customer_id, due_date, number)
    where collectable_minor > 0 and overdue_since is not null;
-- squawk-ignore require-concurrent-index-creation
create index receivable_held_back_of_customer on receivable (customer_id)
    where balance_minor > 0 and collectable_minor = 0 and overdue_since is not null;
-- squawk-ignore require-concurrent-index-creation
create index receivable_resting_of_customer on receivable (customer_id, collect_again_on)
    where collect_again_on is not null;

-- migrate:down
drop index receivable_resting_of_customer;
drop index receivable_held_back_of_customer;
drop index receivable_overdue_of_customer;
