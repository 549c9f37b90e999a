-- migrate:up
-- A case is of a customer with one selling entity, and rests while something holds it.
-- squawk-ignore ban-drop-constraint
alter table collection_case drop constraint collection_case_pkey;
-- squawk-ignore adding-serial-primary-key-field,disallowed-unique-constraint,constraint-missing-not-valid
alter table collection_case add primary key (customer_id, entity_id);
alter table collection_case add column holds jsonb not null default '[]';
update collection_case
set holds = jsonb_build_array(jsonb_build_object(
    'kind', 'promised', 'until', promised_on, 'source', 'offered', 'detail', 'named by the customer'))
where promised_on is not null;
-- squawk-ignore ban-drop-column
alter table collection_case drop column promised_on;
alter table collection_case add column broken_promises bigint not null default 0;
comment on table collection_case is 'The collection case of a customer with a selling entity. Episode 0: nothing was ever overdue.';
comment on column collection_case.holds is 'What the case rests for, each with its kind and source: through a last day, or until it is released.';
comment on column collection_case.broken_promises is 'How many promises to pay the customer has broken here, ever.';

-- squawk-ignore ban-drop-constraint
alter table task drop constraint task_once_per_occasion;
-- squawk-ignore disallowed-unique-constraint,constraint-missing-not-valid
alter table task add constraint task_once_per_occasion unique (customer_id, entity_id, kind, occasion);

-- The same few invoices that decide a case, now found by entity too.
-- squawk-ignore require-concurrent-index-deletion
drop index receivable_open_of_customer;
-- squawk-ignore require-concurrent-index-deletion
drop index receivable_overdue_of_customer;
-- squawk-ignore require-concurrent-index-deletion
drop index receivable_held_back_of_customer;
-- squawk-ignore require-concurrent-index-deletion
drop index receivable_resting_of_customer;
-- squawk-ignore require-concurrent-index-creation
create index receivable_open_of_customer on receivable (customer_id, entity_id, due_date) where balance_minor > 0;
-- squawk-ignore require-concurrent-index-creation
create index receivable_overdue_of_customer on receivable (customer_id, entity_id, due_date, number)
    where collectable_minor > 0 and overdue_since is not null;
-- squawk-ignore require-concurrent-index-creation
create index receivable_held_back_of_customer on receivable (customer_id, entity_id)
    where balance_minor > 0 and collectable_minor = 0 and overdue_since is not null;
-- squawk-ignore require-concurrent-index-creation
create index receivable_resting_of_customer on receivable (customer_id, entity_id, collect_again_on)
    where collect_again_on is not null;

-- migrate:down
drop index receivable_resting_of_customer;
drop index receivable_held_back_of_customer;
drop index receivable_overdue_of_customer;
drop index receivable_open_of_customer;
create index receivable_open_of_customer on receivable (customer_id, due_date) where balance_minor > 0;
create index receivable_overdue_of_customer on receivable (customer_id, due_date, number)
    where collectable_minor > 0 and overdue_since is not null;
create index receivable_held_back_of_customer on receivable (customer_id)
    where balance_minor > 0 and collectable_minor = 0 and overdue_since is not null;
create index receivable_resting_of_customer on receivable (customer_id, collect_again_on)
    where collect_again_on is not null;
alter table task drop constraint task_once_per_occasion;
alter table task add constraint task_once_per_occasion unique (customer_id, kind, occasion);
alter table collection_case drop column broken_promises;
alter table collection_case add column promised_on date;
alter table collection_case drop column holds;
alter table collection_case drop constraint collection_case_pkey;
alter table collection_case add primary key (customer_id);
