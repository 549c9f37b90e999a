-- migrate:up
alter table task
    add column assignee text,
    add column snoozed_until date,
    add column done_by text,
    add column done_at timestamptz,
    add column outcome text;
alter table task
    add constraint task_done_by_somebody check ((status = 'done') = (done_by is not null)) not valid;
comment on column task.assignee is 'Whose it is; null: whoever looks after the account.';
comment on column task.snoozed_until is 'Out of sight before this day.';
-- squawk-ignore require-concurrent-index-creation
create index task_open_of_account on task (customer_id, entity_id) where status = 'open';

-- migrate:down
drop index task_open_of_account;
alter table task drop constraint task_done_by_somebody;
alter table task
    drop column outcome, drop column done_at, drop column done_by, drop column snoozed_until, drop column assignee;
