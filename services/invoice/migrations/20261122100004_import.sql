-- migrate:up
create table import (
    id uuid primary key,
    version int not null default 1,
    entity_id text not null,
    kind text not null constraint import_kind check (kind in ('invoices', 'opening_balances', 'payment_history')),
    mode text not null constraint import_mode check (mode in ('partial', 'atomic')),
    dry_run boolean not null,
    format text not null,
    profile_name text,
    profile_version int,
    profile jsonb,
    headings jsonb,
    status text not null default 'running' constraint import_status check (
        status in ('running', 'completed', 'refused')
    ),
    rows int not null,
    accepted int not null default 0,
    present int not null default 0,
    rejected int not null default 0,
    checked int not null default 0,
    received_at timestamptz not null,
    completed_at timestamptz,
    working_since timestamptz,
    worked_until timestamptz,
    constraint import_counts_its_rows check (
        least(accepted, present, rejected) >= 0 and accepted + present + rejected <= rows and checked <= rows
    ),
    constraint import_completed_at_the_end check (
        (status = 'running') = (completed_at is null)
        and (status = 'running' or status = 'refused' or accepted + present + rejected = rows)
    ),
    constraint import_refused_issues_nothing check (status <> 'refused' or (mode = 'atomic' and accepted = 0))
);
comment on column import.present is 'Rows that were there already with the same content; nothing was done for them.';
comment on column import.checked is 'Rows judged ahead of an import that is all or nothing, or of a dry run.';
comment on column import.working_since is 'By the real clock, as worked_until: what the rate is worked out from.';

create table import_chunk (
    import_id uuid not null references import,
    first_line int not null,
    body bytea not null,
    rows int not null,
    due_at timestamptz not null,
    step text not null constraint import_chunk_step check (step in ('issue', 'judge', 'judged', 'together')),
    numbers text[],
    contents text[],
    primary key (import_id, first_line)
);
comment on table import_chunk is 'Rows of an import still to be issued; a chunk is deleted in the transaction that issues it.';
comment on column import_chunk.step is 'issue: by itself; judge, then judged: looked at ahead; together: with all of its import or not at all.';
create index import_chunk_due_at on import_chunk (step, due_at);

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
