-- migrate:up
-- Of all movements write-offs are few, and losses are looked up by their day.
-- squawk-ignore require-concurrent-index-creation
create index movement_written_off on movement (effective_on) where kind = 'write_off';

-- migrate:down
drop index movement_written_off;
