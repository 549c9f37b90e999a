-- migrate:up
alter table task add column role text;
comment on column task.role is 'Whose role it is for, such as sales, where it has no assignee; null: whoever looks after the account.';
alter table collection_case add column formal_notice_on date;
comment on column collection_case.formal_notice_on is 'When the customer got formal notice of default in the running or last episode.';

-- migrate:down
alter table collection_case drop column formal_notice_on;
alter table task drop column role;
