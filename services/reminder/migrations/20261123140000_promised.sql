-- migrate:up
alter table collection_case add column promised_on date;
comment on column collection_case.promised_on is 'The day the customer said it will pay by; nothing goes out until it has passed.';

-- migrate:down
alter table collection_case drop column promised_on;
