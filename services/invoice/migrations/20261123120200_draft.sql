-- migrate:up
create table draft (
    id uuid primary key,
    version int not null default 1,
    entity_id text not null,
    customer_id uuid not null references customer,
    owner text not null,
    body jsonb not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
comment on table draft is 'Invoices being written, as the request that would issue them; the row goes when one is issued under its id.';
create index draft_by_age on draft (created_at, id);

-- migrate:down
drop table draft;
