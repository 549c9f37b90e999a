-- migrate:up
create table authority (
    entity_id text primary key,
    version bigint not null,
    document jsonb not null,
    constraint authority_version_from_1 check (version >= 1)
);
comment on table authority is 'What may be promised, paused, offered and placed for a selling entity, and by whom. Without a row the house''s own limits apply.';

-- migrate:down
drop table authority;
