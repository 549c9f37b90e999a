-- migrate:up
create table account_digest (
    id uuid primary key,
    version bigint not null,
    name text not null,
    recipients text[] not null,
    accounts jsonb not null,
    weekday bigint not null,
    hour bigint not null,
    active boolean not null,
    created_by text not null,
    created_at timestamptz not null,
    next_due_at timestamptz not null,
    made_on date,
    constraint account_digest_weekday check (weekday between 1 and 7),
    constraint account_digest_hour check (hour between 0 and 23)
);
comment on table account_digest is 'Account teams that get a mail each week: what is owed, and what has changed.';
comment on column account_digest.accounts is 'Which customers: a collector''s, a segment''s, a country''s, or some by id.';
comment on column account_digest.made_on is 'Up to the end of the day before, the last one told of everything.';
create index account_digest_due on account_digest (next_due_at) where active;

-- migrate:down
drop table account_digest;
