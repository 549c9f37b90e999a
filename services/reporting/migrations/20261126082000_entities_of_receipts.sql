-- migrate:up
alter table receipt add column entity_id text not null default 'default';
alter table contact add column entity_id text not null default 'default';

-- The feed knows of which entity each is.
insert into rebuild (wanted_by) select 'migration' where exists (select from event) on conflict do nothing;

-- migrate:down
alter table contact drop column entity_id;
alter table receipt drop column entity_id;
