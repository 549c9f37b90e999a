-- migrate:up
create table webhook (
    id uuid primary key,
    version bigint not null,
    url text not null,
    description text not null,
    types text[] not null,
    customers uuid[] not null,
    notify text,
    status text not null,
    disabled_because text,
    key bytea not null,
    former_key bytea,
    former_until timestamptz,
    starts_behind bigint not null,
    created_by text not null,
    created_at timestamptz not null,
    constraint webhook_status_known check (status in ('active', 'paused', 'disabled')),
    constraint webhook_disabled_with_reason check ((status = 'disabled') = (disabled_because is not null)),
    constraint webhook_former_key_ends check ((former_key is null) = (former_until is null))
);
comment on table webhook is 'Systems that events are sent to, signed after the Standard Webhooks specification.';
comment on column webhook.types is 'Empty for all; so are customers.';
comment on column webhook.notify is 'The mail address that is told when the webhook is disabled.';
comment on column webhook.former_until is 'Real time: until then the key before this one signs as well.';
comment on column webhook.starts_behind is 'The feed number behind which its first event is.';

create table webhook_run (
    id uuid primary key,
    webhook_id uuid not null references webhook on delete cascade,
    kind text not null,
    since timestamptz,
    until timestamptz,
    place bigint not null,
    last_place bigint,
    delivered bigint not null default 0,
    delivered_at timestamptz,
    failures bigint not null default 0,
    failing_since timestamptz,
    rest_until timestamptz,
    lease uuid,
    lease_until timestamptz,
    finished_at timestamptz,
    constraint webhook_run_kind_known check (kind in ('live', 'replay')),
    constraint webhook_run_replay_ends check ((kind = 'replay') = (last_place is not null)),
    constraint webhook_run_failing_since check ((failures = 0) = (failing_since is null)),
    constraint webhook_run_leased check ((lease is null) = (lease_until is null))
);
comment on table webhook_run is 'A way through the feed for a webhook: the one that follows it for ever, and replays of a range.';
comment on column webhook_run.place is 'Up to this feed number everything was delivered, or its customer has a lane.';
comment on column webhook_run.failures is 'Rounds in a row in which nothing could be delivered. All times here are real.';
create unique index webhook_run_live on webhook_run (webhook_id) where kind = 'live';
create index webhook_run_of_webhook on webhook_run (webhook_id);

create table webhook_lane (
    run_id uuid not null references webhook_run on delete cascade,
    customer_id uuid not null,
    place bigint not null,
    event_id uuid,
    attempts bigint not null,
    failing_since timestamptz,
    retry_at timestamptz not null,
    reason text,
    primary key (run_id, customer_id),
    constraint webhook_lane_failing_since check ((attempts = 0) = (failing_since is null))
);
comment on table webhook_lane is 'A customer whose events wait, because one of them could not be delivered: a cursor of its own over the feed.';
comment on column webhook_lane.place is 'Up to this feed number the customer''s events were delivered; event_id is the next one.';
create index webhook_lane_due on webhook_lane (run_id, retry_at);

create table webhook_dead (
    webhook_id uuid not null references webhook on delete cascade,
    event_id uuid not null,
    customer_id uuid not null,
    type text not null,
    attempts bigint not null,
    reason text not null,
    dead_at timestamptz not null,
    retry_asked boolean not null default false,
    primary key (webhook_id, event_id)
);
comment on table webhook_dead is 'Events that were not delivered for days; they are tried again when somebody asks for it.';
create index webhook_dead_asked on webhook_dead (webhook_id) where retry_asked;

-- migrate:down
drop table webhook_dead;
drop table webhook_lane;
drop table webhook_run;
drop table webhook;
