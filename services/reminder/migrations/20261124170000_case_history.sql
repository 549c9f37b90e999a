-- migrate:up
-- squawk-ignore require-concurrent-index-creation
create index event_log_of_case on event_log (subject, time) where type like 'dueward.case.%';

-- migrate:down
drop index event_log_of_case;
