-- migrate:up
create table digest_day (
    day date primary key,
    made_at timestamptz not null
);
comment on table digest_day is 'Days whose digests were made, or found to be empty.';

create table digest (
    id uuid primary key,
    subject text not null,
    day date not null,
    news jsonb not null,
    status text not null,
    reason text,
    lease_until timestamptz,
    retry_at timestamptz,
    attempts bigint not null default 0,
    constraint digest_once_a_day unique (subject, day),
    constraint digest_status_known check (status in ('planned', 'sending', 'sent', 'failed', 'unknown')),
    constraint digest_sending_on_a_lease check ((status = 'sending') = (lease_until is not null))
);
comment on table digest is 'What a colleague is told by mail of the accounts that it follows; written before anything leaves.';
comment on column digest.news is 'One object an account: its name, what it owes, and what has happened.';
comment on column digest.lease_until is 'Real time: after it, whoever was sending is gone and nobody knows whether the mail left.';
create index digest_under_way on digest (day) where status in ('planned', 'sending');

-- migrate:down
drop table digest;
drop table digest_day;
