-- migrate:up transaction:false
create index concurrently if not exists event_by_time on event (time, seq);

-- migrate:down transaction:false
drop index concurrently if exists event_by_time;
