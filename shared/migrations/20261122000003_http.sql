-- migrate:up
create table idempotency (
    principal text not null,
    key text not null,
    body_hash bytea not null,
    status int not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    primary key (principal, key)
);
comment on table idempotency is 'The answer each Idempotency-Key got, stored in the transaction of its work.';
create index idempotency_created_at on idempotency (created_at);

-- migrate:down
drop table idempotency;
