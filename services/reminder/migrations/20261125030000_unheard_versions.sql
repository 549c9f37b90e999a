-- migrate:up
alter table receivable add column unheard jsonb not null default '[]';
comment on column receivable.unheard is 'Versions below the newest that have not been heard of yet, since topics come in any order. Any other that is not newer is a repeat.';

-- migrate:down
alter table receivable drop column unheard;
