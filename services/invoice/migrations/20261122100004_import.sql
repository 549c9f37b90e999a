-- migrate:up
create table import (
    id uuid primary key,
    version int not null default 1,
    entity_id text not null,
    status text not null default 'running' constraint import_status check (status in ('running', 'completed')),
    rows int not null,
    accepted int not null default 0,
    rejected int not null default 0,
    received_at timestamptz not null,
    completed_at timestamptz,
    constraint import_counts_its_rows check (accepted + rejected <= rows and accepted >= 0 and rejected >= 0),
    constraint import_completed_at_the_end check (
        (status = 'completed') = (accepted + rejected = rows) and (status = 'completed') = (completed_at is not null)
    )
);

create table import_chunk (
    import_id uuid not null references import,
    first_line int not null,
    body bytea not null,
    rows int not null,
    due_at timestamptz not null,
    primary key (import_id, first_line)
);
comment on table import_chunk is 'Rows of an import still to be issued; a chunk is deleted in the transaction that issues it.';
create index import_chunk_due_at on import_chunk (due_at);

create table import_error (
    import_id uuid not null references import,
    line int not null,
    reasons jsonb not null,
    primary key (import_id, line)
);

-- migrate:down
drop table import_error;
drop table import_chunk;
drop table import;
