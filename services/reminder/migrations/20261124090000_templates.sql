-- migrate:up
create table template (
    name text not null,
    entity_id text not null,
    version bigint not null,
    occasion text not null,
    wordings jsonb not null,
    saved_at timestamptz not null,
    saved_by text not null,
    primary key (name, entity_id, version),
    constraint template_version_from_1 check (version >= 1),
    constraint template_occasion_known check (occasion in ('overdue', 'before_due', 'promise', 'instalment'))
);
comment on table template is 'What an installation or one of its entities says in place of the shipped wordings; every version is kept.';
comment on column template.entity_id is 'Empty: for all entities of the installation.';
comment on column template.wordings is 'One object for each language and tone, with its parts. An empty list is the shipped template again.';

-- migrate:down
drop table template;
