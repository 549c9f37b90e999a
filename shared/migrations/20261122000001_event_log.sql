-- migrate:up
create table event_log (
    seq bigint generated always as identity,
    month date not null,
    shard smallint not null,
    topic text not null,
    key uuid not null,
    id uuid not null,
    type text not null,
    subject uuid not null,
    time timestamptz not null,
    version bigint not null,
    correlation text,
    causation text,
    traceparent text,
    data json not null,
    logged_at timestamptz not null default now(),
    primary key (seq, month)
) partition by range (month);
comment on table event_log is 'Every event this service ever published, in the order it was decided per key.';

create table event_log_default partition of event_log default;
create index event_log_logged_at on event_log (logged_at);

create table outbox (
    seq bigint primary key,
    month date not null,
    shard smallint not null
);
comment on table outbox is 'Pointers into event_log that the broker has not acknowledged yet.';

create table relay_progress (
    topic text not null,
    shard smallint not null,
    n bigint not null,
    primary key (topic, shard)
);
comment on table relay_progress is 'Events acknowledged by the broker, counted in the transaction that removes their pointers.';

create table broker (
    singleton boolean primary key default true check (singleton),
    cluster_id text not null,
    bound_at timestamptz not null default now()
);
comment on table broker is 'The cluster the relay published to: another id means none of it is there.';

-- migrate:down
drop table broker;
drop table relay_progress;
drop table outbox;
drop table event_log;
