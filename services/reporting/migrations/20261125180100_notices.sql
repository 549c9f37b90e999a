-- migrate:up
create table notice (
    id uuid primary key,
    channel text not null,
    target text not null,
    content jsonb not null,
    made_at timestamptz not null,
    status text not null,
    reason text,
    attempts bigint not null default 0,
    retry_at timestamptz,
    lease_until timestamptz,
    constraint notice_channel_known check (channel in ('email', 'slack', 'teams', 'webhook')),
    constraint notice_status_known check (status in ('planned', 'sending', 'sent', 'failed', 'unknown')),
    constraint notice_sending_on_a_lease check ((status = 'sending') = (lease_until is not null))
);
comment on table notice is 'What people and systems are told by us: alerts, digests, disabled webhooks. Written before anything leaves.';
comment on column notice.target is 'A mail address, the address of a chat''s hook, or the id of a webhook.';
comment on column notice.lease_until is 'Real time, as is retry_at: after it, nobody knows whether the notice left.';
create index notice_under_way on notice (id) where status in ('planned', 'sending');

-- migrate:down
drop table notice;
