-- migrate:up
-- What the desk's first page counts: a few rows of many, so that building it holds nobody up for long.
-- squawk-ignore require-concurrent-index-creation
create index delivery_failed on delivery (invoice_id) where kind = 'invoice' and status in ('failed', 'bounced', 'unknown');
-- squawk-ignore require-concurrent-index-deletion
drop index dispute_to_acknowledge;

-- migrate:down
create index dispute_to_acknowledge on dispute (id) where acknowledgement = 'wanted';
drop index delivery_failed;
