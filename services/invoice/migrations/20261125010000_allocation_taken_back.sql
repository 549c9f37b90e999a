-- migrate:up
alter table allocation add column reversal_reason text;
comment on column allocation.reversal_reason is 'Why somebody took it back by hand; null where a reversal or a credit note did.';

-- migrate:down
alter table allocation drop column reversal_reason;
