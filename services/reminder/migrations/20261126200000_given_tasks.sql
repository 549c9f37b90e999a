-- migrate:up
alter table task add column given_by text;
comment on column task.given_by is 'Whoever gave it by hand; null for what this service asks for itself.';

-- migrate:down
alter table task drop column given_by;
