-- migrate:up
alter table receivable add column collect_again_on date;
comment on column receivable.collect_again_on is 'After a dispute: the invoice is not chased before this day. It stays when later events say nothing of it.';

-- migrate:down
alter table receivable drop column collect_again_on;
