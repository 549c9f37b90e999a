-- migrate:up
create table import_profile (
    name text not null,
    version int not null,
    kind text not null,
    document jsonb not null,
    saved_at timestamptz not null,
    saved_by text not null,
    primary key (name, version)
);
comment on table import_profile is 'How files of another system are read. Versions are never changed; an import keeps the document it was read with.';

-- migrate:down
drop table import_profile;
